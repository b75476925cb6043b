/** What the main thread and the policy engine's thread say to each other. */
import type { Cib } from '@systole/cib';
import type { ScheduleOutcome } from '@systole/crm';
import type { Epoch } from '@systole/kernel';

export interface Question {
  readonly scheduleId: number;
  readonly cib: Cib;
  readonly at: Epoch;
}

/** Marks a question whose answer nobody waits for. */
export const warming = -1;

export interface PolicyAnswer {
  readonly scheduleId: number;
  readonly outcome: ScheduleOutcome;
}

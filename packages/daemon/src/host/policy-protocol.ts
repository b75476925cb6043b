/** What the main thread and the policy engine's thread say to each other. */
import type { Cib } from '@systole/cib';
import type { KeepInput, ScheduleOutcome } from '@systole/crm';
import type { Epoch } from '@systole/kernel';
import type { InputBounds } from './policy-inputs.ts';

export interface Question {
  readonly type: 'ask';
  readonly scheduleId: number;
  readonly cib: Cib;
  readonly at: Epoch;
}

/** To the thread: a question, or that the last one was worth keeping. */
export type PolicyInput = Question | KeepInput;

/** Marks a question whose answer nobody waits for. */
export const warming = -1;

export interface PolicyAnswer {
  readonly type: 'answer';
  readonly scheduleId: number;
  readonly outcome: ScheduleOutcome;
}

/** An input could not be kept; nothing else is wrong. */
export interface NotKept {
  readonly type: 'notKept';
  readonly transitionId: string;
  readonly problem: string;
}

export type PolicyOutput = PolicyAnswer | NotKept;

/** What the thread is told when it starts. */
export interface PolicySetup {
  readonly node: string;
  readonly release: string;
  /** Where inputs are kept. */
  readonly folder: string;
  readonly bounds: InputBounds;
}

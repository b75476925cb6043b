/** A whole simulation: what is, what would be done, and what would be then. */
import type { Cib } from '@systole/cib';
import { type Decision, schedule, type ScheduleOptions } from '../schedule.ts';
import { readSituation } from '../status/read.ts';
import { reportStatus, type StatusReport } from '../status/report.ts';
import { type Applied, applyTransition } from './apply.ts';

export interface Simulation {
  readonly decision: Decision;
  readonly before: StatusReport;
  readonly after: StatusReport;
  readonly applied: Applied;
}

export interface SimulateOptions extends ScheduleOptions {
  /** The exit code of actions that are to fail, by `RESOURCE_OPERATION_INTERVAL@NODE`. */
  readonly failures?: ReadonlyMap<string, number>;
}

export function simulate(cib: Cib, options: SimulateOptions): Simulation {
  const decision = schedule(cib, options);
  const applied = applyTransition(cib, decision.transition, {
    at: decision.situation.now,
    ...(options.failures === undefined ? {} : { failures: options.failures }),
  });
  const zone = options.timeZone === undefined ? {} : { timeZone: options.timeZone };
  return {
    decision,
    applied,
    before: reportStatus(decision.situation),
    after: reportStatus(readSituation(applied.cib, options.now, zone), { showsPending: false }),
  };
}

/** When the policy engine is to pretend it is: as asked, else as the CIB says, else `clock`. Milliseconds since 1970. */
export const timeFor = (cib: Cib, at: number | undefined, clock: number): number =>
  at ?? (cib.header.executionDate === undefined ? clock : cib.header.executionDate * 1000);

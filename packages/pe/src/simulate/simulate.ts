/** A whole simulation: what is, what would be done, and what would be then. */
import type { Cib } from '@systole/cib';
import { type Decision, schedule, type ScheduleOptions } from '../schedule.ts';
import { readSituation } from '../status/read.ts';
import { type NodeReport, reportStatus, type StatusReport } from '../status/report.ts';
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
  const before = reportStatus(decision.situation);
  const after = reportStatus(readSituation(applied.cib, options.now, zone), { showsPending: false });
  return { decision, applied, before, after: { ...after, nodes: withLeft(after.nodes, before.nodes) } };
}

/** A remote node whose connection was removed is not known any more: it has not vanished for the reader, it is offline. */
function withLeft(after: readonly NodeReport[], before: readonly NodeReport[]): readonly NodeReport[] {
  const known = new Set(after.map(({ name }) => name));
  const left = before.filter(({ name, kind }) => kind === 'remote' && !known.has(name));
  return [...after, ...left.map(({ name, kind }): NodeReport => ({ name, kind, state: 'offline' }))];
}

/** When the policy engine is to pretend it is: as asked, else as the CIB says, else `clock`. Milliseconds since 1970. */
export const timeFor = (cib: Cib, at: number | undefined, clock: number): number =>
  at ?? (cib.header.executionDate === undefined ? clock : cib.header.executionDate * 1000);

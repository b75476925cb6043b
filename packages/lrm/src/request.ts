/** What a request says, read. */
import { byCodeUnit } from '@systole/kernel';
import type { Execute } from './contract.ts';

/** An operation whose configuration gives no timeout. */
const defaultTimeoutMs = 20_000;

/** A parameter with this value is a secret that is kept on the node. */
const secretMark = 'lrm://';

export const timeoutOf = (request: Execute): number => (request.timeoutMs > 0 ? request.timeoutMs : defaultTimeoutMs);

/** A meta attribute, under either spelling. */
export const metaOf = ({ meta }: Execute, name: string): string | undefined =>
  meta[name] ?? meta[name.replaceAll('_', '-')];

/** Whether the status is to say that the operation is under way: yes, unless its configuration says no. */
export const recordsPending = (request: Execute): boolean =>
  !['false', 'no', 'off', '0'].includes(metaOf(request, 'record_pending')?.toLowerCase() ?? '');

/** Whether an operation, run once, makes what recurs meaningless. */
export const changesState = (operation: string): boolean =>
  !['monitor', 'notify', 'meta-data', 'validate-all'].includes(operation);

/** Whether a next life must know that it was in flight: a monitor changes nothing, and may be killed without a trace. */
export const leavesTrace = (request: Execute): boolean => request.intervalMs === 0 && changesState(request.operation);

/** Names of the parameters whose values are to be read from the node's own store. */
export const secretsIn = (request: Execute): readonly string[] =>
  Object.entries(request.parameters)
    .filter(([, value]) => value === secretMark)
    .map(([name]) => name);

/** A recurring operation waits for its start delay only once. */
export const withoutDelay = (request: Execute): Execute => {
  const { startDelayMs: _once, ...rest } = request;
  return rest;
};

/** Whether a run of the one answers the other, too. */
export const isSameRun = (a: Execute, b: Execute): boolean => {
  const text = ({ parameters, timeoutMs }: Execute): string =>
    JSON.stringify([timeoutMs, Object.entries(parameters).toSorted(([x], [y]) => byCodeUnit(x, y))]);
  return text(a) === text(b);
};

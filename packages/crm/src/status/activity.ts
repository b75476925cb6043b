/** Whether a resource may run, as far as its history on a node can tell. What is not certain counts as running. */
import type { ResourceHistory } from '@systole/cib';

const pendingStatus = -1;
const okCode = 0;
/** Of a probe: the agent is not there, or says that it does not run. */
const absentCodes: ReadonlySet<number> = new Set([5, 7]);

export function mayRun({ agent, operations }: ResourceHistory): boolean {
  if (agent.class === 'stonith') return false; // started means looked after; nothing runs
  const once = operations.filter(({ intervalMs, operation }) => intervalMs === 0 && operation !== 'notify');
  if (once.some(({ status }) => status === pendingStatus)) return true; // under way: nobody knows yet
  const last = once.reduce<(typeof once)[number] | undefined>(
    (newest, record) => (newest === undefined || record.callId > newest.callId ? record : newest),
    undefined,
  );
  if (last === undefined) return false;
  if (last.operation === 'stop') return last.exitCode !== okCode;
  return !(last.operation === 'monitor' && absentCodes.has(last.exitCode));
}

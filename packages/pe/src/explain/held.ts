/** What forbids to act on a resource, whatever placement says: blocked, in maintenance, no quorum, failed. */
import type { Place } from '../assign/placement.ts';
import type { PrimitiveInstance } from '../expand/instance.ts';
import type { Decision } from '../schedule.ts';

export function whatHolds(
  decision: Decision,
  instance: PrimitiveInstance,
  place: Place | undefined,
): readonly string[] {
  const { situation } = decision;
  const { options } = situation;
  const held: string[] = [];
  if (place?.isBlocked ?? instance.isBlocked) {
    held.push(
      `${instance.id} is blocked: a failure that the configuration says not to act on, or one that needs fencing. Clean it up after the cause is gone`,
    );
  } else if (instance.isMaintenance) {
    held.push(
      options.isMaintenance ? 'the cluster is in maintenance mode' : `${instance.id} or its node is in maintenance`,
    );
  } else if (!(place?.isManaged ?? instance.isManaged)) {
    held.push(`${instance.id} is not managed (is-managed=false)`);
  }
  if (options.isFencingEnabled && !options.hasFencing) {
    held.push('fencing is enabled and no fence device is configured: nothing is started or stopped');
  }
  if (!situation.hasQuorum && options.noQuorumPolicy !== 'ignore' && (instance.needsQuorum || instance.needsFencing)) {
    held.push(`there is no quorum, and no-quorum-policy is ${options.noQuorumPolicy}`);
  }
  for (const failed of situation.failedOperations) {
    if (failed.instance !== instance) continue;
    const { entry, node } = failed;
    held.push(
      `${entry.operation}${entry.intervalMs > 0 ? ` every ${entry.intervalMs / 1000}s` : ''} failed on ${node.name} with exit code ${entry.exitCode}${entry.record.exitReason === undefined || entry.record.exitReason === '' ? '' : `: ${entry.record.exitReason}`}`,
    );
  }
  return held;
}

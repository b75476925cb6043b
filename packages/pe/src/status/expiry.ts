/**
 * Failures that are too old to count: whether an entry has outlived `failure-timeout`, whether the fail count is to be
 * cleared, and what an old failure still says.
 *
 * Semantics: Pacemaker's check_operation_expiry() and pe__failure_expired() (lib/pengine/unpack.c).
 */
import { isProbe } from '../config/operations.ts';
import { parametersOn } from '../config/parameters.ts';
import { secondsOf } from '../config/values.ts';
import { needsHostName } from '../expand/bundle.ts';
import { type DraftNode, type DraftPrimitive, findNode, noteRecheck, type Reader } from '../expand/draft.ts';
import { isActiveRole } from '../expand/instance.ts';
import { compareDigests } from './digests.ts';
import { effectiveTimeoutMs, failCount } from './failures.ts';
import type { HistoryEntry } from './history.ts';
import { exit, isMaskedProbe, type Judged, type Picture, status } from './picture.ts';

/** Whether the entry is older than `failure-timeout`; asks for the fail count to be cleared where that is due. */
export function checkExpiry(reader: Reader, { instance, node }: Picture, { entry }: Judged): boolean {
  const { record } = entry;
  if (entry.status === status.notInstalled) return false;
  const isLastFailure = record.id.endsWith('_last_failure_0');
  const timeout = secondsOf(instance.failureTimeoutMs);
  let isExpired = false;
  let unexpired = 0;
  if (timeout > 0 && record.lastChange !== undefined) {
    isExpired = reader.now >= record.lastChange + timeout && !waitsForFencing(reader, instance, entry);
    const effective = failCount(reader, instance, node, { isEffective: true, record });
    unexpired = effective.count;
    // Once a failure that blocks is seen, nothing of this resource expires.
    if (effective.count > 0 && effectiveTimeoutMs(reader, instance, node, record) === 0) instance.failureTimeoutMs = 0;
    const expiry = effective.lastFailure + timeout + 1;
    if (unexpired > 0 && reader.now < expiry) noteRecheck(reader, expiry, `the failures of ${instance.id} expire`);
  }
  let reason: string | undefined;
  if (isExpired) {
    if (failCount(reader, instance, node, { isEffective: false, record }).count > 0) {
      if (unexpired === 0) reason = 'it expired';
      else isExpired = false;
    } else if (isLastFailure && instance.reconnectMs > 0) {
      reason = 'reconnect interval is set';
    }
  }
  if (!isExpired && isLastFailure && hasOtherParameters(reader, instance, node, entry)) {
    reason = 'resource parameters have changed';
  }
  if (reason !== undefined) {
    const remote =
      reader.options.isFencingEnabled && instance.reconnectMs > 0 ? findNode(reader, instance.id) : undefined;
    reader.demands.push({
      type: 'clearFailCount',
      instance,
      node,
      reason,
      ...(remote === undefined ? {} : { afterFencing: remote }),
    });
  }
  const isPlainProbe =
    isProbe(entry.operation, entry.intervalMs) &&
    [exit.ok, exit.notRunning, exit.promoted, exit.degraded, exit.degradedPromoted].some(
      (code) => code === entry.exitCode,
    );
  return isExpired && !isPlainProbe;
}

/** With a reconnect interval the failure of a connection's monitor is kept until its node has been fenced. */
function waitsForFencing(reader: Reader, instance: DraftPrimitive, entry: HistoryEntry): boolean {
  if (instance.reconnectMs === 0 || !reader.options.isFencingEnabled) return false;
  if (entry.intervalMs === 0 || entry.operation !== 'monitor') return false;
  return findNode(reader, instance.id)?.wasFenced === false;
}

function hasOtherParameters(reader: Reader, instance: DraftPrimitive, node: DraftNode, entry: HistoryEntry): boolean {
  if (entry.operation !== 'start' && entry.operation !== 'monitor') return false;
  if (instance.isConnection && needsHostName(parametersOn(reader, instance, undefined))) {
    reader.postponedChecks.push({ instance, node, entry });
    return false;
  }
  const comparison = compareDigests(reader, instance, node, entry.record);
  return comparison === 'restart' || comparison === 'reload';
}

export function readExpired(
  { instance, node }: Picture,
  judged: Judged,
  recordedExit: number,
): 'ignored' | 'reschedule' | 'counts' {
  const { entry } = judged;
  if (isMaskedProbe(instance, entry) && recordedExit !== entry.expectedExitCode) {
    if (!isActiveRole(instance.role)) instance.role = 'Unknown';
    return 'ignored';
  }
  if (judged.exitCode === entry.expectedExitCode) return 'counts';
  // Time makes a failure old, it does not stop anything: what failed to start or to stop may run. Pacemaker takes it for
  // stopped then, and starts it elsewhere once its node has left (law S1, seed 70303).
  const mayRun = entry.operation === 'start' || entry.operation === 'stop';
  if (mayRun && !isActiveRole(instance.role)) instance.role = 'Started';
  if (entry.intervalMs === 0) return 'ignored';
  return node.isOnline && !node.isUnclean ? 'reschedule' : 'counts';
}

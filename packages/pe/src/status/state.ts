/**
 * All entries of one resource on one node → its state there, and what its failure demands.
 *
 * Semantics: Pacemaker's unpack_lrm_resource() and process_rsc_state().
 */
import { type OperationRecord, type ResourceHistory, INFINITY } from '@systole/cib';
import { secondsOf, wholeNumber } from '../config/values.ts';
import { addReadScore } from '../expand/allowed.ts';
import {
  type DraftInstance,
  type DraftNode,
  type DraftPrimitive,
  findNode,
  isBundledDraft,
  isGuest,
  isRemote,
  type Reader,
  topDraft,
} from '../expand/draft.ts';
import { isActiveRole, rank } from '../expand/instance.ts';
import { targetRole } from '../expand/settings.ts';
import { addActive, block, demandStop, markFailed, withdrawStop } from './active.ts';
import { expectedExitCode } from './failures.ts';
import { fence } from './fencing.ts';
import { findInstance, removedResource } from './find.ts';
import type { HistoryEntry, ResourceHistoryOnNode } from './history.ts';
import { compareRecords } from './order.ts';
import type { Picture } from './picture.ts';
import { readResult } from './result.ts';

/** Reads a resource's history on a node. Returns the instance it belongs to, if any. */
export function readResourceHistory(
  reader: Reader,
  node: DraftNode,
  history: ResourceHistory,
): DraftPrimitive | undefined {
  const locks = reader.options.hasShutdownLock;
  if (history.operations.length === 0 && !locks) return undefined;
  const found = findInstance(reader, node, history.id);
  if (found === undefined && history.operations.length === 0) return undefined;
  const instance = found ?? removedResource(reader, history);
  if (locks) readLock(reader, instance, node, history);

  const before = instance.role;
  instance.role = 'Unknown';
  const picture: Picture = { instance, node, onFail: 'ignore' };
  const entries = entriesOf(history);
  const read = entries.map((entry) => {
    const outcome = readResult(reader, picture, entry);
    if (outcome !== 'reschedule') return entry;
    reader.rescheduled.add(entry.record);
    return { ...entry, mustReschedule: true };
  });
  const onNode = { source: history, id: history.id, entries: read, ...activeRange(read) };
  if (!instance.history.has(node)) instance.history.set(node, onNode);
  if (picture.lastFailure !== undefined) instance.lastFailures.set(node, picture.lastFailure);
  noteRecurring(reader, instance, node, onNode);
  applyState(reader, picture);
  applyTargetRole(instance);
  if (rank(before) > rank(instance.role)) instance.role = before;
  return instance;
}

/** A history as it stands, its entries in order; what reading makes of them is not in it. */
export function parseHistory(source: ResourceHistory): ResourceHistoryOnNode {
  const entries = entriesOf(source);
  return { source, id: source.id, entries, ...activeRange(entries) };
}

/** The records, oldest first. Most have one: a probe that found nothing. */
const entriesOf = ({ operations }: ResourceHistory): readonly HistoryEntry[] =>
  operations.length < 2 ? operations.map(parseEntry) : operations.toReversed().toSorted(compareRecords).map(parseEntry);

const parseEntry = (record: OperationRecord): HistoryEntry => ({
  record,
  operation: record.operation,
  intervalMs: record.intervalMs,
  key: record.key ?? record.id,
  callId: record.callId,
  status: record.status,
  exitCode: record.exitCode,
  expectedExitCode: expectedExitCode(record),
  lastChange: record.lastChange ?? 0,
  mustReschedule: false,
});

/** A shutdown lock: the resource waits for its node, unless the lock has expired. */
function readLock(reader: Reader, instance: DraftPrimitive, node: DraftNode, history: ResourceHistory): void {
  const since = wholeNumber(history.shutdownLock) ?? 0;
  if (since === 0) return;
  const limit = reader.options.shutdownLockLimitMs;
  if (limit > 0 && reader.now > since + secondsOf(limit)) {
    reader.demands.push({ type: 'clearHistory', instance, node });
  } else {
    instance.lock = { node, since };
  }
}

type Range = Pick<ResourceHistoryOnNode, 'startIndex' | 'stopIndex'>;

/** Which entries are of the time since it was last started; a monitor's success implies a start that is not recorded. */
export function activeRange(entries: readonly HistoryEntry[]): Range {
  let stopIndex = -1;
  let startIndex = -1;
  let impliedByMonitor = -1;
  let impliedByRole = -1;
  for (const [index, entry] of entries.entries()) {
    switch (entry.operation) {
      case 'stop':
        if (entry.status === 0) stopIndex = index;
        break;
      case 'start':
      case 'migrate_from':
        startIndex = index;
        break;
      case 'promote':
      case 'demote':
        impliedByRole = index;
        break;
      case 'monitor':
        if (impliedByMonitor <= stopIndex && (entry.exitCode === 0 || entry.exitCode === 8)) impliedByMonitor = index;
        break;
      default:
        break;
    }
  }
  if (startIndex === -1) startIndex = impliedByRole === -1 ? impliedByMonitor : impliedByRole;
  return { startIndex, stopIndex };
}

function noteRecurring(
  reader: Reader,
  instance: DraftPrimitive,
  node: DraftNode,
  history: ResourceHistoryOnNode,
): void {
  if (!node.isOnline) return;
  const { entries, startIndex, stopIndex } = history;
  for (const [index, entry] of entries.entries()) {
    if (entry.intervalMs === 0 || entry.status === -1) continue;
    if ((startIndex < stopIndex && index <= stopIndex) || index < startIndex) continue;
    reader.activeRecurring.push({ instance, node, operation: entry.operation, intervalMs: entry.intervalMs });
  }
}

function applyState(reader: Reader, picture: Picture): void {
  const { instance, node } = picture;
  const isActive = isActiveRole(instance.role);
  if (instance.role !== 'Unknown') noteProbed(instance, node);
  if (isActive && !node.isOnline && !node.isMaintenance && instance.isManaged) fenceLostNode(reader, instance, node);
  const failedWith = picture.onFail;
  const onFail = node.isUnclean ? 'ignore' : failedWith;
  applyFailure(reader, instance, node, onFail, isActive);
  if (instance.isFailed && instance.isConnection) {
    const remote = findNode(reader, instance.id);
    if (remote?.isUnclean === true) remote.isSeen = true;
  }
  if (isActive) {
    addActive(reader, instance, node, failedWith !== 'ignore');
    if (onFail === 'demote' || onFail === 'block') instance.isFailed = true;
    else if (onFail !== 'ignore') markFailed(instance);
  } else {
    noteInactive(reader, instance, node);
    return;
  }
}

function noteInactive(reader: Reader, instance: DraftPrimitive, node: DraftNode): void {
  if (instance.historyId?.includes(':') === true) {
    // Very old histories number their instances; a stopped one must not look like a removed one.
    instance.historyId = undefined;
  } else {
    withdrawStop(reader, instance, node);
  }
  // A stop on the source of a migration does not make it stopped on the target.
  const isSource = instance.partialMigration?.source === node;
  if (instance.role === 'Stopped' && instance.activeNodes.length > 0 && isSource) instance.role = 'Started';
}

function noteProbed(instance: DraftPrimitive, node: DraftNode): void {
  for (let at: DraftInstance | undefined = instance; at !== undefined; at = at.parent) {
    at.probedNodes.add(node);
    if (at.isUnique) break;
  }
}

/** What was active on a node that is gone may still be: only fencing makes that certain. */
function fenceLostNode(reader: Reader, instance: DraftPrimitive, node: DraftNode): void {
  if (isGuest(node)) {
    // A guest is fenced by recovering what it is in, whether or not fencing is enabled.
    markFailed(instance);
  } else if (!reader.options.isFencingEnabled) {
    return;
  } else if (isRemote(node) && node.connection?.isFailed === false) {
    // Only if its connection does not come up elsewhere.
    node.isSeen = false;
    const reason = `${instance.id} is active there (fencing will be revoked if remote connection can be re-established elsewhere)`;
    fence(reader, node, reason);
    return;
  }
  fence(reader, node, `${instance.id} is thought to be active there`);
}

function applyFailure(
  reader: Reader,
  instance: DraftPrimitive,
  node: DraftNode,
  onFail: Picture['onFail'],
  isActive: boolean,
): void {
  switch (onFail) {
    case 'ignore':
      return;
    case 'demote':
      instance.isFailed = true;
      reader.demands.push({ type: 'demote', instance, node });
      return;
    case 'fence':
      fence(reader, node, `${instance.id} failed there`);
      return;
    case 'standby':
      node.isStandby = true;
      node.isStandbyByFailure = true;
      return;
    case 'block':
      block(instance);
      return;
    case 'ban':
      addReadScore(reader, instance, node, -INFINITY, 'it failed here, and on-fail says that it must leave');
      return;
    case 'stop':
      instance.wantedRole = 'Stopped';
      return;
    case 'restart':
      if (!isActive) return;
      markFailed(instance);
      demandStop(reader, instance, node);
      return;
    case 'restart-container':
      markFailed(instance);
      if (instance.launcher !== undefined && isBundledDraft(instance))
        reader.containersToStop.unshift(instance.launcher);
      else if (instance.launcher !== undefined) demandStop(reader, instance.launcher, node);
      else if (isActive) demandStop(reader, instance, node);
      return;
    case 'reset-remote':
      resetRemote(reader, instance, node, isActive);
      return;
  }
}

function resetRemote(reader: Reader, instance: DraftPrimitive, node: DraftNode, isActive: boolean): void {
  markFailed(instance);
  const remote = reader.options.isFencingEnabled && instance.isConnection ? findNode(reader, instance.id) : undefined;
  if (remote !== undefined && remote.kind !== 'member' && isRemote(remote) && !remote.wasFenced) {
    fence(reader, remote, 'remote connection is unrecoverable');
  }
  if (isActive) demandStop(reader, instance, node);
  // Stopped until the reconnect interval has passed and the failure is cleared.
  if (instance.reconnectMs > 0) instance.wantedRole = 'Stopped';
}

/** `target-role` lowers what is wanted, never raises it. */
function applyTargetRole(instance: DraftPrimitive): void {
  const wanted = targetRole(instance.meta, topDraft(instance, false).isPromotable);
  if (wanted === undefined) return;
  if (instance.wantedRole === 'Unknown' || rank(wanted) < rank(instance.wantedRole)) instance.wantedRole = wanted;
}

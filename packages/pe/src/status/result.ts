/**
 * One recorded operation → what it says about its resource: the role it is in, whether it failed, and what follows from
 * the failure. Entries of one resource on one node are read from the oldest to the newest; each changes the picture
 * that those before it left.
 *
 * Semantics: Pacemaker's unpack_rsc_op() and what it calls (lib/pengine/unpack.c).
 */
import { INFINITY } from '@systole/cib';
import {
  findOperation,
  isProbe,
  metaOf,
  type OnFail,
  onFailOf,
  roleAfterFailure,
  severity,
} from '../config/operations.ts';
import { parametersOn } from '../config/parameters.ts';
import { secondsOf } from '../config/values.ts';
import { addReadScore, banEverywhere } from '../expand/allowed.ts';
import { needsHostName } from '../expand/bundle.ts';
import {
  type DraftInstance,
  type DraftNode,
  type DraftPrimitive,
  findNode,
  isBundledDraft,
  noteRecheck,
  type Reader,
} from '../expand/draft.ts';
import { type InstanceRole, isActiveRole, rank } from '../expand/instance.ts';
import { block, demandStop, markFailed, setActive } from './active.ts';
import { compareDigests } from './digests.ts';
import { effectiveTimeoutMs, failCount } from './failures.ts';
import { canFence } from './fencing.ts';
import { failureOwner } from './find.ts';
import type { HistoryEntry } from './history.ts';
import { readFailedArrival, readFailedSending, readMigrationSent } from './migration.ts';

/** OCF exit codes that mean something here. */
const exit = {
  ok: 0,
  invalidParameter: 2,
  notImplemented: 3,
  noPermission: 4,
  notInstalled: 5,
  notConfigured: 6,
  notRunning: 7,
  promoted: 8,
  promotedFailed: 9,
  degraded: 190,
  degradedPromoted: 191,
} as const;

/** What became of the attempt to run an operation, as the executor records it. */
const status = {
  unknown: -2,
  pending: -1,
  done: 0,
  cancelled: 1,
  timedOut: 2,
  notSupported: 3,
  error: 4,
  /** Never again on this node. */
  hardError: 5,
  /** Never again anywhere. */
  fatalError: 6,
  notInstalled: 7,
  notConnected: 8,
  invalid: 9,
  noFenceDevice: 10,
  noSecrets: 11,
} as const;

/** What the entries read so far have left behind, for one resource on one node. */
export interface Picture {
  readonly instance: DraftPrimitive;
  readonly node: DraftNode;
  /** The newest failure that has not been cleared. */
  lastFailure?: HistoryEntry;
  /** What is to be done about it. */
  onFail: OnFail;
}

/** An entry with its result as it counts: remapped by what was expected and by what the operation is. */
interface Judged {
  readonly entry: HistoryEntry;
  status: number;
  exitCode: number;
}

const relevant: ReadonlySet<string> = new Set([
  'monitor',
  'start',
  'stop',
  'promote',
  'demote',
  'migrate_to',
  'migrate_from',
  'asyncmon',
]);

/** Takes one entry into the picture. Returns the entry again if its operation must be scheduled anew. */
export function readResult(reader: Reader, picture: Picture, entry: HistoryEntry): 'reschedule' | undefined {
  const { instance, node } = picture;
  if (!relevant.has(entry.operation) || !isValid(entry)) return undefined;
  const judged: Judged = { entry, status: entry.status, exitCode: entry.exitCode };
  const isExpired = checkExpiry(reader, picture, judged);
  const recordedExit = judged.exitCode;
  remap(reader, picture, judged, isExpired);
  if (isExpired) {
    const outcome = readExpired(picture, judged, recordedExit);
    if (outcome !== 'counts') return outcome === 'reschedule' ? 'reschedule' : undefined;
  }
  if (isMaskedProbe(instance, entry)) {
    readMaskedProbe(reader, picture, judged);
    return undefined;
  }
  const owner = failureOwner(instance);
  switch (judged.status) {
    case status.pending:
      readPending(reader, picture, judged);
      return undefined;
    case status.done:
      updateRole(reader, picture, judged, judged.exitCode);
      return undefined;
    case status.notInstalled: {
      const { onFail, role } = failureHandling(reader, picture, entry);
      if (onFail === 'ignore') picture.onFail = 'ban';
      addReadScore(reader, owner, node, -INFINITY, 'its agent is not installed here');
      readFailure(reader, picture, judged, onFail, role);
      return undefined;
    }
    case status.notConnected:
      if (node.connection?.isManaged === true) markFailed(node.connection);
      break;
    default:
      break;
  }
  readUnexpected(reader, picture, judged, owner);
  return undefined;
}

const isValid = ({ status: recorded, exitCode }: HistoryEntry): boolean =>
  recorded >= status.pending &&
  recorded <= status.noSecrets &&
  recorded !== status.cancelled &&
  exitCode >= 0 &&
  exitCode <= 255;

function readUnexpected(reader: Reader, picture: Picture, judged: Judged, owner: DraftInstance): void {
  const { instance, node } = picture;
  const { entry } = judged;
  const { onFail, role } = failureHandling(reader, picture, entry);
  if (onFail === 'ignore' || (onFail === 'restart-container' && entry.operation === 'stop')) {
    updateRole(reader, picture, judged, entry.expectedExitCode);
    instance.hasIgnoredFailure = true;
    recordFailure(reader, picture, entry);
    if (onFail === 'restart-container' && severity(picture.onFail) <= severity('restart')) picture.onFail = onFail;
    return;
  }
  readFailure(reader, picture, judged, onFail, role);
  if (judged.status === status.hardError) {
    addReadScore(reader, owner, node, -INFINITY, 'it failed here in a way that a restart does not cure');
  } else if (judged.status === status.fatalError) {
    addReadScore(reader, owner, undefined, -INFINITY, 'it failed in a way that no restart anywhere cures');
  }
}

/** A probe that could not even ask means "not running" (and says nothing more), except inside a bundle. */
function isMaskedProbe(instance: DraftPrimitive, entry: HistoryEntry): boolean {
  return (
    isProbe(entry.operation, entry.intervalMs) &&
    !isBundledDraft(instance) &&
    (entry.exitCode === exit.notInstalled ||
      entry.exitCode === exit.invalidParameter ||
      entry.status === status.notInstalled)
  );
}

function readMaskedProbe(reader: Reader, picture: Picture, judged: Judged): void {
  updateRole(reader, picture, judged, judged.entry.expectedExitCode);
  recordFailure(reader, picture, judged.entry);
  const owner = failureOwner(picture.instance);
  addReadScore(reader, owner, picture.node, -INFINITY, 'a probe found that it cannot run here');
}

// ---- expiry

/** Whether the entry is older than `failure-timeout`; asks for the fail count to be cleared where that is due. */
function checkExpiry(reader: Reader, { instance, node }: Picture, { entry }: Judged): boolean {
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

function readExpired(
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
  if (entry.intervalMs === 0) return 'ignored';
  return node.isOnline && !node.isUnclean ? 'reschedule' : 'counts';
}

// ---- what a result means

function remap(reader: Reader, picture: Picture, judged: Judged, isExpired: boolean): void {
  const { instance, node } = picture;
  const { entry } = judged;
  if (judged.exitCode === exit.degraded || judged.exitCode === exit.degradedPromoted) {
    judged.exitCode = judged.exitCode === exit.degraded ? exit.ok : exit.promoted;
    if (!isExpired && (!node.isShutdown || node.isOnline)) recordFailure(reader, picture, entry);
  }
  if (isMaskedProbe(instance, entry) && (judged.status !== status.done || judged.exitCode !== exit.notRunning)) {
    judged.status = status.done;
    judged.exitCode = exit.notRunning;
  }
  if (judged.status === status.noFenceDevice || judged.status === status.noSecrets) judged.status = status.hardError;
  if (judged.status !== status.done && judged.status !== status.error) return;

  const isAsExpected = judged.exitCode === entry.expectedExitCode;
  judged.status = isAsExpected ? status.done : status.error;
  const probes = isProbe(entry.operation, entry.intervalMs);
  switch (judged.exitCode) {
    case exit.ok:
      if (probes && entry.expectedExitCode === exit.notRunning) judged.status = status.done;
      break;
    case exit.notRunning:
      if (probes || isAsExpected || !instance.isManaged) {
        judged.status = status.done;
        instance.role = 'Stopped';
        picture.onFail = 'ignore';
        instance.wantedRole = 'Unknown';
      }
      break;
    case exit.promoted:
      if (probes) judged.status = status.done;
      if (!isExpired || isAsExpected) instance.role = 'Promoted';
      break;
    case exit.promotedFailed:
      if (!isExpired) instance.role = 'Promoted';
      judged.status = status.error;
      break;
    case exit.notConfigured:
      judged.status = status.fatalError;
      break;
    case exit.notImplemented:
      if (entry.intervalMs > 0) {
        judged.status = status.notSupported;
        break;
      }
      if (!isExpired) blockIfUnrecoverable(reader, picture, entry);
      judged.status = status.hardError;
      break;
    case exit.notInstalled:
    case exit.invalidParameter:
    case exit.noPermission:
      if (!isExpired) blockIfUnrecoverable(reader, picture, entry);
      judged.status = status.hardError;
      break;
    default:
      if (judged.status === status.done) judged.status = status.error;
  }
}

/** A stop that failed for good can be recovered from by fencing only. */
function blockIfUnrecoverable(reader: Reader, { instance, node }: Picture, entry: HistoryEntry): void {
  if (entry.operation === 'stop' && !canFence(reader, node)) block(instance);
}

/** The result was `exitCode`, and that is no failure. */
function updateRole(reader: Reader, picture: Picture, { entry }: Judged, exitCode: number): void {
  const { instance, node } = picture;
  let clears = false;
  if (exitCode === exit.notInstalled || isMaskedProbe(instance, entry)) {
    instance.role = 'Stopped';
  } else if (exitCode === exit.notRunning) {
    clears = true;
  } else {
    switch (entry.operation) {
      case 'monitor':
        clears = picture.lastFailure !== undefined && picture.lastFailure.key === entry.key;
        if (!isActiveRole(instance.role)) setActive(instance);
        break;
      case 'start':
      case 'migrate_from':
        instance.role = 'Started';
        clears = true;
        break;
      case 'stop':
        instance.role = 'Stopped';
        clears = true;
        break;
      case 'promote':
        instance.role = 'Promoted';
        clears = true;
        break;
      case 'demote':
        clears = picture.onFail === 'demote';
        instance.role = 'Unpromoted';
        break;
      case 'migrate_to':
        readMigrationSent(reader, instance, node, entry.record);
        break;
      default:
        if (!isActiveRole(instance.role)) setActive(instance);
    }
  }
  if (clears) clearFailure(picture);
}

/** A success clears what failed before, except where the configuration wants an operator to look first. */
function clearFailure(picture: Picture): void {
  switch (picture.onFail) {
    case 'stop':
    case 'ban':
    case 'standby':
    case 'fence':
      return;
    case 'reset-remote':
      if (picture.instance.reconnectMs > 0) return;
      break;
    case 'ignore':
    case 'demote':
    case 'restart':
    case 'restart-container':
    case 'block':
      break;
  }
  picture.onFail = 'ignore';
  picture.instance.wantedRole = 'Unknown';
}

// ---- pending

function readPending(reader: Reader, picture: Picture, { entry }: Judged): void {
  const { instance, node, lastFailure } = picture;
  // A recurring monitor may be pending in its own entry and failed since in the entry for failures.
  if (
    lastFailure !== undefined &&
    lastFailure.operation === entry.operation &&
    lastFailure.intervalMs === entry.intervalMs &&
    lastFailure.record.lastChange !== undefined &&
    entry.record.lastChange !== undefined &&
    lastFailure.record.lastChange > entry.record.lastChange
  ) {
    return;
  }
  if (entry.operation === 'start') {
    instance.hasPendingStart = true;
    setActive(instance);
  } else if (entry.operation === 'promote') {
    instance.role = 'Promoted';
  } else if (entry.operation === 'migrate_to' && node.isUnclean) {
    const target = findNode(reader, entry.record.migrateTarget);
    if (target !== undefined) demandStop(reader, instance, target);
  }
  if (instance.pending === undefined && !isProbe(entry.operation, entry.intervalMs)) {
    instance.pending = { operation: entry.operation, node };
  }
}

// ---- failure

interface Handling {
  readonly onFail: OnFail;
  readonly role: InstanceRole;
}

function failureHandling(reader: Reader, { instance, node }: Picture, entry: HistoryEntry): Handling {
  const config = findOperation(instance.operations, entry.operation, entry.intervalMs);
  const meta = metaOf(reader, instance, node, entry.operation, entry.intervalMs, config);
  const owner = {
    isManaged: instance.isManaged,
    isConnection: instance.isConnection,
    isRemoteConnection: instance.isConnection && instance.launcher === undefined,
    ...(instance.launcher === undefined ? {} : { launcher: instance.launcher }),
  };
  const onFail = onFailOf(
    owner,
    reader.options.isFencingEnabled,
    entry.operation,
    entry.intervalMs,
    meta.get('on-fail'),
  );
  return { onFail, role: roleAfterFailure(entry.operation, onFail, instance.reconnectMs) };
}

function readFailure(reader: Reader, picture: Picture, judged: Judged, onFail: OnFail, role: InstanceRole): void {
  const { instance, node } = picture;
  const { entry } = judged;
  picture.lastFailure = entry;
  const isKnownAbsence = !reader.options.isSymmetric && judged.exitCode === exit.notInstalled;
  if (!isKnownAbsence) recordFailure(reader, picture, entry);
  if (severity(picture.onFail) < severity(onFail)) picture.onFail = onFail;
  switch (entry.operation) {
    case 'stop':
      addReadScore(reader, instance, node, -INFINITY, 'its stop failed here');
      break;
    case 'migrate_to':
      readFailedSending(reader, instance, node, entry.record);
      break;
    case 'migrate_from':
      readFailedArrival(reader, instance, node, entry.record);
      break;
    case 'promote':
      instance.role = 'Promoted';
      break;
    case 'demote':
      readFailedDemotion(picture, judged, onFail);
      break;
    default:
      break;
  }
  if (isProbe(entry.operation, entry.intervalMs) && judged.exitCode === exit.notInstalled) instance.role = 'Stopped';
  else if (!isActiveRole(instance.role)) setActive(instance);
  if (role !== 'Started' && rank(instance.wantedRole) < rank(role)) instance.wantedRole = role;
  if (role === 'Stopped') {
    const owner = failureOwner(instance);
    const isShared = owner.kind === 'clone' && !owner.isUnique;
    banEverywhere(reader, isShared ? owner : instance, 'it failed, and on-fail says that it stays stopped');
  }
}

function readFailedDemotion({ instance }: Picture, judged: Judged, onFail: OnFail): void {
  if (onFail === 'block') {
    instance.role = 'Promoted';
    instance.wantedRole = 'Stopped';
  } else {
    // Still promoted would mean to demote it again and again; it is stopped anyway before it is promoted elsewhere.
    instance.role = judged.exitCode === exit.notRunning ? 'Stopped' : 'Unpromoted';
  }
}

function recordFailure(reader: Reader, { instance, node }: Picture, entry: HistoryEntry): void {
  if (!node.isOnline) return;
  const keys = reader.failedKeys.get(node) ?? new Set<string>();
  reader.failedKeys.set(node, keys);
  if (keys.has(entry.key)) return;
  keys.add(entry.key);
  reader.failedOperations.push({ instance, node, entry });
}

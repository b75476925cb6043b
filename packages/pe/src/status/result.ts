/**
 * One recorded operation → what it says about its resource: the role it is in, whether it failed, and what follows from
 * the failure. Entries of one resource on one node are read from the oldest to the newest; each changes the picture
 * that those before it left. What is too old to count is in `expiry.ts`, what went well or is under way in `success.ts`,
 * what failed in `failure.ts`.
 *
 * Semantics: Pacemaker's unpack_rsc_op() and what it calls (lib/pengine/unpack.c).
 */
import { INFINITY } from '@systole/cib';
import { isProbe, severity } from '../config/operations.ts';
import { addReadScore } from '../expand/allowed.ts';
import type { DraftInstance, Reader } from '../expand/draft.ts';
import { block, markFailed } from './active.ts';
import { checkExpiry, readExpired } from './expiry.ts';
import { failureHandling, readFailure, recordFailure } from './failure.ts';
import { canFence } from './fencing.ts';
import { failureOwner } from './find.ts';
import type { HistoryEntry } from './history.ts';
import { exit, isMaskedProbe, type Judged, type Picture, status } from './picture.ts';
import { readPending, updateRole } from './success.ts';

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

function readMaskedProbe(reader: Reader, picture: Picture, judged: Judged): void {
  updateRole(reader, picture, judged, judged.entry.expectedExitCode);
  recordFailure(reader, picture, judged.entry);
  const owner = failureOwner(picture.instance);
  addReadScore(reader, owner, picture.node, -INFINITY, 'a probe found that it cannot run here');
}

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

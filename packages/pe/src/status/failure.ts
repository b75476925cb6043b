/**
 * What follows from a failed operation: what `on-fail` says is to be done about it, in which role the resource counts as
 * being, and where it may not run any more.
 *
 * Semantics: Pacemaker's unpack_rsc_op_failure() (lib/pengine/unpack.c).
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
import { addReadScore, banEverywhere } from '../expand/allowed.ts';
import type { Reader } from '../expand/draft.ts';
import { type InstanceRole, isActiveRole, rank } from '../expand/instance.ts';
import { setActive } from './active.ts';
import { failureOwner } from './find.ts';
import type { HistoryEntry } from './history.ts';
import { readFailedArrival, readFailedSending } from './migration.ts';
import { exit, type Judged, type Picture } from './picture.ts';

export interface Handling {
  readonly onFail: OnFail;
  readonly role: InstanceRole;
}

export function failureHandling(reader: Reader, { instance, node }: Picture, entry: HistoryEntry): Handling {
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

export function readFailure(
  reader: Reader,
  picture: Picture,
  judged: Judged,
  onFail: OnFail,
  role: InstanceRole,
): void {
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

export function recordFailure(reader: Reader, { instance, node }: Picture, entry: HistoryEntry): void {
  if (!node.isOnline) return;
  const keys = reader.failedKeys.get(node) ?? new Set<string>();
  reader.failedKeys.set(node, keys);
  if (keys.has(entry.key)) return;
  keys.add(entry.key);
  reader.failedOperations.push({ instance, node, entry });
}

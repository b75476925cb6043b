/**
 * What an operation says that did not fail: the role it leaves the resource in, which failure before it is cleared, and
 * what is still under way.
 *
 * Semantics: Pacemaker's update_resource_state() and unpack_rsc_op()'s pending results (lib/pengine/unpack.c).
 */
import { isProbe } from '../config/operations.ts';
import { findNode, type Reader } from '../expand/draft.ts';
import { isActiveRole } from '../expand/instance.ts';
import { demandStop, setActive } from './active.ts';
import { readMigrationSent } from './migration.ts';
import { exit, isMaskedProbe, type Judged, type Picture } from './picture.ts';

/** The result was `exitCode`, and that is no failure. */
export function updateRole(reader: Reader, picture: Picture, { entry }: Judged, exitCode: number): void {
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

export function readPending(reader: Reader, picture: Picture, { entry }: Judged): void {
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

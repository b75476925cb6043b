/**
 * `shutdown-lock`: a resource on a node that is shut down cleanly waits for that node instead of moving. Only a
 * primitive (or a group's member) that is active on exactly one node can be locked; fence devices, connections,
 * clones and bundles cannot.
 */
import { INFINITY } from '@systole/cib';
import { secondsOf } from '../config/values.ts';
import { earlier } from '../situation.ts';
import { addScoreDeep, type Board, type Slot } from './board.ts';

export function lockResources(board: Board): void {
  if (!board.situation.options.hasShutdownLock) return;
  for (const root of board.roots) {
    if (root.kind === 'primitive') lock(board, root);
    if (root.kind === 'group') for (const member of root.children) lock(board, member);
  }
}

function lock(board: Board, slot: Slot): void {
  const { instance } = slot;
  if (instance.kind !== 'primitive' || instance.isFenceDevice || instance.isConnection) return;
  if (slot.lock !== undefined) {
    // Started elsewhere although it is locked: do not disturb it now.
    if (instance.activeNodes.length > 0) slot.lock = undefined;
  } else {
    const node = instance.activeNodes.length === 1 ? instance.activeNodes[0] : undefined;
    if (node?.isShutdown === true && !node.isUnclean) {
      const asked = Number(node.attributes.get('shutdown') ?? 0);
      const since = Number.isSafeInteger(asked) && asked > 0 ? asked : board.situation.now;
      slot.lock = { node, since };
    }
  }
  if (slot.lock === undefined) return;
  const { shutdownLockLimitMs } = board.situation.options;
  if (shutdownLockLimitMs > 0) {
    const at = slot.lock.since + secondsOf(shutdownLockLimitMs) + 1;
    board.recheck = earlier(board.recheck, { at, reason: 'shutdown lock expiration' });
  }
  for (const seat of board.seats) {
    if (seat.node !== slot.lock.node) addScoreDeep(board, slot, seat.index, -INFINITY, { type: 'lock' });
  }
}

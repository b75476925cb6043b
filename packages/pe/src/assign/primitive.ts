/** Places a primitive: first what it must go with, then what it would like to, then the best node. */
import { INFINITY } from '@systole/cib';
import {
  addScoreDeep,
  anyAvailable,
  NOWHERE,
  primitiveOf,
  PROMOTED,
  STOPPED,
  touch,
  updateAvailability,
  type Board,
  type Link,
  type Slot,
} from './board.ts';
import { chooseNode, putOn } from './choose.ts';
import { linksAsDependent, linksAsPrimary } from './links.ts';
import { addDependentScores } from './merge.ts';
import { showScores } from './rows.ts';

export function assignPrimitive(board: Board, slot: Slot, prefer: number, isFinal: boolean): number {
  const { parent } = slot;
  // Never an inner one before the outer one, which may decide about it.
  if (parent !== undefined && !parent.isAssigning) board.methods.assign(board, parent, prefer, isFinal);
  if (!slot.isProvisional) return slot.place;
  if (slot.isAssigning) return NOWHERE;
  slot.isAssigning = true;

  const asDependent = linksAsDependent(slot);
  const asPrimary = linksAsPrimary(board, slot);
  const isMust = (link: Link): boolean => Math.abs(link.score) >= INFINITY;
  for (const link of asDependent) if (isMust(link)) applyAsDependent(board, slot, link);
  for (const link of asPrimary) if (isMust(link)) addDependentScores(board, slot, link);
  for (const link of asDependent) if (!isMust(link)) applyAsDependent(board, slot, link);
  for (const link of asPrimary) if (!isMust(link)) addDependentScores(board, slot, link);

  const { options, hasQuorum } = board.situation;
  if (slot.nextRole === STOPPED) {
    addScoreDeep(board, slot, undefined, -INFINITY, { type: 'targetRole' });
  } else if (slot.nextRole > slot.role && !hasQuorum && options.noQuorumPolicy === 'freeze') {
    slot.nextRole = slot.role;
  }
  showScores(board, slot, 'primitive');

  if (options.isFencingEnabled && !options.hasFencing) slot.isManaged = false;
  if (!slot.isManaged) {
    slot.nextRole = slot.role;
    putOn(board, slot, slot.current, true, isFinal);
  } else if (options.stopsAll) {
    putOn(board, slot, NOWHERE, true, isFinal);
  } else {
    chooseNode(board, slot, prefer, isFinal);
  }
  slot.isAssigning = false;
  if (primitiveOf(slot)?.isConnection === true) connect(board, slot);
  return slot.place;
}

/** Places the primary first, then applies the link; what leaves no node is undone where it is only a wish. */
function applyAsDependent(board: Board, slot: Slot, link: Link): void {
  const isRevocable = link.dependentRole >= PROMOTED || (link.score < 0 && link.score > -INFINITY);
  const before = slot.scores.slice();
  if (link.primary.isProvisional) board.methods.assign(board, link.primary, NOWHERE, true);
  board.methods.applyLink(board, slot, link.primary, link, true);
  if (isRevocable && !anyAvailable(board, slot.scores)) slot.scores = before;
  touch(board, slot);
}

/** A remote node will be there if its connection will be; it need not be fenced if that is made again elsewhere. */
function connect(board: Board, slot: Slot): void {
  const node = board.situation.nodeByName.get(slot.id);
  const seat = node === undefined ? undefined : board.seats[node.index];
  if (seat === undefined) return;
  if (slot.place !== NOWHERE && slot.nextRole !== STOPPED) {
    seat.isOnline = true;
    if (!seat.node.isSeen) seat.isUnclean = false;
  } else {
    seat.isShutdown = true;
  }
  updateAvailability(seat);
  board.branches.clear();
}

/** Puts a primitive on a node, or takes it off again: the only place where nodes' counts and capacities change. */
import { ABSENT, NOWHERE, primitiveOf, STOPPED, type Board, type Slot } from './board.ts';
import { compareNodes } from './compare-nodes.ts';
import { banInsufficient, consume, release } from './utilization.ts';

/**
 * Places a primitive on the best of its allowed nodes: `prefer` where that is as good as any, the node it is on
 * where that is as good and better than nothing, else the first in the order of nodes.
 *
 * True if it has a node. `isFinal` false: if it gets none, nothing is decided and `takeOff` undoes what was.
 */
export function chooseNode(board: Board, slot: Slot, prefer: number, isFinal: boolean): boolean {
  const roomiest = banInsufficient(board, slot);
  const wanted = prefer === NOWHERE ? roomiest : prefer;
  if (!slot.isProvisional) return slot.place !== NOWHERE;
  const { scores } = slot;
  let best = NOWHERE;
  for (let at = 0; at < scores.length; at += 1) {
    if (scores[at] === ABSENT) continue;
    if (best === NOWHERE || compareNodes(board, scores, slot.current, at, best) < 0) best = at;
  }
  let chosen = NOWHERE;
  if (wanted !== NOWHERE && best !== NOWHERE && scores[wanted] !== ABSENT) {
    const isAsGood = (scores[wanted] ?? ABSENT) >= (scores[best] ?? ABSENT);
    if (isAsGood && isUsable(board, scores, wanted)) chosen = wanted;
  }
  if (chosen === NOWHERE && best !== NOWHERE) {
    chosen = best;
    const { current } = slot;
    const mayStay =
      slot.parent?.instance.isUnique !== true || slot.parent.kind !== 'clone'
        ? (scores[best] ?? 0) > 0 && board.seats[best]?.isAvailable === true
        : false;
    if (mayStay && current !== NOWHERE && scores[current] === scores[best] && canStay(board, current)) {
      chosen = current;
    }
  }
  putOn(board, slot, chosen, false, isFinal);
  return slot.place !== NOWHERE;
}

const isUsable = (board: Board, scores: Int32Array, at: number): boolean =>
  board.seats[at]?.isAvailable === true && (scores[at] ?? ABSENT) >= 0;

/** The node itself, whatever this resource's score there. */
function canStay(board: Board, at: number): boolean {
  const seat = board.seats[at];
  return seat !== undefined && seat.isAvailable && seat.node.score >= 0;
}

/**
 * Places a slot, or everything inside it, on a node (`NOWHERE`: on none). Not `isForced`, a node that cannot run it
 * counts as none. Without a node and `isFinal` it will be stopped.
 */
export function putOn(board: Board, slot: Slot, at: number, isForced: boolean, isFinal: boolean): void {
  if (slot.children.length > 0) {
    for (const child of slot.children) putOn(board, child, at, isForced, isFinal);
    return;
  }
  let place = at;
  if (!isForced && place !== NOWHERE) {
    const seat = board.seats[place];
    const score = slot.scores[place] ?? ABSENT;
    if (seat === undefined || score < 0 || (!seat.isAvailable && seat.launcher === undefined)) {
      if (isFinal) slot.nextRole = STOPPED;
      place = NOWHERE;
    }
  }
  takeOff(board, slot);
  slot.isProvisional = false;
  if (place === NOWHERE) {
    if (isFinal) slot.nextRole = STOPPED;
    return;
  }
  slot.place = place;
  const seat = board.seats[place];
  slot.placeScore = isForced ? (seat?.node.score ?? 0) : (slot.scores[place] ?? 0);
  const primitive = primitiveOf(slot);
  if (seat === undefined || primitive === undefined) return;
  seat.placed += 1;
  consume(seat, primitive);
}

/** Undoes a placement of a slot and of everything inside it. */
export function takeOff(board: Board, slot: Slot): void {
  slot.isProvisional = true;
  if (slot.children.length > 0) {
    for (const child of slot.children) takeOff(board, child);
    return;
  }
  if (slot.place === NOWHERE) return;
  const seat = board.seats[slot.place];
  const primitive = primitiveOf(slot);
  slot.place = NOWHERE;
  if (seat === undefined || primitive === undefined) return;
  seat.placed -= 1;
  release(seat, primitive);
}

/** It cannot be where it would have to be: nowhere, for good. */
export const giveUp = (board: Board, slot: Slot): void => putOn(board, slot, NOWHERE, true, true);

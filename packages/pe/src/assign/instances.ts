/**
 * Places the instances of a clone, or the containers of a bundle: who comes first, and on which nodes how many.
 *
 * First each active instance is tried on its node, as long as that has no more than its fair share; then the rest.
 * A try can show that another node wants an instance more: then one is reserved there and the try is repeated, so
 * that nodes get instances by preference, but those that are running move as little as possible.
 */
import { INFINITY } from '@systole/cib';
import { byNumber, inTurn, by, type Compare } from '@systole/kernel';
import { ABSENT, addScoreDeep, note, NOWHERE, touch, type Board, type Slot } from './board.ts';
import { takeOff } from './choose.ts';
import { hasInfluence, linksAsDependent, linksAsPrimary } from './links.ts';
import { factorOf } from './factor.ts';
import { mergeScores } from './merge.ts';

/** What decides an instance's turn, worked out once for a sort. */
interface Turn {
  readonly slot: Slot;
  readonly activeCount: number;
  readonly isOnForbiddenNode: boolean;
  readonly priority: number;
  /** The node it is on and may stay on. */
  readonly current: number;
  readonly isNodeUsable: boolean;
  readonly isParentAllowed: boolean;
  readonly othersThere: number;
  readonly hasFailed: boolean;
  readonly colocationScore: () => number;
  readonly number: number;
}

/** The instances in the order in which they are placed. */
export function sortInstances(board: Board, instances: readonly Slot[]): Slot[] {
  return sortTurns(board, instances, compareTurns);
}

/** As `sortInstances`, after another comparison that comes first. */
export function sortInstancesAfter(board: Board, instances: readonly Slot[], first: Compare<Slot>): Slot[] {
  return sortTurns(
    board,
    instances,
    inTurn(
      by((turn: Turn) => turn.slot, first),
      compareTurns,
    ),
  );
}

function sortTurns(board: Board, instances: readonly Slot[], compare: Compare<Turn>): Slot[] {
  return instances
    .map((slot) => turnOf(board, slot))
    .toSorted(compare)
    .map((turn) => turn.slot);
}

function turnOf(board: Board, slot: Slot): Turn {
  const score = slot.current === NOWHERE ? 0 : (slot.scores[slot.current] ?? ABSENT);
  const isOnForbiddenNode = score < 0;
  const current = isOnForbiddenNode ? NOWHERE : slot.current;
  const { parent } = slot;
  const holder = parent ?? slot;
  let colocationScore: number | undefined;
  return {
    slot,
    activeCount: slot.activeCount,
    isOnForbiddenNode,
    priority: slot.priority,
    current,
    isNodeUsable: board.seats[current]?.isAvailable === true,
    isParentAllowed: current !== NOWHERE && (holder.scores[current] ?? ABSENT) !== ABSENT,
    othersThere: holder.counts?.[current] ?? 0,
    hasFailed: didFail(slot),
    colocationScore: () => (colocationScore ??= colocationScoreAt(board, slot, slot.current)),
    number: instanceNumber(slot.id),
  };
}

/** Active on fewer nodes, not where it may not be, priority, active, on a usable node, on an allowed node, … */
function compareTurns(a: Turn, b: Turn): number {
  if (a.activeCount > 0 && b.activeCount > 0 && a.activeCount !== b.activeCount) return a.activeCount - b.activeCount;
  if (a.isOnForbiddenNode !== b.isOnForbiddenNode) return Number(a.isOnForbiddenNode) - Number(b.isOnForbiddenNode);
  if (a.priority !== b.priority) return b.priority - a.priority;
  if (a.current === NOWHERE || b.current === NOWHERE)
    return Number(a.current === NOWHERE) - Number(b.current === NOWHERE);
  if (a.isNodeUsable !== b.isNodeUsable) return Number(b.isNodeUsable) - Number(a.isNodeUsable);
  if (!a.isParentAllowed || !b.isParentAllowed) return Number(b.isParentAllowed) - Number(a.isParentAllowed);
  return (
    a.othersThere - b.othersThere ||
    Number(a.hasFailed) - Number(b.hasFailed) ||
    b.colocationScore() - a.colocationScore() ||
    byNumber(a.number, b.number)
  );
}

const didFail = (slot: Slot): boolean => slot.instance.isFailed || slot.children.some(didFail);

/** `web:3` → 3; a bundle's container `httpd-bundle-docker-1` → 1. */
function instanceNumber(id: string): number {
  const colon = id.lastIndexOf(':');
  const at = colon === -1 ? id.lastIndexOf('-') : colon;
  const number = Number.parseInt(id.slice(at + 1), 10);
  return Number.isNaN(number) ? 0 : number;
}

/** What all that the instance is colocated with, in either direction, makes of the node it is on. */
function colocationScoreAt(board: Board, slot: Slot, at: number): number {
  let scores: Int32Array = new Int32Array(slot.scores.length).fill(ABSENT);
  scores[at] = board.seats[at]?.node.score ?? 0;
  const options = { followsPrimaries: false, rollsBack: false };
  for (const link of linksAsDependent(slot)) {
    const factor = factorOf(link.score);
    scores = mergeScores(board, link.primary, slot, scores, link, factor, { ...options, isNonnegative: false });
  }
  for (const link of linksAsPrimary(board, slot)) {
    if (!hasInfluence(link, slot)) continue;
    const factor = factorOf(link.score);
    scores = mergeScores(board, link.dependent, slot, scores, link, factor, { ...options, isNonnegative: true });
  }
  return scores[at] ?? 0;
}

/** Places up to `max` of the instances, at most `perNode` on a node; the rest will be stopped. */
export function assignInstances(
  board: Board,
  holder: Slot,
  instances: readonly Slot[],
  max: number,
  perNode: number,
): void {
  const counts = new Int32Array(board.seats.length);
  holder.counts = counts;
  const usable = board.seats.filter((seat) => seat.isAvailable && holder.scores[seat.index] !== ABSENT).length;
  const fairShare = Math.max(1, usable === 0 ? 0 : Math.floor(max / usable));
  let assigned = 0;
  for (const instance of instances) {
    if (assigned >= max) break;
    if (!instance.isProvisional) continue;
    const current = preferredNode(board, holder, instance, fairShare);
    if (current !== NOWHERE && assignEarly(board, holder, instance, current, perNode, max - assigned)) assigned += 1;
  }
  for (const instance of instances) {
    if (!instance.isProvisional) continue;
    if (assigned >= max) {
      addScoreDeep(board, instance, undefined, -INFINITY, { type: 'limit' });
    } else if (assignInstance(board, holder, instance, NOWHERE, perNode) !== NOWHERE) {
      assigned += 1;
    }
  }
}

/** The node of an active, healthy instance, if that can run it and has not had its share. */
function preferredNode(board: Board, holder: Slot, instance: Slot, fairShare: number): number {
  if (instance.current === NOWHERE || instance.instance.isFailed) return NOWHERE;
  const seat = board.seats[instance.current];
  if (seat === undefined || !seat.isAvailable || seat.node.score < 0) return NOWHERE;
  const isAllowed = holder.scores[seat.index] !== ABSENT;
  return isAllowed && (holder.counts?.[seat.index] ?? 0) >= fairShare ? NOWHERE : seat.index;
}

function assignInstance(board: Board, holder: Slot, instance: Slot, prefer: number, perNode: number): number {
  if (instance.isAssigning) return NOWHERE;
  banUnusable(board, holder, instance, perNode);
  touch(board, instance);
  const place = board.methods.assign(board, instance, prefer, prefer === NOWHERE);
  countOn(holder, place);
  return place;
}

const countOn = (holder: Slot, place: number): void => {
  if (place === NOWHERE || holder.scores[place] === ABSENT || holder.counts === undefined) return;
  holder.counts[place] = (holder.counts[place] ?? 0) + 1;
};

/** Bans an instance from nodes that cannot run it, or have enough of its kind. */
function banUnusable(board: Board, holder: Slot, instance: Slot, perNode: number): void {
  for (const seat of board.seats) {
    const at = seat.index;
    if (instance.scores[at] === ABSENT) continue;
    const isUsable =
      !instance.instance.isRemoved &&
      seat.isAvailable &&
      (holder.scores[at] ?? ABSENT) >= 0 &&
      (holder.counts?.[at] ?? 0) < perNode;
    if (isUsable) continue;
    const isFull = (holder.counts?.[at] ?? 0) >= perNode;
    if (isFull && seat.isAvailable) note(board, instance, at, -INFINITY, { type: 'limit' });
    instance.scores[at] = -INFINITY;
    for (const child of instance.children) if (child.scores[at] !== ABSENT) child.scores[at] = -INFINITY;
  }
}

/** Tries to leave an instance where it is; everything is as before if that fails. */
function assignEarly(
  board: Board,
  holder: Slot,
  instance: Slot,
  current: number,
  perNode: number,
  available: number,
): boolean {
  if (board.seats[current]?.isAvailable !== true || (instance.scores[current] ?? ABSENT) < 0) return false;
  const backup = scoresOf(instance);
  const counts = holder.counts?.slice();
  const holderScores = holder.scores.slice();
  let place = NOWHERE;
  for (let reserved = 0; reserved < available;) {
    const noted = board.contributions.length;
    place = assignInstance(board, holder, instance, current, perNode);
    if (place === current) break;
    restoreScores(instance, backup);
    touch(board, instance);
    board.contributions.length = noted;
    if (place === NOWHERE) {
      instance.isProvisional = true;
      break;
    }
    // Another node wants one more: leave it one, and try again with what remains.
    reserved += 1;
    takeOff(board, instance);
    place = NOWHERE;
  }
  holder.counts = counts;
  holder.scores = holderScores;
  if (place === NOWHERE) return false;
  countOn(holder, place);
  return true;
}

/** Copies of the scores of a slot and of all inside it. */
function scoresOf(slot: Slot): readonly Int32Array[] {
  return [slot.scores.slice(), ...slot.children.flatMap(scoresOf)];
}

function restoreScores(slot: Slot, backup: readonly Int32Array[]): void {
  let position = 0;
  const restore = (each: Slot): void => {
    each.scores = backup[position]?.slice() ?? each.scores;
    position += 1;
    for (const child of each.children) restore(child);
  };
  restore(slot);
}

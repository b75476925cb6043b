/**
 * Adds what dependents (or primaries) would like to the scores of a resource that is to be placed.
 *
 * A resource that others depend on had better go where they can run too. So for each of them its scores are added,
 * weakened by the colocation's score as a part of INFINITY, and then, weakened again, those of the ones that depend
 * on them. What is added is rounded, and never to nothing.
 *
 * The factors are single-precision fractions, rounded as such at each step: with another precision some sums end on
 * the other side of a half and a resource would go elsewhere than with Pacemaker.
 *
 * Cost: each step is linear in the nodes. Where two colocations lead to the same resource it is visited for each of
 * the ways to it, because the sum counts every way; a way on which nothing can be added any more is not followed.
 */
import { INFINITY } from '@systole/cib';
import {
  ABSENT,
  anyAvailable,
  note,
  NOWHERE,
  primitiveOf,
  sum,
  topSlot,
  type Board,
  type Link,
  type MergeOptions,
  type Seat,
  type Slot,
} from './board.ts';
import { locatedScores } from './criteria.ts';
import { hasInfluence, linksAsDependent, linksAsPrimary } from './links.ts';

/** A node that has become impossible while scores are merged; far below -INFINITY, and turned into 1 at the end. */
const UNUSABLE = INFINITY * -100;

/** A colocation's weight as a part of INFINITY. */
export const factorOf = (score: number): number => Math.fround(score / INFINITY);

/** Adds the scores of the dependent of `link`, and of what depends on that, to those of the primary `slot`. */
export function addDependentScores(board: Board, slot: Slot, link: Link): void {
  if (!hasInfluence(link)) return;
  const before = slot.scores;
  slot.scores = mergeScores(board, link.dependent, slot, before, link, factorOf(link.score), {
    followsPrimaries: false,
    isNonnegative: slot.kind === 'clone',
    rollsBack: true,
  });
  explainChange(board, slot, before, link, 'primary');
}

/** Notes each difference between two arrays of scores as due to a colocation. */
export function explainChange(
  board: Board,
  slot: Slot,
  before: Int32Array,
  link: Link,
  direction: 'dependent' | 'primary',
): void {
  if (!board.explains || before === slot.scores) return;
  const other = direction === 'primary' ? link.dependent : link.primary;
  for (let at = 0; at < before.length; at += 1) {
    const [old, now] = [before[at] ?? ABSENT, slot.scores[at] ?? ABSENT];
    if (old === now) continue;
    const score = now <= -INFINITY || now >= INFINITY ? now : now - Math.max(old, -INFINITY);
    note(board, slot, at, score, {
      type: 'colocation',
      constraint: link.rule.id,
      other: other.instance,
      direction,
    });
  }
}

/**
 * `scores` with those of `source` (and of what it is colocated with) added, on behalf of `target`. The array given is
 * never changed; it is returned itself if nothing is to be added.
 */
export function mergeScores(
  board: Board,
  source: Slot,
  target: Slot,
  scores: Int32Array,
  link: Link,
  factor: number,
  options: MergeOptions,
): Int32Array {
  if (source.isMerging) return scores;
  if (source.kind === 'group') {
    const first = source.children[0];
    if (first === undefined) return scores;
    source.isMerging = true;
    const merged = mergeScores(board, first, target, scores, link, factor, options);
    source.isMerging = false;
    return merged;
  }
  source.isMerging = true;
  const merged = scores.slice();
  addMatching(board, merged, source, target, link, factor, options.isNonnegative);
  const result = followLinks(board, source, target, merged, factor, options);
  source.isMerging = false;
  if (result === undefined) return scores;
  if (options.isNonnegative) {
    for (let at = 0; at < result.length; at += 1) if (result[at] === UNUSABLE) result[at] = 1;
  }
  return result;
}

/** A resource's own scores with those of what it depends on: its rank among the resources that are to be placed. */
export function ownAndPrimaryScores(board: Board, slot: Slot): Int32Array {
  const options = { followsPrimaries: true, isNonnegative: false, rollsBack: false };
  if (slot.kind === 'group') {
    const last = slot.children.at(-1);
    if (last === undefined || slot.isMerging) return slot.scores;
    slot.isMerging = true;
    const scores = ownAndPrimaryScores(board, last);
    slot.isMerging = false;
    return scores;
  }
  slot.isMerging = true;
  const result = followLinks(board, slot, slot, slot.scores.slice(), 1, options);
  slot.isMerging = false;
  return result ?? slot.scores;
}

/** Undefined if no node is left and that is to be undone. */
function followLinks(
  board: Board,
  source: Slot,
  target: Slot,
  start: Int32Array,
  factor: number,
  options: MergeOptions,
): Int32Array | undefined {
  let scores = start;
  if (!anyAvailable(board, scores)) return options.rollsBack ? undefined : scores;
  const links = options.followsPrimaries ? linksAsDependent(source) : linksAsPrimary(source);
  const deeper = options.rollsBack ? options : { ...options, rollsBack: true };
  for (const link of links) {
    if (!options.followsPrimaries && !hasInfluence(link)) continue;
    const other = options.followsPrimaries ? link.primary : link.dependent;
    const weakened = Math.fround(Math.fround(factor * link.score) / INFINITY);
    scores = mergeScores(board, other, target, scores, link, weakened, deeper);
  }
  return scores;
}

/** Adds to each node the best score that `source` has on a node that counts as the same place. */
function addMatching(
  board: Board,
  scores: Int32Array,
  source: Slot,
  target: Slot,
  link: Link,
  factor: number,
  isNonnegative: boolean,
): void {
  const offered = offeredScores(source, link, board);
  const best = bestByPlace(board, offered, source, target, link.nodeAttribute);
  for (let at = 0; at < scores.length; at += 1) {
    const before = scores[at] ?? ABSENT;
    if (before === ABSENT || before === UNUSABLE) continue;
    const score = best(at);
    if (factor < 0 && score < 0 && !mayCountAvoidance(link, score)) continue;
    const after = sum(weakened(factor, score), before);
    if (isNonnegative && after < 0 && before >= 0) {
      if (before > 0) scores[at] = UNUSABLE;
      continue;
    }
    scores[at] = after;
  }
}

/** `factor` × `score` to the nearest whole number, and not to 0. */
function weakened(factor: number, score: number): number {
  const exact = Math.fround(factor * score);
  const rounded = Math.trunc(exact < 0 ? exact - 0.5 : exact + 0.5);
  if (rounded !== 0 || score === 0) return rounded;
  return factor > 0 ? 1 : factor < 0 ? -1 : 0;
}

/**
 * What a dependent that avoids the primary itself avoids is no reason for the primary to go there: else it would move
 * whenever the dependent fails somewhere. Unless the dependent has only one node left, and moving the primary away
 * from it is worth more than the primary's stickiness.
 */
function mayCountAvoidance(link: Link, score: number): boolean {
  return link.primary.instance.stickiness < -score && hasInfluence(link) && isAllowedOnOne(link.dependent);
}

function isAllowedOnOne(slot: Slot): boolean {
  let allowed = 0;
  for (const score of slot.scores) if (score >= 0) allowed += 1;
  return allowed === 1;
}

/**
 * The source's scores. A later member of a group does not have the group's location scores (its first member has);
 * where just that member is configured to go with something, they are counted now.
 */
function offeredScores(source: Slot, link: Link, board: Board): Int32Array {
  const group = source.parent;
  if (source !== link.dependent || !link.isExplicit || group?.kind !== 'group' || source === group.children[0]) {
    return source.scores;
  }
  return locatedScores(source, board.constraints.locationsOf.get(group.instance) ?? []);
}

/** For a node of the target's: the best score of the source on a node of the same place. */
function bestByPlace(
  board: Board,
  offered: Int32Array,
  source: Slot,
  target: Slot,
  attribute: string,
): (at: number) => number {
  const { seats } = board;
  if (attribute === '#uname' && !board.hasGuests) {
    return (at) => {
      const score = offered[at] ?? ABSENT;
      return score === ABSENT || seats[at]?.isAvailable !== true ? -INFINITY : Math.max(score, -INFINITY);
    };
  }
  const best = new Map<string | undefined, number>();
  for (const seat of seats) {
    const score = offered[seat.index] ?? ABSENT;
    if (score === ABSENT || !seat.isAvailable) continue;
    const value = placeValue(board, seat, attribute, source);
    if (score > (best.get(value) ?? -INFINITY)) best.set(value, score);
  }
  return (at) => {
    const seat = seats[at];
    return seat === undefined ? -INFINITY : (best.get(placeValue(board, seat, attribute, target)) ?? -INFINITY);
  };
}

/**
 * What makes two nodes the same place for a colocation: the value of its attribute, in any case of letters. For a
 * resource that takes attributes from its host (and always for what is colocated with a bundle), a guest's place is
 * that of the node its container is placed on.
 */
export function placeValue(board: Board, seat: Seat, attribute: string, slot: Slot): string | undefined {
  const node = seat.launcher !== undefined && usesHost(seat, slot) ? hostNode(board, seat.launcher) : seat.node;
  return node?.attributes.get(attribute)?.toLowerCase();
}

function usesHost(seat: Seat, slot: Slot): boolean {
  if (seat.isBundleNode) {
    const bundle = topSlot(slot, true);
    if (bundle.kind === 'bundle') {
      const inner = bundle.children.find((child) => child.kind === 'clone');
      if (topSlot(slot, false) === inner) return true;
    }
  }
  return slot.instance.meta.get('container-attribute-target')?.toLowerCase() === 'host';
}

function hostNode(board: Board, launcher: Slot): Seat['node'] | undefined {
  if (primitiveOf(launcher) === undefined || launcher.place === NOWHERE) return undefined;
  return board.seats[launcher.place]?.node;
}

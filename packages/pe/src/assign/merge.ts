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
 * Where several colocations lead to the same resource it counts once for each of the ways to it. Walking all ways
 * would take for ever where colocations form diamonds, so what a branch adds is worked out once (`branch.ts`) and
 * added at once; only where it matters in which order it is added (a score saturates, a node becomes impossible) is
 * the branch walked.
 */
import { INFINITY } from '@systole/cib';
import { ABSENT, anyAvailable, note, touch, type Board, type Link, type MergeOptions, type Slot } from './board.ts';
import { addBranch, branchOf } from './branch.ts';
import { hasInfluence, linksAsDependent, linksAsPrimary } from './links.ts';
import { offerOf } from './offer.ts';
import { factorOf, weakerFactor } from './factor.ts';
import { sum } from './board.ts';

/** A node that has become impossible while scores are merged; far below -INFINITY, and turned into 1 at the end. */
const UNUSABLE = INFINITY * -100;

/**
 * At most so many resources are visited one by one in a merge, and a few for each colocation there is; what is behind
 * is left out. Only colocations that form diamonds and circles at the same time, by the dozen, come near it.
 */
const VISITS_MAX = 1000;
const VISITS_PER_LINK = 4;

/** At most so many colocations in a row are walked one by one: each takes room on the program's stack. */
const DEPTH_MAX = 500;

/** Adds the scores of the dependent of `link`, and of what depends on that, to those of the primary `slot`. */
export function addDependentScores(board: Board, slot: Slot, link: Link): void {
  if (!hasInfluence(link)) return;
  const before = slot.scores;
  slot.scores = mergeScores(board, link.dependent, slot, before, link, factorOf(link.score), {
    followsPrimaries: false,
    isNonnegative: slot.kind === 'clone',
    rollsBack: true,
  });
  if (slot.scores === before) return;
  touch(board, slot);
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
    note(board, slot, at, score, { type: 'colocation', constraint: link.rule.id, other: other.instance, direction });
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
  board.visitsLeft = VISITS_MAX + VISITS_PER_LINK * board.links.length;
  if (board.hasGuests) board.branches.clear();
  return visit(board, source, target, scores, link, factor, options, 0);
}

function visit(
  board: Board,
  source: Slot,
  target: Slot,
  scores: Int32Array,
  link: Link,
  factor: number,
  options: MergeOptions,
  depth: number,
): Int32Array {
  if (factor === 0 || source.isMerging || board.visitsLeft <= 0 || depth > DEPTH_MAX) return scores;
  board.visitsLeft -= 1;
  const branch = branchOf(board, source, target, link, factor, options.followsPrimaries);
  const added = branch === undefined ? undefined : addBranch(board, branch, scores, options.isNonnegative);
  if (added !== undefined) return added;
  if (source.kind === 'group') {
    const first = source.children[0];
    if (first === undefined) return scores;
    source.isMerging = true;
    const merged = visit(board, first, target, scores, link, factor, options, depth + 1);
    source.isMerging = false;
    return merged;
  }
  source.isMerging = true;
  const merged = scores.slice();
  add(merged, offerOf(board, source, target, link, factor), options.isNonnegative);
  const result = followLinks(board, source, target, merged, factor, options, depth + 1);
  source.isMerging = false;
  if (result === undefined) return scores;
  if (options.isNonnegative) {
    for (let at = 0; at < result.length; at += 1) if (result[at] === UNUSABLE) result[at] = 1;
  }
  return result;
}

/** A resource's own scores with those of what it depends on: its rank among the resources that are to be placed. */
export function ownAndPrimaryScores(board: Board, slot: Slot): Int32Array {
  board.visitsLeft = VISITS_MAX + VISITS_PER_LINK * board.links.length;
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
  const result = followLinks(board, slot, slot, slot.scores.slice(), 1, options, 0);
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
  depth: number,
): Int32Array | undefined {
  let scores = start;
  if (!anyAvailable(board, scores)) return options.rollsBack ? undefined : scores;
  const links = options.followsPrimaries ? linksAsDependent(source) : linksAsPrimary(board, source);
  const deeper = options.rollsBack ? options : { ...options, rollsBack: true };
  for (const link of links) {
    if (!options.followsPrimaries && !hasInfluence(link)) continue;
    const other = options.followsPrimaries ? link.primary : link.dependent;
    scores = visit(board, other, target, scores, link, weakerFactor(factor, link.score), deeper, depth);
  }
  return scores;
}

/** Adds an offer to scores in place. */
function add(scores: Int32Array, offer: Int32Array, isNonnegative: boolean): void {
  for (let at = 0; at < scores.length; at += 1) {
    const before = scores[at] ?? ABSENT;
    const delta = offer[at] ?? 0;
    if (delta === 0 || before === ABSENT || before === UNUSABLE) continue;
    const after = sum(delta, before);
    if (isNonnegative && after < 0 && before >= 0) {
      if (before > 0) scores[at] = UNUSABLE;
      continue;
    }
    scores[at] = after;
  }
}

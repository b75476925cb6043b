/**
 * What a resource and everything behind it add to another's scores, worked out once.
 *
 * A branch is the sum of the offers of all resources that are reached by it, in the order of the walk, with the
 * lowest and the highest that the sum is on the way. With those it can be told, without walking, whether adding the
 * offers one by one would have met a bound: if not, adding the sum is the same. A ban (-INFINITY) needs no walk
 * either, because nothing lifts it.
 *
 * Branches are kept while nothing that they are made of changes (`touch` in `board.ts`), so that a chain of
 * colocations is not walked again for each of its resources. A branch that leads back to where the walk is now has no
 * sum of its own, since what it adds depends on the way to it; it is not kept.
 */
import { INFINITY } from '@systole/cib';
import { ABSENT, type Board, type Link, type Slot } from './board.ts';
import { weakerFactor } from './factor.ts';
import { hasInfluence, linksAsDependent, linksAsPrimary } from './links.ts';
import { offerOf } from './offer.ts';

export interface Branch {
  /** By node. Whole numbers; sums of many ways may be too large for scores, so these saturate only when added. */
  readonly total: Float64Array;
  readonly lowest: Float64Array;
  readonly highest: Float64Array;
  /** By node: some offer is -INFINITY (1), some is INFINITY (2), or both (3). */
  readonly absolute: Uint8Array;
}

/** Behind so many colocations in a row a branch is walked instead: each step takes room on the program's stack. */
const DEPTH_MAX = 1500;

/** At most so many links into one family, and so many weights for one link (different ways give different ones). */
const KEPT_MAX = 4000;

const MUST_NOT = 1;
const MUST = 2;

export function branchOf(
  board: Board,
  source: Slot,
  target: Slot,
  link: Link,
  factor: number,
  followsPrimaries: boolean,
): Branch | undefined {
  return find(board, source, target, link, factor, followsPrimaries, 0);
}

function find(
  board: Board,
  source: Slot,
  target: Slot,
  link: Link,
  factor: number,
  followsPrimaries: boolean,
  depth: number,
): Branch | undefined {
  if (source.isMerging || depth > DEPTH_MAX) return undefined;
  const kept = board.branches.of(source.family);
  const byFactor = kept.get(link);
  const known = byFactor?.get(factor);
  if (known !== undefined) return known === 'circular' ? undefined : known;
  // What is not kept cannot be told when something behind it changes, so it has to be walked.
  if (kept.size >= KEPT_MAX || (byFactor?.size ?? 0) >= KEPT_MAX) return undefined;
  const branch = workOut(board, source, target, link, factor, followsPrimaries, depth);
  if (byFactor === undefined) kept.set(link, new Map([[factor, branch ?? 'circular']]));
  else byFactor.set(factor, branch ?? 'circular');
  return branch;
}

function workOut(
  board: Board,
  source: Slot,
  target: Slot,
  link: Link,
  factor: number,
  followsPrimaries: boolean,
  depth: number,
): Branch | undefined {
  if (source.kind === 'group') {
    const first = source.children[0];
    if (first === undefined) return undefined;
    source.isMerging = true;
    const branch = find(board, first, target, link, factor, followsPrimaries, depth + 1);
    source.isMerging = false;
    return branch;
  }
  const branch = startWith(offerOf(board, source, target, link, factor));
  source.isMerging = true;
  let isWhole = true;
  for (const next of followsPrimaries ? linksAsDependent(source) : linksAsPrimary(board, source)) {
    if (!followsPrimaries && !hasInfluence(next)) continue;
    const other = followsPrimaries ? next.primary : next.dependent;
    const weaker = weakerFactor(factor, next.score);
    const behind = find(board, other, target, next, weaker, followsPrimaries, depth + 1);
    if (behind === undefined) {
      isWhole = false;
      break;
    }
    append(branch, behind);
  }
  source.isMerging = false;
  return isWhole ? branch : undefined;
}

function startWith(offer: Int32Array): Branch {
  const branch: Branch = {
    total: new Float64Array(offer.length),
    lowest: new Float64Array(offer.length),
    highest: new Float64Array(offer.length),
    absolute: new Uint8Array(offer.length),
  };
  for (let at = 0; at < offer.length; at += 1) {
    const delta = offer[at] ?? 0;
    if (delta <= -INFINITY) branch.absolute[at] = MUST_NOT;
    else if (delta >= INFINITY) branch.absolute[at] = MUST;
    else branch.total[at] = delta;
    branch.lowest[at] = Math.min(0, branch.total[at] ?? 0);
    branch.highest[at] = Math.max(0, branch.total[at] ?? 0);
  }
  return branch;
}

function append(branch: Branch, behind: Branch): void {
  const { total, lowest, highest, absolute } = branch;
  for (let at = 0; at < total.length; at += 1) {
    const before = total[at] ?? 0;
    lowest[at] = Math.min(lowest[at] ?? 0, before + (behind.lowest[at] ?? 0));
    highest[at] = Math.max(highest[at] ?? 0, before + (behind.highest[at] ?? 0));
    total[at] = before + (behind.total[at] ?? 0);
    absolute[at] = (absolute[at] ?? 0) | (behind.absolute[at] ?? 0);
  }
}

/** The scores with a branch added, or undefined where only walking it can tell what comes out. */
export function addBranch(
  board: Board,
  branch: Branch,
  scores: Int32Array,
  isNonnegative: boolean,
): Int32Array | undefined {
  if (!keepsANode(board, branch, scores)) return undefined;
  const result = scores.slice();
  for (let at = 0; at < scores.length; at += 1) {
    const before = scores[at] ?? ABSENT;
    if (before === ABSENT) continue;
    const after = added(before, branch, at, isNonnegative);
    if (after === undefined) return undefined;
    result[at] = after;
  }
  return result;
}

/** A node that can run it stays possible throughout, so that nothing on the way is undone for lack of nodes. */
function keepsANode(board: Board, branch: Branch, scores: Int32Array): boolean {
  for (const seat of board.seats) {
    const score = scores[seat.index] ?? ABSENT;
    if (!seat.isAvailable || score < 0 || ((branch.absolute[seat.index] ?? 0) & MUST_NOT) !== 0) continue;
    if (score + (branch.lowest[seat.index] ?? 0) >= 0) return true;
  }
  return false;
}

function added(before: number, branch: Branch, at: number, isNonnegative: boolean): number | undefined {
  const absolute = branch.absolute[at] ?? 0;
  const low = before + (branch.lowest[at] ?? 0);
  const high = before + (branch.highest[at] ?? 0);
  if (isNonnegative) {
    // A node that crosses zero on the way may be dropped for good.
    const staysAbove = before >= 0 && low >= 0 && (absolute & MUST_NOT) === 0;
    const staysBelow = before < 0 && high < 0 && (absolute & MUST) === 0;
    if (!staysAbove && !staysBelow) return undefined;
  }
  if (before <= -INFINITY || (absolute & MUST_NOT) !== 0) return before < -INFINITY ? undefined : -INFINITY;
  if (before >= INFINITY) return INFINITY;
  if (low <= -INFINITY) return high < INFINITY && (absolute & MUST) === 0 ? -INFINITY : undefined;
  if (high >= INFINITY || (absolute & MUST) !== 0) return INFINITY;
  return before + (branch.total[at] ?? 0);
}

/** The branches that are kept, by the family (outermost resource) that they start in. */
export class Branches {
  readonly #byFamily: (Map<Link, Map<number, Branch | 'circular'>> | undefined)[] = [];

  of(family: number): Map<Link, Map<number, Branch | 'circular'>> {
    return (this.#byFamily[family] ??= new Map<Link, Map<number, Branch | 'circular'>>());
  }

  has(family: number): boolean {
    return (this.#byFamily[family]?.size ?? 0) > 0;
  }

  forget(family: number): void {
    this.#byFamily[family] = undefined;
  }

  clear(): void {
    this.#byFamily.length = 0;
  }
}

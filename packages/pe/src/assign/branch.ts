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
  /** The nodes to which it adds anything; worked out when it is added for the first time. */
  nodes: Int32Array | undefined;
}

/** At most so many links into one family, and so many weights for one link (different ways give different ones). */
const KEPT_MAX = 4000;

const MUST_NOT = 1;
const MUST = 2;

/** A resource whose branch is being worked out, and how far that is. */
interface Step {
  readonly source: Slot;
  readonly link: Link;
  readonly factor: number;
  readonly branch: Branch;
  readonly next: readonly Link[];
  position: number;
}

/**
 * The branch that starts with `source`, reached by `link`; undefined if it leads back to a resource on the way.
 *
 * The walk keeps its own stack, because a chain of colocations may be longer than the program's is deep.
 */
export function branchOf(
  board: Board,
  source: Slot,
  target: Slot,
  link: Link,
  factor: number,
  followsPrimaries: boolean,
): Branch | undefined {
  const first = known(board, source, link, factor);
  if (first !== 'unknown') return first;
  const steps = [begin(board, source, target, link, factor, followsPrimaries)];
  for (;;) {
    const step = steps.at(-1);
    if (step === undefined) return undefined;
    const next = step.next[step.position];
    let done: Branch | undefined;
    if (next === undefined) {
      done = step.branch;
    } else {
      const other = followsPrimaries ? next.primary : next.dependent;
      const weaker = weakerFactor(step.factor, next.score);
      if (weaker === 0) {
        // Too far away to weigh anything, and all behind it too.
        step.position += 1;
        continue;
      }
      const behind = known(board, other, next, weaker);
      if (behind === 'unknown') {
        steps.push(begin(board, other, target, next, weaker, followsPrimaries));
        continue;
      }
      if (behind !== undefined) {
        append(step.branch, behind);
        step.position += 1;
        continue;
      }
    }
    if (done === undefined) {
      abandon(board, steps);
      return undefined;
    }
    steps.pop();
    end(board, step, done);
    // The step before looks again, and finds it.
    if (steps.length === 0) return done;
  }
}

/** What is kept, or that there is none: `source` is on the way already, or too much is kept. */
function known(board: Board, source: Slot, link: Link, factor: number): Branch | undefined | 'unknown' {
  const speaker = speakerOf(source);
  if (source.isMerging || speaker === undefined || speaker.isMerging) return undefined;
  const kept = board.branches.of(source.family);
  const byFactor = kept.get(link);
  const branch = byFactor?.get(factor);
  if (branch !== undefined) return branch === 'circular' ? undefined : branch;
  // What is not kept cannot be told when something behind it changes, so it has to be walked.
  return kept.size >= KEPT_MAX || (byFactor?.size ?? 0) >= KEPT_MAX ? undefined : 'unknown';
}

/** A group speaks by its first member, which the others follow. */
const speakerOf = (source: Slot): Slot | undefined => (source.kind === 'group' ? source.children[0] : source);

function begin(board: Board, source: Slot, target: Slot, link: Link, factor: number, followsPrimaries: boolean): Step {
  const speaker = speakerOf(source) ?? source;
  source.isMerging = true;
  speaker.isMerging = true;
  const links = followsPrimaries ? linksAsDependent(speaker) : linksAsPrimary(board, speaker);
  return {
    source,
    link,
    factor,
    branch: startWith(offerOf(board, speaker, target, link, factor)),
    next: followsPrimaries ? links : links.filter((each) => hasInfluence(each)),
    position: 0,
  };
}

function end(board: Board, { source, link, factor }: Step, branch: Branch | undefined): void {
  source.isMerging = false;
  const speaker = speakerOf(source);
  if (speaker !== undefined) speaker.isMerging = false;
  const kept = board.branches.of(source.family);
  const byFactor = kept.get(link);
  if (byFactor === undefined) kept.set(link, new Map([[factor, branch ?? 'circular']]));
  else byFactor.set(factor, branch ?? 'circular');
}

/** A branch that contains a circular one is circular itself. */
function abandon(board: Board, steps: Step[]): void {
  for (let step = steps.pop(); step !== undefined; step = steps.pop()) end(board, step, undefined);
}

function startWith(offer: Int32Array): Branch {
  const size = offer.length;
  // One block for the three sums: there are many branches.
  const sums = new Float64Array(3 * size);
  const branch: Branch = {
    total: sums.subarray(0, size),
    lowest: sums.subarray(size, 2 * size),
    highest: sums.subarray(2 * size),
    absolute: new Uint8Array(size),
    nodes: undefined,
  };
  for (let at = 0; at < size; at += 1) {
    const delta = offer[at] ?? 0;
    if (delta === 0) continue;
    if (delta <= -INFINITY) branch.absolute[at] = MUST_NOT;
    else if (delta >= INFINITY) branch.absolute[at] = MUST;
    else {
      branch.total[at] = delta;
      branch.lowest[at] = Math.min(0, delta);
      branch.highest[at] = Math.max(0, delta);
    }
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
  const nodes = (branch.nodes ??= nodesOf(branch));
  if (nodes.length === 0) return scores;
  if (!keepsANode(board, branch, scores)) return undefined;
  let result = scores;
  for (const at of nodes) {
    const before = scores[at] ?? ABSENT;
    if (before === ABSENT) continue;
    const after = added(before, branch, at, isNonnegative);
    if (after === undefined) return undefined;
    if (after === before) continue;
    if (result === scores) result = scores.slice();
    result[at] = after;
  }
  return result;
}

/** Most branches add something to few nodes only: where something is, and where nothing may be. */
function nodesOf({ total, lowest, highest, absolute }: Branch): Int32Array {
  const nodes: number[] = [];
  for (let at = 0; at < total.length; at += 1) {
    if (total[at] !== 0 || lowest[at] !== 0 || highest[at] !== 0 || absolute[at] !== 0) nodes.push(at);
  }
  return Int32Array.from(nodes);
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

  /** Those that start no later than with the member of that number; of a family whose members form a row. */
  forgetUpTo(family: number, index: number): void {
    const kept = this.#byFamily[family];
    if (kept === undefined) return;
    for (const link of kept.keys()) {
      const { dependent } = link;
      if (dependent.family !== family || dependent.index <= index) kept.delete(link);
    }
  }

  clear(): void {
    this.#byFamily.length = 0;
  }
}

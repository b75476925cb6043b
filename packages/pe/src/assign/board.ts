/**
 * The working state of one placement: what is known so far of every instance (`Slot`) and node (`Seat`). It is made
 * from the situation, changed by the functions in this folder while they place one resource after the other, and
 * turned into a `Placement` at the end; nobody else sees it.
 *
 * Scores are kept as one array of whole numbers for each slot, indexed by node, because placing a resource touches all
 * of them again and again. A node that is not allowed has no score: `ABSENT`. That differs from -INFINITY, which is a
 * score: an absent node is not listed, and may still be added by a constraint.
 */
import { INFINITY } from '@systole/cib';
import type { ColocationRule, Constraints, LocationRule } from '../constraints/constraint.ts';
import { isBundled, type Instance, type PrimitiveInstance } from '../expand/instance.ts';
import type { Recheck, Situation } from '../situation.ts';
import type { Node } from '../status/node.ts';
import type { Branches } from './branch.ts';
import type { Contribution, ContributionSource, Stage } from './placement.ts';

/** No score at all: below everything that an addition can yield. */
export const ABSENT = -0x8000_0000;

/** Roles by their rank: a later one includes the earlier. */
export const UNKNOWN = 0;
export const STOPPED = 1;
export const STARTED = 2;
export const UNPROMOTED = 3;
export const PROMOTED = 4;

/** Discovery as a number; of two, the higher wins. */
export const PROBE_ALWAYS = 0;
export const PROBE_NEVER = 1;
export const PROBE_EXCLUSIVE = 2;

/** Nowhere. */
export const NOWHERE = -1;

/** A node while resources are being placed. */
export interface Seat {
  readonly index: number;
  readonly node: Node;
  readonly name: string;
  isOnline: boolean;
  isShutdown: boolean;
  isUnclean: boolean;
  /** Online, not leaving, clean, not in standby or maintenance. */
  isAvailable: boolean;
  /** How many primitives were placed here. */
  placed: number;
  readonly free: Map<string, number>;
  readonly connection?: Slot;
  /** A guest, and the resource it lives in. */
  readonly launcher?: Slot;
  readonly isBundleNode: boolean;
}

/** A colocation with its ends on the board. */
export interface Link {
  readonly rule: ColocationRule;
  readonly dependent: Slot;
  readonly primary: Slot;
  readonly dependentRole: number;
  readonly primaryRole: number;
  readonly score: number;
  readonly nodeAttribute: string;
  readonly hasInfluence: boolean;
  readonly isExplicit: boolean;
}

/** What is known of an instance so far. */
export interface Slot {
  readonly index: number;
  readonly id: string;
  readonly instance: Instance;
  readonly kind: Instance['kind'];
  /** The number of the outermost resource it belongs to. */
  readonly family: number;
  readonly parent?: Slot;
  /** Of a clone: sorted again and again while it is placed. */
  children: Slot[];
  /** By node; see `ABSENT`. */
  scores: Int32Array;
  /** By node; absent while all are `PROBE_ALWAYS`. */
  discovery: Uint8Array | undefined;
  /** Of a clone or bundle, by node: instances placed there (then: promoted there). */
  counts: Int32Array | undefined;
  priority: number;
  promotionPriority: number;
  role: number;
  nextRole: number;
  isManaged: boolean;
  isBlocked: boolean;
  hasExclusiveProbes: boolean;
  /** Not placed yet (or not for good). */
  isProvisional: boolean;
  isAssigning: boolean;
  /** Its scores are just being added to another's: do not go round in circles. */
  isMerging: boolean;
  /** A promotable clone whose promotion scores have been added to its instances' scores. */
  hasPromotionScores: boolean;
  /** A promotable clone whose instances have been sorted for promotion. */
  isPromotionSorted: boolean;
  /** Where a primitive was placed, by number, and its score there. */
  place: number;
  placeScore: number;
  /** The node it is active on, if any: the one that counts where there are several. */
  readonly current: number;
  readonly activeCount: number;
  /** Colocations of its own, as dependent and as primary, in the order in which they are applied. */
  readonly thisWith: Link[];
  readonly withThis: Link[];
  lock: { readonly node: Node; readonly since: number } | undefined;
  /** `linksAsPrimary`, as long as no link is added. */
  knownLinks: { readonly version: number; readonly links: readonly Link[] } | undefined;
}

/** The scores of a slot at one moment, or an instance's promotion score. */
export type Shown =
  | { readonly stage: Exclude<Stage, 'promotion'>; readonly slot: Slot; readonly scores: Int32Array }
  | { readonly stage: 'promotion'; readonly slot: Slot; readonly place: number; readonly score: number };

/** How much of another's scores to add, and when. */
export interface MergeOptions {
  /** Follow what this one depends on, rather than what depends on it. */
  readonly followsPrimaries: boolean;
  /** Only what keeps a score from falling below zero. */
  readonly isNonnegative: boolean;
  /** Undo if no node is left. */
  readonly rollsBack: boolean;
}

/** The operations that differ by the kind of resource, bound together in `place.ts`. */
export interface Methods {
  /** Places a resource; `isFinal` false: only tries. The node if it is wholly on one, or `NOWHERE`. */
  readonly assign: (board: Board, slot: Slot, prefer: number, isFinal: boolean) => number;
  /** Applies a link to a dependent whose primary is placed; what it adds to the dependent's promotion priority. */
  readonly applyLink: (board: Board, dependent: Slot, primary: Slot, link: Link, forDependent: boolean) => number;
}

export interface Board {
  readonly situation: Situation;
  readonly constraints: Constraints;
  readonly seats: readonly Seat[];
  readonly slots: readonly Slot[];
  readonly roots: readonly Slot[];
  /** All links; grows while bundles are placed on remote nodes. */
  readonly links: Link[];
  readonly locationsOf: (slot: Slot) => readonly LocationRule[];
  /** What was shown when a resource was about to be placed; rows are made of it at the end. */
  readonly shown: Shown[];
  readonly explains: boolean;
  readonly contributions: Contribution[];
  readonly fencing: { readonly node: Node; readonly reason: string }[];
  /** When a lock expires. */
  recheck: Recheck | undefined;
  /** Node numbers in the order of their names by bytes: the last tie-break. */
  readonly nameRank: Int32Array;
  /** Any node that is a guest: only then can two nodes share a place by name. */
  readonly hasGuests: boolean;
  readonly usesUtilization: boolean;
  /** By family: the families with primaries of its links, whose branches contain its own. */
  readonly feeds: Set<number>[];
  /** Families with colocations among their own members other than that a later one goes with the one before. */
  readonly tangled: Set<number>;
  readonly branches: Branches;
  /** Raised with each new link. */
  linksVersion: number;
  /** What is left of the bound of the merge that is going on. */
  visitsLeft: number;
  methods: Methods;
}

/** True if a primitive of a clone or bundle, or such a thing itself. */
export const isCollective = (slot: Slot): boolean => slot.kind === 'clone' || slot.kind === 'bundle';

export const primitiveOf = (slot: Slot): PrimitiveInstance | undefined =>
  slot.instance.kind === 'primitive' ? slot.instance : undefined;

export const slotOf = (board: Board, instance: Instance): Slot => {
  const slot = board.slots[instance.index];
  if (slot === undefined) throw new RangeError(`no slot for ${instance.id}`);
  return slot;
};

/** The outermost slot, stopping below a bundle unless `includeBundle`. */
export function topSlot(slot: Slot, includeBundle: boolean): Slot {
  const { parent } = slot;
  return parent === undefined || (!includeBundle && parent.kind === 'bundle') ? slot : topSlot(parent, includeBundle);
}

export const isInBundle = (slot: Slot): boolean => isBundled(slot.instance);

/** Adds scores as constraints combine: -INFINITY wins, then INFINITY; finite sums stay between them. */
export function sum(a: number, b: number): number {
  if (a <= -INFINITY || b <= -INFINITY) return -INFINITY;
  if (a >= INFINITY || b >= INFINITY) return INFINITY;
  const total = a + b;
  return total >= INFINITY ? INFINITY : total <= -INFINITY ? -INFINITY : total;
}

/** Whether `seat` can run resources at all. */
export function updateAvailability(seat: Seat): void {
  const { node } = seat;
  seat.isAvailable = seat.isOnline && !seat.isShutdown && !seat.isUnclean && !node.isStandby && !node.isMaintenance;
}

/** Adds `score` on one node, allowing the node if it was not (with the score that the node itself has). */
export function addScore(board: Board, slot: Slot, at: number, score: number): void {
  const before = slot.scores[at];
  const base = before === undefined || before === ABSENT ? allow(board, slot, at) : before;
  slot.scores[at] = sum(base, score);
}

/** A node joins the allowed ones with its own score and, for a bundle's node, its own discovery. */
function allow(board: Board, slot: Slot, at: number): number {
  const seat = board.seats[at];
  if (seat?.isBundleNode === true) setDiscovery(slot, at, PROBE_NEVER);
  return seat?.node.score ?? 0;
}

export function setDiscovery(slot: Slot, at: number, mode: number): void {
  if (slot.discovery === undefined && mode === PROBE_ALWAYS) return;
  slot.discovery ??= new Uint8Array(slot.scores.length);
  slot.discovery[at] = mode;
}

/** To be called when a slot's scores have changed: what was worked out with them is forgotten. */
export function touch(board: Board, slot: Slot): void {
  const { family } = slot;
  if (!board.branches.has(family)) return;
  const waiting: number[] = [];
  const forgetFed = (by: number, but?: number): void => {
    for (const fed of board.feeds[by] ?? []) if (fed !== but && board.branches.has(fed)) waiting.push(fed);
  };
  if (isInRow(board, slot)) {
    board.branches.forgetUpTo(family, slot.index);
    forgetFed(family, family);
  } else {
    waiting.push(family);
  }
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    board.branches.forget(next);
    forgetFed(next);
  }
}

/**
 * A member of a group in which each goes with the one before it and nothing else is said: what the later members add is
 * not made of this one's scores. So a long group is not walked anew for each of its members.
 */
const isInRow = (board: Board, slot: Slot): boolean =>
  slot.parent?.kind === 'group' && slot.parent.parent === undefined && !board.tangled.has(slot.family);

/** Adds `score` on a node, or on every node, to a resource and everything inside it. */
export function addScoreDeep(
  board: Board,
  slot: Slot,
  at: number | undefined,
  score: number,
  source: ContributionSource,
): void {
  for (const child of slot.children) addScoreDeep(board, child, at, score, source);
  if (at === undefined) {
    for (let each = 0; each < board.seats.length; each += 1) addScore(board, slot, each, score);
  } else {
    addScore(board, slot, at, score);
  }
  touch(board, slot);
  note(board, slot, at, score, source);
}

/** Remembers a reason, where someone will ask for it. */
export function note(
  board: Board,
  slot: Slot,
  at: number | undefined,
  score: number,
  source: ContributionSource,
): void {
  if (!board.explains) return;
  const node = at === undefined ? undefined : board.seats[at]?.node;
  board.contributions.push({ instance: slot.instance, score, source, ...(node === undefined ? {} : { node }) });
}

/** Any node that may run resources and where the score is not negative. */
export function anyAvailable(board: Board, scores: Int32Array): boolean {
  const { seats } = board;
  for (let at = 0; at < scores.length; at += 1) {
    if ((scores[at] ?? ABSENT) >= 0 && seats[at]?.isAvailable === true) return true;
  }
  return false;
}

/** The one node where a slot (or all that is inside it) was placed; `NOWHERE` if on none or several. */
export function placeOf(slot: Slot): number {
  if (slot.children.length === 0) return slot.place;
  let found = NOWHERE;
  for (const child of slot.children) {
    const places = placesOf(child);
    for (const place of places) {
      if (found !== NOWHERE && place !== found) return NOWHERE;
      found = place;
    }
  }
  return found;
}

/** All nodes where a slot or anything inside it was placed. */
export function placesOf(slot: Slot): readonly number[] {
  if (slot.children.length === 0) return slot.place === NOWHERE ? [] : [slot.place];
  return [...new Set(slot.children.flatMap(placesOf))];
}

/** The score at the place of a slot, or of the first thing inside it that is placed. */
export function placeScoreOf(slot: Slot): number {
  if (slot.children.length === 0) return slot.placeScore;
  for (const child of slot.children) if (placesOf(child).length > 0) return placeScoreOf(child);
  return 0;
}

/** The highest role among what is inside, now (`isCurrent`) or as decided so far. */
export function roleOf(slot: Slot, isCurrent: boolean): number {
  if (slot.kind === 'primitive') return isCurrent ? slot.role : slot.nextRole;
  if (slot.kind === 'bundle') return UNKNOWN;
  let highest = UNKNOWN;
  for (const child of slot.children) highest = Math.max(highest, roleOf(child, isCurrent));
  return highest;
}

/** Whether it, or anything inside it, is blocked. */
export const isAnyBlocked = (slot: Slot): boolean => slot.isBlocked || slot.children.some(isAnyBlocked);

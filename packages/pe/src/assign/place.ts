/**
 * Placement: which instance goes to which node, and in which role. (situation, constraints) → placement.
 *
 * Resources are placed one after the other and never moved again, so the order decides who chooses first: remote
 * connections (what they make available is needed by the rest), then by priority, then as configured; with a
 * placement strategy also by how much a resource is bound to its node. Placing a resource first places what it
 * depends on by colocation, wherever that stands in the order.
 */
import { compareNumbers } from './numbers.ts';
import { INFINITY } from '@systole/cib';
import type { Constraints } from '../constraints/constraint.ts';
import type { InstanceRole } from '../expand/instance.ts';
import type { Situation } from '../situation.ts';
import { applyLink } from './apply.ts';
import { ABSENT, NOWHERE, primitiveOf, type Board, type Methods, type Slot } from './board.ts';
import { assignBundle } from './bundle.ts';
import { assignClone } from './clone.ts';
import { sortedSeats } from './compare-nodes.ts';
import { applyCriteria } from './criteria.ts';
import { assignGroup } from './group.ts';
import { placeDeepPrimaries } from './deep.ts';
import { addImplied } from './implied.ts';
import { ownAndPrimaryScores } from './merge.ts';
import type { AllowedScore, Place, PlacedNode, Placement, ScoreRow } from './placement.ts';
import { assignPrimitive } from './primitive.ts';
import { rowsOf } from './rows.ts';
import { setUp } from './setup.ts';

export interface PlaceOptions {
  /** Keep where each score comes from; costs time and memory. */
  readonly explains?: boolean;
}

export function assign(situation: Situation, constraints: Constraints, options: PlaceOptions = {}): Placement {
  const board = setUp(situation, constraints, methods, options.explains ?? false);
  applyCriteria(board);
  addImplied(board);
  const first = board.slots.map((slot) => (asksForCandidates(board, slot) ? slot.scores.slice() : slot.scores));
  const order = placingOrder(board);
  for (const slot of order) {
    if (primitiveOf(slot)?.isConnection === true) {
      const target = primitiveOf(slot)?.partialMigration?.target.index ?? NOWHERE;
      board.methods.assign(board, slot, target, true);
    }
  }
  for (const slot of order) {
    if (primitiveOf(slot)?.isConnection === true) continue;
    placeDeepPrimaries(board, slot);
    board.methods.assign(board, slot, NOWHERE, true);
  }
  return resultOf(board, order, first);
}

/** Only orders around unfencing and for room on a node ask which nodes it might have gone to. */
const asksForCandidates = (board: Board, slot: Slot): boolean =>
  board.situation.options.hasUnfencing || (board.usesUtilization && (primitiveOf(slot)?.utilization.size ?? 0) > 0);

const methods: Methods = {
  applyLink,
  assign: (board, slot, prefer, isFinal) => {
    switch (slot.kind) {
      case 'primitive':
        return assignPrimitive(board, slot, prefer, isFinal);
      case 'group':
        return assignGroup(board, slot, prefer, isFinal);
      case 'clone':
        return assignClone(board, slot, prefer, isFinal);
      case 'bundle':
        return assignBundle(board, slot, prefer, isFinal);
    }
  },
};

/** The situation's order, unless a placement strategy asks for the ones first that are most bound to a node. */
function placingOrder(board: Board): readonly Slot[] {
  if (!board.usesUtilization) return board.roots;
  const base = new Int32Array(board.seats.map((seat) => seat.node.score));
  const nodes = sortedSeats(board, base, NOWHERE);
  const keyed = board.roots.map((slot) => {
    const scores = ownAndPrimaryScores(board, slot);
    const scoreAt = (at: number): number => {
      const score = scores[at] ?? ABSENT;
      return score === ABSENT ? -INFINITY : score;
    };
    return { slot, key: [slot.priority, scoreAt(slot.current), ...nodes.map(scoreAt)] };
  });
  board.branches.clear();
  return keyed.toSorted((a, b) => compareNumbers(b.key, a.key)).map(({ slot }) => slot);
}

function resultOf(board: Board, order: readonly Slot[], first: readonly Int32Array[]): Placement {
  let rows: readonly ScoreRow[] | undefined;
  return {
    places: board.slots.map((slot, index) => placeOfSlot(board, slot, first[index] ?? slot.scores)),
    nodes: board.seats.map((seat): PlacedNode => ({
      node: seat.node,
      isOnline: seat.isOnline,
      isShutdown: seat.isShutdown,
      isUnclean: seat.isUnclean,
      isAvailable: seat.isAvailable,
      free: seat.free,
    })),
    order: order.map((slot) => slot.instance),
    impliedColocations: board.links.filter((link) => !link.isExplicit).map((link) => link.rule),
    fencing: board.fencing,
    get scores() {
      return (rows ??= rowsOf(board));
    },
    contributions: board.contributions,
    messages: [],
    ...(board.recheck === undefined ? {} : { recheck: board.recheck }),
  };
}

const roleNames: readonly InstanceRole[] = ['Unknown', 'Stopped', 'Started', 'Unpromoted', 'Promoted'];
const discoveries = ['always', 'never', 'exclusive'] as const;

function placeOfSlot(board: Board, slot: Slot, first: Int32Array): Place {
  const node = board.seats[slot.place]?.node;
  let allowed: Place['allowed'] | undefined;
  return {
    instance: slot.instance,
    ...(node === undefined ? {} : { node }),
    nextRole: roleNames[slot.nextRole] ?? 'Unknown',
    role: roleNames[slot.role] ?? 'Unknown',
    isManaged: slot.isManaged,
    isBlocked: slot.isBlocked,
    // An instance's own was spent as its promotion score.
    priority: slot.parent !== undefined && topIsPromotable(slot) ? slot.parent.instance.priority : slot.priority,
    hasExclusiveProbes: slot.hasExclusiveProbes,
    children: slot.children.map((child) => child.instance),
    // Made when asked for: few instances are, and with many nodes it is the largest part of the result.
    get allowed() {
      return (allowed ??= allowedOf(slot));
    },
    allowedOn: ({ index }) => allowedAt(slot, slot.scores[index] ?? ABSENT, index),
    get candidates() {
      return board.seats.filter((seat) => (first[seat.index] ?? ABSENT) !== ABSENT).map((seat) => seat.node);
    },
    ...(topIsPromotable(slot) ? { promotionScore: slot.promotionPriority } : {}),
    ...(slot.lock === undefined ? {} : { lock: slot.lock }),
  };
}

const allowedOf = (slot: Slot): Place['allowed'] => Array.from(slot.scores, (score, at) => allowedAt(slot, score, at));

const allowedAt = (slot: Slot, score: number, at: number): AllowedScore | undefined =>
  score === ABSENT ? undefined : { score, discovery: discoveries[slot.discovery?.[at] ?? 0] ?? 'always' };

const topIsPromotable = (slot: Slot): boolean => slot.parent?.kind === 'clone' && slot.parent.instance.isPromotable;

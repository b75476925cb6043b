/**
 * Applies a colocation to its dependent once the primary is placed: to the dependent's scores while it has no node,
 * and to its promotion priority once it has one and only its role is open.
 */
import { INFINITY } from '@systole/cib';
import {
  ABSENT,
  anyAvailable,
  NOWHERE,
  placeOf,
  placeScoreOf,
  PROMOTED,
  isAnyBlocked,
  roleOf,
  sum,
  UNKNOWN,
  UNPROMOTED,
  type Board,
  type Link,
  type Slot,
} from './board.ts';
import { containerIn, innerOf } from './bundle-parts.ts';
import { giveUp } from './choose.ts';
import { effectOf } from './effect.ts';
import { sortedSeats } from './compare-nodes.ts';
import { explainChange } from './merge.ts';
import { placeValue } from './same-place.ts';

/** Applies `link` to `dependent`; the result is what was added to its promotion priority. */
export function applyLink(board: Board, dependent: Slot, primary: Slot, link: Link, forDependent: boolean): number {
  if (forDependent && dependent.kind === 'group') return applyToGroup(board, dependent, primary, link);
  switch (primary.kind) {
    case 'primitive':
      return applyToPrimitive(board, dependent, primary, link);
    case 'group':
      return applyWithGroup(board, dependent, primary, link);
    case 'clone':
      return applyWithClone(board, dependent, primary, link);
    case 'bundle':
      return applyWithBundle(board, dependent, primary, link);
  }
}

function applyToPrimitive(board: Board, dependent: Slot, primary: Slot, link: Link): number {
  switch (effectOf(dependent, primary, link, false)) {
    case 'role':
      return applyToPriority(board, dependent, primary, link);
    case 'place':
      applyToScores(board, dependent, primary, link);
      return 0;
    case 'nothing':
      return 0;
  }
}

/** The first member of a group leads the others where the group must go. */
function applyToGroup(board: Board, group: Slot, primary: Slot, link: Link): number {
  const { instance } = group;
  let delta = 0;
  if (instance.kind === 'group' && instance.isColocated) {
    const first = group.children[0];
    if (first === undefined) return 0;
    delta = applyLink(board, first, primary, link, true);
  } else {
    // Members that may be anywhere cannot all be forced to one place.
    if (link.score >= INFINITY) return 0;
    for (const member of group.children) delta = sum(delta, applyLink(board, member, primary, link, false));
  }
  if (delta !== 0) group.priority = sum(delta, group.priority);
  return delta;
}

/** What must be with a group must be with its last member, which is there only if all are; what would like to, with its first. */
function applyWithGroup(board: Board, dependent: Slot, group: Slot, link: Link): number {
  if (group.isProvisional) return 0;
  const { instance } = group;
  if (instance.kind === 'group' && instance.isColocated) {
    const member = link.score >= INFINITY ? group.children.at(-1) : group.children[0];
    return member === undefined ? 0 : applyLink(board, dependent, member, link, false);
  }
  if (link.score >= INFINITY) return 0;
  let delta = 0;
  for (const member of group.children) delta = sum(delta, applyLink(board, dependent, member, link, false));
  return delta;
}

function applyWithClone(board: Board, dependent: Slot, clone: Slot, link: Link): number {
  if (clone.isProvisional) return 0;
  if (clone.instance.isPromotable && link.primaryRole !== UNKNOWN) {
    if (dependent.isProvisional) {
      applyWithRole(board, dependent, clone, link);
      return 0;
    }
    if (link.dependentRole === PROMOTED) return applyPromotedWithRole(board, dependent, clone, link);
  }
  if (canInterleave(link)) {
    const instance = compatibleInstance(board, dependent, clone, UNKNOWN, undefined);
    if (instance !== undefined) return applyLink(board, dependent, instance, link, true);
    if (link.score >= INFINITY) giveUp(board, dependent);
    return 0;
  }
  if (link.score >= INFINITY) {
    const hosts = new Set<number>();
    for (const instance of clone.children) {
      const place = placeOf(instance);
      if (place !== NOWHERE && !isAnyBlocked(instance)) hosts.add(place);
    }
    const before = dependent.scores;
    dependent.scores = onlyOn(before, hosts);
    explainChange(board, dependent, before, link, 'dependent');
    return 0;
  }
  let delta = 0;
  for (const instance of clone.children) delta = sum(delta, applyLink(board, dependent, instance, link, false));
  return delta;
}

function applyWithBundle(board: Board, dependent: Slot, bundle: Slot, link: Link): number {
  if (bundle.isProvisional) return 0;
  if (link.dependent.kind === 'clone' || link.dependent.kind === 'bundle') {
    const container = compatibleContainer(board, dependent, bundle);
    if (container !== undefined) return applyLink(board, dependent, container, link, true);
    if (link.score >= INFINITY) giveUp(board, dependent);
    return 0;
  }
  const { instance } = bundle;
  if (instance.kind !== 'bundle') return 0;
  const hosts = new Set<number>();
  let delta = 0;
  for (const replica of instance.replicas) {
    const container = containerIn(board, replica);
    if (link.score < INFINITY) {
      delta = sum(delta, applyLink(board, dependent, container, link, false));
      continue;
    }
    if (container.place === NOWHERE || isAnyBlocked(container)) continue;
    if (link.primaryRole >= PROMOTED && (innerOf(container)?.nextRole ?? UNKNOWN) < PROMOTED) continue;
    hosts.add(container.place);
  }
  if (link.score >= INFINITY) {
    const before = dependent.scores;
    dependent.scores = onlyOn(before, hosts);
    explainChange(board, dependent, before, link, 'dependent');
  }
  return delta;
}

/** Scores with every other node banned. */
function onlyOn(scores: Int32Array, hosts: ReadonlySet<number>): Int32Array {
  return scores.map((score, at) => (score === ABSENT || hosts.has(at) ? score : -INFINITY));
}

/** Adds a link's score where the primary is; a link that must hold bans all other places. */
function applyToScores(board: Board, dependent: Slot, primary: Slot, link: Link): void {
  const { score, nodeAttribute } = link;
  const seat = primary.place === NOWHERE ? undefined : board.seats[primary.place];
  if (seat === undefined && score < 0) return;
  const before = dependent.scores;
  const scores = before.slice();
  const place = seat === undefined ? undefined : placeValue(board, seat, nodeAttribute, primary);
  for (const at of scores.keys()) {
    const old = scores[at] ?? ABSENT;
    if (old === ABSENT) continue;
    const here = board.seats[at];
    if (seat === undefined) {
      scores[at] = sum(-score, old);
    } else if (here !== undefined && placeValue(board, here, nodeAttribute, dependent) === place) {
      if (score < INFINITY) scores[at] = sum(score, old);
    } else if (score >= INFINITY) {
      scores[at] = -INFINITY;
    }
  }
  // A wish that leaves no node is dropped; a must is not.
  if (Math.abs(score) < INFINITY && !anyAvailable(board, scores)) return;
  dependent.scores = scores;
  explainChange(board, dependent, before, link, 'dependent');
}

/** Changes the promotion priority of a placed dependent by where the primary is. */
function applyToPriority(board: Board, dependent: Slot, primary: Slot, link: Link): number {
  const here = board.seats[dependent.place];
  if (here === undefined) return 0;
  const seat = board.seats[primary.place];
  if (seat !== undefined && link.primaryRole !== UNKNOWN) {
    const roleSlot = innerOf(primary) ?? primary;
    if (roleSlot.nextRole !== link.primaryRole) return 0;
  }
  const mine = placeValue(board, here, link.nodeAttribute, dependent);
  const other = seat === undefined ? undefined : placeValue(board, seat, link.nodeAttribute, primary);
  let sign = 1;
  if (mine !== other) {
    if (link.score < INFINITY || link.dependentRole !== PROMOTED) return 0;
    sign = -1;
  } else if (link.dependentRole === UNPROMOTED) {
    sign = -1;
  }
  const delta = sign * link.score;
  dependent.priority = sum(delta, dependent.priority);
  return delta;
}

/** With the promoted (or unpromoted) instances of a clone: where they are, and how much they are wanted there. */
function applyWithRole(board: Board, dependent: Slot, clone: Slot, link: Link): void {
  const before = dependent.scores;
  let scores = before;
  const places = new Map<number, number>();
  for (const instance of clone.children) {
    const place = placeOf(instance);
    if (place === NOWHERE || roleOf(instance, false) !== link.primaryRole) continue;
    if (link.score < INFINITY) scores = addedAt(board, scores, dependent, clone, place, link);
    if (!places.has(place)) places.set(place, placeScoreOf(instance));
  }
  const isBothPromoted = link.dependentRole === PROMOTED && link.primaryRole === PROMOTED;
  if (link.score >= INFINITY && !isBothPromoted) {
    scores = scores.map((score, at) => {
      if (score === ABSENT) return score;
      const there = places.get(at);
      return there === undefined ? -INFINITY : sum(score, there);
    });
  }
  dependent.scores = scores;
  explainChange(board, dependent, before, link, 'dependent');
}

function addedAt(
  board: Board,
  scores: Int32Array,
  dependent: Slot,
  primary: Slot,
  place: number,
  link: Link,
): Int32Array {
  const seat = board.seats[place];
  const value = seat === undefined ? undefined : placeValue(board, seat, link.nodeAttribute, primary);
  return scores.map((score, at) => {
    const here = board.seats[at];
    if (score === ABSENT || here === undefined) return score;
    return placeValue(board, here, link.nodeAttribute, dependent) === value ? sum(score, link.score) : score;
  });
}

/** Promoted with another clone's promoted (or unpromoted) instance. */
function applyPromotedWithRole(board: Board, dependent: Slot, clone: Slot, link: Link): number {
  if (compatibleInstance(board, dependent, clone, link.primaryRole, link.nodeAttribute) !== undefined) {
    dependent.priority = sum(dependent.priority, link.score);
    return link.score;
  }
  if (link.score < INFINITY) return 0;
  dependent.priority = -INFINITY;
  return -INFINITY;
}

/** Instance by instance: the dependent says so, and both have as many on a node. */
function canInterleave(link: Link): boolean {
  const { instance } = link.dependent;
  if (instance.kind !== 'clone' && instance.kind !== 'bundle') return false;
  if (instance.kind === 'bundle' || !instance.isInterleaved) return false;
  return maxPerNode(link.dependent) === maxPerNode(link.primary);
}

export function maxPerNode(slot: Slot): number {
  const { instance } = slot;
  if (instance.kind === 'clone') return instance.nodeMax;
  return instance.kind === 'bundle' ? instance.perHost : 1;
}

/** The clone's instance where the dependent is, or on the best node where it may be. */
function compatibleInstance(
  board: Board,
  dependent: Slot,
  clone: Slot,
  role: number,
  attribute: string | undefined,
): Slot | undefined {
  const matching = clone.children.filter(
    (instance) =>
      (role === UNKNOWN || role === roleOf(instance, false)) &&
      !isAnyBlocked(instance) &&
      placeOf(instance) !== NOWHERE,
  );
  const key = (at: number, instance: Slot): number | string | undefined => {
    const seat = board.seats[at];
    return attribute === undefined || seat === undefined ? at : placeValue(board, seat, attribute, instance);
  };
  const byPlace = new Map<number | string | undefined, Slot>();
  for (const instance of matching) {
    const where = key(placeOf(instance), instance);
    if (!byPlace.has(where)) byPlace.set(where, instance);
  }
  const place = placeOf(dependent);
  const candidates = place === NOWHERE ? sortedSeats(board, dependent.scores, NOWHERE) : [place];
  for (const at of candidates) {
    const found = byPlace.get(key(at, clone.children[0] ?? clone));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The bundle's container on the dependent's host, or on the best node where it may be. */
function compatibleContainer(board: Board, dependent: Slot, bundle: Slot): Slot | undefined {
  const { instance } = bundle;
  if (instance.kind !== 'bundle') return undefined;
  const hostOf = (at: number): number => {
    const seat = board.seats[at];
    return seat?.isBundleNode === true ? (seat.launcher?.place ?? NOWHERE) : at;
  };
  const place = placeOf(dependent);
  const own = place === NOWHERE ? NOWHERE : hostOf(place);
  const candidates = own === NOWHERE ? sortedSeats(board, dependent.scores, NOWHERE).map(hostOf) : [own];
  for (const at of candidates) {
    if (at === NOWHERE) continue;
    for (const replica of instance.replicas) {
      const container = containerIn(board, replica);
      if (container.place === at && !container.isBlocked) return container;
    }
  }
  return undefined;
}

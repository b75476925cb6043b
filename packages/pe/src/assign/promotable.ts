/**
 * Chooses which instances of a promotable clone are promoted.
 *
 * An agent says how good an instance would be as the promoted one by a node attribute (`master-NAME`). That counts
 * twice: towards where instances are placed, and, once they are, towards which of them is promoted; there together
 * with location constraints for the role, colocations by role, and the wishes of what goes with the promoted one.
 */
import { INFINITY, parseScore } from '@systole/cib';
import { byNumber, type Compare } from '@systole/kernel';
import {
  ABSENT,
  addScoreDeep,
  note,
  NOWHERE,
  placeOf,
  PROMOTED,
  roleOf,
  STARTED,
  sum,
  touch,
  UNKNOWN,
  UNPROMOTED,
  STOPPED,
  type Board,
  type Link,
  type Seat,
  type Slot,
} from './board.ts';
import type { Node } from '../status/node.ts';
import { lacksPromotionTicket } from './criteria.ts';
import { withoutNumber } from '../config/values.ts';
import { sortInstancesAfter } from './instances.ts';
import { hasInfluence, linksAsDependent, linksAsPrimary } from './links.ts';
import { factorOf } from './factor.ts';
import { explainChange, mergeScores } from './merge.ts';
import { bePromoted, beUnpromoted, callUnpromoted } from './roles.ts';

/** Adds promotion scores to the instances' scores, so that good candidates are placed where they are good. */
export function addPromotionScores(board: Board, clone: Slot): void {
  if (clone.hasPromotionScores) return;
  clone.hasPromotionScores = true;
  const known = knownOf(clone);
  for (const child of clone.children) {
    for (const seat of board.seats) {
      const at = seat.index;
      const before = child.scores[at] ?? ABSENT;
      if (before === ABSENT || !seat.isAvailable) continue;
      const score = promotionScore(board, known, child, seat)?.score ?? 0;
      if (score > 0) {
        child.scores[at] = sum(before, score);
        touch(board, child);
        note(board, child, at, score, { type: 'promotion' });
      }
      if (score > child.priority) child.priority = score;
    }
  }
}

interface PromotionScore {
  readonly score: number;
}

/** The agent's wish for an instance on a node; of a group, all its members' together. Undefined: there is none. */
function promotionScore(board: Board, known: Known, slot: Slot, seat: Seat): PromotionScore | undefined {
  if (slot.children.length > 0) {
    const scores = slot.children.flatMap((member) => promotionScore(board, known, member, seat) ?? []);
    return scores.length === 0 ? undefined : { score: scores.reduce((total, { score }) => total + score, 0) };
  }
  if (!doesPromotionScoreCount(known, slot, seat)) return undefined;
  const { instance } = slot;
  let value = promotionAttribute(board, slot, seat, instance.historyId ?? instance.id);
  if (value === undefined && !instance.isUnique) {
    value = promotionAttribute(board, slot, seat, withoutNumber(instance.id));
  }
  return value === undefined ? undefined : { score: parseScore(value) ?? 0 };
}

function promotionAttribute(board: Board, slot: Slot, seat: Seat, name: string): string | undefined {
  const isOnHost = slot.instance.meta.get('container-attribute-target')?.toLowerCase() === 'host';
  const { launcher } = seat;
  if (launcher === undefined || !isOnHost) return seat.node.attributes.get(`master-${name}`);
  // Before placement, the host is where the container is; after it, where it will be.
  const host = slot.isProvisional ? launcher.instance.activeNodes[0] : board.seats[launcher.place]?.node;
  return host?.attributes.get(`master-${name}`);
}

/** Where the instances of an anonymous clone are active and where their state is known, by the primitive's id. */
type Known = ReadonlyMap<string, { readonly active: ReadonlyMap<Node, Slot>; readonly probed: ReadonlySet<Node> }>;

function knownOf(clone: Slot): Known {
  const known = new Map<string, { readonly active: Map<Node, Slot>; readonly probed: Set<Node> }>();
  for (const child of clone.children) {
    for (const slot of child.kind === 'primitive' ? [child] : child.children) {
      const { configId, activeNodes, probedNodes } = slot.instance;
      const of = known.get(configId) ?? { active: new Map<Node, Slot>(), probed: new Set<Node>() };
      known.set(configId, of);
      for (const node of activeNodes) if (!of.active.has(node)) of.active.set(node, slot);
      for (const node of probedNodes) of.probed.add(node);
    }
  }
  return known;
}

/**
 * Whether a promotion score means this instance: where it is active; for anonymous instances also where none is but
 * the state is known; and everywhere as long as nothing is known of it, so that permanent scores count at the start.
 */
function doesPromotionScoreCount(known: Known, slot: Slot, seat: Seat): boolean {
  if ((slot.scores[seat.index] ?? ABSENT) < 0) return false;
  const { instance } = slot;
  const { node } = seat;
  if (!instance.isUnique) {
    const same = known.get(instance.configId);
    const active = same?.active.get(node);
    if (active === slot) return true;
    if (active === undefined && same?.probed.has(node) === true) return true;
  }
  if (instance.activeNodes.length === 0 && instance.probedNodes.size === 0) return true;
  return instance.probedNodes.has(node) || instance.activeNodes.includes(node);
}

/** Gives each instance its role. */
export function chooseRoles(board: Board, clone: Slot): void {
  clone.counts = new Int32Array(board.seats.length);
  const known = knownOf(clone);
  for (const instance of clone.children) setPriority(board, clone, instance, known);
  sortForPromotion(board, clone);
  let promoted = 0;
  for (const instance of clone.children) {
    board.shown.push({
      stage: 'promotion',
      slot: instance,
      place: placeOf(instance),
      score: instance.promotionPriority,
    });
    if (promote(board, clone, instance, promoted)) promoted += 1;
  }
}

/** What speaks for an instance where it is placed, before others' wishes. */
function setPriority(board: Board, clone: Slot, instance: Slot, known: Known): void {
  if (roleOf(instance, true) === STARTED) callUnpromoted(instance);
  const place = placeOf(instance);
  const seat = board.seats[place];
  if (seat === undefined) return;
  const nextRole = roleOf(instance, false);
  if (nextRole === STARTED || nextRole === UNKNOWN) {
    // Without a score from the agent it takes a constraint for the role to be promoted.
    instance.priority = promotionScore(board, known, instance, seat)?.score ?? -1;
  } else if (nextRole === UNPROMOTED || nextRole === STOPPED) {
    instance.priority = -INFINITY;
  }
  for (const holder of [instance, clone]) {
    for (const rule of board.locationsOf(holder)) {
      if (rule.role !== 'Promoted') continue;
      const score = rule.scores.find(({ node }) => node.index === place)?.score;
      if (score !== undefined) instance.priority = sum(instance.priority, score);
    }
  }
  for (const link of linksAsDependent(instance)) {
    board.methods.applyLink(board, instance, link.primary, link, true);
  }
  instance.promotionPriority = nextRole === PROMOTED ? INFINITY : instance.priority;
}

/** Adds the wishes of what goes with the promoted instance and sorts by the result, highest first. */
function sortForPromotion(board: Board, clone: Slot): void {
  if (clone.isPromotionSorted) return;
  clone.isPromotionSorted = true;
  clone.isMerging = true;
  for (const instance of clone.children) {
    const place = placeOf(instance);
    if (instance.promotionPriority < 0 || place === NOWHERE) continue;
    clone.scores[place] = sum(instance.promotionPriority, clone.scores[place] ?? 0);
  }
  touch(board, clone);
  for (const link of linksAsPrimary(board, clone)) addPromotedDependent(board, clone, link);
  const ticket = lacksPromotionTicket(board, clone);
  if (ticket !== undefined) {
    const source = { type: 'ticket', ticket: ticket.ticket, constraint: ticket.id } as const;
    addScoreDeep(board, clone, undefined, -INFINITY, source);
  }
  for (const instance of clone.children) {
    const place = placeOf(instance);
    if (!instance.isManaged && instance.nextRole === PROMOTED) instance.promotionPriority = INFINITY;
    else if (place === NOWHERE) instance.promotionPriority = -INFINITY;
    else if (instance.promotionPriority >= 0) instance.promotionPriority = clone.scores[place] ?? 0;
  }
  clone.children = sortInstancesAfter(board, clone.children, byPromotion);
  clone.isMerging = false;
}

const byPromotion: Compare<Slot> = (a, b) =>
  byNumber(b.promotionPriority, a.promotionPriority) || byNumber(roleOf(b, true), roleOf(a, true));

function addPromotedDependent(board: Board, clone: Slot, link: Link): void {
  if (link.primaryRole !== PROMOTED || !hasInfluence(link)) return;
  const before = clone.scores;
  clone.scores = mergeScores(board, link.dependent, clone, before, link, factorOf(link.score), {
    followsPrimaries: false,
    isNonnegative: true,
    rollsBack: true,
  });
  touch(board, clone);
  explainChange(board, clone, before, link, 'primary');
}

/** Promotes an instance if it may be, and says whether. */
function promote(board: Board, clone: Slot, instance: Slot, promoted: number): boolean {
  const { options, hasQuorum } = board.situation;
  const max = clone.instance.kind === 'clone' ? clone.instance.promotedMax : 0;
  const isRoom = promoted < max || !clone.isManaged;
  const place = instance.promotionPriority >= 0 && isRoom ? promotionPlace(board, clone, instance) : NOWHERE;
  const isFrozen = instance.role < PROMOTED && !hasQuorum && options.noQuorumPolicy === 'freeze';
  if (place === NOWHERE || isFrozen || clone.counts === undefined) {
    beUnpromoted(instance);
    return false;
  }
  clone.counts[place] = (clone.counts[place] ?? 0) + 1;
  bePromoted(instance);
  return true;
}

/** The node where an instance can be promoted; of a group, if all its members can. */
function promotionPlace(board: Board, clone: Slot, slot: Slot): number {
  for (const member of slot.children) if (promotionPlace(board, clone, member) === NOWHERE) return NOWHERE;
  const place = placeOf(slot);
  const seat = board.seats[place];
  if (seat === undefined) return NOWHERE;
  if (!slot.isManaged) {
    // Left as it is: it counts as promoted if it is.
    if (roleOf(slot, true) !== PROMOTED) return NOWHERE;
  } else if (slot.priority < 0 || !seat.isAvailable || isGuestWithoutHost(seat)) {
    return NOWHERE;
  }
  if (clone.scores[place] === ABSENT) return NOWHERE;
  const perNode = clone.instance.kind === 'clone' ? clone.instance.promotedNodeMax : 0;
  if (slot.isManaged && (clone.counts?.[place] ?? 0) >= perNode) return NOWHERE;
  return place;
}

const isGuestWithoutHost = (seat: Seat): boolean => seat.launcher !== undefined && seat.launcher.place === NOWHERE;

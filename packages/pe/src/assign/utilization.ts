/**
 * Capacities of nodes and what resources take of them; only with a `placement-strategy` other than `default`.
 *
 * Before a resource is placed it is kept away from nodes that have too little left: for it and everything that must
 * go with it, if any node has room for all of that; else at least for itself.
 */
import { INFINITY } from '@systole/cib';
import type { PrimitiveInstance } from '../expand/instance.ts';
import { ABSENT, addScoreDeep, NOWHERE, primitiveOf, type Board, type Seat, type Slot } from './board.ts';
import { compareCapacities } from './compare-nodes.ts';
import { effectOf } from './effect.ts';
import { linksAsDependent, linksAsPrimary } from './links.ts';

const AMOUNT_MAX = 0x7fff_ffff;
const AMOUNT_MIN = -0x8000_0000;

type Amounts = Map<string, number>;

const add = (amounts: Amounts, name: string, amount: number): void => {
  amounts.set(name, Math.max(AMOUNT_MIN, Math.min(AMOUNT_MAX, (amounts.get(name) ?? 0) + amount)));
};

export function consume(seat: Seat, instance: PrimitiveInstance): void {
  for (const [name, amount] of instance.utilization) add(seat.free, name, -amount);
}

export function release(seat: Seat, instance: PrimitiveInstance): void {
  for (const [name, amount] of instance.utilization) add(seat.free, name, amount);
}

const hasRoom = (seat: Seat, needed: ReadonlyMap<string, number>): boolean => {
  for (const [name, amount] of needed) if (amount > (seat.free.get(name) ?? 0)) return false;
  return true;
};

/**
 * Bans a resource from nodes without room. Where no node has room for all that must go together, the node with most
 * left is returned: the one to prefer among equals.
 */
export function banInsufficient(board: Board, slot: Slot): number {
  if (!board.usesUtilization) return NOWHERE;
  const together = allTogether(board, slot);
  const needed: Amounts = new Map();
  for (const each of together) addNeeds(each, together, needed);

  let isAnyRoomy = false;
  let roomiest: Seat | undefined;
  for (const seat of usableSeats(board, slot)) {
    if (hasRoom(seat, needed)) isAnyRoomy = true;
    if (roomiest === undefined || compareCapacities(seat, roomiest) < 0) roomiest = seat;
  }
  const own = primitiveOf(slot)?.utilization ?? new Map<string, number>();
  for (const seat of usableSeats(board, slot)) {
    if (!hasRoom(seat, isAnyRoomy ? needed : own)) {
      addScoreDeep(board, slot, seat.index, -INFINITY, { type: 'utilization' });
    }
  }
  return isAnyRoomy ? NOWHERE : (roomiest?.index ?? NOWHERE);
}

const usableSeats = (board: Board, slot: Slot): readonly Seat[] =>
  board.seats.filter((seat) => seat.isAvailable && (slot.scores[seat.index] ?? ABSENT) >= 0);

/** Everything that must be where `origin` is, by colocations of INFINITY in either direction, from one to the next. */
function allTogether(board: Board, origin: Slot): Set<Slot> {
  const together = new Set<Slot>();
  const waiting = [origin];
  for (let slot = waiting.pop(); slot !== undefined; slot = waiting.pop()) {
    if (together.has(slot)) continue;
    together.add(slot);
    if (slot.kind === 'group') {
      const isTogether = (slot.instance.kind === 'group' && slot.instance.isColocated) || slot.parent?.kind === 'clone';
      if (isTogether) {
        waiting.push(...slot.children);
        continue;
      }
    }
    for (const link of linksAsDependent(slot)) {
      const { primary } = link;
      if (primary === origin || link.score !== INFINITY) continue;
      if (effectOf(slot, primary, link, true) === 'place') waiting.push(primary);
    }
    for (const link of linksAsPrimary(board, slot)) {
      const { dependent } = link;
      if (dependent === origin || link.score !== INFINITY) continue;
      // Which of a clone's nodes something goes to is not known.
      if (slot.kind === 'clone' && dependent.kind !== 'clone') continue;
      if (effectOf(dependent, slot, link, true) === 'place') waiting.push(dependent);
    }
  }
  return together;
}

/** Adds what a resource that is not placed yet needs on one node. */
function addNeeds(slot: Slot, together: ReadonlySet<Slot>, needed: Amounts): void {
  if (!slot.isProvisional) return;
  const { instance } = slot;
  switch (instance.kind) {
    case 'primitive':
      for (const [name, amount] of instance.utilization) add(needed, name, amount);
      break;
    case 'group': {
      const isTogether = instance.isColocated || slot.parent?.kind === 'clone';
      for (const member of isTogether ? slot.children : slot.children.slice(0, 1)) {
        if (member.isProvisional && !together.has(member)) addNeeds(member, together, needed);
      }
      break;
    }
    case 'clone': {
      // Each instance of a group of which a member is among them stands for the whole of it.
      let isCounted = false;
      for (const child of slot.children) {
        if (together.has(child)) {
          isCounted = true;
        } else if (child.children.some((member) => together.has(member))) {
          addNeeds(child, together, needed);
          isCounted = true;
        }
      }
      const first = slot.children[0];
      if (!isCounted && first !== undefined) addNeeds(first, together, needed);
      break;
    }
    case 'bundle': {
      // All replicas are alike.
      const container = slot.children.find((child) => primitiveOf(child)?.isReplicaContainer === true);
      if (container !== undefined) addNeeds(container, together, needed);
      break;
    }
  }
}

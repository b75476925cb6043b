/**
 * Instances of an anonymous clone cannot be told apart, so it means nothing which of them is where: where placement
 * has them change places among themselves, everyone stays.
 *
 * Placement goes instance by instance, and colocations of whole clones can keep each from the node that it is on until
 * another one has been placed. Pacemaker then moves them in a circle, and again in every later transition.
 */
import { NOWHERE, placeOf, placesOf, type Slot } from './board.ts';

/** To be called when all instances are placed and before their roles are chosen. */
export function stayInPlace(clone: Slot): void {
  if (clone.instance.isUnique) return;
  const placedOn = new Map<number, Slot>();
  for (const slot of clone.children) {
    const place = placeOf(slot);
    if (place !== NOWHERE) placedOn.set(place, slot);
  }
  const isDone = new Set<Slot>();
  for (const slot of clone.children) {
    if (isDone.has(slot)) continue;
    const circle = circleFrom(slot, placedOn);
    for (const one of circle) isDone.add(one);
    if (circle.length > 1) goHome(circle);
  }
}

/**
 * Each followed by the one that is to take its place; empty if that does not lead back to the first. An instance that
 * is nowhere closes the circle if the first is to be nowhere.
 */
function circleFrom(first: Slot, placedOn: ReadonlyMap<number, Slot>): readonly Slot[] {
  const circle: Slot[] = [];
  let slot: Slot | undefined = first;
  while (slot !== undefined && isFree(slot) && !circle.includes(slot)) {
    circle.push(slot);
    slot = placedOn.get(slot.current);
  }
  if (slot === first) return circle;
  // A failed one restarts in any case, and then as the instance that Pacemaker would take.
  const isClosed =
    slot?.activeCount === 0 && circle.length > 0 && placesOf(first).length === 0 && !first.instance.isFailed;
  return slot !== undefined && isClosed ? [...circle, slot] : [];
}

/** On one node, and not in the middle of a migration. */
const isFree = (slot: Slot): boolean =>
  slot.activeCount === 1 &&
  slot.current !== NOWHERE &&
  [slot, ...slot.children].every(
    ({ instance }) => instance.kind !== 'primitive' || instance.partialMigration === undefined,
  );

/** Everyone takes over what was decided for the one that was to come to its node. */
function goHome(circle: readonly Slot[]): void {
  const decided = circle.map(decisionsOf);
  for (const [at, slot] of circle.entries()) {
    const next = decided[(at + 1) % circle.length] ?? [];
    for (const [position, part] of [slot, ...slot.children].entries()) Object.assign(part, next[position]);
  }
}

type Decision = Pick<Slot, 'scores' | 'place' | 'placeScore' | 'nextRole'>;

const decisionsOf = (slot: Slot): readonly Decision[] =>
  [slot, ...slot.children].map(({ scores, place, placeScore, nextRole }) => ({ scores, place, placeScore, nextRole }));

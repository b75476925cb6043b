/**
 * Long rows of resources each of which must be placed after the next. Placing the first would place the second, and
 * that the third, each within the one before, until the program's stack is full; so where a row is long it is placed
 * from its far end. The result is the same, except for the order in which a resource with several primaries and its
 * primaries see each other's scores.
 */
import { NOWHERE, topSlot, type Board, type Slot } from './board.ts';
import { linksAsDependent } from './links.ts';

/** Rows up to this length are left to themselves; each resource in them takes a few steps of the stack. */
const ROW_MAX = 100;

interface Visit {
  readonly slot: Slot;
  readonly primaries: readonly Slot[];
  position: number;
}

export function placeDeepPrimaries(board: Board, slot: Slot): void {
  const seen = new Set<Slot>([slot]);
  const inOrder: Slot[] = [];
  let isDeep = false;
  const visits: Visit[] = [visitOf(slot)];
  for (let visit = visits.at(-1); visit !== undefined; visit = visits.at(-1)) {
    const next = visit.primaries[visit.position];
    visit.position += 1;
    if (next === undefined) {
      visits.pop();
      inOrder.push(visit.slot);
    } else if (next.isProvisional && !seen.has(next)) {
      seen.add(next);
      visits.push(visitOf(next));
      if (visits.length > ROW_MAX) isDeep = true;
    }
  }
  if (!isDeep) return;
  for (const each of inOrder) if (each !== slot && each.isProvisional) board.methods.assign(board, each, NOWHERE, true);
}

/** The outermost resources that are placed before this one. */
function visitOf(slot: Slot): Visit {
  const primaries = new Set<Slot>();
  const collect = (each: Slot): void => {
    for (const link of linksAsDependent(each)) primaries.add(topSlot(link.primary, true));
    for (const child of each.children) collect(child);
  };
  collect(slot);
  primaries.delete(slot);
  return { slot, primaries: [...primaries], position: 0 };
}

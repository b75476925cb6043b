/**
 * The order of nodes for a resource: the higher score; then, with `placement-strategy=balanced`, more free capacity;
 * then fewer resources placed there so far; then the node it is on; then the smaller name by bytes. With `minimal`
 * the name comes right after the score, so that resources gather on few nodes.
 */
import { INFINITY } from '@systole/cib';
import { ABSENT, type Board, type Seat } from './board.ts';

/** Numbers of the nodes that have a score, best first; `preferred` (or `NOWHERE`) is where the resource is. */
export function sortedSeats(board: Board, scores: Int32Array, preferred: number): number[] {
  const allowed: number[] = [];
  for (let at = 0; at < scores.length; at += 1) if (scores[at] !== ABSENT) allowed.push(at);
  return allowed.sort((a, b) => compareNodes(board, scores, preferred, a, b));
}

/** Negative if node `a` is better than `b`. */
export function compareNodes(board: Board, scores: Int32Array, preferred: number, a: number, b: number): number {
  const [first, second] = [board.seats[a], board.seats[b]];
  if (first === undefined || second === undefined) return 0;
  const firstScore = first.isAvailable ? (scores[a] ?? -INFINITY) : -INFINITY;
  const secondScore = second.isAvailable ? (scores[b] ?? -INFINITY) : -INFINITY;
  if (firstScore !== secondScore) return secondScore - firstScore;
  const strategy = board.situation.options.placementStrategy;
  if (strategy !== 'minimal') {
    if (strategy === 'balanced') {
      const capacity = compareCapacities(first, second);
      if (capacity !== 0) return capacity;
    }
    if (first.placed !== second.placed) return first.placed - second.placed;
    if (a === preferred) return -1;
    if (b === preferred) return 1;
  }
  return (board.nameRank[a] ?? 0) - (board.nameRank[b] ?? 0);
}

/** In how many kinds of capacity `b` has more left than `a`, less the kinds in which `a` has more. */
export function compareCapacities(a: Seat, b: Seat): number {
  let result = 0;
  for (const [name, amount] of a.free) {
    const other = b.free.get(name) ?? 0;
    if (amount > other) result -= 1;
    else if (amount < other) result += 1;
  }
  for (const [name, amount] of b.free) {
    if (a.free.has(name)) continue;
    if (amount < 0) result -= 1;
    else if (amount > 0) result += 1;
  }
  return result;
}

/** The scores of a resource and of all that is inside it, as they are when it is about to be placed. */
import { ABSENT, type Board, type Slot } from './board.ts';
import type { Stage } from './placement.ts';

export function showScores(board: Board, slot: Slot, stage: Stage): void {
  if (slot.instance.isRemoved) return;
  const { scores } = slot;
  for (const seat of board.seats) {
    const score = scores[seat.index] ?? ABSENT;
    if (score !== ABSENT) board.rows.push({ stage, rsc: slot.id, node: seat.name, score });
  }
  for (const child of slot.children) showScores(board, child, stage);
}

/** The scores of a resource and of all that is inside it, as they are when it is about to be placed. */
import { ABSENT, type Board, type Slot } from './board.ts';
import type { ScoreRow, Stage } from './placement.ts';

export function showScores(board: Board, slot: Slot, stage: Exclude<Stage, 'promotion'>): void {
  if (slot.instance.isRemoved) return;
  board.shown.push({ stage, slot, scores: slot.scores.slice() });
  for (const child of slot.children) showScores(board, child, stage);
}

/** A row for each node that was allowed. */
export function rowsOf(board: Board): readonly ScoreRow[] {
  const rows: ScoreRow[] = [];
  for (const shown of board.shown) {
    const rsc = shown.slot.id;
    if (shown.stage === 'promotion') {
      const node = board.seats[shown.place]?.name;
      rows.push({ stage: 'promotion', rsc, score: shown.score, ...(node === undefined ? {} : { node }) });
      continue;
    }
    for (const seat of board.seats) {
      const score = shown.scores[seat.index] ?? ABSENT;
      if (score !== ABSENT) rows.push({ stage: shown.stage, rsc, node: seat.name, score });
    }
  }
  return rows;
}

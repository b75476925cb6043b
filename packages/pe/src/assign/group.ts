/** Places a group: its members in order, each going with the one before it by the implied colocation. */
import { NOWHERE, type Board, type Slot } from './board.ts';
import { showScores } from './rows.ts';

export function assignGroup(board: Board, slot: Slot, prefer: number, isFinal: boolean): number {
  // A group has no place of its own: `NOWHERE` once it is done, as for everything that is not a primitive.
  if (!slot.isProvisional || slot.isAssigning) return NOWHERE;
  const first = slot.children[0];
  if (first === undefined) {
    slot.isProvisional = false;
    return NOWHERE;
  }
  slot.isAssigning = true;
  slot.role = first.role;
  showScores(board, slot, 'group');
  let place = NOWHERE;
  for (const member of slot.children) {
    const node = board.methods.assign(board, member, prefer, isFinal);
    if (place === NOWHERE) place = node;
  }
  slot.nextRole = first.nextRole;
  slot.isAssigning = false;
  slot.isProvisional = false;
  return slot.instance.kind === 'group' && slot.instance.isColocated ? place : NOWHERE;
}

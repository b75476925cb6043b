/** Places a clone: what it goes with first, then its instances, then, if it is promotable, their roles. */
import { NOWHERE, type Board, type Slot } from './board.ts';
import { stayInPlace } from './exchange.ts';
import { assignInstances, sortInstances } from './instances.ts';
import { linksAsDependent, linksAsPrimary } from './links.ts';
import { addDependentScores } from './merge.ts';
import { addPromotionScores, chooseRoles } from './promotable.ts';
import { showScores } from './rows.ts';

export function assignClone(board: Board, slot: Slot, prefer: number, isFinal: boolean): number {
  const { instance } = slot;
  if (instance.kind !== 'clone' || !slot.isProvisional || slot.isAssigning) return NOWHERE;
  slot.isAssigning = true;
  if (instance.isPromotable) addPromotionScores(board, slot);
  for (const link of linksAsDependent(slot)) board.methods.assign(board, link.primary, prefer, isFinal);
  for (const link of linksAsPrimary(board, slot)) addDependentScores(board, slot, link);
  showScores(board, slot, 'clone');
  slot.children = sortInstances(board, slot.children);
  assignInstances(board, slot, slot.children, instance.max, instance.nodeMax);
  stayInPlace(slot);
  if (instance.isPromotable) chooseRoles(board, slot);
  slot.isProvisional = false;
  slot.isAssigning = false;
  return NOWHERE;
}

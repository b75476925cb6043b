/** Finds the parts of a bundle's replicas on the board. */
import type { Replica } from '../expand/instance.ts';
import { topSlot, type Board, type Slot, slotOf } from './board.ts';

export const containerIn = (board: Board, replica: Replica): Slot => slotOf(board, replica.container);

/** Of a replica's container, the instance that runs inside it. */
export function innerOf(slot: Slot): Slot | undefined {
  const { instance } = slot;
  if (instance.kind !== 'primitive' || !instance.isReplicaContainer) return undefined;
  const bundle = topSlot(slot, true);
  if (bundle.instance.kind !== 'bundle') return undefined;
  const replica = bundle.instance.replicas.find((each) => each.container === instance);
  if (replica?.child === undefined) return undefined;
  const inner = bundle.children.find((child) => child.kind === 'clone');
  return inner?.children.find((child) => child.instance === replica.child);
}

/** Which nodes count as the same place for a colocation. */
import { NOWHERE, primitiveOf, topSlot, type Board, type Seat, type Slot } from './board.ts';

/**
 * What makes two nodes the same place for a colocation: the value of its attribute, in any case of letters. For a
 * resource that takes attributes from its host (and always for what is colocated with a bundle), a guest's place is
 * that of the node its container is placed on.
 */
export function placeValue(board: Board, seat: Seat, attribute: string, slot: Slot): string | undefined {
  const node = seat.launcher !== undefined && usesHost(seat, slot) ? hostNode(board, seat.launcher) : seat.node;
  return node?.attributes.get(attribute)?.toLowerCase();
}

function usesHost(seat: Seat, slot: Slot): boolean {
  if (seat.isBundleNode) {
    const bundle = topSlot(slot, true);
    if (bundle.kind === 'bundle') {
      const inner = bundle.children.find((child) => child.kind === 'clone');
      if (topSlot(slot, false) === inner) return true;
    }
  }
  return slot.instance.meta.get('container-attribute-target')?.toLowerCase() === 'host';
}

function hostNode(board: Board, launcher: Slot): Seat['node'] | undefined {
  if (primitiveOf(launcher) === undefined || launcher.place === NOWHERE) return undefined;
  return board.seats[launcher.place]?.node;
}

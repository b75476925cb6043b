/**
 * What follows from the resources themselves: members of a group go with the one before, a bundle's address and
 * connection with their container, a guest's connection with the resource that makes the guest. And: connections and
 * fence devices do not run on remote nodes.
 */
import { INFINITY } from '@systole/cib';
import type { PrimitiveInstance } from '../expand/instance.ts';
import { ABSENT, note, type Board, type Slot, slotOf } from './board.ts';
import { addLink } from './setup.ts';

export function addImplied(board: Board): void {
  for (const root of board.roots) imply(board, root);
}

function imply(board: Board, slot: Slot): void {
  const { instance } = slot;
  switch (instance.kind) {
    case 'primitive':
      implyForPrimitive(board, slot, instance);
      break;
    case 'group':
      for (const [position, member] of slot.children.entries()) {
        imply(board, member);
        const previous = slot.children[position - 1];
        if (previous === undefined || !instance.isColocated) continue;
        bind(board, '#group-members', member, previous, INFINITY, member.instance.isCritical);
      }
      break;
    case 'clone':
      for (const child of slot.children) imply(board, child);
      break;
    case 'bundle':
      for (const replica of instance.replicas) {
        const container = slotOf(board, replica.container);
        imply(board, container);
        if (replica.ip !== undefined) {
          const ip = slotOf(board, replica.ip);
          imply(board, ip);
          bind(board, '#ip-with-container', ip, container, INFINITY, true);
        }
        if (replica.remote !== undefined) imply(board, slotOf(board, replica.remote));
      }
      if (instance.child !== undefined) imply(board, slotOf(board, instance.child));
      break;
  }
}

function bind(board: Board, id: string, dependent: Slot, primary: Slot, score: number, hasInfluence: boolean): void {
  addLink(board, {
    id,
    dependent: dependent.instance,
    primary: primary.instance,
    dependentRole: 'Unknown',
    primaryRole: 'Unknown',
    score,
    nodeAttribute: '#uname',
    hasInfluence,
    isExplicit: false,
  });
}

/** Preferred and not essential: a bundle's container may be on a remote node, its connection may not. */
const NESTED_CONNECTION_SCORE = 10_000;

function implyForPrimitive(board: Board, slot: Slot, instance: PrimitiveInstance): void {
  if (!slot.isManaged) return;
  const { launcher } = instance;
  if (launcher !== undefined) {
    const host = slotOf(board, launcher);
    if (instance.isConnection && !instance.allowsNestedRemote) avoidRemoteNodes(board, host);
    const remote = instance.isConnection ? undefined : launcher.isConnection ? launcher : connectionIn(launcher);
    if (remote === undefined) {
      const score = instance.allowsNestedRemote ? NESTED_CONNECTION_SCORE : INFINITY;
      bind(board, '#resource-with-container', slot, host, score, true);
    } else {
      // Made to run on that remote node, by the meta attribute `container`.
      ban(board, slot, (at) => board.seats[at]?.node.connection !== remote);
    }
  }
  if (instance.isConnection || instance.isFenceDevice) avoidRemoteNodes(board, slot);
}

const connectionIn = (launcher: PrimitiveInstance): PrimitiveInstance | undefined =>
  launcher.launched.find((each) => each.isConnection);

const avoidRemoteNodes = (board: Board, slot: Slot): void =>
  ban(board, slot, (at) => board.seats[at]?.connection !== undefined);

function ban(board: Board, slot: Slot, isBanned: (at: number) => boolean): void {
  for (const at of slot.scores.keys()) {
    if (slot.scores[at] === ABSENT || !isBanned(at)) continue;
    slot.scores[at] = -INFINITY;
    note(board, slot, at, -INFINITY, { type: 'remote' });
  }
}

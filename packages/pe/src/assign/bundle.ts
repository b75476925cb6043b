/**
 * Places a bundle: its containers first, as instances; then what belongs to each (address, connection), then the
 * primitive inside, which can only be on the node that its container makes.
 */
import { INFINITY } from '@systole/cib';
import type { Replica } from '../expand/instance.ts';
import { ABSENT, NOWHERE, touch, type Board, type Slot, slotOf } from './board.ts';
import { containerIn } from './bundle-parts.ts';
import { failuresTooMany } from './failures.ts';
import { assignInstances, sortInstances } from './instances.ts';
import { showScores } from './rows.ts';
import { addLink } from './setup.ts';

export function assignBundle(board: Board, slot: Slot, prefer: number, isFinal: boolean): number {
  const { instance } = slot;
  if (instance.kind !== 'bundle') return NOWHERE;
  slot.isAssigning = true;
  showScores(board, slot, 'bundle');
  const containers = sortInstances(
    board,
    instance.replicas.map((replica) => containerIn(board, replica)),
  );
  assignInstances(board, slot, containers, instance.max, instance.perHost);
  for (const replica of instance.replicas) assignReplica(board, replica, prefer, isFinal);
  if (instance.child !== undefined) {
    const inner = slotOf(board, instance.child);
    const nodes = new Set(instance.replicas.map((replica) => replica.node?.index));
    inner.scores = inner.scores.map((score, at) => (score === ABSENT ? score : nodes.has(at) ? 0 : -INFINITY));
    touch(board, inner);
    board.methods.assign(board, inner, prefer, isFinal);
  }
  slot.isAssigning = false;
  slot.isProvisional = false;
  return NOWHERE;
}

function assignReplica(board: Board, replica: Replica, prefer: number, isFinal: boolean): void {
  if (replica.ip !== undefined) board.methods.assign(board, slotOf(board, replica.ip), prefer, isFinal);
  const container = containerIn(board, replica);
  const host = container.place === NOWHERE ? undefined : board.seats[container.place];
  if (replica.remote !== undefined) {
    if (host?.connection !== undefined) {
      // A node has one connection at a time: where the container is on a remote node, both connections are together.
      addLink(board, {
        id: '#replica-remote-with-host-remote',
        dependent: replica.remote,
        primary: host.connection.instance,
        dependentRole: 'Unknown',
        primaryRole: 'Unknown',
        score: INFINITY,
        nodeAttribute: '#uname',
        hasInfluence: true,
        isExplicit: false,
      });
    }
    board.methods.assign(board, slotOf(board, replica.remote), prefer, isFinal);
  }
  if (replica.child === undefined || replica.node === undefined) return;
  const child = slotOf(board, replica.child);
  const own = replica.node;
  const hasFailed = failuresTooMany(board.situation, replica.child, own) > 0;
  child.scores = child.scores.map((score, at) => {
    if (score === ABSENT) return score;
    if (at !== own.index) return -INFINITY;
    return hasFailed ? score : INFINITY;
  });
  touch(board, child);
  const { parent } = child;
  if (parent !== undefined) parent.isAssigning = true;
  board.methods.assign(board, child, own.index, isFinal);
  if (parent !== undefined) parent.isAssigning = false;
}

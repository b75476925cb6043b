/**
 * Where an instance may run before any constraint: all nodes in a symmetric cluster, none otherwise, changed by what the
 * reader finds (a failed stop here, no longer configured, …). Most instances of a cluster share one table; it is copied
 * when one of them comes to differ.
 */
import { addScores, INFINITY } from '@systole/cib';
import type { DraftInstance, DraftNode, DraftPrimitive, Reader } from './draft.ts';
import { withDescendants } from './draft.ts';
import type { AllowedNode } from './instance.ts';

/** The table for a new instance; with `isForced` (a guest's connection) also in a cluster where nothing runs unasked. */
export function defaultAllowed(reader: Reader, isForced: boolean): Map<DraftNode, AllowedNode> {
  const tableOf = (nodes: readonly DraftNode[]): Map<DraftNode, AllowedNode> =>
    new Map(nodes.map((node) => [node, { score: node.score, discovery: node.discovery }]));
  if (!reader.options.isSymmetric) return isForced ? tableOf(reader.nodes) : new Map();
  reader.commonAllowed ??= tableOf(reader.nodes.filter((node) => node.discovery !== 'never'));
  return reader.commonAllowed;
}

/** A node has come: tables made from now on have it. */
export function forgetCommonAllowed(reader: Reader): void {
  delete reader.commonAllowed;
}

export function ownAllowed(reader: Reader, instance: DraftInstance): Map<DraftNode, AllowedNode> {
  if (!reader.withOwnAllowed.has(instance)) {
    instance.allowed = new Map(instance.allowed);
    reader.withOwnAllowed.add(instance);
  }
  return instance.allowed;
}

/** Adds a score for an instance and all that is inside it, on one node or on all there are. */
export function addReadScore(
  reader: Reader,
  instance: DraftInstance,
  node: DraftNode | undefined,
  score: number,
  reason: string,
): void {
  for (const one of withDescendants(instance)) {
    const allowed = ownAllowed(reader, one);
    for (const at of node === undefined ? reader.nodes : [node]) {
      const before = allowed.get(at) ?? { score: at.score, discovery: at.discovery };
      allowed.set(at, { ...before, score: addScores(before.score, score) });
    }
  }
  reader.readScores.push({ instance, ...(node === undefined ? {} : { node }), score, reason });
}

/** Keeps an instance (and not what is inside it) from all nodes. */
export function banEverywhere(reader: Reader, instance: DraftInstance, reason: string): void {
  instance.allowed = new Map(reader.nodes.map((node) => [node, { score: -INFINITY, discovery: node.discovery }]));
  reader.withOwnAllowed.add(instance);
  reader.readScores.push({ instance, score: -INFINITY, reason });
}

/** A bundle's node came after some resources: nothing that has it in its table may run there or be probed there. */
export function disallowNode(reader: Reader, node: DraftNode): void {
  for (const root of reader.roots) {
    for (const one of withDescendants(root)) {
      if (one.allowed.has(node)) ownAllowed(reader, one).set(node, { score: -INFINITY, discovery: 'never' });
    }
  }
}

/** Only on the node inside its own container; for what runs in a bundle. */
export function allowOnly(reader: Reader, instance: DraftPrimitive, node: DraftNode, score: number): void {
  instance.allowed = new Map([[node, { score, discovery: 'exclusive' }]]);
  reader.withOwnAllowed.add(instance);
}

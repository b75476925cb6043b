/**
 * Marks where an instance is active, what that means for its parents and its node, and what is done if it is active
 * in more places than it may be. Semantics: Pacemaker's native_add_running().
 */
import { INFINITY } from '@systole/cib';
import { addReadScore, banEverywhere } from '../expand/allowed.ts';
import { type DraftInstance, type DraftNode, type DraftPrimitive, type Reader, topDraft } from '../expand/draft.ts';

/** `isFailed`: it is active there, but its failure means that its priority does not protect the node. */
export function addActive(reader: Reader, instance: DraftInstance, node: DraftNode, isFailed: boolean): void {
  if (instance.activeNodes.includes(node)) return;
  instance.activeNodes.push(node);
  if (instance.kind === 'primitive') {
    node.running.push(instance);
    addPriority(instance, node, isFailed);
    if (node.isMaintenance) {
      instance.isManaged = false;
      instance.isMaintenance = true;
    }
  }
  if (!instance.isManaged) {
    addReadScore(reader, instance, node, INFINITY, 'it is not managed, so it stays where it is');
    for (let at = instance.parent; at !== undefined; at = at.parent) at.activeNodes.push(node);
    return;
  }
  if (instance.kind === 'primitive' && isMultiplyActive(instance)) limitMultiplyActive(reader, instance);
  if (instance.parent !== undefined) addActive(reader, instance.parent, node, false);
}

/** The sum of the priorities on a node, by which `priority-fencing-delay` protects the more important one. */
function addPriority(instance: DraftPrimitive, node: DraftNode, isFailed: boolean): void {
  if (instance.priority === 0 || isFailed) return;
  const priority = instance.priority + (instance.role === 'Promoted' ? 1 : 0);
  node.priority += priority;
  const launcher = node.kind === 'member' ? undefined : node.connection?.launcher;
  for (const host of launcher?.activeNodes ?? []) host.priority += priority;
}

/** What is not recovered by fencing counts only where it is certain to be active. */
function isMultiplyActive(instance: DraftPrimitive): boolean {
  const counting = instance.needsFencing
    ? instance.activeNodes
    : instance.activeNodes.filter((node) => node.isOnline && !node.isUnclean);
  return counting.length > 1;
}

function limitMultiplyActive(reader: Reader, instance: DraftPrimitive): void {
  const { parent } = instance;
  if (instance.multipleActive === 'stop_only') {
    banEverywhere(reader, instance, 'it is active on several nodes, and multiple-active is stop_only');
  } else if (instance.multipleActive === 'block') {
    block(instance);
    const isWhole = parent !== undefined && (parent.kind === 'group' || parent.kind === 'bundle');
    if (isWhole && parent.multipleActive === 'block') parent.children.forEach(block);
  }
}

export function block(instance: DraftInstance): void {
  instance.isManaged = false;
  instance.isBlocked = true;
}

/** Active, in the role that its kind has when nothing more is known. */
export function setActive(instance: DraftPrimitive): void {
  instance.role = topDraft(instance, false).isPromotable ? 'Unpromoted' : 'Started';
}

export function markFailed(instance: DraftInstance): void {
  instance.isFailed = true;
  instance.mustStopIfFailed = true;
}

export function demandStop(reader: Reader, instance: DraftPrimitive, node: DraftNode): void {
  if (setStop(reader, instance, node, false)) return;
  const stops = reader.stops.get(instance) ?? new Map<DraftNode, number>();
  reader.stops.set(instance, stops.set(node, reader.demands.length));
  reader.demands.push({ type: 'stop', instance, node, isOptional: false });
}

/** It turned out not to be active there: the stop is kept in mind, and not needed. */
export function withdrawStop(reader: Reader, instance: DraftPrimitive, node: DraftNode): void {
  setStop(reader, instance, node, true);
}

/** Returns whether there is such a demand. */
function setStop(reader: Reader, instance: DraftPrimitive, node: DraftNode, isOptional: boolean): boolean {
  const known = reader.stops.get(instance)?.get(node);
  if (known !== undefined) reader.demands[known] = { type: 'stop', instance, node, isOptional };
  return known !== undefined;
}

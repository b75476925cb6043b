/**
 * Which instance a recorded history belongs to. Histories of anonymous clones carry the primitive's name without a
 * number, so an instance is chosen: the one already known on that node, else the first that is nowhere; what is left
 * over makes an instance of its own, to be removed. What the configuration does not know becomes a resource that is to
 * be stopped.
 *
 * Semantics: Pacemaker's unpack_find_resource(), find_anonymous_clone(), process_removed_resource().
 */
import { type AgentName, INFINITY, type Primitive, type ResourceHistory } from '@systole/cib';
import { withoutNumber } from '../config/values.ts';
import { addReadScore } from '../expand/allowed.ts';
import { addInstance, buildPrimitive, register } from '../expand/build.ts';
import {
  type DraftClone,
  type DraftGroup,
  type DraftInstance,
  type DraftNode,
  type DraftPrimitive,
  findNode,
  isGuest,
  type Reader,
  topDraft,
} from '../expand/draft.ts';
import { createNode } from './nodes.ts';
import { linkConnection } from './links.ts';

/** The instance, or undefined where the name is that of something that does not run (any more). */
export function findInstance(reader: Reader, node: DraftNode, name: string): DraftPrimitive | undefined {
  const direct = reader.instanceById.get(name);
  if (direct !== undefined && direct.kind !== 'primitive') return undefined;
  const known = direct ?? anonymousWithNumber(reader, name);
  if (known === undefined) return undefined;
  const top = topDraft(known, false);
  const found = top.kind === 'clone' && !top.isUnique ? instanceOnNode(reader, node, top, name) : known;
  if (found !== undefined && name !== found.id && name !== found.historyId) found.historyId = name;
  return found;
}

function anonymousWithNumber(reader: Reader, name: string): DraftPrimitive | undefined {
  const first = reader.instanceById.get(`${withoutNumber(name)}:0`);
  return first?.kind === 'primitive' && !first.isUnique ? first : undefined;
}

function instanceOnNode(reader: Reader, node: DraftNode, clone: DraftClone, name: string): DraftPrimitive | undefined {
  const bundle = clone.parent?.kind === 'bundle' ? clone.parent : undefined;
  if (bundle !== undefined) return bundle.replicas.find((replica) => replica.node === node)?.child;
  return anonymousOnNode(reader, node, clone, withoutNumber(name));
}

/** A node where any member of the instance is known to be, or is about to be: there is only one for a clone's. */
function placeOf(instance: DraftPrimitive | DraftGroup): DraftNode | undefined {
  if (instance.kind === 'primitive') return instance.activeNodes[0] ?? instance.pending?.node;
  for (const member of instance.children) {
    const place = member.activeNodes[0] ?? member.pending?.node;
    if (place !== undefined) return place;
  }
  return undefined;
}

const memberNamed = (instance: DraftPrimitive | DraftGroup, configId: string): DraftPrimitive | undefined =>
  (instance.kind === 'group' ? instance.children : [instance]).find((member) => member.configId === configId);

function anonymousOnNode(reader: Reader, node: DraftNode, clone: DraftClone, configId: string): DraftPrimitive {
  let found: DraftPrimitive | undefined;
  let free: DraftPrimitive | undefined;
  let hasSeveral = false;
  for (const child of clone.children) {
    const place = placeOf(child);
    if (place !== undefined) {
      if (place !== node) continue;
      found = memberNamed(child, configId);
      // A second history on the same node, from when instances had numbers: the rest are to be removed.
      if (found !== undefined && found.activeNodes.length > 0) {
        found = undefined;
        hasSeveral = true;
      }
      if (found !== undefined) break;
    } else if (!hasSeveral && free === undefined && !child.isBlocked) {
      free = memberNamed(child, configId);
      if (free?.pending !== undefined && free.pending.node !== node) free = undefined;
    }
  }
  if (found === undefined && !hasSeveral) found = free;
  if (found !== undefined && !mayTake(reader, found, node, clone)) found = undefined;
  return found ?? removedInstance(reader, clone, configId);
}

/**
 * A number is not spent on an unclean node, where it would keep another node from starting the instance that is not
 * waited for; unless there is a number for every node.
 */
function mayTake(reader: Reader, instance: DraftPrimitive, node: DraftNode, clone: DraftClone): boolean {
  const isDoubtful = !node.isOnline || node.isUnclean;
  return instance.needsFencing || !isDoubtful || isGuest(node) || clone.max === reader.nodes.length;
}

function removedInstance(reader: Reader, clone: DraftClone, configId: string): DraftPrimitive {
  const child = addInstance(reader, clone);
  const member = child === undefined ? undefined : memberNamed(child, configId);
  if (child === undefined || member === undefined) throw new RangeError(`no instance of ${clone.id} for ${configId}`);
  register(reader, child);
  return member;
}

/** A resource that only the history knows: kept, to be stopped (or left alone, if that is configured). */
export function removedResource(reader: Reader, history: ResourceHistory): DraftPrimitive {
  const agent: AgentName = { class: 'ocf', type: 'unknown', ...history.agent };
  const config: Primitive = {
    kind: 'primitive',
    id: history.id,
    agent,
    meta: history.container === undefined ? [] : [{ pairs: [{ name: 'container', value: history.container }] }],
    parameters: [],
    operations: { list: [] },
    utilization: [],
  };
  const draft = buildPrimitive(reader, config, undefined, undefined);
  if (draft === undefined) throw new RangeError(`no resource for the history of ${history.id}`);
  draft.isRemoved = true;
  // Until its history is gone, so that what it protected is not left alone before the operator has another one.
  if (draft.isFenceDevice) reader.options = { ...reader.options, hasFencing: true };
  if (draft.isConnection) {
    const node =
      findNode(reader, draft.id) ?? createNode(reader, { id: draft.id, name: draft.id, type: 'remote', score: 0 });
    linkConnection(reader, draft);
    node.isShutdown = true;
  }
  if (history.container !== undefined) draft.isRemovedLaunched = true;
  reader.roots.push(draft);
  register(reader, draft);
  if (reader.options.stopsRemoved) addReadScore(reader, draft, undefined, -INFINITY, 'it is no longer configured');
  else draft.isManaged = false;
  return draft;
}

/** The configured clone that failures of an instance count for: all instances of an anonymous clone share them. */
export function failureOwner(instance: DraftPrimitive): DraftInstance {
  return instance.isUnique ? instance : topDraft(instance, false);
}

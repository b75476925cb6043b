/**
 * Configured resources → instances: groups with their members, clones with as many instances as they may have. What
 * cannot be (a group without members, a promotable of a class that knows no promotion) is left out with a message.
 *
 * Semantics: Pacemaker's lib/pengine/{complex,group,clone,native}.c.
 */
import { type Clone, type Group, INFINITY, type Primitive } from '@systole/cib';
import { booleanOf, integerOf, isTrue } from '../config/values.ts';
import { defaultAllowed } from './allowed.ts';
import {
  type DraftClone,
  type DraftGroup,
  type DraftInstance,
  type DraftPrimitive,
  type Reader,
  topDraft,
  withDescendants,
} from './draft.ts';
import {
  agentsIn,
  allowsPromotion,
  allowsUnique,
  type PrimitiveSettings,
  readPrimitiveSettings,
  readSettings,
  rememberMetaSets,
  type Settings,
} from './settings.ts';

/** What every instance starts with, whatever its kind. */
export function common(
  settings: Settings,
  configId: string,
  parent: DraftInstance | undefined,
  number: number | undefined,
) {
  return {
    index: -1,
    id: number === undefined ? configId : `${configId}:${number}`,
    configId,
    number,
    parent,
    meta: settings.meta,
    parameterSets: settings.parameterSets,
    priority: settings.priority,
    stickiness: settings.stickiness,
    migrationThreshold: settings.migrationThreshold,
    failureTimeoutMs: settings.failureTimeoutMs,
    reconnectMs: 0,
    multipleActive: settings.multipleActive,
    isCritical: settings.isCritical,
    allowsMigration: settings.allowsMigration,
    needsQuorum: settings.needsQuorum,
    needsFencing: settings.needsFencing,
    needsUnfencing: settings.needsUnfencing,
    isUnique: settings.isUnique,
    isPromotable: settings.isPromotable,
    hasNotify: settings.hasNotify,
    isRemoved: false,
    isManaged: settings.isManaged,
    isMaintenance: settings.isMaintenance,
    isBlocked: false,
    isFailed: false,
    mustStopIfFailed: false,
    hasIgnoredFailure: false,
    isDisabled: settings.isDisabled,
    role: 'Stopped',
    wantedRole: settings.wantedRole,
    hasExclusiveProbes: false,
  } as const;
}

/** The same settings serve all instances of a clone: a configured object has one parent's worth of them. */
function settingsFor(
  reader: Reader,
  primitive: Primitive,
  parent: DraftInstance | undefined,
): PrimitiveSettings | undefined {
  const known = reader.settings.get(primitive) as PrimitiveSettings | undefined;
  if (known !== undefined) return known;
  const isInClone = parent !== undefined && topDraft(parent, false).kind === 'clone';
  const settings = readPrimitiveSettings(reader, primitive, parent, isInClone);
  if (settings !== undefined) reader.settings.set(primitive, settings);
  return settings;
}

export function buildPrimitive(
  reader: Reader,
  primitive: Primitive,
  parent: DraftInstance | undefined,
  number: number | undefined,
): DraftPrimitive | undefined {
  const settings = settingsFor(reader, primitive, parent);
  if (settings === undefined) return undefined;
  if (parent !== undefined && topDraft(parent, false).isPromotable && !allowsPromotion(settings.agent)) {
    const text = `${primitive.id} cannot be promoted: agents of class ${settings.agent.class} do not know promotion`;
    reader.messages.push({ level: 'error', text });
    return undefined;
  }
  // Written out, with every field there from the start: there are many, and objects of one shape are quick to use.
  return {
    kind: 'primitive',
    index: -1,
    id: number === undefined ? primitive.id : `${primitive.id}:${number}`,
    configId: primitive.id,
    number,
    historyId: undefined,
    parent,
    children: [],
    meta: settings.meta,
    parameterSets: settings.parameterSets,
    priority: settings.priority,
    stickiness: settings.stickiness,
    migrationThreshold: settings.migrationThreshold,
    failureTimeoutMs: settings.failureTimeoutMs,
    reconnectMs: settings.reconnectMs,
    multipleActive: settings.multipleActive,
    isCritical: settings.isCritical,
    allowsMigration: settings.allowsMigration,
    needsQuorum: settings.needsQuorum,
    needsFencing: settings.needsFencing,
    needsUnfencing: settings.needsUnfencing,
    isUnique: settings.isUnique,
    isPromotable: settings.isPromotable,
    hasNotify: settings.hasNotify,
    isRemoved: false,
    isManaged: settings.isManaged,
    isMaintenance: settings.isMaintenance,
    isBlocked: false,
    isFailed: false,
    mustStopIfFailed: false,
    hasIgnoredFailure: false,
    isDisabled: settings.isDisabled,
    role: 'Stopped',
    wantedRole: settings.wantedRole,
    activeNodes: [],
    probedNodes: new Set(),
    allowed: defaultAllowed(reader, settings.isConnection && settings.meta.has('container')),
    hasExclusiveProbes: false,
    agent: settings.agent,
    operations: settings.operations,
    utilization: settings.utilization,
    isFenceDevice: settings.isFenceDevice,
    isConnection: settings.isConnection,
    allowsNestedRemote: false,
    isReplicaContainer: false,
    isRemovedLaunched: false,
    launcher: undefined,
    launched: [],
    pending: undefined,
    hasPendingStart: false,
    lock: undefined,
    partialMigration: undefined,
    danglingSources: [],
    history: new Map(),
    lastFailures: new Map(),
  };
}

export function buildGroup(
  reader: Reader,
  group: Group,
  parent: DraftInstance | undefined,
  number: number | undefined,
): DraftGroup | undefined {
  let settings = reader.settings.get(group) as Settings | undefined;
  if (settings === undefined) {
    const isInClone = parent !== undefined;
    settings = readSettings(reader, { meta: group.meta, parameters: group.parameters, isInClone }, parent);
    reader.settings.set(group, settings);
  }
  const draft: DraftGroup = {
    ...common(settings, group.id, parent, number),
    kind: 'group',
    children: [],
    activeNodes: [],
    probedNodes: new Set(),
    allowed: defaultAllowed(reader, false),
    isOrdered: booleanOf(settings.meta.get('ordered')) ?? true,
    isColocated: booleanOf(settings.meta.get('collocated')) ?? true,
  };
  rememberMetaSets(reader, draft, group.meta);
  for (const member of group.members) {
    const child = buildPrimitive(reader, member, draft, number);
    if (child !== undefined) draft.children.push(child);
  }
  if (draft.children.length === 0) {
    reader.messages.push({ level: 'error', text: `${group.id} is ignored: a group needs at least one member` });
    return undefined;
  }
  return draft;
}

export function buildClone(reader: Reader, clone: Clone, parent: DraftInstance | undefined): DraftClone | undefined {
  const sets = clone.isLegacyMaster === true ? [...clone.meta, legacyMaster] : clone.meta;
  const settings = readSettings(reader, { meta: sets, parameters: clone.parameters, isInClone: true }, parent);
  const { meta } = settings;
  const agents = agentsIn(reader, clone.member);
  const isUnique = settings.isUnique && agents.every(allowsUnique);
  const count = (name: string, former: string | undefined, otherwise: number): number => {
    const text = meta.get(name) ?? (former === undefined ? undefined : meta.get(former));
    return text === undefined ? otherwise : integerOf(text, 0);
  };
  const nodeMax = count('clone-node-max', undefined, 1);
  const nodeCount = Math.max(1, reader.nodes.length);
  const max = boundedInstances(reader, clone.id, count('clone-max', undefined, nodeCount));
  const isForcedAnonymous = settings.isUnique && !isUnique;
  const draft: DraftClone = {
    ...common(settings, clone.id, parent, undefined),
    kind: 'clone',
    isUnique,
    children: [],
    activeNodes: [],
    probedNodes: new Set(),
    allowed: defaultAllowed(reader, false),
    max: isForcedAnonymous ? Math.min(max, reader.nodes.length) : max,
    nodeMax: isUnique ? nodeMax : Math.min(nodeMax, 1),
    promotedMax: settings.isPromotable ? count('promoted-max', 'master-max', 1) : 0,
    promotedNodeMax: settings.isPromotable ? count('promoted-node-max', 'master-node-max', 1) : 0,
    min: integerOf(meta.get('clone-min'), 0),
    isOrdered: isTrue(meta.get('ordered')),
    isInterleaved: isTrue(meta.get('interleave')),
    made: 0,
  };
  rememberMetaSets(reader, draft, isForcedAnonymous ? [...sets, anonymous] : sets);
  if (!meta.has('resource-stickiness')) meta.set('resource-stickiness', '1');
  meta.set('globally-unique', String(isUnique));
  membersOf.set(draft, clone.member);
  // A clone of none still has one instance, to which what the history knows is attached.
  for (let number = 0; number < Math.max(1, draft.max); number += 1) {
    if (addInstance(reader, draft) === undefined) return undefined;
  }
  return draft;
}

/** More instances than any cluster has; a slip of the finger in `clone-max` must not cost minutes and all memory. */
const mostInstances = 10_000;

export function boundedInstances(reader: Reader, id: string, wanted: number): number {
  if (wanted <= mostInstances) return wanted;
  const text = `${id}: ${wanted} instances are more than ${mostInstances}; it gets so many`;
  reader.messages.push({ level: 'error', text });
  return mostInstances;
}

const legacyMaster = { pairs: [{ name: 'promotable', value: 'true' }], score: INFINITY };

/** For the instances of a clone that asks for unique ones, of agents that cannot tell one instance from another. */
const anonymous = { pairs: [{ name: 'globally-unique', value: 'false' }], score: INFINITY };

/** What each clone is a clone of. */
const membersOf = new WeakMap<DraftClone, Primitive | Group>();

/** Makes the next instance; those beyond `clone-max` are removed ones. */
export function addInstance(reader: Reader, clone: DraftClone): DraftPrimitive | DraftGroup | undefined {
  const member = membersOf.get(clone);
  if (member === undefined) return undefined;
  const child =
    member.kind === 'group'
      ? buildGroup(reader, member, clone, clone.made)
      : buildPrimitive(reader, member, clone, clone.made);
  if (child === undefined) return undefined;
  if (clone.made >= clone.max) for (const one of withDescendants(child)) one.isRemoved = true;
  child.meta.set('clone-max', String(clone.max));
  clone.made += 1;
  clone.children.push(child);
  return child;
}

/** Takes an instance and what is inside it into the index by id; of two with one id the first stays. */
export function register(reader: Reader, instance: DraftInstance): void {
  for (const one of withDescendants(instance)) {
    if (!reader.instanceById.has(one.id)) reader.instanceById.set(one.id, one);
  }
}

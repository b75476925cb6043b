/** Everything that the transition engine and the agents need to know about one action. */
import { mergeSets } from '@systole/cib';
import { defaultTimeoutMs, findOperation, metaOf } from '../config/operations.ts';
import { operationParameters, parametersOn } from '../config/parameters.ts';
import { durationOf } from '../config/values.ts';
import type { CloneInstance } from '../expand/instance.ts';
import type { Node } from '../status/node.ts';
import type { ActionKind, TransitionAction } from '../transition.ts';
import { currentNode } from '../actions/primitive.ts';
import { hostNameFor } from '../actions/history.ts';
import { plainOperation } from './collective.ts';
import { type Draft, Flag } from './draft.ts';
import { has } from './link.ts';
import type { Plan } from './plan.ts';
import { isPrimitive, primitive, type Subject } from './subject.ts';
import { viaFor } from './via.ts';

/** Meta attributes that have fields of their own, and are not repeated. */
const named: ReadonlySet<string> = new Set([
  'interval',
  'timeout',
  'op_target_rc',
  'role',
  'migrate_source',
  'migrate_target',
]);

export function describeAction(plan: Plan, draft: Draft): TransitionAction {
  const { subject, node, operation } = draft;
  const kind = kindOf(draft);
  const isFencing = operation === 'stonith';
  const hasNode = node !== undefined && (kind !== 'pseudo' || isFencing);
  const meta = metaFor(plan, draft);
  const keys = keysOf(draft);
  const priority = Math.max(subject?.of.priority ?? 0, draft.priority);
  const timeout = meta.get('timeout');
  const expected = meta.get('op_target_rc');
  const via = hasNode ? viaFor(plan, draft) : undefined;
  const role = meta.get('role');
  const source = meta.get('migrate_source');
  const target = meta.get('migrate_target');
  const lock = lockOf(plan, draft);
  const downed = hasNode ? downedBy(plan, draft) : undefined;
  const maintenance = operation === 'maintenance_nodes' ? maintenanceChanges(plan) : undefined;
  return {
    kind: isFencing ? 'fence' : kind,
    operation: isFencing ? (draft.fencing ?? 'reboot') : operation,
    ...keys,
    ...(hasNode ? { node: node.name, nodeId: node.id } : {}),
    ...(via === undefined ? {} : { via: via.name }),
    ...(subject === undefined || kind === 'pseudo' ? {} : identify(subject)),
    ...(draft.intervalMs > 0 ? { intervalMs: draft.intervalMs } : {}),
    ...(timeout === undefined ? {} : { timeoutMs: Number(timeout) }),
    ...(expected === undefined ? {} : { expectedExitCode: Number(expected) }),
    ...(role === undefined ? {} : { role }),
    ...(operation === 'lrm_delete' ? { mode: 'cib' } : {}),
    ...(priority > 0 ? { priority } : {}),
    ...(isFencing && has(draft.flags, Flag.pseudo) ? { isImplied: true } : {}),
    ...(source === undefined ? {} : { source }),
    ...(target === undefined ? {} : { target }),
    ...(downed === undefined ? {} : { downed }),
    ...(maintenance === undefined ? {} : { maintenance }),
    ...(lock === undefined ? {} : { shutdownLock: lock }),
    parameters: parametersFor(plan, draft),
    meta: Object.fromEntries([...meta].filter(([name]) => !named.has(name))),
    ...(draft.reason === undefined ? {} : { reason: draft.reason }),
  };
}

function kindOf(draft: Draft): ActionKind {
  if (draft.operation === 'stonith') return has(draft.flags, Flag.pseudo) ? 'pseudo' : 'fence';
  if (['do_shutdown', 'clear_failcount', 'lrm_delete'].includes(draft.operation)) return 'cluster';
  return has(draft.flags, Flag.pseudo) ? 'pseudo' : 'rsc';
}

/** The key by the name that the history knows, and by the instance's own name where that is another. */
export function keysOf(draft: Draft): { key: string; instanceKey?: string } {
  const { subject } = draft;
  if (subject === undefined) return { key: draft.key };
  const own = `${subject.id}_${draft.key}`;
  const { historyId } = subject.of;
  if (historyId === undefined) return { key: own };
  const known =
    draft.operation === 'notify'
      ? `${historyId}_${draft.extra.get('notify_type')}_notify_${draft.extra.get('notify_operation')}_0`
      : `${historyId}_${draft.cancels ?? draft.operation}_${draft.intervalMs}`;
  return known === own ? { key: own } : { key: known, instanceKey: own };
}

/** What the agent is, and by which names: the configured one, and that of the instance where it has one. */
function identify(subject: Subject): Pick<TransitionAction, 'resource' | 'instance' | 'agent'> {
  if (!isPrimitive(subject)) return {};
  const { of: instance } = subject;
  const { agent } = primitive(subject);
  const name = [agent.class, agent.provider, agent.type].filter((part) => part !== undefined).join(':');
  if (instance.isRemoved && instance.historyId !== undefined) {
    return { resource: instance.historyId, instance: instance.id, agent: name };
  }
  if (instance.isUnique) return { resource: instance.id, agent: name };
  const { configId, historyId } = instance;
  const isOwn = historyId === undefined || historyId === configId;
  return { resource: configId, instance: isOwn ? instance.id : historyId, agent: name };
}

// ---------------------------------------------------------------- meta attributes

const metaName = (name: string): string => name.replaceAll('-', '_');

function metaFor(plan: Plan, draft: Draft): Map<string, string> {
  const { subject } = draft;
  const meta = new Map<string, string>();
  const add = (name: string, value: string): void => {
    // Fail counts and the like carry these characters; they are no business of an agent.
    if (/[#:]/.test(name)) return;
    const key = metaName(name);
    if (!meta.has(key)) meta.set(key, value);
  };
  for (const [name, value] of draft.extra) add(name, value);
  if (subject === undefined) return meta;
  for (const [name, value] of operationMetaOf(plan, draft, subject)) add(name, value);
  for (let at: Subject | undefined = subject; at !== undefined; at = at.parent) addResourceMeta(at, subject, add);
  if (draft.node?.kind === 'guest') addGuestMeta(plan, draft, subject, add);
  return meta;
}

function operationMetaOf(plan: Plan, draft: Draft, subject: Subject): ReadonlyMap<string, string> {
  const { situation } = plan;
  if (isPrimitive(subject)) {
    const instance = primitive(subject);
    const configured = findOperation(instance.operations, draft.madeAs, draft.intervalMs);
    const config =
      configured ?? (draft.key.includes('_notify_') ? findOperation(instance.operations, 'notify', 0) : undefined);
    return metaOf(situation, instance, draft.node, draft.madeAs, draft.intervalMs, config);
  }
  const meta = new Map<string, string>();
  mergeSets(
    situation.cib.configuration.operationDefaults,
    { ...situation.ruleContext, operation: { name: draft.madeAs, intervalMs: draft.intervalMs } },
    meta,
  );
  const timeoutMs = durationOf(meta.get('timeout'));
  meta.set('timeout', String(timeoutMs > 0 ? timeoutMs : defaultTimeoutMs));
  return meta;
}

function addResourceMeta(at: Subject, of: Subject, add: (name: string, value: string) => void): void {
  const { of: instance } = at;
  if (instance.kind === 'clone') addCloneMeta(instance, add);
  if (instance.kind !== 'primitive') return;
  const number = at.of.meta.get('clone') ?? (at.of.number === undefined ? undefined : String(at.of.number));
  if (number !== undefined) add('clone', number);
  const remoteNode = instance.meta.get('remote-node');
  if (remoteNode !== undefined) add('remote-node', remoteNode);
  if (at === of && at.launcher !== undefined) add('container', at.launcher.id);
}

function addCloneMeta(clone: CloneInstance, add: (name: string, value: string) => void): void {
  add('globally-unique', String(clone.isUnique));
  add('notify', String(clone.hasNotify));
  add('clone-max', String(clone.max));
  add('clone-node-max', String(clone.nodeMax));
  if (!clone.isPromotable) return;
  // Agents of before 2020 know the older names.
  for (const name of ['promoted-max', 'master-max']) add(name, String(clone.promotedMax));
  for (const name of ['promoted-node-max', 'master-node-max']) add(name, String(clone.promotedNodeMax));
}

/** The host that a guest runs on: the present one for what goes down, the next one for what comes up. */
function addGuestMeta(plan: Plan, draft: Draft, subject: Subject, add: (name: string, value: string) => void): void {
  const launcher = draft.node === undefined ? undefined : plan.launcherOf(draft.node);
  if (launcher === undefined) return;
  const about =
    draft.operation === 'notify' || draft.operation === 'notified'
      ? (draft.extra.get('notify_operation') ?? '')
      : plainOperation(draft);
  let host: Node | undefined;
  if (['stop', 'stopped', 'demote', 'demoted'].includes(about)) host = currentNode(plan, launcher);
  else if (['start', 'running', 'monitor', 'promote', 'promoted'].includes(about)) host = launcher.assigned;
  if (host === undefined) return;
  const target = subject.of.meta.get('container-attribute-target');
  if (target !== undefined) add('container-attribute-target', target);
  add('physical-host', host.name);
}

// ---------------------------------------------------------------- parameters

function parametersFor(plan: Plan, draft: Draft): Readonly<Record<string, string>> {
  const { subject, node } = draft;
  if (subject === undefined || (node === undefined && !isPrimitive(subject))) return {};
  const parameters = new Map<string, string>();
  const add = (name: string, value: string): void => {
    if (!/^\d/.test(name) && !parameters.has(name)) parameters.set(name, value);
  };
  if (isPrimitive(subject) && node !== undefined) {
    const { operations } = primitive(subject);
    const config = findOperation(operations, draft.madeAs, draft.intervalMs);
    if (config !== undefined && config.source.parameters.length > 0) {
      for (const [name, value] of operationParameters(plan.situation, config.source.parameters, node)) add(name, value);
    }
  }
  const host = hostNameFor(plan, subject);
  if (host !== undefined) add('addr', host);
  for (const [name, value] of parametersOn(plan.situation, subject.of, node)) add(name, value);
  const address = subject.of.meta.get('external-ip');
  if (address !== undefined && isPrimitive(subject)) add('pcmk_external_ip', address);
  return Object.fromEntries(parameters);
}

// ---------------------------------------------------------------- consequences for nodes

/** Ids of the nodes that are down when the action has succeeded. */
function downedBy(plan: Plan, draft: Draft): readonly string[] | undefined {
  const { node, subject, operation } = draft;
  if (node === undefined) return undefined;
  if (operation === 'do_shutdown') return [node.id];
  if (operation === 'stonith') {
    if (draft.fencing === 'on') return undefined;
    const guests = node.running.filter((instance) => instance.isConnection && instance.launcher !== undefined);
    const ids = guests.map((connection) => plan.situation.nodeByName.get(connection.id)?.id);
    return [node.id, ...ids.filter((id) => id !== undefined)];
  }
  if (operation !== 'stop' || subject === undefined || !isPrimitive(subject) || !primitive(subject).isConnection) {
    return undefined;
  }
  // The end of a connection is the end of its node, unless it goes on elsewhere.
  const isMigrating = draft.before.some(({ first }) => first.subject === subject && first.operation === 'migrate_from');
  return isMigrating ? undefined : [subject.id];
}

/** Remote nodes whose maintenance is another than they have been told. */
export function maintenanceChanges(plan: Plan): Readonly<Record<string, boolean>> {
  return Object.fromEntries(
    plan.situation.nodes
      .filter((node) => node.kind !== 'member' && node.isMaintenance !== node.wasMaintenance)
      .map((node) => [node.id, node.isMaintenance]),
  );
}

/** Since when the resource is locked to the node that the action is on; of a node that leaves, only stops lock. */
function lockOf(plan: Plan, draft: Draft): number | undefined {
  const { subject, node } = draft;
  if (subject === undefined || node === undefined || has(draft.flags, Flag.pseudo)) return undefined;
  const lock = plan.placement.places[subject.of.index]?.lock;
  if (lock?.node !== node || (plan.isLeaving(node) && draft.operation !== 'stop')) return undefined;
  return lock.since;
}

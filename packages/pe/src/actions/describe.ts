/** Everything that the transition engine and the agents need to know about one action. */
import { type Draft, Flag } from '../graph/draft.ts';
import { keysOf } from '../graph/keys.ts';
import { has } from '../graph/link.ts';
import type { Plan } from '../graph/plan.ts';
import { isPrimitive, primitive, type Subject } from '../graph/subject.ts';
import type { Node } from '../status/node.ts';
import type { ActionKind, TransitionAction } from '../transition.ts';
import { actionMeta } from './action-meta.ts';
import { actionParameters } from './action-parameters.ts';
import { reasonFor } from './reason.ts';
import { viaFor } from './via.ts';

type Growing = { -readonly [Key in keyof TransitionAction]: TransitionAction[Key] };

/** Describes drafts of one plan; what several actions have in common is worked out once and shared. */
export function describer(plan: Plan): (draft: Draft) => TransitionAction {
  const metaOf = actionMeta(plan);
  const parametersOf = actionParameters(plan);
  return (draft) => {
    const { subject, node, operation } = draft;
    const kind = kindOf(draft);
    const isFencing = operation === 'stonith';
    const { meta, special } = metaOf(draft);
    const keys = keysOf(draft);
    const action: Growing = {
      kind: isFencing ? 'fence' : kind,
      operation: isFencing ? (draft.fencing ?? 'reboot') : operation,
      key: keys.key,
      parameters: parametersOf(draft),
      meta,
    };
    if (keys.instanceKey !== undefined) action.instanceKey = keys.instanceKey;
    if (node !== undefined && (kind !== 'pseudo' || isFencing)) placeAction(plan, draft, node, action);
    if (subject !== undefined && kind !== 'pseudo') identify(subject, action);
    if (draft.intervalMs > 0) action.intervalMs = draft.intervalMs;
    if (special.timeout !== undefined) action.timeoutMs = Number(special.timeout);
    if (draft.expectedExitCode !== undefined) action.expectedExitCode = draft.expectedExitCode;
    if (special.role !== undefined) action.role = special.role;
    if (special.migrate_source !== undefined) action.source = special.migrate_source;
    if (special.migrate_target !== undefined) action.target = special.migrate_target;
    if (operation === 'lrm_delete') action.mode = 'cib';
    const own = subject === undefined ? 0 : (plan.placement.places[subject.of.index]?.priority ?? 0);
    const priority = Math.max(own, draft.priority);
    if (priority > 0) action.priority = priority;
    if (isFencing && has(draft.flags, Flag.pseudo)) action.isImplied = true;
    if (operation === 'maintenance_nodes') action.maintenance = maintenanceChanges(plan);
    const reason = reasonFor(plan, draft);
    if (reason !== undefined) action.reason = reason;
    return action;
  };
}

function placeAction(plan: Plan, draft: Draft, node: Node, action: Growing): void {
  action.node = node.name;
  action.nodeId = node.id;
  const via = viaFor(plan, draft);
  if (via !== undefined) action.via = via.name;
  const downed = downedBy(plan, draft);
  if (downed !== undefined) action.downed = downed;
  const lock = lockOf(plan, draft);
  if (lock !== undefined) action.shutdownLock = lock;
}

function kindOf(draft: Draft): ActionKind {
  if (draft.operation === 'stonith') return has(draft.flags, Flag.pseudo) ? 'pseudo' : 'fence';
  if (['do_shutdown', 'clear_failcount', 'lrm_delete'].includes(draft.operation)) return 'cluster';
  return has(draft.flags, Flag.pseudo) ? 'pseudo' : 'rsc';
}

/** What the agent is, and by which names: the configured one, and that of the instance where it has one. */
function identify(subject: Subject, action: Growing): void {
  if (!isPrimitive(subject)) return;
  const { of: instance } = subject;
  const { agent } = primitive(subject);
  action.agent = [agent.class, agent.provider, agent.type].filter((part) => part !== undefined).join(':');
  if (instance.isRemoved && instance.historyId !== undefined) {
    action.resource = instance.historyId;
    action.instance = instance.id;
  } else if (instance.isUnique) {
    action.resource = instance.id;
  } else {
    const { configId, historyId } = instance;
    action.resource = configId;
    action.instance = historyId === undefined || historyId === configId ? instance.id : historyId;
  }
}

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

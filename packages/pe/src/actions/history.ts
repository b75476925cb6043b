/**
 * What follows from comparing the configuration with what was run: a changed parameter restarts or reloads, a
 * recurring operation that is no longer configured is cancelled, a changed one is run anew, and the history of what is
 * gone is deleted.
 */
import type { AgentName, ResourceHistory } from '@systole/cib';
import { findOperation } from '../config/operations.ts';
import { parametersOn } from '../config/parameters.ts';
import { needsHostName } from '../expand/bundle.ts';
import { topOf } from '../expand/instance.ts';
import { Flag, giveReason, note, set } from '../graph/draft.ts';
import { Means } from '../graph/link.ts';
import type { Plan } from '../graph/plan.ts';
import { isPrimitive, primitive, type Subject } from '../graph/subject.ts';
import { compareDigests, currentDigests } from '../status/digests.ts';
import { failCount } from '../status/failures.ts';
import type { HistoryEntry } from '../status/history.ts';
import type { Node } from '../status/node.ts';
import { parseHistory } from '../status/state.ts';
import { draftCancel } from './recurring.ts';
import { draftCleanUp } from './primitive.ts';
import { requireUnfencing } from './unfencing.ts';

/** An entry that can be judged only when it is known where a bundle's container goes. */
export interface PostponedEntry {
  readonly subject: Subject;
  readonly node: Node;
  readonly entry: HistoryEntry;
}

/**
 * Checks what ran on each node that can act on it. In maintenance, recurring operations are still cancelled. Returns
 * what must be checked later.
 */
export function checkHistories(plan: Plan): readonly PostponedEntry[] {
  const postponed: PostponedEntry[] = [];
  const owners = ownersByName(plan);
  const active = activeByNode(plan);
  const fenced = new Set(plan.placement.fencing.map(({ node }) => node));
  for (const node of plan.situation.nodes) {
    const isClean = !node.isUnclean && !fenced.has(node);
    const isAvailable = node.isOnline && !node.isShutdown && isClean && !node.isStandby && !node.isMaintenance;
    if (!isAvailable && !node.isMaintenance) continue;
    const activeHere = active.get(node);
    for (const [name, recorded] of plan.situation.recorded.get(node.name) ?? []) {
      const owned = owners.get(name);
      if (owned === undefined || recorded.operations.length === 0) continue;
      // Of the many instances of a clone only the one that is active here has something to compare.
      const isPlain = !owned.hasRemoved && owned.agents.every((agent) => isSameAgent(agent, recorded.agent));
      for (const subject of isPlain ? (activeHere?.get(name) ?? []) : owned.subjects) {
        for (const entry of checkHistory(plan, subject, node, recorded)) postponed.push({ subject, node, entry });
      }
    }
  }
  return postponed;
}

interface Owners {
  readonly subjects: Subject[];
  readonly agents: Partial<AgentName>[];
  hasRemoved: boolean;
}

/** By their own name and by the name that their history carries. */
const namesOf = (subject: Subject): readonly string[] => {
  const { historyId } = subject.of;
  return historyId === undefined || historyId === subject.id ? [subject.id] : [subject.id, historyId];
};

function ownersByName(plan: Plan): ReadonlyMap<string, Owners> {
  const owners = new Map<string, Owners>();
  for (const subject of plan.subjects) {
    if (!isPrimitive(subject)) continue;
    const { agent, isRemoved } = primitive(subject);
    for (const name of namesOf(subject)) {
      let known = owners.get(name);
      if (known === undefined) owners.set(name, (known = { subjects: [], agents: [], hasRemoved: false }));
      known.subjects.push(subject);
      known.hasRemoved ||= isRemoved;
      if (!known.agents.some((one) => isSameAgent(one, agent))) known.agents.push(agent);
    }
  }
  return owners;
}

function activeByNode(plan: Plan): ReadonlyMap<Node, ReadonlyMap<string, readonly Subject[]>> {
  const active = new Map<Node, Map<string, Subject[]>>();
  for (const subject of plan.subjects) {
    if (!isPrimitive(subject)) continue;
    for (const node of subject.of.activeNodes) {
      let here = active.get(node);
      if (here === undefined) active.set(node, (here = new Map<string, Subject[]>()));
      for (const name of namesOf(subject)) {
        const known = here.get(name);
        if (known === undefined) here.set(name, [subject]);
        else known.push(subject);
      }
    }
  }
  return active;
}

function checkHistory(plan: Plan, subject: Subject, node: Node, recorded: ResourceHistory): readonly HistoryEntry[] {
  const instance = primitive(subject);
  if (instance.isRemoved) {
    const top = topOf(instance, false);
    if (!(top.kind === 'clone' && !top.isUnique)) draftCleanUp(plan, subject, node, false);
    return [];
  }
  const isActive = instance.activeNodes.includes(node);
  if (!isSameAgent(instance.agent, recorded.agent)) {
    requireUnfencing(plan, subject, node, 'Device definition changed');
    if (isActive) {
      plan.action(subject, 'stop', { node, isOptional: false });
      subject.hasPendingStart = true; // a reload will not do
    }
    draftCleanUp(plan, subject, node, false);
  }
  if (!isActive) return [];
  const read = instance.history.get(node);
  const history = read?.source === recorded ? read : parseHistory(recorded);
  if (history.startIndex < history.stopIndex) return [];
  const entries = history.entries.slice(Math.max(history.startIndex, 0));
  return entries.filter((entry) => !checkEntry(plan, subject, node, entry));
}

const isSameAgent = (a: Partial<AgentName>, b: Partial<AgentName>): boolean =>
  a.type === b.type && a.class === b.class && a.provider === b.provider;

const startLike: ReadonlySet<string> = new Set(['monitor', 'start', 'promote', 'migrate_from']);

/** False if it cannot be checked yet. */
function checkEntry(plan: Plan, subject: Subject, node: Node, entry: HistoryEntry): boolean {
  const isRecurring = entry.intervalMs > 0;
  if (isRecurring && (subject.of.isMaintenance || node.isMaintenance)) {
    cancel(plan, subject, node, entry, 'maintenance mode');
    return true;
  }
  if (!isRecurring && !startLike.has(entry.operation)) return true;
  if (needsHost(plan, subject)) return false;
  if (followChange(plan, subject, node, entry)) clearFailures(plan, subject, node);
  return true;
}

/** A bundle's connection whose address is its container's host. */
export const needsHost = (plan: Plan, subject: Subject): boolean =>
  isPrimitive(subject) &&
  primitive(subject).isConnection &&
  needsHostName(parametersOn(plan.situation, subject.of, undefined));

/** Drafts what a changed definition calls for; true if it has changed. */
export function followChange(
  plan: Plan,
  subject: Subject,
  node: Node,
  entry: HistoryEntry,
  hostName?: string,
): boolean {
  const instance = primitive(subject);
  const { operation, intervalMs, record } = entry;
  if (intervalMs > 0 && findOperation(instance.operations, operation, intervalMs, false) === undefined) {
    if (plan.situation.options.cancelsRemoved) cancel(plan, subject, node, entry, 'removed');
    return true;
  }
  const comparison = plan.situation.rescheduled.has(record)
    ? 'restart'
    : compareDigests(plan.situation, instance, node, record, hostName);
  if (comparison !== 'same' && plan.mayBeMasked && record.secureDigest !== undefined) {
    const now = currentDigests(plan.situation, instance, node, operation, intervalMs, record, hostName);
    if (now.secure === record.secureDigest) return false;
  }
  switch (comparison) {
    case 'same':
      return false;
    case 'restart':
      restart(plan, subject, node, entry);
      return true;
    default:
      if (intervalMs > 0) {
        requireUnfencing(plan, subject, node, 'Device parameters changed (reschedule)');
        const again = plan.action(subject, operation, { node, isOptional: true, intervalMs });
        set(again, Flag.reschedule);
      } else if (record.restartDigest !== undefined) {
        requireUnfencing(plan, subject, node, 'Device parameters changed (reload)');
        reload(plan, subject, node);
      } else {
        restart(plan, subject, node, entry);
      }
      return true;
  }
}

function cancel(plan: Plan, subject: Subject, node: Node, entry: HistoryEntry, reason: string): void {
  const draft = draftCancel(plan, subject, entry.operation, entry.intervalMs, node);
  note(draft, 'call_id', String(entry.callId));
  giveReason(draft, reason);
  plan.order({ subject, key: 'stop_0' }, { draft }, Means.ordered);
}

/** The operation that is compared with the parameters of the start. */
const comparedAs = (entry: HistoryEntry): string =>
  entry.intervalMs === 0 && ['monitor', 'migrate_from', 'promote'].includes(entry.operation)
    ? 'start'
    : entry.operation;

function restart(plan: Plan, subject: Subject, node: Node, entry: HistoryEntry): void {
  const required = plan.action(subject, comparedAs(entry), { isOptional: false, intervalMs: entry.intervalMs });
  required.reason = 'resource definition change';
  requireUnfencing(plan, subject, node, 'Device parameters changed');
}

function reload(plan: Plan, subject: Subject, node: Node): void {
  if (!subject.isManaged || subject.isFailed) return;
  if (subject.hasPendingStart) {
    plan.action(subject, 'stop', { node, isOptional: false });
    return;
  }
  subject.isReloading = true;
  const draft = plan.action(subject, 'reload-agent', { node, isOptional: false });
  giveReason(draft, 'resource definition change');
  // What is stopped or demoted anyway needs no reload.
  for (const key of ['stop_0', 'demote_0']) {
    plan.order({ draft }, { subject, key }, Means.ordered | Means.thenCancelsFirst);
  }
}

/** Failures of what is configured otherwise now do not count. */
function clearFailures(plan: Plan, subject: Subject, node: Node): void {
  const { count } = failCount(plan.situation, primitive(subject), node, { isEffective: true });
  if (count !== 0) draftClearFailCount(plan, subject, node, 'action definition changed');
}

export function draftClearFailCount(
  plan: Plan,
  subject: Subject,
  node: Node,
  reason: string,
): ReturnType<Plan['action']> {
  const draft = plan.action(subject, 'clear_failcount', { node, isOptional: false });
  note(draft, 'op_no_wait', 'true');
  giveReason(draft, reason);
  return draft;
}

/** What could not be compared before it was known where a bundle's container goes. */
export function checkPostponed(plan: Plan, postponed: readonly PostponedEntry[]): void {
  for (const { instance, node, entry } of plan.situation.postponedChecks) {
    const subject = plan.subjectOf(instance);
    const comparison = compareDigests(plan.situation, instance, node, entry.record, hostNameFor(plan, subject));
    if (comparison === 'restart' || comparison === 'reload') {
      draftClearFailCount(plan, subject, node, 'resource parameters have changed');
    }
  }
  for (const { subject, node, entry } of postponed) {
    if (followChange(plan, subject, node, entry, hostNameFor(plan, subject))) clearFailures(plan, subject, node);
  }
}

/** The node that a bundle's container is (or will be) on, for connections that need its name as their address. */
export function hostNameFor(plan: Plan, subject: Subject): string | undefined {
  if (!needsHost(plan, subject)) return undefined;
  const container = subject.bundle?.replicas.find((replica) => replica.remote === subject)?.container;
  return container?.assigned?.name ?? container?.of.activeNodes[0]?.name;
}

/** Removed resources leave their fail counts behind: they are cleared before the resource stops. */
export function clearRemovedFailures(plan: Plan): void {
  if (!plan.situation.options.stopsRemoved) return;
  for (const root of plan.roots) {
    if (!root.of.isRemoved || !isPrimitive(root)) continue;
    for (const node of plan.situation.nodes) {
      if (!plan.isOnline(node)) continue;
      if (failCount(plan.situation, primitive(root), node, { isEffective: true }).count === 0) continue;
      const draft = draftClearFailCount(plan, root, node, 'it is removed');
      plan.order({ draft }, { subject: root, key: 'stop_0' }, Means.ordered);
    }
  }
}

/** Probes: each resource is looked for on every node where nothing is known of it, before it is started anywhere. */
import { clear, type Draft, Flag, isRunnable } from '../graph/draft.ts';
import { assignedNode, isCollective, isGroupOrMore, primitive, Role, type Subject } from '../graph/subject.ts';
import { Means } from '../graph/link.ts';
import type { Plan } from '../graph/plan.ts';
import type { BundleInstance } from '../expand/instance.ts';
import type { Node } from '../status/node.ts';
import { NOT_RUNNING, RUNNING_PROMOTED } from './exit-codes.ts';
import { remoteState } from './remote-state.ts';
import { orderAfterUnfencing } from './unfencing.ts';

/** Drafts all probes; a remote node that cannot be reached any more must be fenced before it can be asked. */
export function draftProbes(plan: Plan): void {
  if (!plan.situation.options.probes) return;
  for (const node of plan.situation.nodes) {
    if (!plan.isOnline(node)) {
      if (node.kind === 'remote' && node.connection !== undefined && remoteState(plan, node) === 'failed') {
        plan.mustFence(node, 'the connection is unrecoverable');
      }
      continue;
    }
    if (plan.isUnclean(node) || !node.allowsProbes) continue;
    plan.probedNodes.add(node);
    for (const root of plan.roots) probe(plan, root, node);
  }
}

/** Drafts what is needed to know about a resource on a node; true if anything is. */
function probe(plan: Plan, subject: Subject, node: Node): boolean {
  switch (subject.kind) {
    case 'clone':
      return probeClone(plan, subject, node);
    case 'bundle':
      return probeBundle(plan, subject, node);
    default:
      return probeOnNode(plan, subject, node);
  }
}

const probeAll = (plan: Plan, subjects: readonly Subject[], node: Node): boolean => {
  let isAny = false;
  for (const subject of subjects) isAny = probe(plan, subject, node) || isAny;
  return isAny;
};

function probeClone(plan: Plan, clone: Subject, node: Node): boolean {
  if (hasExclusiveProbes(plan, clone) && discoveryOn(plan, clone, node) !== 'exclusive') return false;
  if (clone.of.isUnique) return probeAll(plan, clone.children, node);
  // Instances are alike: one is asked, the one that is known there or will be there.
  const instance =
    clone.children.find((child) => isKnownOn(child, node)) ??
    clone.children.find((child) => assignedNode(child) === node) ??
    clone.children[0];
  return instance !== undefined && probe(plan, instance, node);
}

const isKnownOn = (subject: Subject, node: Node): boolean =>
  subject.children.length > 0
    ? subject.children.some((child) => isKnownOn(child, node))
    : subject.of.probedNodes.has(node);

function probeBundle(plan: Plan, bundle: Subject, node: Node): boolean {
  const { perHost } = bundle.of as BundleInstance;
  let isAny = false;
  for (const replica of bundle.replicas) {
    const { ip, child, container, remote } = replica;
    if (ip !== undefined) isAny = probe(plan, ip, node) || isAny;
    if (child !== undefined && replica.node === node) isAny = probe(plan, child, node) || isAny;
    if (probe(plan, container, node)) {
      isAny = true;
      // One container a host: none starts before it is known that no other one runs there.
      for (const other of perHost === 1 ? bundle.replicas : []) {
        if (other === replica) continue;
        const meaning = Means.ordered | Means.ifOnSameNode;
        plan.orderActions(container, 'monitor', other.container, 'start', meaning);
      }
    }
    if (remote !== undefined && probe(plan, remote, node)) {
      const draft = plan.newest(remote, 'monitor_0', node);
      if (draft !== undefined) {
        isAny = true;
        plan.order({ subject: container, key: 'start_0' }, { draft }, Means.nestedRemoteProbe);
      }
    }
  }
  return isAny;
}

const hasExclusiveProbes = (plan: Plan, subject: Subject): boolean =>
  plan.placement.places[subject.of.index]?.hasExclusiveProbes ?? subject.of.hasExclusiveProbes;

const discoveryOn = (plan: Plan, subject: Subject, node: Node): string | undefined =>
  plan.placement.places[subject.of.index]?.allowedOn(node)?.discovery;

function probeOnNode(plan: Plan, subject: Subject, node: Node): boolean {
  if (node.kind !== 'member' && !canBeOnRemote(subject, node)) return false;
  if (subject.children.length > 0) return probeAll(plan, subject.children, node);
  if (subject.kind !== 'primitive') return false; // an empty group
  const instance = primitive(subject);
  if (subject.launcher !== undefined && !instance.isConnection) return false; // it is where its container is
  if (instance.isRemoved || instance.probedNodes.has(node)) return false;
  const discovery = discoveryOn(plan, subject, node);
  const isExclusive = hasExclusiveProbes(plan, subject) || hasExclusiveProbes(plan, subject.top);
  if (isExclusive ? discovery !== 'exclusive' : (discovery ?? node.discovery) === 'never') return false;
  if (node.kind === 'guest' && !isGuestStaying(plan, subject, node)) return false;
  draftProbe(plan, subject, node);
  return true;
}

function canBeOnRemote(subject: Subject, node: Node): boolean {
  if (subject.kind !== 'primitive') return true;
  const instance = primitive(subject);
  if (instance.isFenceDevice || instance.isConnection) return false;
  return node.kind !== 'guest' || !instance.launched.some((launched) => launched.isConnection);
}

/** A guest that is down, or will be stopped first, cannot be asked and need not be: nothing runs there. */
function isGuestStaying(plan: Plan, subject: Subject, node: Node): boolean {
  const guest = plan.launcherOf(node);
  if (guest === undefined) return true;
  const { top } = subject;
  if (guest.role === Role.stopped) {
    // It may run on a node where it has not been looked for yet.
    if (guest.assigned !== undefined && !guest.of.probedNodes.has(guest.assigned)) {
      plan.orderActions(guest, 'monitor', top, 'start', Means.ordered);
    }
    return false;
  }
  const isMoving =
    guest.role > Role.stopped && guest.assigned !== undefined && !guest.of.activeNodes.includes(guest.assigned);
  const isStopping = guest.isFailed || guest.nextRole === Role.stopped || isMoving;
  if (!plan.needsReset(node) && !plan.isUnclean(node) && !isStopping) return true;
  plan.orderActions(guest, 'stop', top, 'start', Means.ordered);
  return false;
}

function draftProbe(plan: Plan, subject: Subject, node: Node): void {
  const draft = plan.action(subject, 'monitor', { node, isOptional: false });
  clear(draft, Flag.optional); // even of what is not managed
  orderAfterUnfencing(plan, subject, node, draft, Means.ordered);
  expect(draft, subject, node);
  // Of a clone, all of it waits.
  const top = isCollective(subject.top) ? subject.top : subject;
  const isActive = isGroupOrMore(top) ? anyActive(top) : top.of.activeNodes.length > 0;
  const holdsBack = !isRunnable(draft) && !isActive ? Means.unrunnableFirstBlocks : 0;
  plan.order({ draft }, { subject: top, key: 'start_0' }, Means.ordered | holdsBack);
  for (const reload of plan.find(top, 'reload-agent_0')) plan.order({ draft }, { draft: reload }, Means.ordered);
}

const anyActive = (subject: Subject): boolean => subject.of.activeNodes.length > 0 || subject.children.some(anyActive);

/** It is expected to find what is known: nothing, or a promoted instance. */
function expect(draft: Draft, subject: Subject, node: Node): void {
  if (!subject.of.activeNodes.includes(node)) draft.expectedExitCode = NOT_RUNNING;
  else if (subject.role === Role.promoted) draft.expectedExitCode = RUNNING_PROMOTED;
}

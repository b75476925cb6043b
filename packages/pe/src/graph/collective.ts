/**
 * Actions of groups, clones and bundles: points in time that stand for what their parts do. Whether such a point is
 * needed, and can be reached, follows from the parts; and what it means for others is passed on to the parts.
 */
import type { Node } from '../status/node.ts';
import { clear, type Draft, Flag } from './draft.ts';
import { assignedNode, presentNode, type ReplicaSubject, type Subject } from './subject.ts';
import type { Plan } from './plan.ts';

/** `running` of a clone is about its instances' `start`, and so on. */
const undone: Readonly<Record<string, string>> = {
  running: 'start',
  stopped: 'stop',
  promoted: 'promote',
  demoted: 'demote',
};
const done: Readonly<Record<string, string>> = {
  start: 'running',
  stop: 'stopped',
  promote: 'promoted',
  demote: 'demoted',
};

/** `start` → `running`; undefined for what has no completion of its own. */
export const completionOf = (operation: string): string | undefined => done[operation];

/** What a part of it does: a group is a collection itself, a primitive knows no `running`. */
const forPart = (part: Subject, operation: string): string =>
  part.kind === 'primitive' ? (undone[operation] ?? operation) : operation;

/** The operation that a collective's action is about, notifications seen through. */
export function plainOperation(draft: Draft): string {
  if (draft.operation !== 'notify' && draft.operation !== 'notified') return draft.operation;
  const at = draft.key.indexOf('_notify_');
  return at < 0 ? draft.operation : draft.key.slice(at + '_notify_'.length, draft.key.lastIndexOf('_'));
}

/** As `plainOperation`, in the words of the instances. */
export function instanceOperation(draft: Draft): string {
  const part = draft.subject?.children[0];
  return part === undefined ? draft.operation : forPart(part, plainOperation(draft));
}

/** The instances of a clone, the containers of a bundle. */
export const instancesOf = (subject: Subject): readonly Subject[] =>
  subject.kind === 'bundle' ? subject.replicas.map((replica) => replica.container) : subject.children;

/**
 * The flags of an action as they follow from its parts. With `node`, instances elsewhere do not count. As a side
 * effect, the action itself becomes required or unrunnable where all its parts together make it so.
 */
export function flagsOf(plan: Plan, draft: Draft, node?: Node): number {
  const { subject } = draft;
  if (subject === undefined || subject.kind === 'primitive') return draft.flags;
  if (draft.memo?.version !== subject.version) draft.memo = { version: subject.version, byNode: new Map() };
  let flags = draft.memo.byNode.get(node);
  if (flags === undefined) {
    flags = workOut(plan, draft, subject, node);
    draft.memo.byNode.set(node, flags);
  }
  return flags;
}

function workOut(plan: Plan, draft: Draft, subject: Subject, node: Node | undefined): number {
  if (subject.kind === 'group') return groupFlags(plan, draft, subject, node);
  return instanceFlags(plan, draft, subject.kind === 'bundle' ? partsOfBundle(draft, subject) : subject.children, node);
}

function groupFlags(plan: Plan, draft: Draft, group: Subject, node: Node | undefined): number {
  let flags: number = Flag.optional | Flag.runnable | Flag.pseudo;
  for (const member of group.children) {
    const operation = forPart(member, draft.operation);
    const action = plan.newest(member, `${operation}_0`, node);
    if (action !== undefined) {
      if ((flags & Flag.optional) !== 0 && (action.flags & Flag.optional) === 0) {
        flags &= ~Flag.optional;
        clear(draft, Flag.optional);
      }
      if (operation !== draft.operation && (action.flags & Flag.runnable) === 0) {
        flags &= ~Flag.runnable;
        clear(draft, Flag.runnable);
      }
    } else if (operation !== 'stop' && operation !== 'demote') {
      flags &= ~Flag.runnable; // it comes up as a whole or not at all
    }
  }
  return flags;
}

function instanceFlags(plan: Plan, draft: Draft, instances: readonly Subject[], node: Node | undefined): number {
  const key = `${instanceOperation(draft)}_0`;
  let flags: number = Flag.optional | Flag.runnable | Flag.pseudo;
  let isAnyRunnable = false;
  for (const instance of instances) {
    const action = plan.newest(instance, key, instance.kind === 'primitive' ? node : undefined);
    if (action === undefined) continue;
    const actionFlags = flagsOf(plan, action, node);
    if ((flags & Flag.optional) !== 0 && (actionFlags & Flag.optional) === 0) {
      flags &= ~Flag.optional;
      clear(draft, Flag.optional);
    }
    if ((actionFlags & Flag.runnable) !== 0) isAnyRunnable = true;
  }
  if (!isAnyRunnable) {
    flags &= ~Flag.runnable;
    if (node === undefined) clear(draft, Flag.runnable);
  }
  return flags;
}

/** Roles are taken by what is inside the containers, all else by the containers. */
function partsOfBundle(draft: Draft, bundle: Subject): readonly Subject[] {
  const inner = bundle.replicas.find((replica) => replica.child !== undefined)?.child?.parent;
  switch (draft.operation) {
    case 'start':
    case 'running':
    case 'stop':
    case 'stopped':
    case 'monitor':
      return instancesOf(bundle);
    default:
      return inner === undefined ? instancesOf(bundle) : inner.children;
  }
}

/** Of a collective, by node: the first of its instances that is (or will be) there as a whole and is not blocked. */
type InstancesByNode = ReadonlyMap<Node, Subject>;

/** Remembers for each collective where its instances are, as long as none of them loses its place. */
export class InstancePlaces {
  readonly #now = new Map<Subject, InstancesByNode>();
  readonly #next = new Map<Subject, { readonly version: number; readonly byNode: InstancesByNode }>();

  byNode(collective: Subject, when: 'now' | 'next'): InstancesByNode {
    if (when === 'now') {
      let byNode = this.#now.get(collective);
      if (byNode === undefined) this.#now.set(collective, (byNode = indexed(collective, presentNode)));
      return byNode;
    }
    const { placesVersion: version } = collective;
    let known = this.#next.get(collective);
    if (known === undefined || known.version !== version) {
      known = { version, byNode: indexed(collective, assignedNode) };
      this.#next.set(collective, known);
    }
    return known.byNode;
  }
}

function indexed(collective: Subject, placeOf: (instance: Subject) => Node | undefined): InstancesByNode {
  const byNode = new Map<Node, Subject>();
  for (const instance of instancesOf(collective)) {
    const node = placeOf(instance);
    if (node !== undefined && !byNode.has(node) && !isAnyBlocked(instance)) byNode.set(node, instance);
  }
  return byNode;
}

const isAnyBlocked = (subject: Subject): boolean => subject.isBlocked || subject.children.some(isAnyBlocked);

/**
 * The instance of `collective` that goes with `instance`, because it is on the same node; without a node of its own,
 * the first found on any of the nodes that `instance` might have run on, the best first.
 */
export function compatibleInstance(
  plan: Plan,
  instance: Subject,
  collective: Subject,
  when: 'now' | 'next',
): Subject | undefined {
  const byNode = plan.instancePlaces.byNode(collective, when);
  if (byNode.size === 0) return undefined;
  const node = when === 'now' ? presentNode(instance) : assignedNode(instance);
  if (node !== undefined) return byNode.get(node);
  for (const allowed of plan.nodesByScore(instance)) {
    const match = byNode.get(allowed);
    if (match !== undefined) return match;
  }
  return undefined;
}

/** What runs inside, if the instance is a bundle's container. */
export const insideOf = (instance: Subject): Subject | undefined =>
  instance.bundle?.replicas.find((replica: ReplicaSubject) => replica.container === instance)?.child;

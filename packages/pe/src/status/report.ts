/**
 * A Situation in the words that an operator reads: each node with its state, each resource with its role, place and
 * what is unusual about it. Fields are those of the format `systole-simulate/1`, `status`.
 */
import {
  type CloneInstance,
  type GroupInstance,
  type Instance,
  type PrimitiveInstance,
  rank,
  type Replica,
  topOf,
} from '../expand/instance.ts';
import type { Situation } from '../situation.ts';
import type { Node, NodeKind } from './node.ts';
import { currentNode } from './read.ts';

export interface StatusReport {
  readonly nodes: readonly NodeReport[];
  readonly resources: readonly ResourceReport[];
}

export interface NodeReport {
  readonly name: string;
  readonly kind: NodeKind;
  readonly state: 'online' | 'offline' | 'pending';
  readonly unclean?: true;
  readonly standby?: true;
  readonly maintenance?: true;
  readonly health?: 'yellow' | 'red';
}

export type ResourceFlag =
  | 'failed'
  | 'removed'
  | 'disabled'
  | 'target-unpromoted'
  | 'unmanaged'
  | 'maintenance'
  | 'blocked'
  | 'unclean'
  | 'locked'
  | 'failure-ignored'
  | 'monitoring';

export interface ResourceReport {
  /** With an instance number only if instances can be told apart. */
  readonly rsc: string;
  readonly role: string;
  /** In the order of their names. */
  readonly nodes: readonly string[];
  readonly flags: readonly ResourceFlag[];
  /** The clone, group or bundle that it is listed under. */
  readonly within?: string;
}

export interface ReportOptions {
  /** Operations that have been started and not finished show in the role: `Starting`; true unless said otherwise. */
  readonly showsPending?: boolean;
}

export function reportStatus(situation: Situation, { showsPending = true }: ReportOptions = {}): StatusReport {
  return {
    nodes: situation.nodes.map(reportNode),
    resources: situation.roots.flatMap((root) => reportRoot(root, showsPending)),
  };
}

/** The most urgent thing about a node is told first: unclean, then pending, standby, maintenance. */
export function reportNode(node: Node): NodeReport {
  const isPending = node.isPending && !node.isUnclean;
  const isStandby = !node.isUnclean && !node.isPending && node.isStandby;
  const isMaintenance = !node.isUnclean && !node.isPending && !isStandby && node.isMaintenance;
  return {
    name: node.name,
    kind: node.kind,
    state: isPending ? 'pending' : node.isOnline ? 'online' : 'offline',
    ...(node.isUnclean ? { unclean: true } : {}),
    ...(isStandby ? { standby: true } : {}),
    ...(isMaintenance ? { maintenance: true } : {}),
    ...(node.health === undefined ? {} : { health: node.health }),
  };
}

function reportRoot(instance: Instance, showsPending: boolean): readonly ResourceReport[] {
  if (instance.isRemoved && !isActive(instance, true)) return [];
  switch (instance.kind) {
    case 'primitive':
      // The connections of guests are nobody's business.
      return instance.meta.get('internal_rsc') === 'true' ? [] : [reportPrimitive(instance, showsPending)];
    case 'group':
      return instance.children.map((member) => reportPrimitive(member, showsPending, instance.id));
    case 'clone':
      return reportClone(instance, showsPending);
    case 'bundle':
      return instance.replicas.map((replica) => reportReplica(replica, showsPending, instance.id));
  }
}

/** Active (or perhaps active) anywhere; with `all`, in every part. */
export function isActive(instance: Instance, all: boolean): boolean {
  if (instance.kind !== 'primitive' && instance.kind !== 'bundle') {
    const children: readonly Instance[] = instance.children;
    return all
      ? children.length > 0 && children.every((one) => isActive(one, true))
      : children.some((one) => isActive(one, false));
  }
  if (instance.kind === 'bundle') {
    const parts = instance.replicas.flatMap((one) => [one.ip, one.child, one.container, one.remote]);
    const present = parts.filter((part) => part !== undefined);
    return all ? present.every((part) => isActive(part, true)) : present.some((part) => isActive(part, false));
  }
  return instance.activeNodes.some((node) => node.isUnclean || node.isOnline || !instance.isManaged);
}

function reportClone(clone: CloneInstance, showsPending: boolean): readonly ResourceReport[] {
  const members = (child: PrimitiveInstance | GroupInstance): readonly PrimitiveInstance[] =>
    child.kind === 'group' ? child.children : [child];
  const rows: ResourceReport[] = [];
  for (const child of clone.children) {
    if (clone.isUnique) {
      if (isActive(child, false) || !clone.isRemoved)
        rows.push(...members(child).map((one) => reportPrimitive(one, showsPending, clone.id)));
      continue;
    }
    const host = listedHost(child, members(child), showsPending);
    if (host === undefined) {
      if (!isActive(child, false) && !(showsPending && members(child).some((one) => one.pending !== undefined)))
        continue;
      rows.push(
        ...members(child)
          .map((one) => reportPrimitive(one, showsPending, clone.id))
          .filter(isShown),
      );
      continue;
    }
    const isPromoted = members(child).some((one) => one.role === 'Promoted');
    const role = isPromoted ? 'Promoted' : clone.isPromotable ? 'Unpromoted' : 'Started';
    for (const one of members(child))
      rows.push({ rsc: one.configId, role, nodes: [host.name], flags: [], within: clone.id });
  }
  return rows;
}

const isShown = (row: ResourceReport): boolean => row.role !== 'Stopped' || row.flags.includes('failed');

/** The node of an instance that is as it should be: wholly active on one node that is there, nothing else to say of it. */
function listedHost(
  child: PrimitiveInstance | GroupInstance,
  members: readonly PrimitiveInstance[],
  showsPending: boolean,
): Node | undefined {
  const all: readonly Instance[] = child.kind === 'group' ? [child, ...members] : members;
  if (showsPending && child.kind === 'primitive' && child.pending !== undefined) return undefined;
  if (!isActive(child, true)) return undefined;
  if (all.some((one) => one.isRemoved || !one.isManaged || one.isFailed)) return undefined;
  const places = new Set(members.flatMap((one) => one.activeNodes));
  const [host] = places;
  return places.size === 1 && host !== undefined && (host.isOnline || !host.isUnclean) ? host : undefined;
}

const pendingRoles: Readonly<Record<string, string>> = {
  start: 'Starting',
  stop: 'Stopping',
  migrate_to: 'Migrating',
  migrate_from: 'Migrating',
  promote: 'Promoting',
  demote: 'Demoting',
};

function reportPrimitive(instance: PrimitiveInstance, showsPending: boolean, within?: string): ResourceReport {
  const name = instance.isUnique ? instance.id : instance.configId;
  return report(
    instance,
    name,
    currentNode(instance) ?? instance.pending?.node,
    showsPending,
    within ?? instance.parent?.id,
  );
}

/** A replica goes by its guest node's name, in the role of what is inside, on the container's node. */
function reportReplica(replica: Replica, showsPending: boolean, bundle: string): ResourceReport {
  const subject = replica.child ?? replica.container;
  return report(
    subject,
    (replica.remote ?? replica.container).id,
    currentNode(replica.container),
    showsPending,
    bundle,
  );
}

function report(
  instance: PrimitiveInstance,
  name: string,
  current: Node | undefined,
  showsPending: boolean,
  within: string | undefined,
): ResourceReport {
  const isMultiple = instance.activeNodes.length > 1;
  const node = isMultiple ? undefined : (current ?? instance.lock?.node);
  const nodes = isMultiple ? instance.activeNodes : node === undefined ? [] : [node];
  const isPromotable = topOf(instance, false).isPromotable;
  const role = instance.role === 'Started' && isPromotable ? 'Unpromoted' : instance.role;
  const pending = instance.isFailed || !showsPending ? undefined : pendingRoles[instance.pending?.operation ?? ''];
  const flags: ResourceFlag[] = [];
  if (instance.isRemoved) flags.push('removed');
  if (instance.isFailed) flags.push('failed');
  if (node !== undefined && !node.isOnline && node.isUnclean) flags.push('unclean');
  if (node !== undefined && node === instance.lock?.node) flags.push('locked');
  if (showsPending && instance.pending?.operation === 'monitor') flags.push('monitoring');
  if (instance.isDisabled)
    flags.push(instance.meta.get('target-role')?.toLowerCase() === 'stopped' ? 'disabled' : 'target-unpromoted');
  if (instance.isBlocked) flags.push('blocked');
  else if (instance.isMaintenance) flags.push('maintenance');
  else if (!instance.isManaged) flags.push('unmanaged');
  if (instance.hasIgnoredFailure) flags.push('failure-ignored');
  return {
    rsc: name,
    role: pending ?? (rank(role) === 0 ? 'Stopped' : role),
    nodes: nodes.map((one) => one.name).toSorted(),
    flags: flags.toSorted(),
    ...(within === undefined ? {} : { within }),
  };
}

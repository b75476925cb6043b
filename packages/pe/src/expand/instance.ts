/**
 * Resources as they are scheduled: configured ones with templates and defaults applied, instances of clones, replicas
 * of bundles, and what the history knows although the configuration no longer does. A tree with links both ways; read
 * once, then never changed. Stages key their own values by `index`.
 */
import type { AgentName, AttributeSet } from '@systole/cib';
import type { OperationConfig } from '../config/operations.ts';
import type { HistoryEntry, ResourceHistoryOnNode } from '../status/history.ts';
import type { Node } from '../status/node.ts';

/** In this order: a later one includes the earlier (`role >= 'Started'` is written `rank(role) >= rank('Started')`). */
export type InstanceRole = 'Unknown' | 'Stopped' | 'Started' | 'Unpromoted' | 'Promoted';

const ranks: Readonly<Record<InstanceRole, number>> = {
  Unknown: 0,
  Stopped: 1,
  Started: 2,
  Unpromoted: 3,
  Promoted: 4,
};

export const rank = (role: InstanceRole): number => ranks[role];
export const isActiveRole = (role: InstanceRole): boolean => ranks[role] > ranks.Stopped;

export type MultipleActivePolicy = 'stop_start' | 'stop_only' | 'block' | 'stop_unexpected';

/** When a resource is probed on a node. */
export type Discovery = 'always' | 'never' | 'exclusive';

/** A node where an instance may be placed, before constraints: the reader's starting point for placement. */
export interface AllowedNode {
  readonly score: number;
  readonly discovery: Discovery;
}

interface InstanceCommon {
  /** Position in `Situation.instances`: parents before their children; a small whole number for arrays. */
  readonly index: number;
  /** `web`, or `web:0` for an instance of a clone (a cloned group's members too). Not unique: `web:0` may be orphaned. */
  readonly id: string;
  /** The id in the configuration: `web`. */
  readonly configId: string;
  /** The instance's number within its clone. */
  readonly number?: number | undefined;
  /** The name its history carries, where that differs from `id` (anonymous instances: `web`). */
  readonly historyId?: string | undefined;
  readonly parent?: Instance | undefined;
  readonly children: readonly Instance[];
  /** Meta attributes with those of parents and defaults applied; rules evaluated at `now`. */
  readonly meta: ReadonlyMap<string, string>;
  /** Its own parameters, the template's included; `parametersOn()` evaluates them with those of its parents. */
  readonly parameterSets: readonly AttributeSet[];

  readonly priority: number;
  readonly stickiness: number;
  /** `migration-threshold`: leave a node after so many failures; INFINITY: never. */
  readonly migrationThreshold: number;
  /** 0: failures never expire. Already 0 where an `on-fail=block` failure counts. */
  readonly failureTimeoutMs: number;
  /** Remote connections: wait so long before connecting again; 0: no wait. */
  readonly reconnectMs: number;
  readonly multipleActive: MultipleActivePolicy;
  readonly isCritical: boolean;
  readonly allowsMigration: boolean;
  readonly needsQuorum: boolean;
  /** May be recovered from an unclean node only after that is fenced. */
  readonly needsFencing: boolean;
  /** May start only on nodes that were unfenced. */
  readonly needsUnfencing: boolean;
  /** Not an instance of an anonymous clone. */
  readonly isUnique: boolean;
  readonly isPromotable: boolean;
  readonly hasNotify: boolean;

  /** Not in the configuration any more, or an instance beyond `clone-max`. */
  readonly isRemoved: boolean;
  readonly isManaged: boolean;
  /** It, its node or the cluster is in maintenance. */
  readonly isMaintenance: boolean;
  /** Nothing may be done with it until an operator intervenes. */
  readonly isBlocked: boolean;
  readonly isFailed: boolean;
  /** Its failure calls for a stop (not just a demotion). */
  readonly mustStopIfFailed: boolean;
  /** A failure of it was ignored (`on-fail=ignore`). */
  readonly hasIgnoredFailure: boolean;
  /** `target-role` says Stopped, or Unpromoted for a promotable one. */
  readonly isDisabled: boolean;

  readonly role: InstanceRole;
  /** From `target-role`, or what a failure demands; `Unknown`: as placement decides. */
  readonly wantedRole: InstanceRole;
  /** Where it is, or may be, active; more than one only if something went wrong (or it is migrating). */
  readonly activeNodes: readonly Node[];
  /** Where its state is known, and needs no probe. */
  readonly probedNodes: ReadonlySet<Node>;
  /** Nodes it may run on, before constraints; a node that is absent is not allowed. Shared between instances: do not change. */
  readonly allowed: ReadonlyMap<Node, AllowedNode>;
  /** Only where a location constraint says so is it probed (instances inside bundles). */
  readonly hasExclusiveProbes: boolean;
}

/** One thing that an agent runs. */
export interface PrimitiveInstance extends InstanceCommon {
  readonly kind: 'primitive';
  readonly agent: AgentName;
  /** Configured operations, the template's included. */
  readonly operations: readonly OperationConfig[];
  /** Values that are no numbers count as 0. */
  readonly utilization: ReadonlyMap<string, number>;
  readonly isFenceDevice: boolean;
  /** The connection to a remote or guest node. */
  readonly isConnection: boolean;
  /** A connection that may itself run on a remote node (a bundle's). */
  readonly allowsNestedRemote: boolean;
  /** The implied container of a bundle's replica. */
  readonly isReplicaContainer: boolean;
  /** Removed from the configuration, and its history says that it was inside another resource. */
  readonly isRemovedLaunched: boolean;
  /** The resource that this one runs inside: a guest's virtual machine, a replica's container. */
  readonly launcher?: PrimitiveInstance | undefined;
  readonly launched: readonly PrimitiveInstance[];
  /** An operation that has been started and not finished: `start`, `stop`, `migrate_to`, … */
  readonly pending?: { readonly operation: string; readonly node: Node } | undefined;
  readonly hasPendingStart: boolean;
  /** `shutdown-lock`: it stays stopped until this node is back, or the lock expires. */
  readonly lock?: { readonly node: Node; readonly since: number } | undefined;
  /** A live migration that has left the source and not arrived at the target. */
  readonly partialMigration?: { readonly source: Node; readonly target: Node } | undefined;
  /** Nodes where it must be stopped because a migration succeeded elsewhere. */
  readonly danglingSources: readonly Node[];
  /** What ran on each node with a history of it. */
  readonly history: ReadonlyMap<Node, ResourceHistoryOnNode>;
  /** Its newest failure on each node, if it has not been cleared. */
  readonly lastFailures: ReadonlyMap<Node, HistoryEntry>;
}

/** Primitives on one node, in order. */
export interface GroupInstance extends InstanceCommon {
  readonly kind: 'group';
  readonly children: readonly PrimitiveInstance[];
  /** Started in order; false only by the deprecated meta attribute `ordered`. */
  readonly isOrdered: boolean;
  /** On one node; false only by the deprecated meta attribute `collocated`. */
  readonly isColocated: boolean;
}

export interface CloneInstance extends InstanceCommon {
  readonly kind: 'clone';
  /** The instances; those beyond `max` are removed ones. */
  readonly children: readonly (PrimitiveInstance | GroupInstance)[];
  readonly max: number;
  readonly nodeMax: number;
  /** 0 unless promotable. */
  readonly promotedMax: number;
  readonly promotedNodeMax: number;
  /** `clone-min`: others that depend on it may start with so many; 0: all. */
  readonly min: number;
  readonly isOrdered: boolean;
  readonly isInterleaved: boolean;
}

/** One container with its address, its connection, and the primitive inside. */
export interface Replica {
  readonly number: number;
  readonly ipAddress?: string;
  readonly ip?: PrimitiveInstance;
  readonly container: PrimitiveInstance;
  readonly remote?: PrimitiveInstance;
  readonly child?: PrimitiveInstance;
  /** The guest node inside the container. */
  readonly node?: Node;
}

export interface BundleInstance extends InstanceCommon {
  readonly kind: 'bundle';
  /** All implied resources and the inner clone, in the order of their creation. */
  readonly children: readonly Instance[];
  readonly max: number;
  readonly perHost: number;
  readonly promotedMax: number;
  readonly replicas: readonly Replica[];
  /** The clone of the primitive inside. */
  readonly child?: CloneInstance;
}

export type Instance = PrimitiveInstance | GroupInstance | CloneInstance | BundleInstance;

/** The outermost resource it belongs to; with `includeBundle` false it stops below a bundle. */
export function topOf(instance: Instance, includeBundle: boolean): Instance {
  let top = instance;
  while (top.parent !== undefined && (includeBundle || top.parent.kind !== 'bundle')) top = top.parent;
  return top;
}

/** Part of a bundle, or the bundle itself. */
export const isBundled = (instance: Instance): boolean => topOf(instance, true).kind === 'bundle';

export const isAnonymousClone = (instance: Instance): instance is CloneInstance =>
  instance.kind === 'clone' && !instance.isUnique;

export const isInClone = (instance: Instance): boolean => topOf(instance, false).kind === 'clone';

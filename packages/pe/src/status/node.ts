/**
 * A node as the policy engine sees it at the start: configured, seen in the status, or implied by a resource that
 * connects to it (remote and guest nodes). Read once, then never changed; stages key their own values by `index`.
 */
import type { Discovery, PrimitiveInstance } from '../expand/instance.ts';

export type NodeKind =
  /** Runs the cluster's own programs and votes. */
  | 'member'
  /** Reached through a connection resource (`ocf:pacemaker:remote`); fenced like a member. */
  | 'remote'
  /** Lives inside a resource (a virtual machine or a bundle's container); fenced by recovering that resource. */
  | 'guest';

export interface Node {
  /** Position in `Situation.nodes`: a small whole number for arrays and bit sets. */
  readonly index: number;
  readonly id: string;
  readonly name: string;
  readonly kind: NodeKind;
  /** In the configuration's `nodes`, and so listed even while nothing is known of it. */
  readonly isConfigured: boolean;
  /** Added to every resource's score here: the node's `score`; -INFINITY for a bundle's node and where it is leaving or gone. */
  readonly score: number;
  /** `never` for a bundle's node: only what is inside is probed. */
  readonly discovery: Discovery;

  /** Takes part and could run resources. */
  readonly isOnline: boolean;
  /** A member of the membership whose controller has not finished joining. */
  readonly isPending: boolean;
  /** Its state is unknown: it must be fenced before anything is recovered from it. */
  readonly isUnclean: boolean;
  readonly isStandby: boolean;
  /** In standby because an operation with `on-fail=standby` failed here. */
  readonly isStandbyByFailure: boolean;
  readonly isMaintenance: boolean;
  /** It asked to leave. */
  readonly isShutdown: boolean;
  /** It has been in the cluster since that started (or, for a remote node, may be fenced if its connection is lost). */
  readonly isSeen: boolean;
  /** The status expects it to be a member. */
  readonly isExpectedUp: boolean;
  /** Resources may be probed here (`resource-discovery-enabled` of remote nodes). */
  readonly allowsProbes: boolean;
  /** A guest whose resource must be recovered, or a remote node that must be fenced. */
  readonly needsReset: boolean;
  /** A remote node that was fenced since it was last connected. */
  readonly wasFenced: boolean;
  /** A remote node whose state says that it is in maintenance. */
  readonly wasMaintenance: boolean;
  /** A node inside a bundle's container. */
  readonly isBundleNode: boolean;
  readonly isDc: boolean;

  /** Permanent and transient attributes, and the implied ones (`#uname`, `#id`, `#kind`, `#site-name`, `#is_dc`). */
  readonly attributes: ReadonlyMap<string, string>;
  /** Capacities as configured; values that are no numbers count as 0. */
  readonly utilization: ReadonlyMap<string, number>;
  /** What `node-health-strategy` makes of its health attributes: a score for every resource here. */
  readonly healthScore: number;
  /** The worst colour among its health attributes; absent if all are green or none is set. */
  readonly health?: 'yellow' | 'red';

  /** The sum of the priorities of what is active here and on guests it hosts; for `priority-fencing-delay`. */
  readonly priority: number;
  /** The resource that connects to a remote or guest node. */
  readonly connection?: PrimitiveInstance;
  /** Primitives active here, in the order in which their histories were read. */
  readonly running: readonly PrimitiveInstance[];
  /** Fail counts here, by the name of the resource without an instance number. */
  readonly failures: ReadonlyMap<string, readonly FailureRecord[]>;
}

/** A pair of `fail-count-RESOURCE#OPERATION_INTERVAL` and `last-failure-…` attributes. */
export interface FailureRecord {
  /** `:1` where the attribute names an instance, else empty. */
  readonly suffix: string;
  readonly operation: string;
  readonly intervalMs: number;
  readonly count: number;
  /** Seconds since 1970; 0 if not recorded. */
  readonly lastFailure: number;
}

export const isRemoteOrGuest = (node: Node): boolean => node.kind !== 'member';

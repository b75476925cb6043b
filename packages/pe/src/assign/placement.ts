/** What placement decides: for each instance a node and a role, with the numbers that led there. A value; nothing here changes. */
import type { ColocationRule } from '../constraints/constraint.ts';
import type { Discovery, Instance, InstanceRole } from '../expand/instance.ts';
import type { Message } from '../situation.ts';
import type { Recheck } from '../situation.ts';
import type { Node } from '../status/node.ts';

export interface Placement {
  /** By `instance.index`. Only primitives have a node of their own; see `nodesOf` for what contains them. */
  readonly places: readonly Place[];
  /** By `node.index`: how nodes will be, once connections to remote nodes are where they go. */
  readonly nodes: readonly PlacedNode[];
  /** Resources in the order in which they were placed. */
  readonly order: readonly Instance[];
  /** Relations that follow from the resources themselves: members of a group, an address with its container. */
  readonly impliedColocations: readonly ColocationRule[];
  /** Fencing that a lost ticket demands. */
  readonly fencing: readonly { readonly node: Node; readonly reason: string }[];
  /** The scores of a resource each time it was about to be placed: the suite's level C. */
  readonly scores: readonly ScoreRow[];
  /** Where the scores come from; empty unless asked for. */
  readonly contributions: readonly Contribution[];
  readonly messages: readonly Message[];
  readonly recheck?: Recheck;
}

export interface Place {
  readonly instance: Instance;
  /** Where it will be; absent: nowhere, or not a primitive. */
  readonly node?: Node;
  /** `Unknown` if nothing but the node decides it: started where there is one. */
  readonly nextRole: InstanceRole;
  /** As the situation has it, except that instances of promotable clones are `Unpromoted`, not `Started`. */
  readonly role: InstanceRole;
  readonly isManaged: boolean;
  readonly isBlocked: boolean;
  /** Of its actions: as configured, and what colocations with a role added. */
  readonly priority: number;
  /** Probed only where a location constraint says so. */
  readonly hasExclusiveProbes: boolean;
  /** Its children; those of a clone in the order in which they were placed (promoted first). */
  readonly children: readonly Instance[];
  /** By `node.index`; undefined where it is not allowed at all. */
  readonly allowed: readonly (AllowedScore | undefined)[];
  /** The same for one node, without making all of it: probes ask this of every instance on every node. */
  readonly allowedOn: (node: Node) => AllowedScore | undefined;
  /** Nodes that it might have gone to when placement began: what is placed may take more into `allowed`, as banned. */
  readonly candidates: readonly Node[];
  /** Of an instance of a promotable clone: how much it is wanted as the promoted one. */
  readonly promotionScore?: number;
  /** It stays stopped until this node, which is shutting down cleanly, is back. */
  readonly lock?: { readonly node: Node; readonly since: number };
}

export interface AllowedScore {
  readonly score: number;
  readonly discovery: Discovery;
}

export interface PlacedNode {
  readonly node: Node;
  readonly isOnline: boolean;
  readonly isShutdown: boolean;
  readonly isUnclean: boolean;
  /** May run resources: online, not leaving, clean, not in standby or maintenance. */
  readonly isAvailable: boolean;
  /** What is left of its capacities. */
  readonly free: ReadonlyMap<string, number>;
}

export type Stage = 'primitive' | 'group' | 'clone' | 'bundle' | 'promotion';

export interface ScoreRow {
  readonly stage: Stage;
  readonly rsc: string;
  /** Absent only for the promotion score of an instance that is nowhere. */
  readonly node?: string;
  readonly score: number;
}

/** One reason for a score. */
export interface Contribution {
  readonly instance: Instance;
  /** Absent: on all nodes. */
  readonly node?: Node;
  readonly score: number;
  readonly source: ContributionSource;
}

export type ContributionSource =
  /** From the status: a failed stop, not managed, no longer configured. */
  | { readonly type: 'status'; readonly reason: string }
  | { readonly type: 'location'; readonly constraint: string; readonly rule?: string }
  | { readonly type: 'stickiness' }
  /** Reached `migration-threshold` here. */
  | { readonly type: 'failures'; readonly count: number; readonly threshold: number }
  | { readonly type: 'health' }
  | { readonly type: 'ticket'; readonly ticket: string; readonly constraint: string }
  | { readonly type: 'lock' }
  | { readonly type: 'exclusiveDiscovery' }
  /** Connections and fence devices do not run on remote nodes. */
  | { readonly type: 'remote' }
  /** Too much for what is left here. */
  | { readonly type: 'utilization' }
  | { readonly type: 'targetRole' }
  /** More instances than `clone-max`, or than a node may have. */
  | { readonly type: 'limit' }
  | { readonly type: 'promotion' }
  /** It goes with `other` (or avoids it); `direction` says on which side of the constraint this instance is. */
  | {
      readonly type: 'colocation';
      readonly constraint: string;
      readonly other: Instance;
      readonly direction: 'dependent' | 'primary';
    };

/** All nodes where an instance, or anything inside it, will be. */
export function nodesOf(placement: Placement, instance: Instance): ReadonlySet<Node> {
  const place = placement.places[instance.index];
  if (instance.children.length === 0) return new Set(place?.node === undefined ? [] : [place.node]);
  return new Set(instance.children.flatMap((child) => [...nodesOf(placement, child)]));
}

/**
 * Constraints with their references resolved: sets, tags and templates are gone, every end is an instance of the
 * situation, every score a number. Later stages read these and never the configuration's constraints.
 *
 * Implied relations are not here: that members of a group stay together, or an address with its container, follows
 * from the resources themselves and is added by the stage that needs it (`assign/implied.ts`).
 */
import type { Instance, InstanceRole } from '../expand/instance.ts';
import type { Node } from '../status/node.ts';
import type { Message, Recheck } from '../situation.ts';
import type { Discovery } from '../expand/instance.ts';

/** Everything the operator has written about where, beside what, after what and with which ticket. */
export interface Constraints {
  /** In the order of the configuration; what a set or pattern means for several resources stands one after the other. */
  readonly locations: readonly LocationRule[];
  readonly locationsOf: ReadonlyMap<Instance, readonly LocationRule[]>;
  readonly colocations: readonly ColocationRule[];
  readonly orders: readonly OrderRelation[];
  readonly gates: readonly OrderGate[];
  readonly tickets: readonly TicketRule[];
  readonly ticketsOf: ReadonlyMap<Instance, readonly TicketRule[]>;
  /** When a rule will change its mind, seconds since 1970. */
  readonly recheck?: Recheck;
  /** What was ignored, and why. */
  readonly messages: readonly Message[];
}

/** Scores for one resource on nodes. */
export interface LocationRule {
  /** The constraint's id, or the rule's where a rule made it. */
  readonly id: string;
  readonly constraintId: string;
  readonly resource: Instance;
  /** `Promoted` counts when a role is chosen; `Unknown`: always (`Started` and `Unpromoted` mean that too). */
  readonly role: 'Unknown' | 'Stopped' | 'Promoted';
  readonly discovery: Discovery;
  readonly scores: readonly NodeScore[];
}

export interface NodeScore {
  readonly node: Node;
  readonly score: number;
}

/** `dependent` goes where `primary` is; with a negative score, where it is not. */
export interface ColocationRule {
  /** The constraint's id, or the set's for a relation within a set. */
  readonly id: string;
  readonly dependent: Instance;
  readonly primary: Instance;
  /** Only instances in this role; `Unknown`: any. */
  readonly dependentRole: InstanceRole;
  readonly primaryRole: InstanceRole;
  /** Never 0: such constraints mean nothing. */
  readonly score: number;
  readonly nodeAttribute: string;
  /** The dependent's preferences count for the primary even when that is active. */
  readonly hasInfluence: boolean;
  /** Written by the operator. */
  readonly isExplicit: boolean;
}

export type OrderAction = 'start' | 'stop' | 'promote' | 'demote';

/** What the relation between two actions does. */
export type OrderEffect =
  /** If both are carried out, the first goes first. */
  | 'ordered'
  /** Only this direction: if the second is carried out and the first is not possible, the second waits for ever. */
  | 'asymmetric'
  /** Not at the same time, in whichever order. */
  | 'serialized'
  /** If the first is carried out, the second is needed too. */
  | 'firstImpliesThen'
  /** If the second is carried out, the first is needed too. */
  | 'thenImpliesFirst'
  /** If the first cannot be carried out, neither can the second. */
  | 'unrunnableFirstBlocks'
  /** The second counts how many firsts can be carried out (gates). */
  | 'minRunnable'
  /** If the first is in the graph, so is the second. */
  | 'firstImpliesThenGraphed'
  /** Counts only if both are needed and on the same node (anti-colocation). */
  | 'ifRequiredOnSameNode';

/** A point that opens once enough of its firsts can be carried out: `require-all=false`, `clone-min`. */
export interface OrderGate {
  /** `one-or-more:SET` or `clone-one-or-more:CONSTRAINT`. */
  readonly name: string;
  readonly required: number;
}

export type OrderEnd =
  | { readonly type: 'action'; readonly resource: Instance; readonly action: OrderAction }
  | { readonly type: 'gate'; readonly gate: OrderGate };

export interface OrderRelation {
  readonly id: string;
  readonly first: OrderEnd;
  readonly then: OrderEnd;
  readonly effects: readonly OrderEffect[];
}

export type LossPolicy = 'stop' | 'demote' | 'fence' | 'freeze';

/** `resource` (in `role`) needs the ticket. */
export interface TicketRule {
  readonly id: string;
  readonly ticket: string;
  readonly isGranted: boolean;
  readonly isStandby: boolean;
  readonly resource: Instance;
  readonly role: InstanceRole;
  readonly lossPolicy: LossPolicy;
}

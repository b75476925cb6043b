/**
 * The seam between messaging and quorum: messaging carries what nodes remember about quorum to where it is decided,
 * and asks; the rules are a `QuorumPolicy` that its host plugs in (package `quorum`; tests use a simple majority).
 *
 * Division of work. The engine owns the memory: it carries it in promises and installations, saves it before it counts,
 * measures the lease (which members have echoed this node in this view lately) and orders changes of the base like any
 * message. The policy is pure: the same arguments give the same answer at every member, and nothing is kept inside.
 *
 * Why the decision is made from the installation's reports: every member of a view computes it from the same bytes.
 */
import type { Instant } from '@systole/kernel';
import type { NodeId, View } from './surface.ts';

export interface Voter {
  readonly node: NodeId;
  readonly votes: number;
}

/** Who may vote. Newer is: higher generation (forced by an operator), then higher revision (agreed step by step). */
export interface Base {
  /** 0 … 65535. */
  readonly generation: number;
  /** 0 … 2^32 − 1. */
  readonly revision: number;
  /** In ascending order of node. */
  readonly voters: readonly Voter[];
  /** Votes of the quorum device; 0: none. */
  readonly deviceVotes: number;
}

/** A change of the base that has been proposed and may have been agreed. */
export interface PendingBase {
  readonly base: Base;
  /** Number of the view in which it was proposed: the highest wins. */
  readonly viewNumber: number;
}

/** What a node remembers about quorum across restarts; carried in promises and installations. */
export interface QuorumMemory {
  readonly base: Base;
  readonly pending?: PendingBase;
  /** Number of the last active quorate view this node has been in; 0: none. */
  readonly lineage: number;
  /** That view's members, ascending. */
  readonly lastQuorateMembers: readonly NodeId[];
  /** wait_for_all: started, and has not yet seen all voters at once. Set at process start. */
  readonly waiting: boolean;
  /** The base was forced by an operator. */
  readonly forced: boolean;
}

export interface QuorumReport {
  readonly node: NodeId;
  readonly memory: QuorumMemory;
}

export interface DecisionInput {
  readonly view: View;
  readonly self: NodeId;
  /** One a member, in the view's order, as the installation carried them. */
  readonly reports: readonly QuorumReport[];
  /** This node's present memory: newer than its own report once the base has changed within this view, or by an operator. */
  readonly memory: QuorumMemory;
  /** A grant of the quorum device for this view is valid now. */
  readonly deviceGranted: boolean;
}

export interface Decision {
  /** Whether this view, active, may act, its lease apart. */
  readonly ok: boolean;
  /** A sentence for an operator: `3 of 5 votes, 3 needed`. */
  readonly reason: string;
  readonly votes: number;
  readonly needed: number;
  readonly total: number;
  /**
   * What this node must have on disk before it counts as quorate: the newest base adopted; where `ok`, also `waiting`
   * cleared, `lineage` and `lastQuorateMembers` set to this view. Equal to its own memory: nothing to save.
   */
  readonly memory: QuorumMemory;
  /** False where another partition may hold quorum at the same time (two_node): no `exclusiveAfterMs` is promised. */
  readonly exclusive: boolean;
  /** The pending base this view was decided with, which its lease must satisfy as well. */
  readonly pending?: PendingBase;
}

export interface ChangeContext {
  readonly view: View;
  readonly self: NodeId;
  readonly memory: QuorumMemory;
  readonly reports: readonly QuorumReport[];
  readonly activeSince: Instant;
  /** Nodes that left cleanly since the last view, for `allow_downscale`. */
  readonly left: readonly NodeId[];
}

/**
 * The rules of quorum, as pure functions of what they are given.
 * Memory passed in is always this node's present one.
 */
export interface QuorumPolicy {
  /** The memory to start with: `saved` with `waiting` set as configured, or the configuration's base when none was saved. */
  start(saved: QuorumMemory | undefined): QuorumMemory;
  /** Decides at activation of a view, and again when the device's verdict changes. Same answer at all members. */
  decide(input: DecisionInput): Decision;
  /**
   * Whether these nodes (ascending ids) carry enough votes of the memory's base and of any pending base: for the lease
   * (`decision` given: its pending too, its tie node), for durable entries, for choosing whom to merge with.
   */
  enough(
    nodes: readonly NodeId[],
    memory: QuorumMemory,
    deviceGranted: boolean,
    decision: Decision | undefined,
  ): boolean;
  /** Votes of a node in the memory's base; 0 if it is no voter. */
  votes(node: NodeId, memory: QuorumMemory): number;
  /** Asked of the coordinator of an active quorate view each second: a change of the base to propose, encoded. */
  proposeChange(context: ChangeContext, now: Instant): Uint8Array | undefined;
  /** A proposed change was received in this view: the memory to save before acknowledging it. */
  changeReceived(body: Uint8Array, memory: QuorumMemory, view: View): QuorumMemory;
  /** A proposed change was delivered, not transitionally: every member has it. The memory from now on. */
  changeDelivered(body: Uint8Array, memory: QuorumMemory, view: View): QuorumMemory;
}

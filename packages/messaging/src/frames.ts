/**
 * What nodes say to each other. One interface a frame; their bytes are in encode.ts, their meaning in docs/protocol.md.
 *
 * Every frame of a change of view carries `attempt`: the tag the new view will have. It names number, initiator, the
 * initiator's incarnation and the members at once, so that an answer can never be taken for one to another attempt.
 */
import type { QuorumMemory } from './quorum-port.ts';
import type { NodeId, Service, ViewTag } from './surface.ts';

/** Both ends included. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

export interface Identity {
  readonly node: NodeId;
  readonly incarnation: number;
}

/** What the sender of a heartbeat knows of one peer. */
export interface Echo extends Identity {
  /** The newest heartbeat of it that arrived. */
  readonly number: number;
  /** 65535: as long or longer. */
  readonly silenceMs: number;
  /** It is heard: its session is proven fresh and its silence within the limit. */
  readonly heard: boolean;
  /** Links on which its multicast, and its unicast, arrived lately, as bits. */
  readonly multicastLinks: number;
  readonly unicastLinks: number;
}

export type NodeState = 'joining' | 'operational' | 'promised' | 'recovering' | 'installed';

export interface HeartbeatFrame {
  readonly type: 'heartbeat';
  readonly number: number;
  readonly state: NodeState;
  readonly active: boolean;
  readonly quorate: boolean;
  readonly leaving: boolean;
  readonly diskFailed: boolean;
  readonly applicationStalled: boolean;
  readonly promised: boolean;
  readonly view: ViewTag;
  readonly members: readonly NodeId[];
  readonly highestNumber: number;
  readonly received: number;
  readonly highest: number;
  readonly stable: number;
  readonly durable: number;
  /** The sender's own mark of what it has on disk. */
  readonly ownDurable: number;
  readonly stallMs: number;
  readonly generation: number;
  readonly revision: number;
  readonly lineage: number;
  /** What is left of the device's grant for this view; 0: none known. */
  readonly deviceLeaseMs: number;
  /** The sender's wall clock, milliseconds since 1970; 0: unknown. */
  readonly wall: number;
  readonly echoes: readonly Echo[];
}

export interface ProposalFrame {
  readonly type: 'proposal';
  readonly attempt: ViewTag;
  readonly members: readonly Identity[];
}

/** A member's state, frozen when it promised. */
export interface Report {
  readonly view: ViewTag;
  readonly active: boolean;
  readonly received: number;
  /** Entries held beyond `received`. */
  readonly ranges: readonly Range[];
  readonly stable: number;
  readonly durable: number;
  readonly protocolMin: number;
  readonly protocolMax: number;
  readonly features: number;
  readonly memory: QuorumMemory;
}

export interface PromiseFrame {
  readonly type: 'promise';
  readonly attempt: ViewTag;
  readonly report: Report;
}

export type RefusalReason = 'stale' | 'cannotHear' | 'wouldDrop' | 'version' | 'configuration';

export interface RefusalFrame {
  readonly type: 'refusal';
  readonly attempt: ViewTag;
  readonly why: RefusalReason;
  readonly highestNumber: number;
  readonly missing: readonly NodeId[];
}

export interface Holder {
  readonly node: NodeId;
  readonly received: number;
  readonly ranges: readonly Range[];
}

/** The members that come from one view, and how much of its order they must have before it ends. */
export interface Group {
  readonly view: ViewTag;
  readonly members: readonly NodeId[];
  readonly cut: number;
}

export interface RecoveryPlanFrame {
  readonly type: 'recoveryPlan';
  readonly attempt: ViewTag;
  readonly groups: readonly (Group & { readonly holders: readonly Holder[] })[];
}

export interface RecoveredFrame {
  readonly type: 'recovered';
  readonly attempt: ViewTag;
}

export interface InstallationFrame {
  readonly type: 'installation';
  readonly attempt: ViewTag;
  readonly members: readonly Identity[];
  readonly groups: readonly Group[];
  readonly protocol: number;
  readonly features: number;
  /** One a member, in its order. */
  readonly memories: readonly QuorumMemory[];
  /** Lives that have told the initiator that they leave. What a member has heard itself would differ from one to the next. */
  readonly left: readonly Identity[];
}

export interface InstalledFrame {
  readonly type: 'installed';
  readonly view: ViewTag;
}

export interface ActivationFrame {
  readonly type: 'activation';
  readonly view: ViewTag;
}

/** `application`: a fragment of a message. `departure`: the origin leaves. `baseChange`: quorum's, durable. */
export type EntryKind = 'application' | 'departure' | 'baseChange';

/** A submission on its way to its place in the order. */
export interface Entry {
  readonly local: number;
  readonly service: Service;
  readonly kind: EntryKind;
  readonly first: boolean;
  readonly last: boolean;
  readonly bytes: Uint8Array;
}

export interface OrderedEntry extends Entry {
  /** Rank of its origin in the view. */
  readonly rank: number;
}

export interface SubmissionFrame {
  readonly type: 'submission';
  readonly view: ViewTag;
  readonly entries: readonly Entry[];
}

export interface OrderedFrame {
  readonly type: 'ordered';
  readonly view: ViewTag;
  /** Sequence of the first entry; the others follow it. */
  readonly first: number;
  readonly stable: number;
  readonly durable: number;
  readonly entries: readonly OrderedEntry[];
}

export interface TailFrame {
  readonly type: 'tail';
  readonly view: ViewTag;
  readonly highest: number;
  readonly stable: number;
  readonly durable: number;
  readonly receiptWanted: boolean;
}

export interface ReceiptFrame {
  readonly type: 'receipt';
  readonly view: ViewTag;
  readonly received: number;
  readonly durable: number;
}

export interface GapFrame {
  readonly type: 'gap';
  readonly view: ViewTag;
  readonly ranges: readonly Range[];
}

export interface SubmissionGapFrame {
  readonly type: 'submissionGap';
  readonly view: ViewTag;
  readonly next: number;
}

export interface PingFrame {
  readonly type: 'ping' | 'pong';
  readonly token: number;
  /** The pinging node's clock modulo 2^32, returned as it came. */
  readonly sent: number;
}

export interface SizeFrame {
  readonly type: 'sizeProbe' | 'sizeReply';
  readonly size: number;
}

export interface StaleIncarnationFrame {
  readonly type: 'staleIncarnation';
  readonly mustExceed: number;
}

export interface UnreliableFrame {
  readonly type: 'unreliable';
  readonly bytes: Uint8Array;
}

export type Frame =
  | HeartbeatFrame
  | ProposalFrame
  | PromiseFrame
  | RefusalFrame
  | RecoveryPlanFrame
  | RecoveredFrame
  | InstallationFrame
  | InstalledFrame
  | ActivationFrame
  | SubmissionFrame
  | OrderedFrame
  | TailFrame
  | ReceiptFrame
  | GapFrame
  | SubmissionGapFrame
  | PingFrame
  | SizeFrame
  | StaleIncarnationFrame
  | UnreliableFrame;

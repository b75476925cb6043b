/**
 * What goes into the engine and what comes out: the package's contract with its host.
 *
 * The engine is one pure core per node. `step(input, now)` takes one thing that happened and answers with what must be
 * done about it, in the order in which it must be done; `wakeAt()` is the only timer its host keeps. The same bytes go
 * in and come out in production and in the simulator.
 *
 * Frames that a step wants sent are collected, and leave, bundled and sealed, with the next `tick`; `wakeAt()` is due
 * at once while any wait. So a host that reads its sockets first, then takes the application's inputs, and calls `tick`
 * last whenever `wakeAt() <= now`, sends as few datagrams as fit, and never judges a peer before having read its mail.
 *
 * Rules: docs/protocol.md, and §1 of the messaging specification.
 */
import type { Epoch, Instant, Random } from '@systole/kernel';
import type { Configuration } from './configuration.ts';
import type { Decision, QuorumMemory, QuorumPolicy } from './quorum-port.ts';
import type { Seal } from './seal.ts';

/** A node's number on the wire, 1 … 65535, unique in the cluster. Names belong to the layers above. */
export type NodeId = number;

/** A handle the application chose for a message of its own; comes back in `deliver`, `accepted` and `rejected`. */
export type Handle = number;

/** Names one membership view: its number grows at every node, and the hash tells apart views of equal number. */
export interface ViewTag {
  /** 1 … 2^48 − 1; 0 names no view. */
  readonly number: number;
  /** 32 bits over number, initiator, its incarnation and the members. */
  readonly hash: number;
}

export interface Member {
  readonly node: NodeId;
  /** Tells this life of the node from its earlier ones: a restarted node is another member. */
  readonly incarnation: number;
  /** The view this member came from. */
  readonly previous: ViewTag;
  /** Number of the last active quorate view this member has been in; 0: none. The highest holds the newest state. */
  readonly lineage: number;
}

export interface View {
  readonly tag: ViewTag;
  /** In order of rank: members[0] is the coordinator, which also orders the messages. Oldest members first. */
  readonly members: readonly Member[];
  /** The protocol spoken in this view: the highest that all members know. */
  readonly protocol: number;
  /** Bits of the optional features that all members have. */
  readonly features: number;
}

/** Why a node is no longer in the view. Only `left` is clean; after any other it may still be running its services. */
export type DepartureCause = 'left' | 'lost' | 'restarted' | 'laggard' | 'partial';

export interface Departure {
  readonly node: NodeId;
  readonly incarnation: number;
  readonly cause: DepartureCause;
}

/**
 * What delivery of a message promises.
 * - `agreed`: the same order everywhere; a node that crashes may have seen it alone.
 * - `safe`: every member of the view has it before any delivers it.
 * - `durable`: as safe, and members with a quorum of the votes have it on disk.
 */
export type Service = 'agreed' | 'safe' | 'durable';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** What the host keeps on disk for the engine, replaced as a whole. Plain JSON. */
export interface StateRecord {
  readonly incarnation: number;
  /** The highest view number this node has promised or seen when it saved; a start never goes below. */
  readonly highestNumber: number;
  readonly quorum: QuorumMemory;
}

export type QuorumState = {
  /** `held`: may act. `uncertain`: start nothing new, decide nothing; may clear within a lease. `lost`: stop as configured. */
  readonly state: 'held' | 'uncertain' | 'lost';
  readonly view: ViewTag;
  /** When this state began, on this node's monotonic clock. */
  readonly since: Instant;
  /**
   * With `held`: no other node believes itself quorate from so long on after this was first said; without a device's vote
   * already from so long after the view's activation on. Absent: never promised.
   */
  readonly exclusiveAfterMs?: number;
  /** A sentence for an operator. */
  readonly reason: string;
  /** The decision behind it; absent while no view is active. */
  readonly decision?: Decision;
};

export type EngineInput =
  | {
      readonly type: 'datagram';
      readonly link: number;
      readonly via: 'multicast' | 'unicast';
      readonly from: Address;
      readonly bytes: Uint8Array;
    }
  | { readonly type: 'tick' }
  | { readonly type: 'submit'; readonly handle: Handle; readonly service: Service; readonly body: Uint8Array }
  /** Sent once, without order, acknowledgement or repetition; at most `unreliableBytesMax`. */
  | { readonly type: 'unreliable'; readonly to: NodeId | 'all'; readonly body: Uint8Array }
  /** The `save` effect of this token is on disk. */
  | { readonly type: 'saved'; readonly token: number }
  /** The application has stored a durable entry, or could not. */
  | { readonly type: 'persisted'; readonly view: ViewTag; readonly sequence: number; readonly ok: boolean }
  | { readonly type: 'leave'; readonly reason: string }
  | { readonly type: 'reconfigure'; readonly configuration: Configuration }
  | { readonly type: 'linkChanged'; readonly link: number; readonly up: boolean; readonly mtu: number }
  | { readonly type: 'sendFailed'; readonly link: number; readonly code: string }
  /** The wall clock ran ahead of the monotonic one by so much: the machine was suspended. */
  | { readonly type: 'clockStepped'; readonly wallAheadMs: number }
  /** The wall clock's present reading, given now and then (each second) so that skew between nodes can be reported. */
  | { readonly type: 'wallClock'; readonly wall: Epoch }
  /** The application's thread is alive. Once given, it is expected at least each second. */
  | { readonly type: 'applicationAlive' }
  /** The host is still reading a backlog (a turn met its cap of datagrams on some socket), or has finished. */
  | { readonly type: 'backlog'; readonly present: boolean }
  /** The quorum device's answer for a view; the lease counts from the instant the question was sent. */
  | {
      readonly type: 'deviceVerdict';
      readonly view: ViewTag;
      readonly vote: 'grant' | 'deny' | 'wait';
      readonly leaseUntil: Instant;
      readonly exclusiveAfterMs: number;
    }
  /** The operator changed the quorum memory (`quorum proceed`, `quorum force`): saved, then decided again. */
  | { readonly type: 'quorumMemory'; readonly memory: QuorumMemory }
  /** The operator lets a damped node back in at once. */
  | { readonly type: 'readmit'; readonly node: NodeId };

export type RejectionReason = 'viewEnded' | 'queueFull' | 'tooLarge' | 'notActive' | 'leaving';

export type EngineEffect =
  /** To be on disk before any later effect of this step or of later steps is carried out; answer with `saved`. */
  | { readonly type: 'save'; readonly token: number; readonly record: StateRecord }
  | { readonly type: 'transmit'; readonly link: number; readonly to: Address | 'multicast'; readonly bytes: Uint8Array }
  | {
      readonly type: 'deliver';
      readonly view: ViewTag;
      readonly sequence: number;
      readonly origin: NodeId;
      readonly service: Service;
      readonly body: Uint8Array;
      /** Delivered while the view ends: agreed among the survivors only. */
      readonly transitional: boolean;
      /** Present at the origin: the handle given with `submit`. */
      readonly handle?: Handle;
    }
  /** Follows the `deliver` of a message of one's own: it has its place in the order. */
  | { readonly type: 'accepted'; readonly handle: Handle }
  /** It has no place in any order and no node that moves on with this one delivers it. */
  | { readonly type: 'rejected'; readonly handle: Handle; readonly reason: RejectionReason }
  /** Store this entry of the order and answer with `persisted`; it may still turn out to be part of no agreed history. */
  | {
      readonly type: 'storeDurable';
      readonly view: ViewTag;
      readonly sequence: number;
      readonly origin: NodeId;
      readonly body: Uint8Array;
    }
  /** What came by `unreliable`. */
  | { readonly type: 'unreliable'; readonly from: NodeId; readonly body: Uint8Array }
  /** The view ends here; what follows until `view` is delivered to exactly these survivors. */
  | { readonly type: 'viewEnding'; readonly view: ViewTag; readonly survivors: readonly NodeId[] }
  | {
      readonly type: 'view';
      readonly view: View;
      readonly previous: ViewTag;
      readonly joined: readonly NodeId[];
      readonly departed: readonly Departure[];
    }
  /** All members have installed the view: messages flow from now on. */
  | { readonly type: 'viewActive'; readonly view: ViewTag }
  | { readonly type: 'quorum'; readonly state: QuorumState }
  /** There is room for submissions again after a `queueFull`. */
  | { readonly type: 'drained' }
  /** Multicast does not arrive on this link: leave the group and join it again (snooping switches forget members). */
  | { readonly type: 'rejoinGroup'; readonly link: number }
  /** A peer's datagram under a key that is accepted, but not the one that this node seals with, was authentic. */
  | { readonly type: 'keyInUse'; readonly keyId: number; readonly node: NodeId }
  /** This node has left: a view without it exists, or waiting for one took too long. The host may stop. */
  | { readonly type: 'left' }
  /** This node cannot go on as it is: `staleIncarnation`: restart the engine with a higher one, as saved. */
  | { readonly type: 'restart'; readonly reason: 'staleIncarnation'; readonly record: StateRecord }
  /**
   * Another machine runs under this node's id, and was there before: this one must stop, or both would take turns being
   * put out. Not to be started again before the configuration is corrected. `from` is where the other one sends from.
   */
  | { readonly type: 'stopped'; readonly reason: 'duplicateNode'; readonly from: Address }
  /** Something an operator may want to read: a stable event name and its facts. */
  | { readonly type: 'report'; readonly event: string; readonly fields: Readonly<Record<string, unknown>> };

/** What `createEngine` needs. */
export interface EngineOptions {
  readonly configuration: Configuration;
  readonly seal: Seal;
  /** Session ids are drawn from it and keys derived from those: in production it must be cryptographically strong. */
  readonly random: Random;
  readonly quorum: QuorumPolicy;
  /** The last `save` that reached the disk; absent at a node's first start. */
  readonly saved?: StateRecord;
  /** The wall clock at start: with the saved one it makes the incarnation. */
  readonly wall: Epoch;
  readonly now: Instant;
}

export interface Engine {
  /** Takes one input; answers with effects in the order they must happen. Never waits; never throws for bad input. */
  step(input: EngineInput, now: Instant): readonly EngineEffect[];
  /** When the host must call `step({ type: 'tick' })` at the latest. */
  wakeAt(): Instant;
  /** A picture for `systole messaging status` and metrics. Plain JSON; changes nothing. */
  status(now: Instant): EngineStatus;
}

export interface PeerLinkStatus {
  readonly link: number;
  readonly up: boolean;
  /** How this node sends to the peer on this link. */
  readonly path: 'multicast' | 'unicast';
  /** Smoothed round trip; absent until measured. */
  readonly rttMs?: number;
  /** Share of the peer's heartbeats lost on this link, 0 … 1. */
  readonly loss: number;
  readonly lastHeardMs?: number;
}

export interface PeerStatus {
  readonly node: NodeId;
  readonly incarnation: number;
  readonly protocol: { readonly min: number; readonly max: number };
  readonly configurationRevision: number;
  readonly heard: boolean;
  readonly hearsMe: boolean;
  readonly silenceMs?: number;
  /** The silence at which this peer is suspected at present. */
  readonly limitMs: number;
  readonly stallMs: number;
  readonly view: ViewTag;
  /** The peer's wall clock minus ours, where both are known. */
  readonly clockSkewMs?: number;
  /** Merging with this peer is held back until then (milliseconds from now). */
  readonly dampedMs?: number;
  readonly links: readonly PeerLinkStatus[];
}

export interface EngineStatus {
  readonly node: NodeId;
  readonly incarnation: number;
  readonly mode: 'starting' | 'joining' | 'operational' | 'promised' | 'recovering' | 'installed' | 'left';
  readonly view: View;
  readonly active: boolean;
  readonly quorum: QuorumState;
  /** So long the device's vote for this view still holds; 0: it has none. */
  readonly deviceLeaseMs: number;
  readonly memory: QuorumMemory;
  readonly highestNumber: number;
  readonly peers: readonly PeerStatus[];
  readonly links: readonly {
    readonly link: number;
    readonly up: boolean;
    readonly mtu: number;
    readonly sendFailures: number;
  }[];
  readonly order: {
    readonly received: number;
    readonly highest: number;
    readonly delivered: number;
    readonly stable: number;
    readonly durable: number;
    readonly logEntries: number;
    readonly logBytes: number;
    readonly pendingEntries: number;
    readonly pendingBytes: number;
  };
  readonly stallMs: number;
  readonly counters: Readonly<Record<string, number>>;
}

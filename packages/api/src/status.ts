/** `GET /v1/status`: the cluster as a person or a program asks for it, format `systole-status/1`. Fields are only ever added. */
import type { InputRow, StoredInput } from './inputs.ts';

export interface StatusReport {
  readonly format: 'systole-status/1';
  readonly cluster: string;
  /** The node that answers. */
  readonly node: string;
  /** The designated controller; absent while none is known. */
  readonly dc?: string;
  readonly quorate: boolean;
  readonly quorum: QuorumReport;
  /** `0.12.3`; absent only before the node has any. */
  readonly cibVersion: string;
  readonly nodes: readonly NodeRow[];
  readonly resources: readonly ResourceRow[];
  /** What the whole cluster was told to do less than usual. */
  readonly modes?: readonly ('maintenance' | 'stop-all')[];
  readonly transition: TransitionReport;
  /** Newest first, at most twenty. */
  readonly fencing: readonly FencingRow[];
  /** Fail counts above 0. */
  readonly failures: readonly FailureRow[];
  /** How the node that answers goes down by itself; absent where it has neither watchdog nor disks. */
  readonly selfFencing?: SelfFencingReport;
  /** What is wrong with the configuration, in words. */
  readonly messages: readonly { readonly level: 'error' | 'warning'; readonly text: string }[];
}

export interface SelfFencingReport {
  /** `countdownS`: seconds from the last feeding to the reset, where the driver tells. */
  readonly watchdog?: { readonly device: string; readonly countdownS?: number };
  readonly disks: readonly DiskRow[];
}

/** One of the disks through which the node can be told to die. */
export interface DiskRow {
  readonly disk: string;
  /** It has been read lately. */
  readonly isSeen: boolean;
  /** The node's watchdog is noted on it: messages on it prove something. */
  readonly isArmed: boolean;
  readonly times?: { readonly watchdogS: number; readonly msgwaitS: number };
  readonly problem?: string;
}

export interface QuorumReport {
  /** `held`: this partition may act. `uncertain`: for the moment it starts nothing. `lost`: it may not act. */
  readonly state: 'held' | 'uncertain' | 'lost' | 'unknown';
  readonly reason: string;
}

export interface NodeRow {
  readonly name: string;
  readonly kind: 'member' | 'remote' | 'guest';
  readonly state: 'online' | 'offline' | 'pending';
  readonly unclean?: true;
  readonly standby?: true;
  readonly maintenance?: true;
  readonly health?: 'yellow' | 'red';
  readonly isDc: boolean;
}

export interface ResourceRow {
  /** The resource's name; with an instance number only if instances can be told apart. The same as `rsc`. */
  readonly id: string;
  readonly rsc: string;
  /** `Started`, `Stopped`, `Promoted`, `Unpromoted`, `Starting`, … */
  readonly role: string;
  readonly nodes: readonly string[];
  readonly managed: boolean;
  readonly failed: boolean;
  /** What is unusual: `failed`, `disabled`, `blocked`, `unmanaged`, … */
  readonly flags: readonly string[];
  /** `class:provider:type`. */
  readonly agent?: string;
  /** The group, clone or bundle that it belongs to. */
  readonly within?: string;
}

export interface TransitionReport {
  /** `idle`: nothing is left to do, and nothing has happened since that was found. */
  readonly state: 'idle' | 'busy';
  /** What this node's controller is doing: `dc.scheduling`, `following`, … */
  readonly controller: string;
  readonly id?: string;
  readonly done?: number;
  readonly pending?: number;
}

export interface FencingRow {
  readonly id: string;
  readonly target: string;
  readonly action: string;
  readonly state: string;
  readonly devices: readonly string[];
  readonly originator: string;
  readonly client: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly endedAt?: number;
  readonly reason: string;
}

export interface FailureRow {
  readonly resource: string;
  readonly node: string;
  readonly operation: string;
  readonly intervalMs: number;
  /** `1000000` is INFINITY. */
  readonly count: number;
  /** Seconds since 1970; 0 if unknown. */
  readonly last: number;
}

/** Something that happened, as the log and the event stream tell it. */
export interface EventRow {
  /** Grows by one with every event of this node's daemon. */
  readonly number: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly level: 'error' | 'warn' | 'info' | 'debug';
  readonly subsystem: string;
  /** Stable: `node.lost`, `dc.elected`, `resource.failed`, … */
  readonly event: string;
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** One transition of the DC that answers. Times are seconds since 1970. */
export interface TransitionRow {
  readonly id: string;
  readonly number: number;
  readonly startedAt: number;
  readonly endedAt?: number;
  readonly cause: string;
  readonly actions: number;
  readonly outcome?: string;
  readonly reason?: string;
  readonly done?: number;
  readonly failed?: number;
  readonly skipped?: number;
}

/** `GET /v1/keys`: which cluster keys this node has, never the keys. */
export interface KeyReport {
  readonly keys: readonly { readonly id: number; readonly print: string }[];
  /** Id of the key that this node seals with. */
  readonly primary: number;
  /** A change of the key that is under way. */
  readonly rotation?: { readonly to: number; readonly print: string; readonly without: readonly string[] };
  /** How far each member is. */
  readonly members: readonly { readonly node: string; readonly stage: 'before' | 'added' | 'primary' | 'done' }[];
  readonly waitingFor: readonly string[];
  /** What it waits for, in words. */
  readonly waiting?: string;
}

/** `GET /v1/network`: what is in force of the links and the timing. */
export interface NetworkReport {
  readonly links: readonly {
    readonly id: number;
    readonly mode: string;
    readonly priority: number;
    readonly mtu: number;
  }[];
  readonly linkMode: string;
  /** Milliseconds. */
  readonly timing: { readonly heartbeatMs: number; readonly suspectMs: number; readonly suspectMaxMs: number };
}

/** What one member remembers; only what was asked for. */
export interface GatheredPart {
  readonly node: string;
  readonly events?: readonly EventRow[];
  /** Text by file name. */
  readonly files?: Readonly<Record<string, string>>;
  /** Oldest first. */
  readonly inputs?: readonly InputRow[];
  readonly input?: StoredInput;
  /** Why it cannot tell what it has. */
  readonly problem?: string;
}

/** What all members remember. */
export interface Gathered {
  readonly parts: readonly GatheredPart[];
  /** Members that did not answer in time. */
  readonly missing: readonly string[];
}

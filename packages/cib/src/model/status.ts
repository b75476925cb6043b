/** The part of the CIB that the cluster writes: what is known of nodes, of operations that ran, and of tickets. */
import type { AttributeSet } from './attributes.ts';
import type { AgentName } from './resources.ts';

export interface Status {
  readonly nodes: readonly NodeState[];
  readonly tickets: readonly TicketState[];
}

/**
 * A node as the cluster last saw it. `inCluster`, `controller`, `join` and `expected` are kept as written, because
 * older and newer Pacemakers write them differently (`true`, or seconds since 1970) and only their reader knows.
 */
export interface NodeState {
  /** Empty if an imported document did not say; such a state counts for no node. */
  readonly id: string;
  readonly name?: string;
  /** `in_ccm`: a member of the membership. */
  readonly inCluster?: string;
  /** `crmd`: its controller answers. */
  readonly controller?: string;
  /** `join`: how far it has joined the DC: `down`, `pending`, `member`, `banned`. */
  readonly join?: string;
  /** What it should be: `member`, or `down` after a clean leave. */
  readonly expected?: string;
  /** A remote or guest node. */
  readonly isRemote?: boolean;
  /** Remote nodes: fenced since it was last connected (an epoch in seconds, or `1`). */
  readonly wasFenced?: string;
  /** Remote nodes: is in maintenance. */
  readonly inMaintenance?: string;
  /** All other attributes of the element, by their XML name, kept for export. */
  readonly other?: Readonly<Record<string, string>>;
  /** Attributes that last until the node leaves. */
  readonly transientAttributes: readonly AttributeSet[];
  /** Capacities that last until the node leaves; Pacemaker has none, but documents may hold some. */
  readonly transientUtilization?: readonly AttributeSet[];
  readonly history: readonly ResourceHistory[];
}

/** The operations of one resource (or instance) that ran on one node; the newest of each kind. */
export interface ResourceHistory {
  readonly id: string;
  readonly agent: Partial<AgentName>;
  /** The resource that this one runs inside. */
  readonly container?: string;
  /** `shutdown-lock`: when the node went down with it, in seconds since 1970. */
  readonly shutdownLock?: string;
  readonly operations: readonly OperationRecord[];
}

/** One operation that ran or runs. Names are Pacemaker's, written out; digests are hexadecimal MD5. */
export interface OperationRecord {
  /** `RESOURCE_last_0`, `RESOURCE_last_failure_0`, `RESOURCE_monitor_10000`, … */
  readonly id: string;
  /** `RESOURCE_OPERATION_INTERVAL`. */
  readonly key?: string;
  readonly operation: string;
  readonly intervalMs: number;
  /** The order of results on one node; -1 while pending. */
  readonly callId: number;
  /** OCF exit code; 193 (unknown) while pending. */
  readonly exitCode: number;
  /** What became of the attempt: -1 pending, 0 done, 1 cancelled, 2 timed out, … (agents guide). */
  readonly status: number;
  readonly exitReason?: string;
  /** `ACTION:TRANSITION:EXPECTED:ID` and `STATUS:EXIT;KEY`. */
  readonly transitionKey?: string;
  readonly transitionMagic?: string;
  readonly onNode?: string;
  /** Seconds since 1970. */
  readonly lastChange?: number;
  readonly lastRun?: number;
  readonly execMs?: number;
  readonly queueMs?: number;
  readonly featureSet?: string;
  readonly digest?: string;
  readonly restartDigest?: string;
  /** Names of parameters whose change needs a restart, blank-separated with blanks at both ends. */
  readonly forceRestart?: string;
  readonly secureDigest?: string;
  readonly secureParameters?: string;
  readonly migrateSource?: string;
  readonly migrateTarget?: string;
  readonly reportedBy?: string;
  /** All other attributes of the element, by their XML name, kept for export. */
  readonly other?: Readonly<Record<string, string>>;
}

/** A ticket of this site. `granted`, `standby` and `lastGranted` (seconds since 1970) are named; the rest is free. */
export interface TicketState {
  readonly id: string;
  readonly isGranted?: boolean;
  readonly isStandby?: boolean;
  readonly lastGranted?: string;
  readonly other?: Readonly<Record<string, string>>;
}

/**
 * What goes into the local resource manager and what comes out: its whole surface towards the node.
 *
 * The daemon's host carries the effects out in order. `startProcess`, `killProcess` and timers are the shapes every
 * subsystem uses; the rest is ours. Process ids and timer ids of this package begin with `lrm/`.
 */
import type { AgentName, OperationRecord, ResourceHistory } from '@systole/cib';
import type {
  Epoch,
  KillProcess,
  ProcessEnded,
  StartProcess,
  StartTimer,
  StopTimer,
  TimerExpired,
} from '@systole/kernel';
import type { AgentPlaces, FirstExisting } from '@systole/ra';

/** Asks for an operation. Once if `intervalMs` is 0, else again and again until cancelled, stopped or forgotten. */
export interface Execute {
  readonly type: 'execute';
  /** The caller's name for this request; comes back in everything that is said about it. */
  readonly operationId: string;
  /** The resource's name in the history: `web`, or an instance of a clone, `web:0`. */
  readonly resource: string;
  readonly agent: AgentName;
  /** `start`, `stop`, `monitor`, `promote`, `demote`, `notify`, `migrate_to`, `migrate_from`, `reload-agent`, `reload`, … */
  readonly operation: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Waits so long at the head of the resource's queue, holding back what comes after it. */
  readonly startDelayMs?: number;
  /** The agent's parameters by name; a value `lrm://` stands for a secret kept on the node. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Meta attributes by name, without `CRM_meta_`; `-` and `_` are the same. */
  readonly meta: Readonly<Record<string, string>>;
  readonly transitionKey: string;
  /** The exit code that means success: 0; 7 for a probe of what should be stopped; 8 for a promoted monitor. */
  readonly expectedExitCode: number;
  /** A recurring operation reports every run, or only runs whose result differs from the one before (the default). */
  readonly notify?: 'always' | 'changes';
  readonly featureSet?: string;
}

/** Takes a recurring operation back, or a one-time operation that has not begun. */
export interface Cancel {
  readonly type: 'cancel';
  /** Present if the caller wants an `operationCancelled` with its id. */
  readonly operationId?: string;
  readonly resource: string;
  readonly operation: string;
  readonly intervalMs: number;
}

/** Forgets a resource: its history and recurring operations. Waits for the operation in flight. */
export interface Forget {
  readonly type: 'forget';
  readonly operationId?: string;
  readonly resource: string;
  /** Only this operation's failures (cleanup of one operation), if present. */
  readonly only?: { readonly operation: string; readonly intervalMs: number };
}

/**
 * The first input of a daemon that has run before: what its former life had saved, and which of its processes still
 * live (the host recognises them by process id and start time). Until `ready` comes, no operation begins.
 */
export interface Restore {
  readonly type: 'restore';
  readonly saved: readonly SavedResource[];
  readonly survivors: readonly string[];
  /** True if the node has booted since: then nothing can be running, and all history is void. */
  readonly hasRebooted: boolean;
}

/** The answer to `readSecrets`. */
export interface SecretsRead {
  readonly type: 'secretsRead';
  readonly id: string;
  readonly outcome:
    | { readonly type: 'read'; readonly values: Readonly<Record<string, string>> }
    | { readonly type: 'failed'; readonly message: string };
}

/** The fencer's answer to `askDevice`; what the fencer says under an id that begins with `lrm/` is meant for us. */
export interface DeviceAnswered {
  readonly type: 'deviceAnswered';
  readonly requestId: string;
  readonly isOk: boolean;
  readonly reason: string;
}

/** The service manager's word that everything is to be stopped before the node leaves; cancels what recurs. */
export interface CancelAll {
  readonly type: 'cancelAll';
}

/** Agents on disk may have changed: descriptions are read again when next needed. */
export interface AgentsChanged {
  readonly type: 'agentsChanged';
}

export type LrmInput =
  | Execute
  | Cancel
  | CancelAll
  | Forget
  | Restore
  | SecretsRead
  | DeviceAnswered
  | AgentsChanged
  | ProcessEnded
  | TimerExpired;

/** An operation has begun; sent only for those whose meta attributes say `record_pending` (the default). */
export interface OperationPending {
  readonly type: 'operationPending';
  readonly operationId: string;
  readonly resource: string;
  readonly agent: AgentName;
  /** Status -1, exit code 193. */
  readonly record: OperationRecord;
}

/** An operation has a result. For a recurring one this comes once for its first run, then as `notify` says. */
export interface OperationEnded {
  readonly type: 'operationEnded';
  readonly operationId: string;
  readonly resource: string;
  readonly agent: AgentName;
  /** What belongs into the status. Cancelled and notify operations have a record but are not kept in the history. */
  readonly record: OperationRecord;
  /** Further records that this result changes, such as `RESOURCE_last_failure_0`. */
  readonly alsoChanged: readonly OperationRecord[];
  /** Ids of records that this result makes void (the monitors that a stop has cancelled). */
  readonly removed: readonly string[];
  /** False if the exit code is not the expected one or the attempt itself failed. */
  readonly hasSucceeded: boolean;
  /** The beginning and end of what the agent wrote: standard error if there was any, else standard output. */
  readonly output: string;
  readonly isRecurring: boolean;
  readonly expectedExitCode: number;
}

/** A recurring operation is no more. `wasKnown` is false if there was none (which is as good). */
export interface OperationCancelled {
  readonly type: 'operationCancelled';
  readonly operationId?: string;
  readonly resource: string;
  readonly operation: string;
  readonly intervalMs: number;
  readonly wasKnown: boolean;
  readonly removed: readonly string[];
}

/** All that was known of a resource (or the records named) is gone and belongs out of the status. */
export interface HistoryForgotten {
  readonly type: 'historyForgotten';
  readonly operationId?: string;
  readonly resource: string;
  /** Absent: all of it. */
  readonly records?: readonly string[];
}

/** To be durable before the effects after it: what a next life needs to know of a resource; absent: delete it. */
export interface SaveHistory {
  readonly type: 'saveHistory';
  readonly resource: string;
  readonly saved?: SavedResource;
}

/** Asks the host for secrets kept beside the configuration. */
export interface ReadSecrets {
  readonly type: 'readSecrets';
  readonly id: string;
  readonly resource: string;
  readonly names: readonly string[];
}

/**
 * A resource of class stonith is started or monitored: the fencer on this node is to try the device. The node hands
 * it over as it is.
 */
export interface AskDevice {
  readonly type: 'askDevice';
  /** Begins with `lrm/`. */
  readonly requestId: string;
  readonly device: string;
  readonly action: 'monitor';
  readonly timeoutMs: number;
}

/** After a `restore`: the former life's processes are gone, what it ran has been probed. History can be offered to the DC. */
export interface Ready {
  readonly type: 'ready';
  readonly history: readonly ResourceHistory[];
}

/** An input that makes no sense here; counted and logged, nothing else happened. */
export interface Rejected {
  readonly type: 'rejected';
  readonly subsystem: 'lrm';
  readonly reason: string;
}

export type LrmEffect =
  | StartProcess
  | KillProcess
  | StartTimer
  | StopTimer
  | OperationPending
  | OperationEnded
  | OperationCancelled
  | HistoryForgotten
  | SaveHistory
  | ReadSecrets
  | AskDevice
  | Ready
  | Rejected;

/** What is kept on disk of a resource. It holds parameters: the file belongs to root alone. Plain JSON. */
export interface SavedResource {
  readonly resource: string;
  readonly agent: AgentName;
  readonly records: readonly OperationRecord[];
  readonly recurring: readonly Execute[];
  /** The last one-time operation that could have made it run, to probe with and to restore recurring ones from. */
  readonly lastActive?: Execute;
  /** The operation in flight and its process, if any. */
  readonly inFlight?: { readonly request: Execute; readonly processId: string; readonly callId: number };
  /** The highest call id given so far on this node. */
  readonly callId: number;
}

/** What the local resource manager is told when it is made. */
export interface LrmOptions {
  readonly node: string;
  readonly nodeId: string;
  /** Where agents are, and the host's word on which of several files exists first. */
  readonly places: AgentPlaces;
  readonly firstExisting: FirstExisting;
  /** Wall clock, for history. */
  readonly wallClock: () => Epoch;
}

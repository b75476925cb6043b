/**
 * What goes into the cluster resource manager and what comes out: its whole surface towards the node.
 *
 * It knows nodes by name, messages as plain JSON, and knows nothing of datagrams, processes, fence devices or files:
 * `daemon/src/node/route.ts` turns these effects into inputs of the parts that do.
 */
import type { AgentName, Change, Cib, OperationRecord, ReplicaState, ResourceHistory } from '@systole/cib';
import type { Epoch, ErrorCode, Instant, Random, StartTimer, StopTimer, TimerExpired } from '@systole/kernel';
import type { Transition } from '@systole/pe';
import type { ControllerMessage } from './messages.ts';

export interface ViewMember {
  readonly name: string;
  /** Tells this life of the node's daemon from its earlier ones. */
  readonly incarnation: number;
}

export interface DepartedMember extends ViewMember {
  /** Only `left` is clean; after anything else its services may still run. */
  readonly cause: string;
}

/** A place in the agreed order: comparable within a view and across the views of a quorate lineage. */
export interface Position {
  readonly view: number;
  readonly sequence: number;
}

export type CrmInput =
  /** The local resource manager knows what runs here. Until then this node takes part, but gets no resources. */
  | { readonly type: 'lrmReady'; readonly history: readonly ResourceHistory[] }
  /** The view ends; what is delivered until `viewInstalled` is delivered to exactly these members. */
  | { readonly type: 'viewEnding'; readonly survivors: readonly string[] }
  | {
      readonly type: 'viewInstalled';
      readonly number: number;
      /** In order of rank. */
      readonly members: readonly ViewMember[];
      readonly departed: readonly DepartedMember[];
    }
  | { readonly type: 'viewActive' }
  | {
      readonly type: 'quorum';
      readonly state: 'held' | 'uncertain' | 'lost';
      readonly reason: string;
      /** From so long after the view's activation on, no other partition believes itself quorate. */
      readonly exclusiveAfterMs?: number;
    }
  /** A message in the agreed order. `message` is what came off the wire: checked here. */
  | {
      readonly type: 'delivered';
      readonly from: string;
      readonly position: Position;
      readonly isTransitional: boolean;
      /** For a message of this node: the id it was sent with. */
      readonly messageId?: number;
      readonly message: unknown;
    }
  /** A message of this node has no place in the order, and those who move on with this node never see it. */
  | { readonly type: 'rejected'; readonly messageId: number; readonly reason: string }
  /** The policy engine's answer to `schedule`. */
  | { readonly type: 'scheduled'; readonly scheduleId: number; readonly outcome: ScheduleOutcome }
  | OperationResult
  | {
      readonly type: 'operationCancelled';
      readonly operationId?: string;
      readonly resource: string;
      readonly removed: readonly string[];
    }
  | {
      readonly type: 'historyForgotten';
      readonly operationId?: string;
      readonly resource: string;
      readonly records?: readonly string[];
    }
  | {
      readonly type: 'fenceEnded';
      readonly requestId: string;
      readonly target: string;
      readonly action: 'off' | 'reboot' | 'on';
      readonly outcome: 'ok' | 'failed' | 'timedOut' | 'noDevice' | 'refused';
      readonly devices: readonly string[];
      readonly executor?: string;
      readonly reason: string;
    }
  | { readonly type: 'request'; readonly requestId: string; readonly request: ClientRequest }
  /** Leave in order: resources first. */
  | { readonly type: 'shutDown'; readonly reason: string }
  | TimerExpired;

/** An operation of the local resource manager has a result. */
export interface OperationResult {
  readonly type: 'operationEnded';
  readonly operationId: string;
  readonly resource: string;
  readonly agent: AgentName;
  readonly record: OperationRecord;
  readonly alsoChanged: readonly OperationRecord[];
  readonly removed: readonly string[];
  readonly hasSucceeded: boolean;
  readonly expectedExitCode: number;
}

export type ScheduleOutcome =
  | { readonly type: 'transition'; readonly transition: Transition }
  /** The policy engine could not make sense of the CIB. */
  | { readonly type: 'failed'; readonly message: string };

/** What an operator, a tool or an agent asks of this node. Exactly one `answer` each. */
export type ClientRequest =
  | {
      readonly type: 'change';
      readonly change: Change;
      readonly user: string;
      readonly command?: string;
      /** Refused unless the configuration is still of this epoch. */
      readonly ifEpoch?: number;
    }
  /** Sets (null: removes) transient attributes of a node; after `dampenMs` without another change of the same name. */
  | {
      readonly type: 'setAttributes';
      readonly node: string;
      readonly values: Readonly<Record<string, string | null>>;
      readonly dampenMs?: number;
    }
  /** Forgets failures (or, with `isWhole`, all that is known) of resources, so that they are looked at afresh. */
  | {
      readonly type: 'cleanUp';
      readonly resource?: string;
      readonly node?: string;
      readonly operation?: string;
      readonly intervalMs?: number;
      readonly isWhole: boolean;
    }
  | { readonly type: 'fence'; readonly target: string; readonly action: 'off' | 'reboot' | 'on'; readonly user: string }
  /** A person vouches that the node is down. */
  | { readonly type: 'confirmDown'; readonly target: string; readonly user: string };

export type Answer =
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false;
      readonly code: ErrorCode;
      readonly message: string;
      readonly details?: Readonly<Record<string, unknown>>;
    };

/**
 * What was asked with this `schedule` is carried out as a transition, or could not be decided: its input is worth keeping.
 * Nothing waits for it.
 */
export interface KeepInput {
  readonly type: 'keepInput';
  readonly scheduleId: number;
  readonly transitionId: string;
  /** 0: the policy engine failed, and there is no transition. */
  readonly number: number;
  readonly cause: string;
}

export type CrmEffect =
  /** To all members, this node included, in the agreed order. `durable`: on a quorum's disks before it is delivered. */
  | {
      readonly type: 'send';
      readonly messageId: number;
      readonly service: 'agreed' | 'safe' | 'durable';
      readonly message: ControllerMessage;
    }
  | { readonly type: 'schedule'; readonly scheduleId: number; readonly cib: Cib; readonly at: Epoch }
  | KeepInput
  | {
      readonly type: 'execute';
      readonly operationId: string;
      readonly resource: string;
      readonly agent: AgentName;
      readonly operation: string;
      readonly intervalMs: number;
      readonly timeoutMs: number;
      readonly startDelayMs?: number;
      readonly parameters: Readonly<Record<string, string>>;
      readonly meta: Readonly<Record<string, string>>;
      readonly transitionKey: string;
      readonly expectedExitCode: number;
      readonly featureSet?: string;
    }
  | {
      readonly type: 'cancel';
      readonly operationId: string;
      readonly resource: string;
      readonly operation: string;
      readonly intervalMs: number;
    }
  /** Reset this machine now, as `no-quorum-policy=fence` asks. */
  | { readonly type: 'resetSelf'; readonly reason: string }
  | {
      readonly type: 'forget';
      readonly operationId?: string;
      readonly resource: string;
    }
  | {
      readonly type: 'fence';
      readonly requestId: string;
      readonly target: string;
      readonly action: 'off' | 'reboot' | 'on';
      readonly timeoutMs: number;
      readonly delayMs?: number;
      readonly client: string;
      readonly isManual?: boolean;
    }
  | { readonly type: 'confirmDown'; readonly requestId: string; readonly target: string; readonly by: string }
  /** The CIB is another now. `isWhole`: taken over from another member, so the copy on disk is to be replaced. */
  | {
      readonly type: 'cibChanged';
      readonly before: Cib;
      readonly after: Cib;
      readonly isConfiguration: boolean;
      readonly isWhole: boolean;
    }
  /** This node's copy is that of the view: durable entries may now be stored on top of it. */
  | { readonly type: 'integrated'; readonly number: number; readonly dc: string }
  | { readonly type: 'answer'; readonly requestId: string; readonly answer: Answer }
  /** Leave the membership now: nothing runs here any more, or the wait for that is over. */
  | { readonly type: 'leave'; readonly reason: string; readonly isClean: boolean }
  /** Something for log, timeline and event stream; also everything that waits for a state looks again. */
  | Report
  | StartTimer
  | StopTimer;

export interface Report {
  readonly type: 'report';
  readonly level: 'error' | 'warn' | 'info' | 'debug';
  /** Stable: scripts rely on it. `node.lost`, `dc.elected`, `resource.failed`, … */
  readonly event: string;
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface CrmOptions {
  readonly self: string;
  readonly incarnation: number;
  /** Nodes that the node's own file expects; each is entered into the CIB when the partition first has quorum. */
  readonly expectedNodes: readonly string[];
  readonly random: Random;
  readonly wallClock: () => Epoch;
  /** Asked before anything is started or fenced: what was last said of quorum may be old news. Absent: it never is. */
  readonly isQuorumHeldNow?: () => boolean;
  /** What survived of the CIB; absent at the first start. */
  readonly saved?: { readonly state: ReplicaState; readonly lineage: number };
  readonly now: Instant;
}

/**
 * What the policy engine decides: a graph of actions that leads from the present status to the wanted one. The
 * transition engine carries it out; the shell shows it. Field names follow the format `systole-simulate/1`.
 */
import { md5 } from '@systole/cib';

export interface Transition {
  readonly settings: TransitionSettings;
  readonly actions: readonly TransitionAction[];
  /** Pairs of indexes into `actions`: the first must be complete before the second may start. Without loops. */
  readonly orderings: readonly (readonly [number, number])[];
}

export interface TransitionSettings {
  readonly clusterDelayMs: number;
  readonly fencingTimeoutMs: number;
  /** At most so many actions at a time; 0: as many as the members' load allows. */
  readonly batchLimit: number;
  /** At most so many live migrations at a time on one node; -1: no limit. */
  readonly migrationLimit: number;
  /** What a failed stop (start) adds to the fail count: INFINITY, or 1. */
  readonly failedStopOffset: number;
  readonly failedStartOffset: number;
  /** When something will change by itself (a failure expires, a rule's time comes), in seconds since 1970. */
  readonly recheckBy?: number;
}

export type ActionKind =
  /** An operation of a resource agent. */
  | 'rsc'
  /** Fencing or unfencing a node. */
  | 'fence'
  /** Something the cluster manager does itself: `do_shutdown`, `clear_failcount`, `lrm_delete`. */
  | 'cluster'
  /** Runs nothing; orders other actions. */
  | 'pseudo';

export interface TransitionAction {
  readonly kind: ActionKind;
  /** `start`, `stop`, `monitor`, `promote`, …; `reboot`, `off`, `on`; `do_shutdown`, …; `running`, `stopped`, … */
  readonly operation: string;
  /** `RESOURCE_OPERATION_INTERVAL`, with the name that the resource has in the history. */
  readonly key: string;
  /** Where it runs; for fencing, the node that is fenced. Absent for pseudo-actions. */
  readonly node?: string;
  readonly nodeId?: string;
  /** The cluster node that relays to a remote or guest node. */
  readonly via?: string;
  /** The resource's id in the configuration, and the instance's name where it is a clone's. */
  readonly resource?: string;
  readonly instance?: string;
  readonly instanceKey?: string;
  /** `class:provider:type`. */
  readonly agent?: string;
  readonly intervalMs?: number;
  readonly timeoutMs?: number;
  /** The exit code that means success: 0, or for probes 7 (not running), for promoted monitors 8. */
  readonly expectedExitCode?: number;
  readonly role?: string;
  readonly mode?: string;
  /** Higher goes first where a limit makes actions wait. */
  readonly priority?: number;
  /** A fencing that happens by recovering the resource that the guest node runs in. */
  readonly isImplied?: boolean;
  /** The transition goes on if it fails. */
  readonly canFail?: boolean;
  /** The two nodes of a live migration. */
  readonly source?: string;
  readonly target?: string;
  /** Ids of nodes that this action takes down. */
  readonly downed?: readonly string[];
  /** Remote nodes, by id, that are to be told that they are in maintenance, or not any more. */
  readonly maintenance?: Readonly<Record<string, boolean>>;
  /** The resource stays locked to this node; since when, in seconds since 1970. */
  readonly shutdownLock?: number;
  /** The agent's parameters, by name. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Meta attributes of the resource and operation, by name, without `CRM_meta_`. */
  readonly meta: Readonly<Record<string, string>>;
  /** Why this action is in the graph, in words for an operator. */
  readonly reason?: string;
}

/**
 * The meta attributes that the executor gets and passes on to the agent: those of `meta`, and those that the
 * transition has fields for. (What every operation has, such as its timeout, the executor knows by itself.)
 */
export function executorMeta(action: TransitionAction): Readonly<Record<string, string>> {
  const { role, source, target, expectedExitCode } = action;
  return {
    ...action.meta,
    ...(role === undefined ? {} : { role }),
    ...(source === undefined ? {} : { migrate_source: source }),
    ...(target === undefined ? {} : { migrate_target: target }),
    ...(expectedExitCode === undefined ? {} : { op_target_rc: String(expectedExitCode) }),
  };
}

/** A fingerprint, to see whether a decision that is made again is the same: settings, actions and orderings, to the byte. */
export const transitionDigest = ({ settings, actions, orderings }: Transition): string =>
  md5(JSON.stringify([settings, actions, orderings]));

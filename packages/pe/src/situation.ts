/**
 * The cluster as it is at one instant, read from the CIB: the input of every later stage, which takes it and returns
 * values of its own. Nothing here changes after `readSituation` returns it.
 *
 * Objects refer to each other directly (`instance.parent`, `node.running`); `index` gives each node and instance a
 * small number, so that a stage can keep its values in arrays. Orders are stated: where none is, none is meant.
 */
import type { Cib, OperationRecord, ResourceHistory, RuleContext } from '@systole/cib';
import type { Instance, PrimitiveInstance } from './expand/instance.ts';
import type { Options } from './options.ts';
import type { ActiveRecurring, Demand, FailedOperation, PostponedCheck, ReadScore } from './status/demand.ts';
import type { Node } from './status/node.ts';

export interface Situation {
  readonly cib: Cib;
  /** Seconds since 1970, and the same in milliseconds. */
  readonly now: number;
  readonly nowMs: number;
  /** For evaluating rules: time, zone, references. Callers add the node or agent. */
  readonly ruleContext: RuleContext;
  readonly options: Options;
  readonly hasQuorum: boolean;

  /** Sorted by name, numbers in names compared as numbers and letters without case. `nodes[i].index === i`. */
  readonly nodes: readonly Node[];
  readonly nodeByName: ReadonlyMap<string, Node>;
  readonly nodeById: ReadonlyMap<string, Node>;

  /** Every instance, parents before children. `instances[i].index === i`. */
  readonly instances: readonly Instance[];
  /** Those without a parent: by priority, highest first, then as configured; removed ones at the end. */
  readonly roots: readonly Instance[];
  /** By `id`; of several the first. */
  readonly instanceById: ReadonlyMap<string, Instance>;
  /** By `configId`: all instances of a configured resource, in their order (for a group in a clone: the groups). */
  readonly instancesByConfigId: ReadonlyMap<string, readonly Instance[]>;
  /** Ids of primitives made from a template, by the template's id. */
  readonly templateUsers: ReadonlyMap<string, readonly string[]>;

  /** The status as recorded: by the node's name, then by the resource's name in the history. */
  readonly recorded: RecordedHistory;

  /** By id; tickets that only constraints mention are not here (not granted). */
  readonly tickets: ReadonlyMap<string, Ticket>;

  /** In the order in which they were found. */
  readonly demands: readonly Demand[];
  readonly activeRecurring: readonly ActiveRecurring[];
  readonly failedOperations: readonly FailedOperation[];
  readonly postponedChecks: readonly PostponedCheck[];
  /** Recurring operations whose failure expired: they are to be scheduled again. */
  readonly rescheduled: ReadonlySet<OperationRecord>;
  readonly readScores: readonly ReadScore[];
  /** When something read here will change by itself (seconds since 1970), with the reason; absent: never. */
  readonly recheck?: Recheck;
  /** What was wrong with the configuration, in words for an operator. */
  readonly messages: readonly Message[];
}

/** Histories by node name and resource name. */
export type RecordedHistory = ReadonlyMap<string, ReadonlyMap<string, ResourceHistory>>;

export interface Recheck {
  readonly at: number;
  readonly reason: string;
}

export interface Message {
  readonly level: 'error' | 'warning';
  readonly text: string;
}

export interface Ticket {
  readonly id: string;
  readonly isGranted: boolean;
  readonly isStandby: boolean;
  /** Seconds since 1970; absent: never granted. */
  readonly lastGranted?: number;
}

/** The earlier of two times to look again. */
export const earlier = (a: Recheck | undefined, b: Recheck | undefined): Recheck | undefined =>
  a === undefined || (b !== undefined && b.at < a.at) ? b : a;

export const isPrimitive = (instance: Instance): instance is PrimitiveInstance => instance.kind === 'primitive';

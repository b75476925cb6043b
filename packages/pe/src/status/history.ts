/** The operations that ran on a node, parsed and in the order in which they ran. */
import type { OperationRecord, ResourceHistory } from '@systole/cib';

/** One record of the status with what every reader of it needs. */
export interface HistoryEntry {
  readonly record: OperationRecord;
  readonly operation: string;
  readonly intervalMs: number;
  /** `RESOURCE_OPERATION_INTERVAL`. */
  readonly key: string;
  /** -1 while pending. */
  readonly callId: number;
  /** As recorded, -1 pending, 0 done, … */
  readonly status: number;
  readonly exitCode: number;
  /** What the transition expected; -1 if the record does not say. */
  readonly expectedExitCode: number;
  /** Seconds since 1970; 0 if not recorded. */
  readonly lastChange: number;
  /** A recurring operation whose failure expired: it is to be scheduled again. */
  readonly mustReschedule: boolean;
}

/** All of a resource's entries on one node, oldest first. */
export interface ResourceHistoryOnNode {
  readonly source: ResourceHistory;
  /** The name in the history: `web`, or `web:1` of a unique clone. */
  readonly id: string;
  readonly entries: readonly HistoryEntry[];
  /** Positions of the newest start and stop that matter; an entry before the start (or up to the stop) is not active. */
  readonly startIndex: number;
  readonly stopIndex: number;
}

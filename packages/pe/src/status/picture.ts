/**
 * What reading the entries of one resource on one node works on: the entry with its result, and what those before it
 * have left behind; with the numbers that results are told in.
 */
import { isProbe, type OnFail } from '../config/operations.ts';
import { type DraftNode, type DraftPrimitive, isBundledDraft } from '../expand/draft.ts';
import type { HistoryEntry } from './history.ts';

/** OCF exit codes that mean something here. */
export const exit = {
  ok: 0,
  invalidParameter: 2,
  notImplemented: 3,
  noPermission: 4,
  notInstalled: 5,
  notConfigured: 6,
  notRunning: 7,
  promoted: 8,
  promotedFailed: 9,
  degraded: 190,
  degradedPromoted: 191,
} as const;

/** What became of the attempt to run an operation, as the executor records it. */
export const status = {
  unknown: -2,
  pending: -1,
  done: 0,
  cancelled: 1,
  timedOut: 2,
  notSupported: 3,
  error: 4,
  /** Never again on this node. */
  hardError: 5,
  /** Never again anywhere. */
  fatalError: 6,
  notInstalled: 7,
  notConnected: 8,
  invalid: 9,
  noFenceDevice: 10,
  noSecrets: 11,
} as const;

/** What the entries read so far have left behind, for one resource on one node. */
export interface Picture {
  readonly instance: DraftPrimitive;
  readonly node: DraftNode;
  /** The newest failure that has not been cleared. */
  lastFailure?: HistoryEntry;
  /** What is to be done about it. */
  onFail: OnFail;
}

/** An entry with its result as it counts: remapped by what was expected and by what the operation is. */
export interface Judged {
  readonly entry: HistoryEntry;
  status: number;
  exitCode: number;
}

/** A probe that could not even ask means "not running" (and says nothing more), except inside a bundle. */
export function isMaskedProbe(instance: DraftPrimitive, entry: HistoryEntry): boolean {
  return (
    isProbe(entry.operation, entry.intervalMs) &&
    !isBundledDraft(instance) &&
    (entry.exitCode === exit.notInstalled ||
      entry.exitCode === exit.invalidParameter ||
      entry.status === status.notInstalled)
  );
}

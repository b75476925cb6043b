/** An action while it is not yet decided whether it is needed and can be done. */
import type { Node } from '../status/node.ts';
import type { Link } from './link.ts';
import type { Subject } from './subject.ts';

export const Flag = {
  /** Runs nothing; a point in time that others are ordered by, or a deed that something else implies. */
  pseudo: 1 << 0,
  /** Can be done. */
  runnable: 1 << 1,
  /** Need not be done. */
  optional: 1 << 2,
  /** In the graph even if optional. */
  always: 1 << 3,
  /** Can be part of a live migration. */
  migratable: 1 << 4,
  /** A stop that cleans up after a migration that was left halfway. */
  migrationAbort: 1 << 5,
  /** A recurring operation that must be started anew although it is active. */
  reschedule: 1 << 6,
  /** Done by the DC, so its node need not be there. */
  onDc: 1 << 7,
} as const;

/** Made with every field there from the start: there are many, and objects of one shape are quick to use. */
export interface Draft {
  /** Position in `Plan.drafts`, the order of creation. */
  readonly id: number;
  /** Absent for fencing, shutdowns and points in time that belong to no resource. */
  readonly subject: Subject | undefined;
  /** `start_0`, `monitor_10000`, `pre_notify_start_0`; for drafts without subject the whole key. */
  readonly key: string;
  /** What is done: `start`, `monitor`, `notify`, `stonith`, …; `cancel` where a recurring operation is cancelled. */
  operation: string;
  /** What it was made as: a recurring operation that became a `cancel` keeps its configuration. */
  readonly madeAs: string;
  readonly intervalMs: number;
  /** The recurring operation that a `cancel` ends. */
  cancels: string | undefined;
  node: Node | undefined;
  /** `Flag` bits. */
  flags: number;
  /** What a start or promotion on a lost node's account needs first. */
  needs: 'nothing' | 'quorum' | 'fencing';
  priority: number;
  /** So many `minRunnable` firsts must be runnable; 0: not counted. */
  requiredBefore: number;
  /** Further meta attributes: what is notified, migrated, cancelled, expected. */
  extra: ReadonlyMap<string, string>;
  /** The exit code that is expected, where that is not 0: of a probe, or a monitor of a promoted or stopped one. */
  expectedExitCode: number | undefined;
  /** Fencing: `reboot`, `off` or `on`. */
  readonly fencing: string | undefined;
  reason: string | undefined;
  /** Waits in the work list of `settle`. */
  isQueued: boolean;
  /** For `flagsOf`: its answers, by node, while the version of the resource is this. */
  memo: { readonly version: number; readonly byNode: Map<Node | undefined, number> } | undefined;
  readonly before: Link[];
  readonly after: Link[];
}

export const isOptional = (draft: Draft): boolean => (draft.flags & Flag.optional) !== 0;
export const isRunnable = (draft: Draft): boolean => (draft.flags & Flag.runnable) !== 0;
export const isPseudo = (draft: Draft): boolean => (draft.flags & Flag.pseudo) !== 0;
export const isMigratable = (draft: Draft): boolean => (draft.flags & Flag.migratable) !== 0;
export function set(draft: Draft, flags: number): void {
  if ((draft.flags & flags) === flags) return;
  draft.flags |= flags;
  changed(draft.subject);
}

export function clear(draft: Draft, flags: number): void {
  if ((draft.flags & flags) === 0) return;
  draft.flags &= ~flags;
  changed(draft.subject);
}

/** Tells what a resource is part of that its actions have changed. */
export function changed(subject: Subject | undefined): void {
  for (let parent = subject?.parent; parent !== undefined; parent = parent.parent) parent.version++;
}

/** The first reason stays: it is the nearest to the cause. */
export function giveReason(draft: Draft, reason: string): void {
  draft.reason ??= reason;
}

/** Adds a meta attribute of this action alone. */
export function note(draft: Draft, name: string, value: string): void {
  // Most actions have none and share one empty map, which must stay so.
  if (draft.extra.size === 0) draft.extra = new Map([[name, value]]);
  else (draft.extra as Map<string, string>).set(name, value);
}

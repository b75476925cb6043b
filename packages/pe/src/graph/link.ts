/**
 * What it means that one action comes before another.
 *
 * "First, then" alone is an order in time. Most pairs mean more: that one needs the other, that one makes no sense
 * without the other, that both matter only on one node. Each such meaning is a bit here, and `settle.ts` carries the
 * meanings out until nothing changes. Bits combine: a restart is `ordered | firstImpliesThen | restart`.
 *
 * Semantics: the action relations of Pacemaker's scheduler, whose results these bits must reproduce.
 */
import type { Draft } from './draft.ts';

export const Means = {
  /** Nothing: a link that was found not to apply. */
  nothing: 0,
  /** If both are done, the first is complete before the second starts. */
  ordered: 1 << 0,
  /** Applies only while the first cannot be part of a live migration. */
  ifFirstUnmigratable: 1 << 1,
  /** If the second is required, so is the first; a blocked first stop blocks the second. */
  thenImpliesFirst: 1 << 2,
  /** If the first is required, so is the second; a blocked first stop blocks the second. */
  firstImpliesThen: 1 << 3,
  /** As `thenImpliesFirst`, where the second belongs to a promoted instance. */
  promotedThenImpliesFirst: 1 << 4,
  /** The first can run only if the second can and may migrate, and is required if the second is. */
  unmigratableThenBlocks: 1 << 5,
  /** The second can run only if the first can. */
  unrunnableFirstBlocks: 1 << 6,
  /** If the first cannot run, the second becomes a real action outside a migration. */
  firstElseThen: 1 << 7,
  /** If the first is required, so is the second on the first's node. */
  firstImpliesSameNodeThen: 1 << 8,
  /** A connection's probe waits for its container's start, unless that container is active and cannot be started. */
  nestedRemoteProbe: 1 << 9,
  /** A stop that is needed whenever the second is: stop before start, later member before earlier one. */
  restart: 1 << 10,
  /** Not at the same time. (Done as `first` before `then`.) */
  serialize: 1 << 11,
  /** Applies only where both are on one node. */
  ifOnSameNode: 1 << 12,
  /** If the second is required, the first is in the graph, if only as a point in time. */
  thenImpliesFirstGraphed: 1 << 13,
  /** If the first is required and can run, the second is in the graph. */
  firstImpliesThenGraphed: 1 << 14,
  /** An order constraint that has no inverse. */
  asymmetric: 1 << 15,
  /** Applies on one node only, which for `migrate_to` is the node that is migrated to. */
  ifOnSameNodeOrTarget: 1 << 16,
  /** The second can run once enough such firsts can. */
  minRunnable: 1 << 17,
  /** Made by the cluster: applies although one runs inside the guest that the other starts or stops. */
  guestAllowed: 1 << 18,
  /** If the second is required, the first is not wanted any more. */
  thenCancelsFirst: 1 << 19,
  /** Applies only if the first is required, and both are on one node. */
  ifRequiredOnSameNode: 1 << 20,
} as const;

/** A pair of actions, and what their order means (`Means` bits). */
export interface Link {
  readonly first: Draft;
  readonly then: Draft;
  /** As it was made. */
  readonly meaning: number;
  /** What still applies of it; cleared where it is found not to. */
  active: number;
}

export const has = (bits: number, wanted: number): boolean => (bits & wanted) !== 0;

/**
 * What the present state asks for by itself, whatever placement decides: the reader finds these while it reads the
 * histories, the action stage makes actions of them.
 */
import type { Instance, PrimitiveInstance } from '../expand/instance.ts';
import type { HistoryEntry } from './history.ts';
import type { Node } from './node.ts';

export type Demand =
  /** A failure calls for a stop here; `isOptional` if it then turned out to be stopped, so that only more can need it. */
  | {
      readonly type: 'stop';
      readonly instance: PrimitiveInstance;
      readonly node: Node;
      readonly isOptional: boolean;
    }
  /** A failure with `on-fail=demote`. */
  | { readonly type: 'demote'; readonly instance: PrimitiveInstance; readonly node: Node }
  /** The node is unclean and must be fenced. `hasPriorityDelay`: `priority-fencing-delay` may apply. */
  | { readonly type: 'fence'; readonly node: Node; readonly reason: string; readonly hasPriorityDelay: boolean }
  /** A fail count is to be cleared; after the fencing of the connection's node where one is given. */
  | {
      readonly type: 'clearFailCount';
      readonly instance: PrimitiveInstance;
      readonly node: Node;
      readonly reason: string;
      readonly afterFencing?: Node;
    }
  /** An expired shutdown lock: the history on that node is to be deleted. */
  | { readonly type: 'clearHistory'; readonly instance: PrimitiveInstance; readonly node: Node };

/** A recurring operation that is active now. It stays unless the action stage finds that it must go. */
export interface ActiveRecurring {
  readonly instance: PrimitiveInstance;
  readonly node: Node;
  readonly operation: string;
  readonly intervalMs: number;
}

/** A failed operation, for status and explanation. */
export interface FailedOperation {
  readonly instance: Instance;
  readonly node: Node;
  readonly entry: HistoryEntry;
}

/** The digest of this failure can be compared only when the bundle's place is known. */
export interface PostponedCheck {
  readonly instance: PrimitiveInstance;
  readonly node: Node;
  readonly entry: HistoryEntry;
}

/** A score that the reader put on an instance's allowed nodes, for explanation: the sums are in `allowed` already. */
export interface ReadScore {
  readonly instance: Instance;
  /** Absent: on all nodes. */
  readonly node?: Node;
  readonly score: number;
  /** In words: `stop failed here`, `not managed`, `no longer configured`, … */
  readonly reason: string;
}

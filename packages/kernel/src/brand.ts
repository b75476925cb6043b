/**
 * Brands keep like things apart: a node's name is not a resource's id, and a duration is not a point in time.
 * A brand costs nothing at run time. Make one where the value enters, by the constructor here, and carry it everywhere.
 */

declare const brand: unique symbol;

/** A `Base` that only its constructor, or a checked schema, may make. */
export type Brand<Base, Name extends string> = Base & { readonly [brand]: Name };

/** A node's name: what `uname -n` says there, or what its operator chose. Unique in the cluster, compared by code unit. */
export type NodeName = Brand<string, 'NodeName'>;

/** The id of a resource as configured (`web`), or of an instance of a clone (`web:0`). */
export type ResourceId = Brand<string, 'ResourceId'>;

/** A duration in whole milliseconds, never negative. */
export type Millis = Brand<number, 'Millis'>;

/** A point of a node's monotonic clock, in whole milliseconds from an arbitrary origin. Comparable only on one node. */
export type Instant = Brand<number, 'Instant'>;

/** A point of the wall clock, in whole milliseconds since 1970 UTC. Only for rules, history and logs. */
export type Epoch = Brand<number, 'Epoch'>;

export const nodeName = (text: string): NodeName => text as NodeName;
export const resourceId = (text: string): ResourceId => text as ResourceId;

/** @throws RangeError if `value` is not a whole number from 0 up: a duration that is neither is a mistake of ours. */
export function millis(value: number): Millis {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`not a duration in milliseconds: ${value}`);
  return value as Millis;
}

/** @throws RangeError if `value` is not a whole number. */
export function instant(value: number): Instant {
  if (!Number.isSafeInteger(value)) throw new RangeError(`not an instant: ${value}`);
  return value as Instant;
}

/** @throws RangeError if `value` is not a whole number. */
export function epoch(value: number): Epoch {
  if (!Number.isSafeInteger(value)) throw new RangeError(`not a point in time: ${value}`);
  return value as Epoch;
}

export const later = (from: Instant, delay: number): Instant => (from + delay) as Instant;
export const elapsed = (from: Instant, to: Instant): number => to - from;

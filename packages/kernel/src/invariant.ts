/**
 * What must be true is asserted, and the assertions stay on in production: a node that stops is recovered by its
 * peers, a node that is wrong loses data.
 */

/** A condition that our own code guarantees did not hold. The node that throws it must stop. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** @throws InvariantError if `condition` is false; `message` says which rule was broken. */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** The `default` of a switch over a union: the compiler proves that it is not reached. */
export function unreachable(value: never): never {
  throw new InvariantError(`not a case that exists: ${JSON.stringify(value)}`);
}

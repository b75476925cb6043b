/**
 * How often a resource has failed on a node, as far as that still counts, and whether that is too often.
 *
 * Failures are recorded under the name that the resource has in the history; what an anonymous clone's instances
 * did on a node counts for every instance. A resource inside another one counts for the outer one as well, since
 * only moving that helps; a bundle's container is the exception, because its connection may be elsewhere.
 */
import { INFINITY } from '@systole/cib';
import { isBundled, type Instance, type PrimitiveInstance } from '../expand/instance.ts';
import type { Situation } from '../situation.ts';
import type { FailureRecord, Node } from '../status/node.ts';
import { sum } from './board.ts';

/** Fail counts of one node, by the name that a resource would have there. */
export interface NodeFailures {
  readonly exact: ReadonlyMap<string, readonly FailureRecord[]>;
  /** Without instance numbers. */
  readonly anonymous: ReadonlyMap<string, readonly FailureRecord[]>;
}

export function failuresOn(node: Node): NodeFailures {
  const anonymous = new Map<string, readonly FailureRecord[]>();
  for (const [name, records] of node.failures) {
    const base = withoutNumber(name);
    anonymous.set(base, [...(anonymous.get(base) ?? []), ...records]);
  }
  return { exact: node.failures, anonymous };
}

export const withoutNumber = (id: string): string => id.replace(/:\d+$/, '');

/** Its own failures that have not expired, with those of what runs inside it. */
export function effectiveFailures(situation: Situation, instance: PrimitiveInstance, failures: NodeFailures): number {
  const name = instance.historyId ?? instance.id;
  const records = instance.isUnique ? failures.exact.get(name) : failures.anonymous.get(withoutNumber(name));
  let count = 0;
  let last = 0;
  for (const record of records ?? []) {
    count = sum(count, record.count);
    last = Math.max(last, record.lastFailure);
  }
  const expirySeconds = Math.ceil(instance.failureTimeoutMs / 1000);
  if (count > 0 && last > 0 && expirySeconds > 0 && situation.now > last + expirySeconds) count = 0;
  if (!isBundled(instance)) {
    for (const inner of instance.launched) count = sum(count, effectiveFailures(situation, inner, failures));
  }
  return count;
}

/** The failures if they are as many as `migration-threshold` allows, else 0. */
export function failuresTooMany(situation: Situation, instance: PrimitiveInstance, failures: NodeFailures): number {
  if (instance.migrationThreshold === 0 || instance.hasIgnoredFailure) return 0;
  const count = effectiveFailures(situation, instance, failures);
  return count > 0 && Math.min(count, INFINITY) >= instance.migrationThreshold ? count : 0;
}

/** What leaves the node when a primitive has failed too often: the whole clone if its instances are all alike. */
export function failedOut(instance: Instance): Instance {
  if (instance.isUnique) return instance;
  let top: Instance = instance;
  while (top.parent !== undefined && top.parent.kind !== 'bundle') top = top.parent;
  return top;
}

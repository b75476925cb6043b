/** Whether a resource has failed too often on a node, and what must leave the node then. */
import { type Instance, type PrimitiveInstance, topOf } from '../expand/instance.ts';
import type { Situation } from '../situation.ts';
import { failCount } from '../status/failures.ts';
import type { Node } from '../status/node.ts';

/** The failures if they are as many as `migration-threshold` allows, else 0. What runs inside it counts too. */
export function failuresTooMany(situation: Situation, instance: PrimitiveInstance, node: Node): number {
  if (node.failures.size === 0 || instance.migrationThreshold === 0 || instance.hasIgnoredFailure) return 0;
  const { count } = failCount(situation, instance, node, { isEffective: true, withLaunched: true });
  return count > 0 && count >= instance.migrationThreshold ? count : 0;
}

/** The whole clone where its instances are all alike, else just what failed. */
export const failedOut = (instance: Instance): Instance => (instance.isUnique ? instance : topOf(instance, false));

/** An instance's parameters (instance attributes) on a node: its own sets by rule, then those of what it is part of. */
import { type AttributeSet, type Cib, mergeSets, type RuleContext } from '@systole/cib';
import type { Instance } from '../expand/instance.ts';
import type { Node } from '../status/node.ts';

/** What evaluating attributes needs of the whole; a `Situation` is one. */
export interface ParameterSource {
  readonly cib: Cib;
  /** Time, zone and references; callers add the node or the agent. */
  readonly ruleContext: RuleContext;
}

/**
 * By name. Without a node, rules on node attributes do not hold. Where no rule chooses, the answer is worked out once:
 * what ran is compared with it for every entry of the history.
 */
export function parametersOn(
  source: ParameterSource,
  instance: Instance,
  node: Node | undefined,
): ReadonlyMap<string, string> {
  const known = sameEverywhere.get(instance);
  if (known !== undefined) return known;
  const values = new Map<string, string>();
  const context: RuleContext =
    node === undefined ? source.ruleContext : { ...source.ruleContext, nodeAttributes: node.attributes };
  for (let at: Instance | undefined = instance; at !== undefined; at = at.parent) {
    mergeSets(at.parameterSets, context, values);
  }
  if (hasSameParametersEverywhere(instance)) sameEverywhere.set(instance, values);
  return values;
}

/** Answers that hold on every node. An instance belongs to one reading of one CIB, and goes with it. */
const sameEverywhere = new WeakMap<Instance, ReadonlyMap<string, string>>();

/** No rule chooses between sets, so that the node does not matter. */
export function hasSameParametersEverywhere(instance: Instance): boolean {
  for (let at: Instance | undefined = instance; at !== undefined; at = at.parent) {
    if (at.parameterSets.some((set) => set.rule !== undefined || set.idRef !== undefined)) return false;
  }
  return true;
}

/** Parameters configured for one operation only. */
export function operationParameters(
  source: ParameterSource,
  sets: readonly AttributeSet[],
  node: Node,
): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  mergeSets(sets, { ...source.ruleContext, nodeAttributes: node.attributes }, values);
  return values;
}

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

/** By name. Without a node, rules on node attributes do not hold. The same object for the same question, if it is cheap. */
export function parametersOn(
  source: ParameterSource,
  instance: Instance,
  node: Node | undefined,
): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  const context: RuleContext =
    node === undefined ? source.ruleContext : { ...source.ruleContext, nodeAttributes: node.attributes };
  for (let at: Instance | undefined = instance; at !== undefined; at = at.parent) {
    mergeSets(at.parameterSets, context, values);
  }
  return values;
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

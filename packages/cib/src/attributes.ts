/** Attribute sets → values: which set applies by its rule, and which of several wins for a name. */
import type { AttributeSet } from './model/attributes.ts';
import { evaluateRule, type RuleContext } from './rules/evaluate.ts';

export interface MergeOptions {
  /** The set with this id wins over all others whatever their scores. */
  readonly firstId?: string;
}

/**
 * Adds the values of the sets whose rules hold to `into`, from the highest score down; of sets with equal scores
 * the later wins (as Pacemaker 3 has it, so that a primitive's own sets win over its template's). A name that has a
 * value already keeps it, except that the old value `#default` takes it away.
 */
export function mergeSets(
  sets: readonly AttributeSet[],
  context: RuleContext,
  into: Map<string, string>,
  options: MergeOptions = {},
): void {
  if (sets.length === 0) return;
  for (const set of inOrder(sets, context, options.firstId)) {
    if (set.rule !== undefined && !evaluateRule(set.rule, context)) continue;
    for (const written of set.pairs) {
      const pair = written.idRef === undefined ? written : context.references.pair(written.idRef);
      const name = written.name ?? pair?.name;
      if (name === undefined || pair?.value === undefined) continue;
      if (pair.value.toLowerCase() === '#default') into.delete(name);
      else if (!into.has(name)) into.set(name, pair.value);
    }
  }
}

function inOrder(sets: readonly AttributeSet[], context: RuleContext, firstId?: string): readonly AttributeSet[] {
  const resolved = sets.some((set) => set.idRef !== undefined)
    ? sets.flatMap((set) => (set.idRef === undefined ? [set] : (context.references.set(set.idRef) ?? [])))
    : sets;
  if (resolved.length === 1) return resolved;
  const isFirst = (set: AttributeSet): number => (firstId !== undefined && set.id === firstId ? 0 : 1);
  return resolved.toReversed().toSorted((a, b) => isFirst(a) - isFirst(b) || (b.score ?? 0) - (a.score ?? 0));
}

/** The values of the sets whose rules hold. */
export function valuesOf(
  sets: readonly AttributeSet[],
  context: RuleContext,
  options: MergeOptions = {},
): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  mergeSets(sets, context, values, options);
  return values;
}

/**
 * `$id-ref=NAME` may name a set, or the resource that has it. Before a configuration is handed on, every reference
 * names what it refers to; one that refers to nothing is a problem of the statement it stands in.
 */
import type { Item } from './items.ts';
import { LanguageProblem } from './problem.ts';
import { didYouMean } from './suggest.ts';
import { forEachReference, mapRules, mapSets, type SetKind, withFields } from './walk.ts';

type TargetKind = SetKind | 'pair' | 'rule' | 'operations' | 'operation';

/** Words for messages. */
const kindWords: Readonly<Record<TargetKind, string>> = {
  parameters: 'set of parameters',
  meta: 'set of meta attributes',
  utilization: 'set of utilization attributes',
  attributes: 'set of node attributes',
  options: 'set of properties',
  resourceDefaults: 'set of resource defaults',
  operationDefaults: 'set of operation defaults',
  pair: 'pair',
  rule: 'rule',
  operations: 'set of operations',
  operation: 'operation',
};

/** The ids that each kind of reference may name, and the id that it then means. */
class Targets {
  readonly #byKind = new Map<TargetKind, Map<string, string>>();

  constructor(items: readonly Item[]) {
    // By their own ids first; the names of owners do not hide them.
    for (const item of items) this.#addOwn(item);
    for (const item of items) this.#addOwner(item);
  }

  find(kind: TargetKind, name: string): string | undefined {
    return this.#byKind.get(kind)?.get(name);
  }

  names(kind: TargetKind): Iterable<string> {
    return this.#byKind.get(kind)?.keys() ?? [];
  }

  #add(kind: TargetKind, name: string, id: string): void {
    const map = this.#byKind.get(kind) ?? new Map<string, string>();
    if (!map.has(name)) map.set(name, id);
    this.#byKind.set(kind, map);
  }

  #addOwn(item: Item): void {
    mapSets(item, (set, kind) => {
      if (set.id !== undefined) this.#add(kind, set.id, set.id);
      for (const pair of set.pairs) if (pair.id !== undefined) this.#add('pair', pair.id, pair.id);
      return set;
    });
    mapRules(item, (rule) => {
      if (rule.id !== undefined) this.#add('rule', rule.id, rule.id);
      return rule;
    });
    if (item.kind !== 'primitive' && item.kind !== 'template') return;
    const { operations } = item.value;
    if (operations.id !== undefined) this.#add('operations', operations.id, operations.id);
    for (const operation of operations.list)
      if (operation.id !== undefined) this.#add('operation', operation.id, operation.id);
  }

  #addOwner(item: Item): void {
    mapSets(item, (set, kind, owner) => {
      if (owner === item.id && set.id !== undefined) this.#add(kind, item.id, set.id);
      return set;
    });
    mapRules(item, (rule) => {
      if (rule.id !== undefined) this.#add('rule', item.id, rule.id);
      return rule;
    });
    if ((item.kind === 'primitive' || item.kind === 'template') && item.value.operations.list.length > 0) {
      this.#add('operations', item.id, item.value.operations.id ?? item.id);
    }
  }
}

/** @throws LanguageProblem if a reference names nothing. */
export function resolveReferences(items: readonly Item[]): readonly Item[] {
  let hasAny = false;
  for (const item of items) forEachReference(item, () => (hasAny = true));
  if (!hasAny) return items;
  const targets = new Targets(items);
  return items.map((item) => resolveItem(item, targets));
}

function resolveItem(item: Item, targets: Targets): Item {
  const resolve = (kind: TargetKind, name: string): string => {
    const id = targets.find(kind, name);
    if (id !== undefined) return id;
    const near = didYouMean(name, targets.names(kind));
    throw new LanguageProblem(`${item.id} refers to "${name}", but there is no such ${kindWords[kind]}${near}`, {
      place: item.locate?.(name) ?? item.place,
    });
  };
  const withSets = mapSets(item, (set, kind) => {
    const pairs = set.pairs.some((pair) => pair.idRef !== undefined)
      ? set.pairs.map((pair) => (pair.idRef === undefined ? pair : { ...pair, idRef: resolve('pair', pair.idRef) }))
      : set.pairs;
    return withFields(set, { pairs, ...(set.idRef === undefined ? {} : { idRef: resolve(kind, set.idRef) }) });
  });
  const withRules = mapRules(withSets, (rule) =>
    rule.idRef === undefined ? rule : withFields(rule, { idRef: resolve('rule', rule.idRef) }),
  );
  if (withRules.kind !== 'primitive' && withRules.kind !== 'template') return withRules;
  const { operations } = withRules.value;
  if (operations.idRef === undefined) return withRules;
  const value = { ...withRules.value, operations: { ...operations, idRef: resolve('operations', operations.idRef) } };
  return { ...withRules, value } as Item;
}

/** One value of an item: read, set, removed. Values go into the first set that always applies; one is made if needed. */
import type { AttributeSet } from '@systole/cib';
import type { Item } from '../language/items.ts';

export type ValueField = 'meta' | 'parameters' | 'utilization' | 'attributes';

const setsOf = (item: Item, field: ValueField): readonly AttributeSet[] =>
  (item.value as unknown as Partial<Record<ValueField, readonly AttributeSet[]>>)[field] ?? [];

/** Whether items of this kind have such values. */
export const hasField = (item: Item, field: ValueField): boolean => field in (item.value as object);

/** The value that applies always; what rules say is left out. */
export function readValue(item: Item, field: ValueField, name: string): string | undefined {
  for (const set of setsOf(item, field)) {
    const pair = set.rule === undefined ? set.pairs.find((each) => each.name === name) : undefined;
    if (pair !== undefined) return pair.value;
  }
  return undefined;
}

/** All values that apply always, earlier sets first. */
export function readValues(item: Item, field: ValueField): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const set of setsOf(item, field)) {
    if (set.rule !== undefined) continue;
    for (const { name, value } of set.pairs)
      if (name !== undefined && value !== undefined && !values.has(name)) values.set(name, value);
  }
  return values;
}

/** With the value, or without it if `value` is undefined. */
export function withValue(item: Item, field: ValueField, name: string, value: string | undefined): Item {
  const sets = setsOf(item, field);
  const changed = value === undefined ? without(sets, name) : having(sets, name, value);
  return { ...item, value: { ...(item.value as object), [field]: changed } } as unknown as Item;
}

const without = (sets: readonly AttributeSet[], name: string): readonly AttributeSet[] =>
  sets
    .map((set) => (set.rule === undefined ? { ...set, pairs: set.pairs.filter((pair) => pair.name !== name) } : set))
    .filter((set) => set.pairs.length > 0 || set.rule !== undefined || set.idRef !== undefined);

function having(sets: readonly AttributeSet[], name: string, value: string): readonly AttributeSet[] {
  const found = sets.findIndex((set) => set.rule === undefined && set.pairs.some((pair) => pair.name === name));
  const at = found === -1 ? sets.findIndex((set) => set.rule === undefined && set.idRef === undefined) : found;
  const set = sets[at];
  if (set === undefined) return [...sets, { pairs: [{ name, value }] }];
  const index = set.pairs.findIndex((pair) => pair.name === name);
  const pairs =
    index === -1 ? [...set.pairs, { name, value }] : set.pairs.with(index, { ...set.pairs[index], name, value });
  return sets.with(at, { ...set, pairs });
}

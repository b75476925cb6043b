/**
 * `id-ref`: an object that stands for another of that id. The index is made at the first use, because most
 * configurations have no references.
 */
import type { AttributeSet, Pair, Rule } from '../model/attributes.ts';
import type { Configuration } from '../model/configuration.ts';
import type { ResourceSet } from '../model/constraints.ts';
import type { Operation, Operations } from '../model/resources.ts';

export interface References {
  readonly set: (id: string) => AttributeSet | undefined;
  readonly pair: (id: string) => Pair | undefined;
  readonly rule: (id: string) => Rule | undefined;
  readonly resourceSet: (id: string) => ResourceSet | undefined;
  readonly operation: (id: string) => Operation | undefined;
  /** By the id of the operations, or of the resource that has them. */
  readonly operations: (id: string) => Operations | undefined;
}

export function references(configuration: Configuration): References {
  let index: ReadonlyMap<string, object> | undefined;
  const find = <T extends object>(
    id: string,
    has: keyof T & string,
    isIt: (value: unknown) => boolean,
  ): T | undefined => {
    index ??= indexById(configuration);
    const found = index.get(id) as (T & Readonly<Record<string, unknown>>) | undefined;
    return found !== undefined && isIt(found[has]) ? found : undefined;
  };
  const isText = (value: unknown): boolean => typeof value === 'string';
  return {
    set: (id) => find<AttributeSet>(id, 'pairs', Array.isArray),
    pair: (id) => find<Pair>(id, 'value', isText),
    rule: (id) => find<Rule>(id, 'expressions', Array.isArray),
    resourceSet: (id) => find<ResourceSet>(id, 'members', Array.isArray),
    operation: (id) => find<Operation>(id, 'name', isText),
    operations: (id) =>
      find<Operations>(id, 'list', Array.isArray) ??
      find<{ readonly operations: Operations }>(id, 'operations', (value) => typeof value === 'object')?.operations,
  };
}

/** Walks the plain data; of two objects with one id the first counts. An object that only refers has no id of its own. */
function indexById(configuration: Configuration): ReadonlyMap<string, object> {
  const index = new Map<string, object>();
  const waiting: unknown[] = [configuration];
  for (let at = 0; at < waiting.length; at += 1) {
    const value = waiting[at];
    if (typeof value !== 'object' || value === null) continue;
    if (!Array.isArray(value)) {
      const { id, idRef } = value as { readonly id?: unknown; readonly idRef?: unknown };
      if (typeof id === 'string' && idRef === undefined && !index.has(id)) index.set(id, value);
    }
    for (const inner of Array.isArray(value) ? (value as readonly unknown[]) : Object.values(value))
      waiting.push(inner);
  }
  return index;
}

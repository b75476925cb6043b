/** Goes through the inner parts of items: attribute sets, rules, operations. Parts that stay the same stay the same object. */
import type { AttributeSet, Expression, Operation, Rule } from '@systole/cib';
import type { Item } from './items.ts';

/** What a set is for; sets of one kind may stand for each other. */
export type SetKind =
  | 'parameters'
  | 'meta'
  | 'utilization'
  | 'attributes'
  | 'options'
  | 'resourceDefaults'
  | 'operationDefaults';

/** The XML name of a set, which its derived id contains. */
export const setNames: Readonly<Record<SetKind, string>> = {
  parameters: 'instance_attributes',
  meta: 'meta_attributes',
  utilization: 'utilization',
  attributes: 'instance_attributes',
  options: 'options',
  resourceDefaults: 'options',
  operationDefaults: 'options',
};

/** Changes sets; `owner` is the id of what has the set, `index` its place among those of its kind there. */
export type MapSet = (set: AttributeSet, kind: SetKind, owner: string, index: number) => AttributeSet;

/** The same list if nothing in it changed. */
export function mapList<T>(list: readonly T[], change: (element: T, index: number) => T): readonly T[] {
  let isChanged = false;
  const result = list.map((element, index) => {
    const changed = change(element, index);
    isChanged ||= changed !== element;
    return changed;
  });
  return isChanged ? result : list;
}

/** The same object if none of the fields changed. */
export function withFields<T extends object>(value: T, fields: Partial<T>): T {
  for (const key in fields) {
    if (fields[key] !== value[key]) return { ...value, ...fields };
  }
  return value;
}

export function mapSets(item: Item, change: MapSet): Item {
  const sets = (list: readonly AttributeSet[], kind: SetKind, owner: string): readonly AttributeSet[] =>
    mapList(list, (set, index) => change(set, kind, owner, index));
  switch (item.kind) {
    case 'node': {
      const { value } = item;
      return withFields(item, {
        value: withFields(value, {
          attributes: sets(value.attributes, 'attributes', `nodes-${value.id}`),
          utilization: sets(value.utilization, 'utilization', `nodes-${value.id}`),
        }),
      });
    }
    case 'primitive':
    case 'template': {
      const value = item.value as Extract<Item, { kind: 'primitive' }>['value'];
      const list = mapList(value.operations.list, (operation) => mapOperationSets(operation, change, item.id));
      return {
        ...item,
        value: withFields(value, {
          meta: sets(value.meta, 'meta', item.id),
          parameters: sets(value.parameters, 'parameters', item.id),
          utilization: sets(value.utilization, 'utilization', item.id),
          operations: withFields(value.operations, { list }),
        }),
      } as Item;
    }
    case 'group':
    case 'clone':
    case 'bundle': {
      const value = item.value as Extract<Item, { kind: 'group' }>['value'];
      const meta = sets(value.meta, 'meta', item.id);
      return {
        ...item,
        value: withFields(value, { meta, parameters: sets(value.parameters, 'parameters', item.id) }),
      } as Item;
    }
    case 'alert': {
      const { value } = item;
      const recipients = mapList(value.recipients, (recipient) =>
        withFields(recipient, {
          meta: sets(recipient.meta, 'meta', recipient.id),
          parameters: sets(recipient.parameters, 'parameters', recipient.id),
        }),
      );
      const meta = sets(value.meta, 'meta', item.id);
      return withFields(item, {
        value: withFields(value, { meta, parameters: sets(value.parameters, 'parameters', item.id), recipients }),
      });
    }
    case 'options':
    case 'resourceDefaults':
    case 'operationDefaults':
      return withFields(item, { value: change(item.value, item.kind, item.id, 0) });
    default:
      return item;
  }
}

function mapOperationSets(operation: Operation, change: MapSet, owner: string): Operation {
  const id = operation.id ?? `${owner}-${operation.name}-${operation.interval ?? '0'}`;
  return withFields(operation, {
    parameters: mapList(operation.parameters, (set, index) => change(set, 'parameters', id, index)),
    meta: mapList(operation.meta, (set, index) => change(set, 'meta', id, index)),
  });
}

/** Changes rules wherever they stand, outer before inner; `fallbackId` is derived from the place. */
export type MapRule = (rule: Rule, fallbackId: string) => Rule;

export function mapRules(item: Item, change: MapRule): Item {
  const nested = (rule: Rule, fallbackId: string): Rule => {
    const changed = change(rule, fallbackId);
    const expressions = mapList(changed.expressions, (expression, index): Expression =>
      expression.type === 'rule'
        ? withFields(expression, { rule: nested(expression.rule, `${changed.id ?? fallbackId}-${index}`) })
        : expression,
    );
    return withFields(changed, { expressions });
  };
  const inSets = mapSets(item, (set, kind, owner, index) => {
    if (set.rule === undefined) return set;
    const setId = set.id ?? `${owner}-${setNames[kind]}${index === 0 ? '' : `-${index}`}`;
    return withFields(set, { rule: nested(set.rule, `${setId}-rule`) });
  });
  if (inSets.kind !== 'constraint') return inSets;
  const { value } = inSets;
  if (value.kind !== 'location') return inSets;
  const rules = mapList(value.rules, (rule, index) =>
    nested(rule, index === 0 ? `${item.id}-rule` : `${item.id}-rule-${index}`),
  );
  return withFields(inSets, { value: withFields(value, { rules }) });
}

/** Calls `visit` with every id-ref of an item and what it refers to. */
export function forEachReference(
  item: Item,
  visit: (name: string, kind: SetKind | 'pair' | 'rule' | 'operations' | 'operation') => void,
): void {
  mapSets(item, (set, kind) => {
    if (set.idRef !== undefined) visit(set.idRef, kind);
    for (const pair of set.pairs) if (pair.idRef !== undefined) visit(pair.idRef, 'pair');
    return set;
  });
  mapRules(item, (rule) => {
    if (rule.idRef !== undefined) visit(rule.idRef, 'rule');
    return rule;
  });
  if (item.kind !== 'primitive' && item.kind !== 'template') return;
  const { operations } = item.value;
  if (operations.idRef !== undefined) visit(operations.idRef, 'operations');
  for (const operation of operations.list) if (operation.idRef !== undefined) visit(operation.idRef, 'operation');
}

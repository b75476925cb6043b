/**
 * Ids of inner parts. Operators name resources and constraints; sets, pairs, rules and operations get ids derived
 * from where they stand, because XML and references need them. What replaces something keeps the ids it had, so that
 * a change is no larger than what was changed.
 */
import type { AttributeSet, Expression, Operation, Pair, Rule } from '@systole/cib';
import type { Item, ItemOf } from './items.ts';
import { mapList, mapRules, mapSets, setNames, withFields } from './walk.ts';

/** Calls `visit` with every id of an item, its own included, and of what kind it is. */
export function forEachId(item: Item, visit: (id: string) => void): void {
  const given = (id: string | undefined): void => {
    if (id !== undefined && id !== '') visit(id);
  };
  if (item.kind !== 'node' && item.kind !== 'fencing') given(item.id);
  mapSets(item, (set) => {
    if (set.id !== item.id) given(set.id);
    for (const pair of set.pairs) given(pair.id);
    return set;
  });
  mapRules(item, (rule) => {
    given(rule.id);
    for (const expression of rule.expressions) if (expression.type !== 'rule') given(expression.id);
    return rule;
  });
  switch (item.kind) {
    case 'primitive':
    case 'template':
      given(item.value.operations.id);
      for (const operation of item.value.operations.list) given(operation.id);
      return;
    case 'constraint':
      for (const set of item.value.sets ?? []) given(set.id);
      return;
    case 'fencing':
      for (const level of item.value) given(level.id);
      return;
    case 'aclRole':
      for (const permission of item.value.permissions) given(permission.id);
      return;
    case 'alert':
      for (const recipient of item.value.recipients) given(recipient.id);
      return;
    default:
  }
}

/** Gives out ids that nobody has. */
export class Namer {
  readonly #used: Set<string>;

  constructor(used: Iterable<string>) {
    this.#used = new Set(used);
  }

  fresh(...parts: readonly string[]): string {
    const base = parts.join('-').replace(/[^\p{L}\p{N}._-]/gu, '.');
    let id = base;
    for (let count = 1; this.#used.has(id); count += 1) id = `${base}-${count}`;
    this.#used.add(id);
    return id;
  }
}

/** Gives an id to every inner part that has none. */
export function completeIds(item: Item, namer: Namer): Item {
  const withSets = mapSets(withOperationIds(item, namer), (set, kind, owner) => {
    if (set.idRef !== undefined) return set;
    const id = set.id ?? namer.fresh(owner, setNames[kind]);
    const pairs = mapList(set.pairs, (pair) =>
      pair.id !== undefined || pair.idRef !== undefined ? pair : { id: namer.fresh(id, pair.name ?? 'pair'), ...pair },
    );
    return withFields(set, { id, pairs });
  });
  const withRules = mapRules(withSets, (rule, fallbackId) => {
    if (rule.idRef !== undefined) return rule;
    const id = rule.id ?? namer.fresh(fallbackId);
    const expressions = mapList(rule.expressions, (expression): Expression =>
      expression.type === 'rule' || expression.id !== undefined
        ? expression
        : { ...expression, id: namer.fresh(id, 'expression') },
    );
    return withFields(rule, { id, expressions });
  });
  return withOtherIds(withRules, namer);
}

function withOperationIds(item: Item, namer: Namer): Item {
  if (item.kind !== 'primitive' && item.kind !== 'template') return item;
  const { operations } = item.value;
  const list = mapList(operations.list, (operation) =>
    operation.id !== undefined || operation.idRef !== undefined
      ? operation
      : { id: namer.fresh(item.id, operation.name, operation.interval ?? '0'), ...operation },
  );
  return withOperations(item, withFields(operations, { list }));
}

const withOperations = (
  item: ItemOf<'primitive' | 'template'>,
  operations: ItemOf<'primitive'>['value']['operations'],
): Item => ({ ...item, value: withFields(item.value as ItemOf<'primitive'>['value'], { operations }) }) as Item;

function withOtherIds(item: Item, namer: Namer): Item {
  switch (item.kind) {
    case 'constraint': {
      if (item.value.sets === undefined) return item;
      const sets = mapList(item.value.sets, (set, index) =>
        set.id !== undefined || set.idRef !== undefined ? set : { id: namer.fresh(item.id, String(index)), ...set },
      );
      return { ...item, value: { ...item.value, sets } };
    }
    case 'fencing': {
      const value = mapList(item.value, (level) => {
        if (level.id !== '') return level;
        const { target } = level;
        const name =
          target.type === 'node'
            ? target.name
            : target.type === 'pattern'
              ? 'pattern'
              : `${target.name}-${target.value}`;
        return { ...level, id: namer.fresh('fencing', name, String(level.index)) };
      });
      return withFields(item, { value });
    }
    case 'aclRole': {
      const permissions = mapList(item.value.permissions, (permission) =>
        permission.id === undefined ? { id: namer.fresh(item.id, permission.kind), ...permission } : permission,
      );
      return withFields(item, { value: withFields(item.value, { permissions }) });
    }
    case 'bundle': {
      const named = (
        list: readonly Readonly<Record<string, string>>[],
        name: string,
      ): readonly Readonly<Record<string, string>>[] =>
        mapList(list, (mapping) =>
          mapping['id'] === undefined ? { id: namer.fresh(item.id, name), ...mapping } : mapping,
        );
      const ports = named(item.value.ports, 'port-mapping');
      return withFields(item, {
        value: withFields(item.value, { ports, storage: named(item.value.storage, 'storage-mapping') }),
      });
    }
    case 'alert': {
      const { select } = item.value;
      if (select?.attributes === undefined) return item;
      const attributes = select.attributes.map((each) => ({
        id: each.id ?? namer.fresh(item.id, 'attribute', each.name),
        name: each.name,
      }));
      return withFields(item, { value: { ...item.value, select: { ...select, attributes } } });
    }
    default:
      return item;
  }
}

/** Takes the ids of what `after` replaces, where `after` has none and the parts are the same by place or name. */
export function inheritIds(before: Item, after: Item): Item {
  if (before.kind !== after.kind) return after;
  const old = new Map<string, AttributeSet>();
  mapSets(before, (set, kind, owner, index) => {
    old.set(`${owner} ${kind} ${index}`, set);
    return set;
  });
  const withOps = inheritOperations(before, after);
  const withSets = mapSets(withOps, (set, kind, owner, index) => {
    const former = old.get(`${owner} ${kind} ${index}`);
    if (former === undefined || set.idRef !== undefined || (set.id !== undefined && set.id !== former.id)) return set;
    return withId(former.id, {
      ...set,
      ...(set.rule === undefined ? {} : { rule: inheritRule(former.rule, set.rule) }),
      pairs: mapList(set.pairs, (pair) => inheritPair(former.pairs, pair)),
    });
  });
  if (withSets.kind !== 'constraint' || before.kind !== 'constraint') return withSets;
  const { value } = withSets;
  const { value: formerValue } = before;
  const sets = value.sets?.map((set, index) => withId(formerValue.sets?.[index]?.id, set));
  const base = sets === undefined ? value : { ...value, sets };
  const rules =
    base.kind === 'location' && formerValue.kind === 'location'
      ? { rules: base.rules.map((rule, index) => inheritRule(formerValue.rules[index], rule)) }
      : {};
  return { ...withSets, value: { ...base, ...rules } as typeof value };
}

const withId = <T extends { readonly id?: string; readonly idRef?: string }>(id: string | undefined, value: T): T =>
  value.id !== undefined || value.idRef !== undefined || id === undefined ? value : { id, ...value };

const inheritPair = (former: readonly Pair[], pair: Pair): Pair =>
  withId(former.find((each) => each.name === pair.name && each.idRef === undefined)?.id, pair);

function inheritRule(former: Rule | undefined, rule: Rule): Rule {
  if (former === undefined) return rule;
  const expressions = mapList(rule.expressions, (expression, index): Expression => {
    const other = former.expressions[index];
    if (expression.type === 'rule' || other === undefined || other.type !== expression.type) return expression;
    return withId(other.id, expression);
  });
  return withId(former.id, withFields(rule, { expressions }));
}

function inheritOperations(before: Item, after: Item): Item {
  if (
    (before.kind !== 'primitive' && before.kind !== 'template') ||
    (after.kind !== 'primitive' && after.kind !== 'template')
  )
    return after;
  const former = [...before.value.operations.list];
  const take = (operation: Operation): Operation => {
    const index = former.findIndex(
      (each) => each.name === operation.name && each.interval === operation.interval && each.role === operation.role,
    );
    const [found] = index === -1 ? [] : former.splice(index, 1);
    return withId(found?.id, operation);
  };
  const { operations } = after.value;
  const list = mapList(operations.list, take);
  return withOperations(after, withId(before.value.operations.id, withFields(operations, { list })));
}

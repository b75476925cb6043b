/** `set PATH VALUE`: one value of one item. */
import type { Operation } from '@systole/cib';
import { type Item, kindWords } from './items.ts';
import { LanguageProblem, type Place } from './problem.ts';
import { didYouMean } from './suggest.ts';
import { addUnit } from './units.ts';
import { mapSets } from './walk.ts';

const operationFields: Readonly<Record<string, keyof Operation>> = {
  interval: 'interval',
  timeout: 'timeout',
  'start-delay': 'startDelay',
  'interval-origin': 'intervalOrigin',
  'on-fail': 'onFail',
  description: 'description',
};

/** The item with a value of one of its sets replaced. @throws LanguageProblem where there is none of that name, or several. */
export function setPair(item: Item, name: string, value: string, place?: Place): Item {
  const names = new Set<string>();
  let count = 0;
  const changed = mapSets(item, (set) => {
    if (!set.pairs.some((pair) => pair.name === name)) {
      for (const pair of set.pairs) names.add(pair.name ?? '');
      return set;
    }
    return {
      ...set,
      pairs: set.pairs.map((pair) => {
        if (pair.name !== name) return pair;
        count += 1;
        return { ...pair, value };
      }),
    };
  });
  if (count === 0) {
    throw new LanguageProblem(`${item.id} has no "${name}"${didYouMean(name, names)}`, { place, code: 'notFound' });
  }
  if (count > 1) {
    throw new LanguageProblem(`${item.id} has ${count} values named "${name}"; use edit`, { place, code: 'refused' });
  }
  return { ...changed, place };
}

/** The item with a setting of one operation replaced. @throws LanguageProblem where it is not clear of which. */
export function setOperation(
  item: Item,
  operation: string,
  interval: string | undefined,
  name: string,
  value: string,
  place?: Place,
): Item {
  if (item.kind !== 'primitive' && item.kind !== 'template') {
    throw new LanguageProblem(`${item.id} is a ${kindWords[item.kind]}; only a primitive has operations`, { place });
  }
  const { operations } = item.value;
  const found = operations.list.filter(
    (each) =>
      each.name === operation && (interval === undefined || addUnit(each.interval ?? '0') === addUnit(interval)),
  );
  const [only] = found;
  if (only === undefined) {
    const near = didYouMean(
      operation,
      operations.list.map((each) => each.name),
    );
    const every = interval === undefined ? '' : ` every ${addUnit(interval)}`;
    throw new LanguageProblem(`${item.id} has no operation ${operation}${every}${near}`, { place, code: 'notFound' });
  }
  if (found.length > 1) {
    const intervals = found.map((each) => `${item.id}.${operation}.${each.interval ?? '0'}.${name}`);
    throw new LanguageProblem(
      `${item.id} has ${found.length} operations ${operation}; write ${intervals.join(' or ')}`,
      { place },
    );
  }
  const field = operationFields[name];
  if (field === undefined) {
    const near = didYouMean(name, Object.keys(operationFields));
    throw new LanguageProblem(`an operation has no "${name}"${near}`, { place, code: 'notFound' });
  }
  const text = field === 'interval' || field === 'timeout' ? addUnit(value) : value;
  const changed: Operation = { ...only, [field]: text };
  const list = operations.list.map((each) => (each === only ? changed : each));
  return { ...item, value: { ...item.value, operations: { ...operations, list } }, place } as Item;
}

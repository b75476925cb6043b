/** Options and meta attributes that nobody reads because of a slip of the pen, and values that mean nothing. */
import { type Item, isOptions } from '../language/items.ts';
import { nearest } from '../language/suggest.ts';
import { type Finding } from './finding.ts';
import { allMeta, mismatch, optionShapes, type Shape } from './known-names.ts';

/** Agents and operators keep values of their own among the options: only what is like a known name is doubted. */
export function names(items: readonly Item[]): readonly Finding[] {
  return items.flatMap((item): readonly Finding[] => {
    if (isOptions(item)) {
      if (item.kind === 'operationDefaults') return [];
      const shapes = item.kind === 'options' ? optionShapes : allMeta;
      const how = item.kind === 'options' ? 'property' : 'rsc_defaults';
      return item.value.pairs.flatMap(({ name, value }) => doubt({ name, value, shapes, owner: how }));
    }
    if (item.kind !== 'primitive' && item.kind !== 'group' && item.kind !== 'clone' && item.kind !== 'template')
      return [];
    const operations =
      'operations' in item.value ? item.value.operations.list.flatMap(({ name }) => doubtOperation(name, item.id)) : [];
    const meta = item.value.meta.flatMap(({ pairs }) =>
      pairs.flatMap(({ name, value }) => doubt({ name, value, shapes: allMeta, owner: item.id })),
    );
    return [...meta, ...operations];
  });
}

const operationNames = [
  'start',
  'stop',
  'monitor',
  'promote',
  'demote',
  'notify',
  'migrate_to',
  'migrate_from',
  'reload',
  'reload-agent',
  'validate-all',
  'meta-data',
];

/** Agents may have actions of their own; the cluster never runs them. */
function doubtOperation(name: string, owner: string): readonly Finding[] {
  if (operationNames.includes(name)) return [];
  const near = operationNames.find((each) => each.startsWith(name)) ?? nearest(name, operationNames);
  return [
    {
      level: 'warning',
      text: `${owner}: the cluster runs no operation ${name}`,
      advice: near === undefined ? 'remove it' : `did you mean ${near}?`,
    },
  ];
}

interface Pair {
  readonly name?: string | undefined;
  readonly value?: string | undefined;
  readonly shapes: Readonly<Record<string, Shape>>;
  readonly owner: string;
}

function doubt({ name = '', value, shapes, owner }: Pair): readonly Finding[] {
  const shape = shapes[name];
  if (shape === undefined) {
    const near = nearest(name, Object.keys(shapes));
    return near === undefined
      ? []
      : [{ level: 'warning', text: `${owner}: the cluster does not know ${name}`, advice: `did you mean ${near}?` }];
  }
  const wrong = value === undefined || value === '' ? undefined : mismatch(value, shape);
  if (wrong === undefined) return [];
  const near = typeof shape === 'string' ? undefined : nearest(value ?? '', shape);
  return [
    {
      level: 'warning',
      text: `${owner}: ${name}=${value ?? ''} ${wrong}; it will not be taken as it was meant`,
      advice: near === undefined ? `correct ${name}` : `did you mean ${near}?`,
    },
  ];
}

/**
 * Items to text, in one canonical form: what reads back as the same thing. What the language has no words for (nested
 * rules, expressions about agents, …) is printed as an `xml` statement, so that nothing is ever lost.
 */
import { emptyCib, exportConfiguration, INFINITY } from '@systole/cib';
import { isOptions, type Item, type ItemKind, membersOf, toConfiguration } from './items.ts';
import { parseDefinition } from './parse.ts';
import { statementLines } from './print-statements.ts';
import { LanguageProblem } from './problem.ts';
import { forEachReference, mapRules, mapSets } from './walk.ts';
import { readText } from './words.ts';

/** The order in which kinds are printed: what is named comes before what names it. */
const order: readonly ItemKind[] = [
  'node',
  'template',
  'primitive',
  'bundle',
  'group',
  'clone',
  'tag',
  'constraint',
  'fencing',
  'options',
  'resourceDefaults',
  'operationDefaults',
  'aclRole',
  'aclTarget',
  'aclGroup',
  'alert',
];

export interface PrintOptions {
  /** One statement a line, without continuation lines. */
  readonly isFlat?: boolean;
  /** Ids of inner parts that somebody chose are printed, as for a file that is loaded again; else only those that are referred to. */
  readonly showsChosenIds?: boolean;
}

/** Prints `items`; `all` is the configuration they belong to, which tells what is referred to. */
export function printItems(items: readonly Item[], all: readonly Item[] = items, options: PrintOptions = {}): string {
  const chosen = options.showsChosenIds === true ? items.flatMap(chosenIds) : [];
  const referenced = new Set([...referencedIds(all), ...chosen]);
  const byId = new Map(all.map((item) => [item.id, item]));
  const inXml = new Set<string>();
  const statements: string[] = [];
  const sorted = items.toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
  const printed = sorted.map((item) => ({ item, text: printItem(item, referenced, options) }));
  for (const { item, text } of printed) {
    if (text === undefined) for (const id of withInner(item, byId)) inXml.add(id);
  }
  for (const { item, text } of printed) {
    if (text !== undefined) {
      if (!inXml.has(item.id) || item.kind === 'node') statements.push(text);
    } else if (!isInsideXml(item, printed, byId)) statements.push(printXml(item, byId));
  }
  return statements.map((text) => `${text}\n`).join('');
}

/** Ids that an id-ref names, and that must therefore be printed. */
export function referencedIds(items: readonly Item[]): ReadonlySet<string> {
  const ids = new Set<string>();
  for (const item of items) forEachReference(item, (name) => ids.add(name));
  return ids;
}

/** Ids that somebody chose: they do not look as if derived from where they stand. */
function chosenIds(item: Item): readonly string[] {
  const chosen: string[] = [];
  const look = (id: string | undefined, owner: string): void => {
    if (id !== undefined && !id.startsWith(owner) && !derived.test(id)) chosen.push(id);
  };
  if (!isOptions(item)) mapSets(item, (set) => (look(set.id, item.id), set));
  mapRules(item, (rule) => (look(rule.id, item.id), rule));
  if (item.kind === 'primitive' || item.kind === 'template') {
    for (const operation of item.value.operations.list) look(operation.id, item.id);
  }
  return chosen;
}

const derived =
  /-(?:instance_attributes|meta_attributes|utilization|options|rule|monitor-.*|start-.*|stop-.*)(?:-\d+)?$/;

/** The statement, or undefined if the language cannot say it. */
function printItem(item: Item, referenced: ReadonlySet<string>, options: PrintOptions): string | undefined {
  const lines = statementLines(item, referenced);
  if (lines === undefined) return undefined;
  const text = options.isFlat === true ? lines.join(' ') : lines.join(' \\\n\t');
  return readsBack(text, item)
    ? commentsOf(item)
        .map((comment) => `# ${comment}\n`)
        .join('') + text
    : undefined;
}

function commentsOf(item: Item): readonly string[] {
  if (item.kind === 'fencing') return item.value.flatMap((level) => level.comments ?? []);
  return item.value.comments ?? [];
}

/** Whether reading the text gives the item again, ids and comments aside. */
function readsBack(text: string, item: Item): boolean {
  try {
    const [statement] = readText(text).statements;
    if (statement === undefined) return false;
    const again = parseDefinition(statement, { mode: 'loaded', nodes: () => [] });
    return again.length === 1 && meaning(again[0]?.value, true) === meaning(item.value, true);
  } catch (error) {
    if (error instanceof LanguageProblem) return false;
    throw error;
  }
}

/** A value as text, without what the language does not show. */
function meaning(value: unknown, isOuter = false): string {
  if (Array.isArray(value)) return `[${value.map((element) => meaning(element)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? '';
  const fields: string[] = [];
  for (const [key, field] of Object.entries(normal(value)).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (field === undefined || key === 'comments' || (key === 'id' && !isOuter)) continue;
    if (saysNothing(key, field)) continue;
    fields.push(`${key}:${meaning(field)}`);
  }
  return `{${fields.join(',')}}`;
}

/** The same in newer words: an order's score is its kind, and a rule without a score has INFINITY. */
function normal(value: object): object {
  const { kind, score, ...rest } = value as { readonly kind?: unknown; readonly score?: unknown };
  if (kind === 'order' && typeof score === 'number')
    return { kind, orderKind: score === 0 ? 'Optional' : 'Mandatory', ...rest };
  if ('expressions' in rest && typeof score === 'number' && score >= INFINITY) return rest;
  return value;
}

/** Fields whose value is what their absence means. */
function saysNothing(key: string, value: unknown): boolean {
  switch (key) {
    case 'booleanOp':
      return value === 'and';
    case 'sequential':
    case 'requireAll':
      return value === true;
    case 'interval':
      return value === '0' || value === '0s';
    case 'type':
      return value === 'member';
    case 'discovery':
      return value === 'always';
    case 'valueSource':
      return value === 'literal';
    default:
      return Array.isArray(value) && value.length === 0;
  }
}

function withInner(item: Item, byId: ReadonlyMap<string, Item>): readonly string[] {
  return membersOf(item).flatMap((id) => {
    const inner = byId.get(id);
    return inner === undefined ? [id] : [id, ...withInner(inner, byId)];
  });
}

const isInsideXml = (
  item: Item,
  printed: readonly { readonly item: Item; readonly text: string | undefined }[],
  byId: ReadonlyMap<string, Item>,
): boolean =>
  printed.some(
    (other) => other.text === undefined && other.item !== item && withInner(other.item, byId).includes(item.id),
  );

/** The element that an item is, taken out of the section it stands in. */
function printXml(item: Item, byId: ReadonlyMap<string, Item>): string {
  const inner = withInner(item, byId).flatMap((id) => byId.get(id) ?? []);
  const text = exportConfiguration(toConfiguration([...inner, item], emptyCib.configuration));
  const lines = text.split('\n').slice(1, -2);
  const depth =
    item.kind === 'resourceDefaults' || item.kind === 'operationDefaults' || item.kind === 'fencing' ? 2 : 4;
  const prefix = ' '.repeat(depth);
  const empty = /^ {2}<(?:crm_config|nodes|resources|constraints)\/>$/;
  const own = lines.filter((line) => line.startsWith(prefix) && !empty.test(line)).map((line) => line.slice(depth));
  return `xml ${own.join(' \\\n\t')}`;
}

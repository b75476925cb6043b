/**
 * Which items a command is about: ids, patterns with `*`, `type:primitive`, `tag:NAME`, `related:NAME`, `changed`; several
 * add up, `and` between two keeps what both have.
 */
import type { Draft } from './draft.ts';
import { type Item, membersOf, wordOf } from './items.ts';
import { LanguageProblem } from './problem.ts';
import { namedResources } from '@systole/cib';
import { didYouMean } from './suggest.ts';

/** `before` is the configuration that `changed` compares with. */
export function selectItems(draft: Draft, words: readonly string[], before: readonly Item[]): readonly Item[] {
  if (words.length === 0) return draft.items;
  const { items } = draft;
  let chosen = new Set<Item>();
  let both: Set<Item> | undefined;
  for (const word of words) {
    if (word === 'or') continue;
    if (word === 'and') {
      both = chosen;
      chosen = new Set();
      continue;
    }
    for (const item of selectOne(items, word, before)) chosen.add(item);
    if (both === undefined) continue;
    const earlier: ReadonlySet<Item> = both;
    chosen = new Set([...chosen].filter((item) => earlier.has(item)));
    both = undefined;
  }
  return items.filter((item) => chosen.has(item));
}

function selectOne(items: readonly Item[], word: string, before: readonly Item[]): readonly Item[] {
  const separator = word.indexOf(':');
  const [kind, name] = separator === -1 ? ['', word] : [word.slice(0, separator), word.slice(separator + 1)];
  if (word === 'changed') return changedItems(items, before);
  if (kind === 'type') return items.filter((item) => wordOf(item) === name);
  if (kind === 'tag') {
    const tag = items.find((item) => item.kind === 'tag' && item.id === name);
    if (tag?.kind !== 'tag') throw unknown(name, items);
    return items.filter((item) => tag.value.members.includes(item.id));
  }
  if (kind === 'related') return related(items, name);
  const pattern = new RegExp(
    `^${name
      .replace(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
    'u',
  );
  const found = items.filter((item) => item.id === name || pattern.test(item.id));
  if (found.length === 0) throw unknown(name, items);
  return found;
}

const unknown = (name: string, items: readonly Item[]): LanguageProblem =>
  new LanguageProblem(
    `there is no "${name}"${didYouMean(
      name,
      items.map((item) => item.id),
    )}`,
    { code: 'notFound' },
  );

export function changedItems(items: readonly Item[], before: readonly Item[]): readonly Item[] {
  const old = new Map(before.map((item) => [`${item.kind} ${item.id}`, JSON.stringify(item.value)]));
  return items.filter((item) => old.get(`${item.kind} ${item.id}`) !== JSON.stringify(item.value));
}

/** The item itself, what contains it, and what names it. */
function related(items: readonly Item[], name: string): readonly Item[] {
  const found = items.filter(
    (item) =>
      item.id === name ||
      membersOf(item).includes(name) ||
      (item.kind === 'constraint' && namedResources(item.value).includes(name)) ||
      (item.kind === 'tag' && item.value.members.includes(name)) ||
      (item.kind === 'primitive' && item.value.template === name),
  );
  if (found.length === 0) throw unknown(name, items);
  return found;
}

/** Explains levels and commands, from the tree. */
import { root } from '../tree.ts';
import { isLevel, isOffered, usageOf, wordsOf } from '../tree/entry.ts';
import type { Context } from './context.ts';
import { optionHelp } from './options.ts';
import { find } from './run.ts';

const column = (rows: readonly (readonly [string, string])[]): string => {
  const width = Math.min(28, Math.max(0, ...rows.map(([left]) => left.length)));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n');
};

export function help(context: Context, words: readonly string[]): void {
  context.out(helpText(words));
}

export function helpText(words: readonly string[]): string {
  const { entry, path } = find(words);
  if (!isLevel(entry)) {
    const aliases = (entry.aliases ?? []).length === 0 ? '' : `\n  also: ${(entry.aliases ?? []).join(', ')}`;
    const details = entry.details === undefined ? '' : `\n\n${entry.details}`;
    const usage = entry.details?.startsWith('usage:') === true ? '' : `\n  usage: systole ${usageOf(path, entry)}`;
    return `${[...path, entry.word].join(' ')}: ${entry.summary}${usage}${aliases}${details}\n`;
  }
  const rows = entry.children
    .filter(isOffered)
    .map((child): readonly [string, string] => [wordsOf(child)[0] ?? '', child.summary]);
  const title = entry === root ? 'systole [OPTIONS] COMMAND …' : `${path.join(' ')}: ${entry.summary}`;
  const tail =
    entry === root
      ? `\n\noptions\n${column(optionHelp)}\n\nWithout a command the interactive shell begins. systole help LEVEL [COMMAND] explains more.\n`
      : '\n';
  return `${title}\n\n${column(rows)}${tail}`;
}

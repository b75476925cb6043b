/** Explains levels and commands, from the tree. */
import process from 'node:process';
import { wrap } from '../render/wrap.ts';
import { root } from '../tree.ts';
import { isLevel, isOffered, usageOf, wordsOf } from '../tree/entry.ts';
import type { Context } from './context.ts';
import { optionHelp } from './options.ts';
import { find } from './run.ts';

const column = (rows: readonly (readonly [string, string])[], columns: number | undefined): string => {
  const width = Math.min(28, Math.max(0, ...rows.map(([left]) => left.length)));
  return rows.map(([left, right]) => wrap(`  ${left.padEnd(width)}  ${right}`, columns, width + 4)).join('\n');
};

export function help(context: Context, words: readonly string[]): void {
  context.out(helpText(words, context.terminal.isTerminal ? process.stdout.columns : undefined));
}

/** @param columns - How wide the screen is; without it lines are as long as they are. */
export function helpText(words: readonly string[], columns?: number): string {
  const { entry, path } = find(words);
  if (!isLevel(entry)) {
    const aliases = (entry.aliases ?? []).length === 0 ? '' : `\n  also: ${(entry.aliases ?? []).join(', ')}`;
    const details = entry.details === undefined ? '' : `\n\n${entry.details}`;
    const usage = entry.details?.startsWith('usage:') === true ? '' : `\n  usage: systole ${usageOf(path, entry)}`;
    return wrap(`${[...path, entry.word].join(' ')}: ${entry.summary}${usage}${aliases}${details}\n`, columns);
  }
  const rows = entry.children
    .filter(isOffered)
    .map((child): readonly [string, string] => [wordsOf(child)[0] ?? '', child.summary]);
  const title = entry === root ? 'systole [OPTIONS] COMMAND …' : `${path.join(' ')}: ${entry.summary}`;
  const tail =
    entry === root
      ? `\n\noptions\n${column(optionHelp, columns)}\n\n${wrap('Without a command the interactive shell begins. systole help LEVEL [COMMAND] explains more.', columns)}\n`
      : '\n';
  return `${wrap(title, columns)}\n\n${column(rows, columns)}${tail}`;
}

/**
 * What the shell's tree of words is made of: levels, commands and their arguments, and how an entry is found by its word.
 * One-shot commands, scripts, the interactive shell, help and completion all read the same tree (`tree.ts`).
 */
import type { Context } from '../shell/context.ts';

/** What an argument names, for completion. */
export type Kind =
  | 'node'
  | 'resource'
  | 'primitive'
  | 'group'
  | 'template'
  | 'id'
  | 'selection'
  | 'agent'
  | 'option'
  | 'parameter'
  | 'meta'
  | 'file'
  | 'shadow'
  | 'configuration'
  | 'resource|node'
  | 'ticket'
  | 'text'
  | readonly string[];

export interface Argument {
  readonly name: string;
  readonly kind: Kind;
  readonly isOptional?: true;
  /** May be given several times; only the last. */
  readonly isRepeated?: true;
}

export interface Command {
  readonly word: string;
  readonly aliases?: readonly string[];
  /** One line, without a full stop. */
  readonly summary: string;
  /** More, if there is more to say. */
  readonly details?: string;
  readonly arguments: readonly Argument[];
  /** A statement of the configuration language, which knows its own words. */
  readonly isStatement?: true;
  /** Understood, but not offered. */
  readonly isHidden?: true;
  /** Reads its arguments itself, options included. */
  readonly isRaw?: true;
  /** @returns the exit status if it is not 0. */
  readonly run: (context: Context, args: readonly string[]) => Promise<number | void> | number | void;
}

export interface Level {
  readonly word: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly isHidden?: true;
  readonly children: readonly (Command | Level)[];
  /** What the level's word alone does in a one-shot command; without it, help is shown. */
  readonly alone?: Command['run'];
}

export const isLevel = (entry: Command | Level): entry is Level => 'children' in entry;

export const one = (name: string, kind: Kind): Argument => ({ name, kind });
export const optional = (name: string, kind: Kind): Argument => ({ name, kind, isOptional: true });
export const many = (name: string, kind: Kind): Argument => ({ name, kind, isRepeated: true });
export const any = (name: string, kind: Kind): Argument => ({ name, kind, isOptional: true, isRepeated: true });

const setShowDelete = ['set', 'show', 'delete'];

/** Set, show or delete a value of something. */
export const valueCommand = (
  word: string,
  summary: string,
  subject: Argument,
  run: Command['run'],
  { aliases = [], names = 'text' }: { readonly aliases?: readonly string[]; readonly names?: Kind } = {},
): Command => ({
  word,
  aliases,
  summary,
  arguments: [subject, one('set|show|delete', setShowDelete), optional('NAME', names), optional('VALUE', 'text')],
  run,
});

export const isOffered = ({ isHidden }: Command | Level): boolean => isHidden !== true;

/** How `ls` shows an entry: levels with a slash. */
export const nameOf = (entry: Command | Level): string => `${entry.word}${isLevel(entry) ? '/' : ''}`;

/** All words of an entry. */
export const wordsOf = (entry: Command | Level): readonly string[] => [entry.word, ...(entry.aliases ?? [])];

/** The entry meant by a word: itself, or the only one that begins so and is offered. */
export function findEntry(level: Level, word: string): Command | Level | 'ambiguous' | undefined {
  const wanted = word.toLowerCase();
  const exact = level.children.find((entry) => wordsOf(entry).includes(wanted));
  if (exact !== undefined) return exact;
  const starting = level.children.filter(
    (entry) => isOffered(entry) && wordsOf(entry).some((each) => each.startsWith(wanted)),
  );
  return starting.length > 1 ? 'ambiguous' : starting[0];
}

/** How a command is written: `node fence NODE [reboot|off|on]`. */
export function usageOf(path: readonly string[], command: Command): string {
  const args = command.arguments.map(({ name, isOptional, isRepeated }) => {
    const repeated = isRepeated === true ? `${name} …` : name;
    return isOptional === true ? `[${repeated}]` : repeated;
  });
  return [...path, command.word, ...args].join(' ');
}

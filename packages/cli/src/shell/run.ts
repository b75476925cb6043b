/** From words to a command: finds it in the tree, checks its arguments, runs it. */
import { didYouMean } from '../language/suggest.ts';
import { root } from '../tree.ts';
import { type Command, findEntry, isLevel, type Level, usageOf, wordsOf } from '../tree/entry.ts';
import type { Context } from './context.ts';
import { exitStatus, UsageError } from './failure.ts';

export interface Found {
  readonly entry: Command | Level;
  /** The words that lead there. */
  readonly path: readonly string[];
  readonly rest: readonly string[];
}

/** Follows words as far as they name levels and a command. @throws UsageError */
export function find(words: readonly string[], from: Level = root, path: readonly string[] = []): Found {
  let level = from;
  let here = path;
  for (const [index, word] of words.entries()) {
    // Options of the level itself: `configure --to-xml`.
    if (word.startsWith('--') && level !== root) return { entry: level, path: here, rest: words.slice(index) };
    const entry = findEntry(level, word);
    if (entry === undefined || entry === 'ambiguous') throw unknownWord(level, word, entry === 'ambiguous');
    if (!isLevel(entry)) return { entry, path: here, rest: words.slice(index + 1) };
    level = entry;
    here = [...here, entry.word];
  }
  return { entry: level, path: here, rest: [] };
}

function unknownWord(level: Level, word: string, isAmbiguous: boolean): UsageError {
  const words = level.children.flatMap((entry) => wordsOf(entry));
  const where = level === root ? '' : ` in ${level.word}`;
  if (isAmbiguous) {
    const starting = level.children
      .filter((entry) => wordsOf(entry).some((each) => each.startsWith(word)))
      .map((entry) => entry.word);
    return new UsageError(`"${word}" is ambiguous${where}: ${starting.join(', ')}`);
  }
  const message = `there is no command "${word}"${where}`;
  const near = didYouMean(word, words);
  // One good guess helps more than a long list beside it.
  if (near !== '') return new UsageError(`${message}${near}`);
  const list = level.children.flatMap((entry) => (entry.isHidden === true ? [] : [entry.word])).join(', ');
  return new UsageError(message, `  commands${where}: ${list}`);
}

/** Runs a command line. @returns the exit status. */
export async function runWords(
  context: Context,
  words: readonly string[],
  from: Level = root,
  path: readonly string[] = [],
): Promise<number> {
  const { entry, path: here, rest } = find(words, from, path);
  if (isLevel(entry)) {
    if (context.options.wantsHelp || entry.alone === undefined) return await explain(context, here);
    return (await entry.alone(context, rest)) ?? exitStatus.done;
  }
  if (context.options.wantsHelp && entry.isRaw !== true) return await explain(context, [...here, entry.word]);
  checkArguments(entry, here, rest);
  context.hasAnswered = false;
  context.committed = undefined;
  const status = (await entry.run(context, rest)) ?? exitStatus.done;
  // Who asked for JSON gets some, whatever was done.
  if (context.isJson && status === exitStatus.done && !context.hasAnswered && entry.isHidden !== true)
    context.out(
      JSON.stringify({ done: true, ...(context.committed === undefined ? {} : { version: context.committed }) }),
    );
  return status;
}

async function explain(context: Context, words: readonly string[]): Promise<number> {
  const { help } = await import('./help.ts');
  help(context, words);
  return exitStatus.done;
}

function checkArguments(command: Command, path: readonly string[], args: readonly string[]): void {
  if (command.isRaw === true) return;
  const needed = command.arguments.filter((argument) => argument.isOptional !== true);
  const last = command.arguments.at(-1);
  const usage = `  usage: systole ${usageOf(path, command)}`;
  if (args.length < needed.length) {
    throw new UsageError(`${command.word} lacks ${needed[args.length]?.name ?? 'an argument'}`, usage);
  }
  if (last?.isRepeated !== true && args.length > command.arguments.length) {
    throw new UsageError(`${command.word} has no use for "${args[command.arguments.length]}"`, usage);
  }
  for (const [index, { kind, isOptional }] of command.arguments.entries()) {
    const value = args[index];
    if (typeof kind === 'string' || value === undefined || isOptional === true || kind.includes(value)) continue;
    throw new UsageError(
      `${command.word}: expected ${kind.join(' or ')}, found "${value}"${didYouMean(value, kind)}`,
      usage,
    );
  }
}

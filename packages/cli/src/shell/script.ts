/**
 * Scripts of shell commands, one a line. A level's name alone changes into it, `up` and `end` leave it; edits of the
 * configuration are committed by `commit`, when the level is left, or at the end. The first failure ends a script, and
 * what was not committed by then is dropped.
 */
import { readFileSync } from 'node:fs';
import { LanguageProblem } from '../language/problem.ts';
import { withoutPrompt } from '../language/session.ts';
import { placeOf, readText, type Statement } from '../language/words.ts';
import { root } from '../tree.ts';
import { findEntry, isLevel, isOffered, type Level, nameOf } from '../tree/entry.ts';
import type { Context } from './context.ts';
import { exitStatus, UsageError } from './failure.ts';
import { leaveConfigure, mayLeave } from './leaving.ts';
import { runWords } from './run.ts';

/** Where the words of a line are looked up. */
export interface Position {
  readonly level: Level;
  readonly path: readonly string[];
}

export const top: Position = { level: root, path: [] };

const leaving = new Set(['up', 'end', 'back', '..']);
export const quitting = new Set(['quit', 'bye', 'exit']);

/** @returns the exit status. */
export async function runScript(context: Context, file: string): Promise<number> {
  const text = file === '-' ? context.terminal.readInput() : readFile(file);
  const { collectEdits } = await import('../commands/editing.ts');
  collectEdits(context);
  let position = top;
  for (const statement of readText(text, file === '-' ? '' : file).statements) {
    const { words } = statement;
    if (quitting.has(words[0]?.text ?? '')) break;
    try {
      const next = await step(
        context,
        position,
        words.map((word) => word.text),
        statement,
      );
      if (typeof next === 'number') {
        if (next !== exitStatus.done) return next;
      } else position = next;
    } catch (error) {
      throw withPlace(error, statement);
    }
  }
  await leaveConfigure(context);
  return exitStatus.done;
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${(error as Error).message}`);
  }
}

/** Runs one line: a change of level, or a command. @returns the new position, or an exit status. */
export async function step(
  context: Context,
  position: Position,
  given: readonly string[],
  written?: Statement,
): Promise<Position | number> {
  const { words, statement } = withoutGuidesPrompt(position, given, written);
  const [first = '', second] = words;
  if (leaving.has(first) && words.length === 1) return await upFrom(context, position);
  if (first === 'cd' && second !== undefined)
    return second === '..' ? await upFrom(context, position) : await change(context, position, top, second);
  if (first === 'pwd') {
    context.out(position.path.join(' ') || 'systole');
    return position;
  }
  if (first === 'ls') {
    context.out(position.level.children.filter(isOffered).map(nameOf).join('\n'));
    return position;
  }
  // `configure primitive …` works everywhere; in a level its own words come first.
  const own = findEntry(position.level, first);
  const from = own === undefined || own === 'ambiguous' ? chooseRoot(position, first) : position;
  const entry = findEntry(from.level, first);
  if (words.length === 1 && entry !== undefined && entry !== 'ambiguous' && isLevel(entry))
    return await change(context, position, from, first);
  if (from.level.word === 'configure' && statement !== undefined) {
    const { editWithPlace } = await import('../commands/configure.ts');
    if (await editWithPlace(context, statement)) return position;
  }
  if (from.level === root && isConfigure(entry) && statement !== undefined) {
    const { editWithPlace } = await import('../commands/configure.ts');
    if (await editWithPlace(context, { ...statement, words: statement.words.slice(1) })) return position;
  }
  // In a script, what is done elsewhere must see what was edited before; a person has not said yet what becomes of it.
  if (
    !context.isShell &&
    from.level.word !== 'configure' &&
    entry !== undefined &&
    entry !== 'ambiguous' &&
    entry.word !== 'configure'
  )
    await leaveConfigure(context);
  const status = await runWords(context, words, from.level, from.path);
  return status === exitStatus.done ? position : status;
}

/** A line copied from a guide with its prompt runs in the level that the prompt names. */
function withoutGuidesPrompt(
  position: Position,
  given: readonly string[],
  written: Statement | undefined,
): { readonly words: readonly string[]; readonly statement: Statement | undefined } {
  if (written === undefined) return { words: given, statement: undefined };
  const { statement, level } = withoutPrompt(written);
  if (statement === written) return { words: given, statement };
  const words = statement.words.map((word) => word.text);
  const entry = level === undefined ? undefined : findEntry(root, level);
  if (level === undefined || level === position.level.word || entry === undefined || entry === 'ambiguous')
    return { words, statement };
  const [first] = statement.words;
  const prefix = { text: level, line: first?.line ?? 1, column: first?.column ?? 1, length: 0 };
  return { words: [level, ...words], statement: { ...statement, words: [prefix, ...statement.words] } };
}

const isConfigure = (entry: ReturnType<typeof findEntry>): boolean =>
  entry !== undefined && entry !== 'ambiguous' && entry.word === 'configure';

const chooseRoot = (position: Position, word: string): Position => {
  const entry = findEntry(root, word);
  return entry === undefined || entry === 'ambiguous' ? position : top;
};

function enter(from: Position, word: string): Position {
  const entry = findEntry(from.level, word);
  if (entry === undefined || entry === 'ambiguous' || !isLevel(entry))
    throw new UsageError(`there is no level "${word}"`);
  return { level: entry, path: [...from.path, entry.word] };
}

/** Into another level; out of `configure` only when it is clear what becomes of the edits. */
async function change(context: Context, position: Position, from: Position, word: string): Promise<Position> {
  const next = enter(from, word);
  if (position.level.word !== 'configure' || next.level.word === 'configure') return next;
  return (await mayLeave(context)) ? next : position;
}

async function upFrom(context: Context, position: Position): Promise<Position> {
  if (position.level.word === 'configure' && !(await mayLeave(context))) return position;
  return top;
}

/** Wrong words of a script are told with their line. */
export function withPlace(error: unknown, statement: Statement): unknown {
  const [first] = statement.words;
  if (!(error instanceof UsageError) || first === undefined) return error;
  return new LanguageProblem(error.message, { place: placeOf(statement.source, first), hint: error.hint?.trim() });
}

/** What was typed or pasted at the prompt, carried out: a statement by itself, a paste as a whole. */
import { readText, type Statement } from '../language/words.ts';
import type { Context } from '../shell/context.ts';
import { describeFailure, exitStatus } from '../shell/failure.ts';
import { type Position, quitting, step, withPlace } from '../shell/script.ts';
import { findEntry } from '../tree/entry.ts';

export interface Shell {
  position: Position;
  /** Somebody said quit. */
  isLeaving: boolean;
  /** What was typed is being done. */
  isRunning: boolean;
}

/** @returns the exit status; failures are told. */
export async function runTyped(context: Context, shell: Shell, text: string): Promise<number> {
  let status: number = exitStatus.done;
  try {
    for (const statement of readText(text).statements) status = await runStatement(context, shell, statement);
    return status;
  } catch (error) {
    return tell(context, error);
  }
}

/**
 * The statements of a paste, one after the other as if they were typed, but as one piece: the first that fails ends it,
 * and the edits that were made so far and are not committed are as they were before. `prompt` is what stands before each.
 */
export async function runPaste(context: Context, shell: Shell, text: string, prompt: () => string): Promise<number> {
  let status: number = exitStatus.done;
  let before = begin(context);
  let firstEdit = 1;
  const { position } = shell;
  let line = 1;
  let ends = 0;
  try {
    const { statements } = readText(text, 'pasted');
    const lines = text.split('\n');
    for (const [index, statement] of statements.entries()) {
      line = statement.words[0]?.line ?? line;
      const next = statements[index + 1]?.words[0]?.line ?? lines.length + 1;
      const shown = lines.slice(ends, next - 1);
      ends = next - 1;
      // The first prompt is there already.
      context.terminal.out(`${index === 0 ? '' : prompt()}${shown.join('\n> ')}\n`);
      status = await runStatement(context, shell, statement).catch((error: unknown) => {
        throw withPlace(error, statement);
      });
      if (shell.isLeaving) break;
      if (context.session !== undefined && context.session.session.base === before?.session.base) continue;
      // Committed, or dropped by the paste itself: there is nothing to go back to but this.
      before = begin(context);
      firstEdit = next;
    }
    return status;
  } catch (error) {
    status = tell(context, error);
    const hadEdits = context.session?.session.isChanged === true;
    context.session = before;
    shell.position = position;
    const dropped = hadEdits && line > firstEdit ? `what lines ${firstEdit}-${line - 1} edited is taken back` : '';
    const committed = firstEdit > 1 ? `what stands before line ${firstEdit} was committed` : '';
    const reasons = [dropped, committed].filter((part) => part !== '').join('; ');
    context.remark(`the paste ends at line ${line}, which failed${reasons === '' ? '' : `: ${reasons}`}`);
    return status;
  }
}

/** From here on edits are made on a copy. @returns the way back. */
function begin(context: Context): Context['session'] {
  const before = context.session;
  if (before !== undefined) context.session = { ...before, session: before.session.copy() };
  return before;
}

async function runStatement(context: Context, shell: Shell, statement: Statement): Promise<number> {
  const words = statement.words.map((word) => word.text);
  if (quitting.has(words[0] ?? '') && words.length === 1) {
    shell.isLeaving = true;
    return exitStatus.done;
  }
  if (words[0] === '?' || words[0] === 'h') words[0] = 'help';
  if (words[0] === 'help') words.splice(1, words.length - 1, ...topicOf(words.slice(1), shell.position));
  const next = await step(context, shell.position, words, statement);
  if (typeof next === 'number') return next;
  shell.position = next;
  return exitStatus.done;
}

/** `help` is of the level one is in, and its words come first. */
function topicOf(words: readonly string[], { level, path }: Position): readonly string[] {
  const entry = words[0] === undefined ? level : findEntry(level, words[0]);
  return entry === undefined || entry === 'ambiguous' ? words : [...path, ...words];
}

/** A mistake of ours is told as well: it must not cost what is not committed. */
function tell(context: Context, error: unknown): number {
  const failure = describeFailure(error);
  if (failure === undefined) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    context.terminal.error(`systole: this is a mistake in systole itself, please report it\n${text}\n`);
    return exitStatus.failed;
  }
  context.terminal.error(`${failure.text}\n`);
  return failure.status;
}

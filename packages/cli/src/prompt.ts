/**
 * The interactive shell: levels, completion, history, help, a prompt that shows the cluster and what is not committed.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface, type Interface } from 'node:readline/promises';
import { styleText } from 'node:util';
import { collectEdits } from './commands/editing.ts';
import { userFolder } from './commands/shadow.ts';
import { isUnfinished, readText } from './language/words.ts';
import { complete } from './shell/complete.ts';
import { namesOf } from './shell/names.ts';
import type { Context, Terminal } from './shell/context.ts';
import { describeFailure, exitStatus } from './shell/failure.ts';
import { findEntry } from './tree/entry.ts';
import { wantsColours } from './shell/settings.ts';
import { interrupt } from './shell/interrupt.ts';
import { mayLeave } from './shell/leaving.ts';
import { type Position, quitting, step, top } from './shell/script.ts';

/** So many lines are remembered. */
const HISTORY_LINES = 1000;

const historyFile = (): string => join(userFolder(), 'history');

function readHistory(): string[] {
  if (!existsSync(historyFile())) return [];
  return readFileSync(historyFile(), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .slice(-HISTORY_LINES)
    .toReversed();
}

/** Lines with passwords are not kept. */
function remember(line: string): void {
  if (line.trim() === '' || /passw|secret/i.test(line)) return;
  mkdirSync(userFolder(), { recursive: true, mode: 0o700 });
  appendFileSync(historyFile(), `${line}\n`, { mode: 0o600 });
}

/** Runs until the user leaves. `level` is where it begins. @returns the exit status. */
export async function interact(context: Context, level?: string): Promise<number> {
  collectEdits(context);
  context.isShell = true;
  const names = namesOf(context);
  let position: Position = top;
  if (level !== undefined) {
    const entered = await step(context, top, [level]);
    if (typeof entered !== 'number') position = entered;
  }
  const reader = createInterface({
    input: process.stdin,
    output: process.stdout,
    history: readHistory(),
    historySize: HISTORY_LINES,
    removeHistoryDuplicates: true,
    completer: (line: string) => completeLine(line, position, names),
  });
  // While a command runs, the line editor takes the key in place of the terminal.
  reader.on('SIGINT', interrupt);
  const asking = withReader(context, reader);
  try {
    return await loop(
      asking,
      reader,
      () => position,
      (next) => (position = next),
    );
  } finally {
    reader.close();
  }
}

/** Questions go through the same line editor; a second one would take its input. */
function withReader(context: Context, reader: Interface): Context {
  const ask: Terminal['ask'] = async (question, answers) => {
    for (;;) {
      const given = (await reader.question(`${question} (${answers.join('/')}) `)).trim().toLowerCase();
      if (given === '') return answers[0] ?? '';
      const answer = answers.find((each) => each.startsWith(given));
      if (answer !== undefined) return answer;
    }
  };
  Object.assign(context, { terminal: { ...context.terminal, ask } });
  return context;
}

async function completeLine(
  line: string,
  position: Position,
  names: ReturnType<typeof namesOf>,
): Promise<[string[], string]> {
  const words = line.trimStart().split(/\s+/);
  const last = words.at(-1) ?? '';
  const found = await complete(words, names, position.level);
  // A single candidate is finished with a blank, unless more belongs to the word.
  return [found.length === 1 ? found.map((word) => (/[=:./]$/.test(word) ? word : `${word} `)) : [...found], last];
}

async function loop(
  context: Context,
  reader: Interface,
  position: () => Position,
  move: (next: Position) => void,
): Promise<number> {
  const cluster = await clusterName(context);
  let status: number = exitStatus.done;
  for (;;) {
    const text = await readStatement(reader, prompt(context, cluster, position()));
    if (text === undefined || quitting.has(text.trim())) {
      if (await mayLeave(context)) return status;
      if (text === undefined) return status;
      continue;
    }
    remember(text.replace(/\\?\n/g, ' '));
    try {
      for (const statement of readText(text).statements) {
        const words = statement.words.map((word) => word.text);
        if (words[0] === '?' || words[0] === 'h') words[0] = 'help';
        if (words[0] === 'help') words.splice(1, words.length - 1, ...topicOf(words.slice(1), position()));
        const next = await step(context, position(), words, statement);
        if (typeof next === 'number') status = next;
        else {
          move(next);
          status = exitStatus.done;
        }
      }
    } catch (error) {
      const failure = describeFailure(error);
      if (failure === undefined) throw error;
      ({ status } = failure);
      context.terminal.error(`${failure.text}\n`);
    }
  }
}

/** `help` is of the level one is in, and its words come first. */
function topicOf(words: readonly string[], { level, path }: Position): readonly string[] {
  const entry = words[0] === undefined ? level : findEntry(level, words[0]);
  return entry === undefined || entry === 'ambiguous' ? words : [...path, ...words];
}

async function clusterName(context: Context): Promise<string> {
  try {
    return (await context.client.status()).cluster;
  } catch (error) {
    if (describeFailure(error) === undefined) throw error;
    context.terminal.error(`${describeFailure(error)?.text ?? ''}\n`);
    return 'no daemon';
  }
}

function prompt(context: Context, cluster: string, { path }: Position): string {
  const changed = context.session?.session.isChanged === true ? '*' : '';
  const shadow = context.shadow === undefined ? '' : `[${context.shadow}]`;
  const text = `${cluster}${shadow}${path.length === 0 ? '' : ` ${path.join(' ')}`}${changed}# `;
  return wantsColours(context.terminal.isTerminal) ? styleText('bold', text) : text;
}

/** A statement, which a backslash or an open quote continues on the next line; undefined at the end of input. */
async function readStatement(reader: Interface, text: string): Promise<string | undefined> {
  let statement = await question(reader, text);
  while (statement !== undefined && isUnfinished(statement)) {
    const more = await question(reader, '> ');
    if (more === undefined) return undefined;
    statement += `\n${more}`;
  }
  return statement;
}

/** Interrupting drops the line that is being typed. */
function question(reader: Interface, text: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const done = (answer: string | undefined): void => {
      reader.off('close', closed);
      reader.off('SIGINT', interrupted);
      resolve(answer);
    };
    const abort = new AbortController();
    const closed = (): void => done(undefined);
    const interrupted = (): void => {
      process.stdout.write('^C\n');
      abort.abort();
      done('');
    };
    reader.once('close', closed);
    reader.once('SIGINT', interrupted);
    reader.question(text, { signal: abort.signal }).then(done, (error: Error) => {
      if (error.name !== 'AbortError') done(undefined);
    });
  });
}

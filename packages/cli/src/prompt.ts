/**
 * The interactive shell: levels, completion, history, help, a prompt that shows the cluster and what is not committed.
 */
import process from 'node:process';
import { styleText } from 'node:util';
import { collectEdits } from './commands/editing.ts';
import { isUnfinished } from './language/words.ts';
import { onOneLine, readHistory, remember } from './prompt/history-file.ts';
import { type Input, LineReader } from './prompt/line-reader.ts';
import { runPaste, runTyped, type Shell } from './prompt/unit.ts';
import { complete } from './shell/complete.ts';
import { namesOf } from './shell/names.ts';
import type { Context, Terminal } from './shell/context.ts';
import { describeFailure, exitStatus } from './shell/failure.ts';
import { wantsColours } from './shell/settings.ts';
import { interrupt } from './shell/interrupt.ts';
import { mayLeave } from './shell/leaving.ts';
import { type Position, quitting, step, top } from './shell/script.ts';

/** Runs until the user leaves. `level` is where it begins. @returns the exit status. */
export async function interact(context: Context, level?: string): Promise<number> {
  collectEdits(context);
  context.isShell = true;
  const names = namesOf(context);
  const shell: Shell = { position: top, isLeaving: false, isRunning: false };
  if (level !== undefined) {
    const entered = await step(context, top, [level]);
    if (typeof entered !== 'number') shell.position = entered;
  }
  const reader = new LineReader({
    history: readHistory(),
    completer: (line) => completeLine(line, shell.position, names),
    onInterrupt: () => {
      const isTaken = interrupt();
      if (!isTaken && shell.isRunning)
        context.remark('\n(what was sent to the daemon cannot be called back; its answer is waited for)');
      return isTaken;
    },
  });
  // Ctrl-C while another program has the terminal is meant for that program.
  const ignore = (): void => undefined;
  process.on('SIGINT', ignore);
  borrow(context, reader);
  try {
    return await loop(context, reader, shell);
  } finally {
    reader.close();
    process.off('SIGINT', ignore);
  }
}

/** Questions go through the same line editor; a second one would take its input. */
function borrow(context: Context, reader: LineReader): void {
  const ask: Terminal['ask'] = async (question, answers) => {
    for (;;) {
      const input = await reader.ask(`${question} (${answers.join('/')}) `);
      // Whoever interrupts a question does not want what it asks for.
      if (input.kind === 'interrupted' || input.kind === 'end') return answers[0] ?? '';
      const given = input.text.trim().toLowerCase();
      if (given === '') return answers[0] ?? '';
      const answer = answers.find((each) => each.startsWith(given));
      if (answer !== undefined) return answer;
    }
  };
  const lend: Terminal['lend'] = (run) => reader.suspended(run);
  Object.assign(context, { terminal: { ...context.terminal, ask, lend } });
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

/** @returns the exit status of what was done last. */
async function loop(context: Context, reader: LineReader, shell: Shell): Promise<number> {
  let cluster = await clusterName(context, true);
  let status: number = exitStatus.done;
  let typed = '';
  for (;;) {
    const shown = (): string => prompt(context, cluster ?? 'no daemon', shell.position);
    const unit = await readUnit(reader, shown(), typed);
    ({ typed } = unit);
    shell.isRunning = true;
    if (unit.isPaste) status = await runPaste(context, shell, unit.text, shown);
    else if (!unit.isEnd && !quitting.has(unit.text.trim())) {
      remember(onOneLine(unit.text));
      status = await runTyped(context, shell, unit.text);
    } else shell.isLeaving = true;
    shell.isRunning = false;
    if (shell.isLeaving) {
      shell.isLeaving = false;
      if ((await maySafelyLeave(context)) || reader.isEnded) return status;
    }
    if (status !== exitStatus.done) tellDropped(context, reader.drop());
    cluster ??= await clusterName(context, false);
  }
}

interface Unit {
  readonly text: string;
  readonly isPaste: boolean;
  readonly isEnd: boolean;
  /** What stood behind the last whole line of a paste: it is there to be finished. */
  readonly typed: string;
}

/** A statement, which a backslash or an open quote continues on the next line; or a paste of several. */
async function readUnit(reader: LineReader, promptText: string, typed: string): Promise<Unit> {
  let text = '';
  let lines = 0;
  let isPaste = false;
  let rest = typed;
  for (;;) {
    const input: Input = await reader.read(lines === 0 ? promptText : '> ', rest);
    rest = '';
    if (input.kind === 'interrupted') return { text: '', isPaste: false, isEnd: false, typed: '' };
    if (input.kind === 'end') return { text: '', isPaste: false, isEnd: true, typed: '' };
    let more = input.text;
    if (input.kind === 'paste') {
      const end = more.lastIndexOf('\n');
      rest = more.slice(end + 1);
      more = more.slice(0, end);
      isPaste = true;
      if (lines > 0 || isUnfinished(more)) process.stdout.write(`${more.replaceAll('\n', '\n> ')}\n`);
    }
    text = lines === 0 ? more : `${text}\n${more}`;
    lines += 1;
    if (isUnfinished(text)) continue;
    if (lines > 1 && !isPaste) reader.joinHistory(lines, text);
    return { text, isPaste, isEnd: false, typed: rest };
  }
}

/** Nothing that goes wrong on leaving may cost what is not committed. */
async function maySafelyLeave(context: Context): Promise<boolean> {
  try {
    return await mayLeave(context);
  } catch (error) {
    const failure = describeFailure(error);
    if (failure === undefined) throw error;
    context.terminal.error(`${failure.text}\n`);
    return false;
  }
}

function tellDropped(context: Context, lines: number): void {
  if (lines > 0)
    context.remark(`${lines === 1 ? 'a line that was' : `${lines} lines that were`} typed ahead meanwhile: dropped`);
}

/** Undefined while no daemon answers. */
async function clusterName(context: Context, isTold: boolean): Promise<string | undefined> {
  try {
    return (await context.client.status()).cluster;
  } catch (error) {
    const failure = describeFailure(error);
    if (failure === undefined) throw error;
    if (isTold) context.terminal.error(`${failure.text}\n`);
    return undefined;
  }
}

function prompt(context: Context, cluster: string, { path }: Position): string {
  const changed = context.session?.session.isChanged === true ? '*' : '';
  const shadow = context.shadow === undefined ? '' : `[${context.shadow}]`;
  const text = `${cluster}${shadow}${path.length === 0 ? '' : ` ${path.join(' ')}`}${changed}# `;
  return wantsColours(context.terminal.isTerminal) ? styleText('bold', text) : text;
}

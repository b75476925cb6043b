/** The line editor of the prompt: lines, pastes, interruptions and the end of input, one after the other. */
import process from 'node:process';
import { createInterface, type Interface } from 'node:readline';
import { HISTORY_LINES, onOneLine } from './history-file.ts';
import { Keyboard, pasteMarks } from './keyboard.ts';

export interface Input {
  readonly kind: 'line' | 'paste' | 'interrupted' | 'end';
  /** The line that was typed, or the lines that were pasted into one; empty else. */
  readonly text: string;
}

export interface LineReaderOptions {
  readonly history: string[];
  readonly completer: (line: string) => Promise<[string[], string]>;
  /** Ctrl-C while a command runs. @returns whether it ended something. */
  readonly onInterrupt: () => boolean;
}

export class LineReader {
  readonly #reader: Interface & { history?: string[]; readonly line: string; cursor: number };
  readonly #keyboard: Keyboard;
  /** What came while nobody asked. */
  readonly #waiting: Input[] = [];
  #take: ((input: Input) => void) | undefined;
  #isEnded = false;
  readonly #marks = process.stdout.isTTY && process.env['TERM'] !== 'dumb';

  constructor({ history, completer, onInterrupt }: LineReaderOptions) {
    this.#keyboard = new Keyboard(process.stdin, {
      onPaste: (text) => this.#pasted(text),
      onInterrupt,
      onEnd: () => {
        if (this.#reader.line !== '') return false;
        process.stdout.write('\n');
        this.#give({ kind: 'end', text: '' });
        return true;
      },
    });
    this.#keyboard.hold();
    this.#reader = createInterface({
      input: this.#keyboard,
      output: process.stdout,
      terminal: true,
      history,
      historySize: HISTORY_LINES,
      removeHistoryDuplicates: true,
      completer: (line: string, done: (error: null, found: [string[], string]) => void) => {
        void completer(line).then((found) => done(null, found));
      },
    });
    this.#reader.on('line', (text) => this.#give({ kind: 'line', text }));
    this.#reader.on('SIGINT', () => {
      this.#abandon();
      this.#give({ kind: 'interrupted', text: '' });
    });
    this.#reader.on('close', () => {
      this.#isEnded = true;
      this.#give({ kind: 'end', text: '' });
    });
    this.#mark(true);
  }

  /** No more input will ever come. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** `typed` stands behind the prompt, to be edited. */
  read(prompt: string, typed = ''): Promise<Input> {
    const input = this.#waiting.shift();
    if (input !== undefined) return Promise.resolve(input);
    if (this.#isEnded) return Promise.resolve({ kind: 'end', text: '' });
    return new Promise((resolve) => {
      this.#take = resolve;
      this.#reader.setPrompt(prompt);
      this.#reader.prompt();
      if (typed !== '') this.#reader.write(typed);
      this.#keyboard.release();
    });
  }

  /** An answer to a question: what was typed before it was asked does not count. */
  async ask(question: string): Promise<Input> {
    this.drop();
    const { history } = this.#reader;
    const kept = history === undefined ? undefined : [...history];
    const input = await this.read(question);
    // Answers are no commands.
    if (history !== undefined && kept !== undefined) history.splice(0, history.length, ...kept);
    return input;
  }

  /** Forgets what was typed ahead. @returns how many lines it was. */
  drop(): number {
    const lines = this.#waiting.length;
    this.#waiting.length = 0;
    return lines + this.#keyboard.forget();
  }

  /** A statement of several lines is one of the history. */
  joinHistory(lines: number, statement: string): void {
    this.#reader.history?.splice(0, lines, onOneLine(statement));
  }

  /** While another program has the terminal. */
  suspended<Value>(run: () => Value): Value {
    this.#mark(false);
    this.#keyboard.setRawMode(false);
    try {
      return run();
    } finally {
      this.#keyboard.setRawMode(true);
      this.#mark(true);
    }
  }

  close(): void {
    this.#mark(false);
    this.#reader.removeAllListeners('close');
    this.#reader.close();
    this.#keyboard.destroy();
  }

  #mark(isOn: boolean): void {
    if (this.#marks) process.stdout.write(isOn ? pasteMarks.on : pasteMarks.off);
  }

  /** What was being typed stays to be seen, and does not count. */
  #abandon(): void {
    this.#reader.write(null, { ctrl: true, name: 'e' });
    process.stdout.write('^C\r\n');
    Object.assign(this.#reader, { line: '', cursor: 0, prevRows: 0 });
  }

  /** Takes back what was being typed, by the keys for it: the line editor has no other way to be told. */
  #clear(): void {
    this.#reader.write(null, { ctrl: true, name: 'e' });
    this.#reader.write(null, { ctrl: true, name: 'u' });
  }

  /** Lines that were put into what was being typed. */
  #pasted(text: string): void {
    const { line, cursor } = this.#reader;
    this.#clear();
    this.#give({ kind: 'paste', text: line.slice(0, cursor) + text + line.slice(cursor) });
  }

  #give(input: Input): void {
    this.#keyboard.hold();
    const take = this.#take;
    this.#take = undefined;
    if (take === undefined) this.#waiting.push(input);
    else take(input);
  }
}

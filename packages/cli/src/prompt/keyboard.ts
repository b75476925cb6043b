/**
 * What is typed, on its way to the line editor: key by key, so that a tab among keys typed ahead completes as any other.
 *
 * A paste is told apart from typing (terminals put marks around it when asked to): as a whole it goes to `onPaste`. While a
 * command runs, keys are held back until the prompt is there again; only Ctrl-C takes effect at once, and drops them.
 */
import { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

const PASTE_BEGINS = '\u001b[200~';
const PASTE_ENDS = '\u001b[201~';
const INTERRUPT = '\u0003';
const END_OF_INPUT = '\u0004';

/** Asks the terminal to put marks around pastes, or to stop doing so. */
export const pasteMarks = { on: '\u001b[?2004h', off: '\u001b[?2004l' };

/** The part of a terminal's input that is used here. */
export interface KeySource {
  on(event: 'data', listener: (data: Buffer) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
  off(event: 'data', listener: (data: Buffer) => void): unknown;
  off(event: 'end', listener: () => void): unknown;
  setRawMode?(isRaw: boolean): unknown;
  resume(): unknown;
  pause(): unknown;
}

export interface KeyboardEvents {
  /** Text that was pasted, with more than one line. */
  readonly onPaste: (text: string) => void;
  /** Ctrl-C while keys are held back. @returns true if it ended something, false if the line editor is to have it. */
  readonly onInterrupt: () => boolean;
  /** Ctrl-D. @returns true if it was the end of input, false if the line editor is to have it. */
  readonly onEnd: () => boolean;
}

type Key = { readonly paste: string } | string;

export class Keyboard extends Readable {
  readonly #source: KeySource;
  readonly #events: KeyboardEvents;
  readonly #decoder = new StringDecoder('utf8');
  readonly isTTY = true;
  #held: Key[] = [];
  #isHolding = false;
  /** What may be the beginning of a mark. */
  #rest = '';
  #paste: string | undefined;

  constructor(source: KeySource, events: KeyboardEvents) {
    super();
    this.#source = source;
    this.#events = events;
    source.on('data', this.#read);
    source.on('end', this.#end);
    source.resume();
  }

  override _read(): void {
    // Keys are pushed as they come.
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#source.off('data', this.#read);
    this.#source.off('end', this.#end);
    this.#source.pause();
    done(error);
  }

  setRawMode(isRaw: boolean): this {
    this.#source.setRawMode?.(isRaw);
    return this;
  }

  /** From now on keys wait. */
  hold(): void {
    this.#isHolding = true;
  }

  /** The keys that waited come, until somebody says `hold` again. */
  release(): void {
    this.#isHolding = false;
    while (!this.#isHolding) {
      const key = this.#held.shift();
      if (key === undefined) return;
      this.#give(key);
    }
  }

  /** Forgets the keys that wait. @returns how many lines they were. */
  forget(): number {
    const lines = this.#held.reduce(
      (sum, key) => sum + (typeof key === 'string' ? (/[\r\n]/.test(key) ? 1 : 0) : 1),
      0,
    );
    this.#held = [];
    return lines;
  }

  readonly #end = (): void => {
    this.push(null);
  };

  readonly #read = (data: Buffer): void => {
    let text = this.#rest + this.#decoder.write(data);
    this.#rest = '';
    while (text !== '') {
      const mark = this.#paste === undefined ? PASTE_BEGINS : PASTE_ENDS;
      const at = text.indexOf(mark);
      if (at === -1) {
        const kept = beginningOf(mark, text);
        this.#pass(text.slice(0, text.length - kept));
        this.#rest = text.slice(text.length - kept);
        return;
      }
      this.#pass(text.slice(0, at));
      text = text.slice(at + mark.length);
      if (this.#paste === undefined) this.#paste = '';
      else {
        this.#take({ paste: this.#paste.replace(/\r\n?/g, '\n') });
        this.#paste = undefined;
      }
    }
  };

  #pass(text: string): void {
    if (this.#paste === undefined) for (const key of text) this.#take(key);
    else this.#paste += text;
  }

  #take(key: Key): void {
    if (!this.#isHolding) this.#give(key);
    else if (key === INTERRUPT) {
      this.#held = this.#events.onInterrupt() ? [] : [key];
    } else this.#held.push(key);
  }

  #give(key: Key): void {
    if (typeof key === 'string') {
      if (key !== END_OF_INPUT || !this.#events.onEnd()) this.push(key);
    } else if (key.paste.includes('\n')) this.#events.onPaste(key.paste);
    // One line, or a part of it, is as if it were typed; a tab in it is a blank.
    else for (const character of key.paste.replaceAll('\t', ' ')) this.push(character);
  }
}

/** How much of the end of a text may be the beginning of a mark. A lone escape is a key, and must not wait. */
function beginningOf(mark: string, text: string): number {
  for (let length = Math.min(mark.length - 1, text.length); length > 1; length -= 1)
    if (text.endsWith(mark.slice(0, length))) return length;
  return 0;
}

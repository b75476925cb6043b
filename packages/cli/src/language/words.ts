/**
 * Text to statements, statements to words.
 *
 * A statement ends with its line unless a backslash stands at the end; a quoted string may span lines. Quotes work as
 * in a shell: nothing is special in single quotes, a backslash protects `"` and `\` in double quotes, and any character
 * outside of both. A line that begins with `#` is a comment. After `xml` the rest of the statement is one word, as it
 * stands, unless it is quoted.
 */
import { LanguageProblem, type Place } from './problem.ts';

export interface Word {
  readonly text: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** Of what was written, quotes included; only what is on the first line counts. */
  readonly length: number;
}

export interface Statement {
  /** At least one. */
  readonly words: readonly Word[];
  /** Comments directly before it, without `#`. */
  readonly comments: readonly string[];
  readonly source: Source;
}

export interface Text {
  readonly statements: readonly Statement[];
  /** Comments behind the last statement. */
  readonly comments: readonly string[];
}

/** A named text that can show any of its lines. */
export class Source {
  readonly name: string;
  readonly text: string;
  #lines: readonly string[] | undefined;

  constructor(name: string, text: string) {
    this.name = name;
    this.text = text;
  }

  line(number: number): string {
    this.#lines ??= this.text.split(/\r?\n/);
    return this.#lines[number - 1] ?? '';
  }
}

export const placeOf = (source: Source, word: Word): Place => ({
  source: source.name,
  line: word.line,
  column: word.column,
  length: word.length,
  text: source.line(word.line),
});

/** @throws LanguageProblem if a quote is not closed. */
export function readText(text: string, name = ''): Text {
  return new Reader(new Source(name, text)).read();
}

class Reader {
  readonly #source: Source;
  readonly #text: string;
  #at = 0;
  #line = 1;
  #lineStart = 0;

  constructor(source: Source) {
    this.#source = source;
    this.#text = source.text;
  }

  read(): Text {
    const statements: Statement[] = [];
    let comments: string[] = [];
    for (;;) {
      this.#skipBlank();
      if (this.#at >= this.#text.length) return { statements, comments };
      if (this.#text[this.#at] === '#') {
        comments.push(this.#restOfLine().slice(1).trim());
        continue;
      }
      const words = this.#readWords();
      if (words.length === 0) continue;
      statements.push({ words, comments, source: this.#source });
      comments = [];
    }
  }

  #skipBlank(): void {
    for (;;) {
      const character = this.#text[this.#at];
      if (character === '\n') this.#newLine();
      else if (character === ' ' || character === '\t' || character === '\r') this.#at += 1;
      else if (this.#isContinuation()) this.#skipContinuation();
      else return;
    }
  }

  #newLine(): void {
    this.#at += 1;
    this.#line += 1;
    this.#lineStart = this.#at;
  }

  /** A backslash with nothing but blanks between it and the end of the line. */
  #isContinuation(): boolean {
    if (this.#text[this.#at] !== '\\') return false;
    let next = this.#at + 1;
    while (this.#text[next] === ' ' || this.#text[next] === '\t' || this.#text[next] === '\r') next += 1;
    return next >= this.#text.length || this.#text[next] === '\n';
  }

  /** Nothing stands between a word's last character and the next line's first: the word goes on there. */
  #continuesWord(): boolean {
    if (this.#text[this.#at + 1] !== '\n') return false;
    const next = this.#text[this.#at + 2];
    return next !== undefined && !/\s/.test(next);
  }

  #skipContinuation(): void {
    const end = this.#text.indexOf('\n', this.#at);
    if (end === -1) {
      this.#at = this.#text.length;
      return;
    }
    this.#at = end;
    this.#newLine();
  }

  #restOfLine(): string {
    const end = this.#text.indexOf('\n', this.#at);
    const rest = this.#text.slice(this.#at, end === -1 ? undefined : end);
    this.#at += rest.length;
    return rest;
  }

  #readWords(): Word[] {
    const words: Word[] = [];
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined) return words;
      if (character === '\n') {
        this.#newLine();
        return words;
      }
      if (character === ' ' || character === '\t' || character === '\r') this.#at += 1;
      else if (this.#isContinuation()) this.#skipContinuation();
      else if (words.length === 1 && words[0]?.text.toLowerCase() === 'xml' && character === '<')
        words.push(this.#readRaw());
      else words.push(this.#readWord());
    }
  }

  #readWord(): Word {
    const { line, column, start } = this.#here();
    let text = '';
    for (;;) {
      const character = this.#text[this.#at];
      if (
        character === undefined ||
        character === ' ' ||
        character === '\t' ||
        character === '\r' ||
        character === '\n'
      )
        break;
      if (character === "'") text += this.#readSingleQuoted();
      else if (character === '"') text += this.#readDoubleQuoted();
      else if (character === '\\') {
        if (this.#isContinuation()) {
          if (!this.#continuesWord()) break;
          this.#skipContinuation();
          continue;
        }
        text += this.#text[this.#at + 1] ?? '';
        this.#at += 2;
      } else {
        text += character;
        this.#at += 1;
      }
    }
    return { text, line, column, length: this.#lengthFrom(start, line) };
  }

  #readSingleQuoted(): string {
    const here = this.#here();
    const end = this.#text.indexOf("'", this.#at + 1);
    if (end === -1) throw this.#unclosed(here);
    const text = this.#text.slice(this.#at + 1, end);
    this.#countLines(text, this.#at + 1);
    this.#at = end + 1;
    return text;
  }

  #readDoubleQuoted(): string {
    const here = this.#here();
    let text = '';
    this.#at += 1;
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined) throw this.#unclosed(here);
      if (character === '"') {
        this.#at += 1;
        return text;
      }
      const next = this.#text[this.#at + 1];
      if (character === '\\' && (next === '"' || next === '\\')) {
        text += next;
        this.#at += 2;
      } else if (this.#isContinuation()) this.#skipContinuation();
      else if (character === '\n') {
        text += character;
        this.#newLine();
      } else {
        text += character;
        this.#at += 1;
      }
    }
  }

  /** The rest of the statement as it stands, continuation lines joined. */
  #readRaw(): Word {
    const { line, column, start } = this.#here();
    let text = '';
    for (;;) {
      const rest = this.#restOfLine();
      const joined = /^(.*)\\\s*$/.exec(rest);
      text += joined?.[1] ?? rest;
      if (joined === null || this.#at >= this.#text.length) break;
      this.#newLine();
    }
    return { text: text.trim(), line, column, length: this.#lengthFrom(start, line) };
  }

  #here(): { line: number; column: number; start: number } {
    return { line: this.#line, column: this.#at - this.#lineStart + 1, start: this.#at };
  }

  #lengthFrom(start: number, line: number): number {
    if (line === this.#line) return this.#at - start;
    const end = this.#text.indexOf('\n', start);
    return Math.max(1, end - start);
  }

  #countLines(text: string, from: number): void {
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) {
      this.#line += 1;
      this.#lineStart = from + at + 1;
    }
  }

  #unclosed(here: { line: number; column: number }): LanguageProblem {
    const word: Word = { text: '', line: here.line, column: here.column, length: 1 };
    return new LanguageProblem('this quote is never closed', { place: placeOf(this.#source, word) });
  }
}

/** Whether a text that ends here waits for more: a backslash at its end, or an open quote. For prompts. */
export function isUnfinished(text: string): boolean {
  if (/\\\s*$/.test(text) && !/\n\s*$/.test(text)) return true;
  try {
    readText(text);
    return false;
  } catch (error) {
    if (error instanceof LanguageProblem) return true;
    throw error;
  }
}

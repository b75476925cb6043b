/** A place in a statement's words, with the questions that parsers ask there. */
import { LanguageProblem } from './problem.ts';
import { didYouMean } from './suggest.ts';
import { placeOf, type Statement, type Word } from './words.ts';

export class Cursor {
  readonly statement: Statement;
  #words: readonly Word[];
  #at = 0;

  constructor(statement: Statement, words: readonly Word[] = statement.words) {
    this.statement = statement;
    this.#words = words;
  }

  get word(): Word | undefined {
    return this.#words[this.#at];
  }

  get text(): string | undefined {
    return this.#words[this.#at]?.text;
  }

  /** Keywords do not depend on case. */
  get keyword(): string | undefined {
    return this.text?.toLowerCase();
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#words.length;
  }

  /** The words from here to the end. */
  get rest(): readonly Word[] {
    return this.#words.slice(this.#at);
  }

  /** The words from here to the end, which are then behind. */
  takeRest(): readonly Word[] {
    const { rest } = this;
    this.#at = this.#words.length;
    return rest;
  }

  skip(): void {
    this.#at += 1;
  }

  /** The next word alone. */
  single(): Cursor {
    return new Cursor(this.statement, this.#words.slice(this.#at, this.#at + 1));
  }

  /** The next word, whatever it is. */
  next(expected: string): Word {
    const { word } = this;
    if (word === undefined) throw this.expected(expected);
    this.#at += 1;
    return word;
  }

  /** Takes the next word if it is this keyword. */
  accept(keyword: string): boolean {
    if (this.keyword !== keyword) return false;
    this.#at += 1;
    return true;
  }

  /** Takes the next word if it matches as a whole. */
  match(pattern: RegExp): RegExpExecArray | undefined {
    const match = this.text === undefined ? null : pattern.exec(this.text);
    if (match === null) return undefined;
    this.#at += 1;
    return match;
  }

  /** Takes the last word if it matches: some settings stand at the end of a statement. */
  matchLast(pattern: RegExp): RegExpExecArray | undefined {
    if (this.isAtEnd) return undefined;
    const match = pattern.exec(this.#words.at(-1)?.text ?? '');
    if (match === null) return undefined;
    this.#words = this.#words.slice(0, -1);
    return match;
  }

  /** `expected X, found "y"`, with the nearest of `candidates`. */
  expected(expected: string, candidates: Iterable<string> = []): LanguageProblem {
    const { word } = this;
    if (word === undefined) return this.problem(`expected ${expected}, but the statement ends here`, this.end);
    return this.problem(`expected ${expected}, found "${word.text}"${didYouMean(word.text, candidates)}`, word);
  }

  /** A problem with the next word, or with the given one. */
  problem(message: string, word: Word = this.word ?? this.end): LanguageProblem {
    return new LanguageProblem(message, { place: placeOf(this.statement.source, word) });
  }

  /** @throws LanguageProblem if there are words left. */
  finish(): void {
    if (this.isAtEnd) return;
    const { statement } = this;
    throw this.problem(`"${this.text}" does not belong here, in ${statement.words[0]?.text ?? 'this statement'}`);
  }

  /** Just behind the last word. */
  get end(): Word {
    const last = this.statement.words.at(-1);
    return { text: '', line: last?.line ?? 1, column: (last?.column ?? 0) + (last?.length ?? 0), length: 1 };
  }
}

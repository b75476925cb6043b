/** What is wrong with a text, where exactly, what was expected, and what was probably meant. */

/** A stretch of a text, for pointing at it. Lines and columns count from 1, columns in UTF-16 units. */
export interface Place {
  /** The file's name; empty for what was typed. */
  readonly source: string;
  readonly line: number;
  readonly column: number;
  readonly length: number;
  /** The whole line. */
  readonly text: string;
}

/** Thrown while a text is read or applied; whoever runs it catches it and applies nothing. */
export class LanguageProblem extends Error {
  override readonly name = 'LanguageProblem';
  readonly place: Place | undefined;
  /** A further sentence: what to do. */
  readonly hint: string | undefined;
  readonly code: 'invalid' | 'notFound' | 'refused';

  constructor(
    message: string,
    options: { place?: Place | undefined; hint?: string | undefined; code?: LanguageProblem['code'] } = {},
  ) {
    super(message);
    this.place = options.place;
    this.hint = options.hint;
    this.code = options.code ?? 'invalid';
  }
}

/** Several at once, from a file. */
export class LanguageProblems extends Error {
  override readonly name = 'LanguageProblems';
  readonly problems: readonly LanguageProblem[];

  constructor(problems: readonly LanguageProblem[]) {
    super(problems.map((problem) => problem.message).join('; '));
    this.problems = problems;
  }
}

/** So much of a long line is shown around the word in question. */
const WINDOW = 100;

/** The message with the line and a mark under the word, ready to be printed. */
export function formatProblem(problem: LanguageProblem): string {
  const { place } = problem;
  const hint = problem.hint === undefined ? '' : `\n  ${problem.hint}`;
  if (place === undefined) return `error: ${problem.message}${hint}`;
  const where = `${place.source === '' ? '' : `${place.source}:`}${place.line}:${place.column}`;
  const start = Math.max(0, Math.min(place.column - 1 - WINDOW / 2, place.text.length - WINDOW));
  const shown = place.text.slice(start, start + WINDOW).replace(/\t/g, ' ');
  const mark = ' '.repeat(place.column - 1 - start) + '^'.repeat(Math.max(1, Math.min(place.length, WINDOW)));
  return `${where}: error: ${problem.message}\n  ${shown}\n  ${mark}${hint}`;
}

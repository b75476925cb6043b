/** Reading the words of a ruleset's lines. */

/** What is wrong with a ruleset, by line (from 1). */
export class RulesError extends Error {
  override readonly name = 'RulesError';
  constructor(line: number, message: string) {
    super(`line ${line}: ${message}`);
  }
}

export function wholeNumber(text: string, line: number): number {
  if (!/^\d{1,9}$/u.test(text)) throw new RulesError(line, `"${text}" is not a whole number`);
  return Number(text);
}

export function milliseconds(text: string, line: number): number {
  const match = /^(\d{1,9})(ms|s|min)?$/u.exec(text);
  if (match === null) throw new RulesError(line, `"${text}" is not a time; write 500ms, 5s or 1min`);
  const factor = match[2] === 'ms' ? 1 : match[2] === 'min' ? 60_000 : 1000;
  return Number(match[1]) * factor;
}

/** Words between blanks; double quotes hold words together. */
export const splitWords = (line: string): readonly string[] =>
  [...line.matchAll(/(?:[^\s"]|"[^"]*")+/gu)].map((match) => match[0].replaceAll('"', ''));

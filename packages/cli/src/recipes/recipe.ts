/**
 * A recipe: a piece of configuration with gaps. `{name}` is filled with a value; `{name? words {name}}` is there only if
 * the value is given.
 */
import { SystoleError } from '@systole/kernel';
import { quote } from '../language/quote.ts';
import { didYouMean } from '../language/suggest.ts';

export interface Recipe {
  readonly name: string;
  /** One line, without a full stop. */
  readonly summary: string;
  /** What to know before, and what to look after. */
  readonly details: string;
  readonly parameters: readonly Parameter[];
  readonly text: string;
}

export interface Parameter {
  readonly name: string;
  readonly meaning: string;
  /** Absent and not optional: must be given. */
  readonly fallback?: string;
  readonly isOptional?: true;
  readonly kind?: keyof typeof kinds;
}

const kinds = {
  id: [/^[\p{L}_][\p{L}\p{N}_.-]*$/u, 'an id: letters, digits, dots, hyphens'],
  address: [/^(?:\d{1,3}(?:\.\d{1,3}){3}|[\da-f:]*:[\da-f:.]+)$/i, 'an IP address'],
  number: [/^\d+$/, 'a number'],
  path: [/^\/\S*$/, 'a path from the root'],
  name: [/^\S+$/, 'a word without blanks'],
} as const;

/** Reads `NAME=VALUE …`. @throws SystoleError naming every mistake at once. */
export function readParameters(recipe: Recipe, words: readonly string[]): ReadonlyMap<string, string> {
  const given = new Map<string, string>();
  const problems: string[] = [];
  const names = recipe.parameters.map(({ name }) => name);
  for (const word of words) {
    const at = word.indexOf('=');
    const name = at < 1 ? word : word.slice(0, at);
    if (at < 1) problems.push(`expected NAME=VALUE, found "${word}"`);
    else if (!names.includes(name))
      problems.push(`${recipe.name} has no parameter "${name}"${didYouMean(name, names)}`);
    else given.set(name, word.slice(at + 1));
  }
  for (const { name, meaning, fallback, isOptional, kind } of recipe.parameters) {
    const value = given.get(name) ?? fallback;
    if (value === undefined || value === '') {
      if (isOptional !== true) problems.push(`${name} is lacking: ${meaning}`);
      given.delete(name);
      continue;
    }
    given.set(name, value);
    const [pattern, expected] = kinds[kind ?? 'name'];
    if (!pattern.test(value)) problems.push(`${name} is ${expected}, not "${value}"`);
  }
  if (problems.length > 0) throw new SystoleError('invalid', problems.join('\n'), { details: { problems } });
  return given;
}

/** The configuration text with all gaps filled. */
export function fill(recipe: Recipe, values: ReadonlyMap<string, string>): string {
  const gap = (text: string): string =>
    text.replace(/\{(\w+)\}/g, (_, name: string) => {
      const value = values.get(name);
      if (value === undefined) throw new Error(`recipe ${recipe.name} uses ${name}, which has no value`);
      return quote(value);
    });
  const chosen = recipe.text.replace(/\{(\w+)\?((?:[^{}]|\{\w+\})*)\}/g, (_, name: string, words: string) =>
    values.has(name) ? words : '',
  );
  return gap(chosen)
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .join('\n');
}

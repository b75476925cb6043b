/** Reads a command line as GNU getopt does, since that is what the programs that agents call have always understood. */
import { fail, ok, type Result } from '@systole/kernel';

/** What follows an option: nothing, a value, or (long options only, after `=`) perhaps one. */
type OptionKind = 'flag' | 'value' | 'maybe';

/** An option's own name → its kind and the words that mean it. */
export type OptionTable = Readonly<Record<string, readonly [kind: OptionKind, ...words: readonly string[]]>>;

export interface Arguments {
  /** The last value of each option; `true` for flags, and for `maybe` without one. */
  readonly options: ReadonlyMap<string, string | true>;
  readonly rest: readonly string[];
}

export function readArguments(table: OptionTable, argv: readonly string[]): Result<Arguments, string> {
  const byWord = new Map(
    Object.entries(table).flatMap(([name, [kind, ...words]]) => words.map((word) => [word, { name, kind }] as const)),
  );
  const options = new Map<string, string | true>();
  const rest: string[] = [];
  const left = [...argv];
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    if (word === '--') {
      rest.push(...left);
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      rest.push(word);
      continue;
    }
    const equals = word.indexOf('=');
    const isLong = word.startsWith('--');
    const name = isLong ? (equals === -1 ? word : word.slice(0, equals)) : word.slice(0, 2);
    const option = isLong ? (byWord.get(name) ?? abbreviated(byWord, name)) : byWord.get(name);
    if (option === undefined) return fail(`there is no option ${name}`);
    const attached = isLong ? (equals === -1 ? undefined : word.slice(equals + 1)) : word.slice(2) || undefined;
    switch (option.kind) {
      case 'flag':
        options.set(option.name, true);
        // -VV, -QG: more letters may hang on one that takes nothing.
        if (!isLong && attached !== undefined) left.unshift(`-${attached}`);
        break;
      case 'maybe': {
        // `-p RSC` and `--promotion=RSC` name it; the next word is taken only if it is none of our options.
        const next = left[0];
        const isNext = attached === undefined && !isLong && next !== undefined && !next.startsWith('-');
        options.set(option.name, attached ?? (isNext ? (left.shift() ?? true) : true));
        break;
      }
      case 'value': {
        const value = attached ?? left.shift();
        if (value === undefined) return fail(`option ${name} needs a value`);
        options.set(option.name, value);
        break;
      }
    }
  }
  return ok({ options, rest });
}

function abbreviated<T>(byWord: ReadonlyMap<string, T>, name: string): T | undefined {
  const fitting = [...byWord].filter(([word]) => word.startsWith(name) && word.startsWith('--'));
  return fitting.length === 1 ? fitting[0]?.[1] : undefined;
}

/** A body of netstrings; fails where it is cut short. Lengths are in bytes, so it is taken as bytes. */
export function readNetstrings(body: Uint8Array): Result<readonly string[], string> {
  const texts: string[] = [];
  const decoder = new TextDecoder();
  let at = 0;
  while (at < body.length) {
    const colon = body.indexOf(0x3a, at);
    const digits = colon === -1 ? '' : decoder.decode(body.subarray(at, colon));
    const length = /^\d{1,7}$/.test(digits) ? Number(digits) : Number.NaN;
    const end = colon + 1 + length;
    if (Number.isNaN(length) || body[end] !== 0x2c) return fail(`no netstring at byte ${at}`);
    texts.push(decoder.decode(body.subarray(colon + 1, end)));
    at = end + 1;
  }
  return ok(texts);
}

/**
 * Reads pairs, attribute sets and rules:
 *
 *     [$id=ID | $id-ref=ID] [SCORE:] [rule …] NAME=VALUE … | @PAIR-ID[:NAME] | $PAIR-ID:NAME=VALUE
 *     rule [$id=ID] [$role=ROLE] [SCORE: | ATTRIBUTE:] EXPRESSION [and|or EXPRESSION] …
 */
import {
  type AttributeSet,
  type Expression,
  INFINITY,
  type Pair,
  parseRole,
  parseScore,
  type Role,
  type Rule,
} from '@systole/cib';
import type { Cursor } from './cursor.ts';
import { nearest } from './suggest.ts';

/** Words that begin something else, so that pairs end before them. */
export const resourceKeywords: ReadonlySet<string> = new Set([
  'params',
  'meta',
  'utilization',
  'operations',
  'op',
  'op_params',
  'op_meta',
  'rule',
  'attributes',
]);

/** Long enough that another word is hardly like one of them by chance. */
const sectionWords: readonly string[] = ['params', 'utilization', 'operations', 'attributes'];

export interface PairOptions {
  /** Words at which pairs end. */
  readonly stop: ReadonlySet<string>;
  /** A name alone is a pair without value. */
  readonly mayLackValue?: boolean;
  /** `name=` is refused. */
  readonly needsText?: boolean;
}

/** As many pairs as there are. */
export function parsePairs(cursor: Cursor, options: PairOptions): Pair[] {
  const pairs: Pair[] = [];
  for (;;) {
    const pair = parsePair(cursor, options);
    if (pair === undefined) return pairs;
    pairs.push(pair);
  }
}

function parsePair(cursor: Cursor, options: PairOptions): Pair | undefined {
  const { keyword, word } = cursor;
  if (word === undefined || keyword === undefined || options.stop.has(keyword)) return undefined;
  const reference = cursor.match(/^@([^:]+)(?::(.+))?$/);
  if (reference !== undefined) {
    const [, idRef = '', name] = reference;
    return { idRef, ...(name === undefined ? {} : { name }) };
  }
  const named = cursor.match(/^\$([^:=]+):([^=]+)=(.*)$/s);
  if (named !== undefined) {
    const [, id = '', name = '', value = ''] = named;
    return { id, name, value };
  }
  const plain = cursor.match(/^([^=@$][^=]*)=(.*)$/s);
  if (plain !== undefined) {
    const [, name = '', value = ''] = plain;
    if (options.needsText === true && value === '') throw cursor.problem(`${name} lacks a value`, word);
    return { name, value };
  }
  const bare = options.mayLackValue === true ? cursor.match(/^[^:=@${}()[\]]+$/) : undefined;
  if (bare === undefined) return undefined;
  const [name] = bare;
  const slip = nearest(name, sectionWords);
  // `parms x=1` would be a parameter "parms" without value, and nobody would notice.
  if (slip !== undefined)
    throw cursor.problem(`"${name}" is neither NAME=VALUE nor a section; did you mean "${slip}"?`, word);
  return { name };
}

/** `$id=X` or `$id-ref=X`. */
export function parseIdSpec(cursor: Cursor): { readonly id?: string; readonly idRef?: string } {
  const match = cursor.match(/^\$(id|id-ref)=(.+)$/i);
  if (match === undefined) return {};
  const [, kind = '', value = ''] = match;
  return kind.toLowerCase() === 'id' ? { id: value } : { idRef: value };
}

/** A set and whether anything was there. */
export function parseSet(
  cursor: Cursor,
  options: PairOptions,
): { readonly set: AttributeSet; readonly isEmpty: boolean } {
  const ids = parseIdSpec(cursor);
  if (ids.idRef !== undefined) return { set: { idRef: ids.idRef, pairs: [] }, isEmpty: false };
  const { word } = cursor;
  const given = cursor.match(/^([^:=@$][^:=]*):$/);
  const score = given === undefined ? undefined : parseScore(given[1] ?? '');
  if (given !== undefined && score === undefined) {
    throw cursor.problem(`"${given[1]}" is not a score; write a whole number, inf or -inf`, word);
  }
  const rule = parseOptionalRule(cursor);
  const pairs = parsePairs(cursor, options);
  const set: AttributeSet = {
    ...ids,
    ...(score === undefined ? {} : { score }),
    ...(rule === undefined ? {} : { rule }),
    pairs,
  };
  return { set, isEmpty: ids.id === undefined && score === undefined && rule === undefined && pairs.length === 0 };
}

/** A set of attributes has one rule at most. */
export function parseOptionalRule(cursor: Cursor): Rule | undefined {
  if (!cursor.accept('rule')) return undefined;
  const rule = parseRule(cursor);
  if (cursor.keyword === 'rule') throw cursor.problem('a set has one rule; begin another set for another rule');
  return rule;
}

/** What follows the word `rule`. */
export function parseRule(cursor: Cursor): Rule {
  const ids = parseIdSpec(cursor);
  const role = parseRoleSetting(cursor);
  if (ids.idRef !== undefined) return { idRef: ids.idRef, ...role, expressions: [] };
  const weight = parseRuleScore(cursor);
  const expressions = [parseExpression(cursor)];
  let operator: 'and' | 'or' | undefined;
  for (;;) {
    const { word } = cursor;
    const next = cursor.match(/^(?:and|or)$/i)?.[0].toLowerCase() as 'and' | 'or' | undefined;
    if (next === undefined) break;
    if (operator !== undefined && next !== operator) {
      throw cursor.problem('"and" and "or" do not mix in one rule; use several rules', word);
    }
    operator = next;
    expressions.push(parseExpression(cursor));
  }
  return { ...ids, ...role, ...weight, ...(operator === 'or' ? { booleanOp: operator } : {}), expressions };
}

/** `role=R` or `$role=R`. */
export function parseRoleSetting(cursor: Cursor): { readonly role?: Role } {
  const { word } = cursor;
  const match = cursor.match(/^\$?role=(.+)$/i);
  if (match === undefined) return {};
  const role = parseRole(match[1] ?? '');
  if (role === undefined) throw badRole(cursor, match[1] ?? '', word);
  return { role };
}

export const roleNames = ['Started', 'Stopped', 'Promoted', 'Unpromoted', 'Master', 'Slave'];

export const badRole = (cursor: Cursor, text: string, word: Cursor['word']): Error =>
  cursor.problem(`"${text}" is not a role; roles are Started, Stopped, Promoted and Unpromoted`, word);

function parseRuleScore(cursor: Cursor): Pick<Rule, 'score' | 'scoreAttribute'> {
  const { word } = cursor;
  const match = cursor.match(/^([^:]+):$/);
  if (match === undefined) return { score: INFINITY };
  const text = match[1] ?? '';
  const named: Readonly<Record<string, number>> = { advisory: 0, mandatory: INFINITY };
  const score = named[text.toLowerCase()] ?? parseScore(text);
  if (score !== undefined) return { score };
  if (/^[+-]?\d/.test(text)) throw cursor.problem(`"${text}" is neither a score nor a node attribute`, word);
  return { scoreAttribute: text };
}

const comparisons = ['lt', 'gt', 'lte', 'gte', 'eq', 'ne'] as const;
const valueTypes = ['string', 'integer', 'number', 'version'] as const;

function parseExpression(cursor: Cursor): Expression {
  if (cursor.accept('date')) return parseDate(cursor);
  const unary = cursor.match(/^(?:not_defined|defined)$/i);
  if (unary !== undefined) {
    const operation = unary[0].toLowerCase() as 'defined' | 'not_defined';
    return { type: 'attribute', attribute: parseAttributeName(cursor), operation };
  }
  const attribute = parseAttributeName(cursor);
  const match = cursor.match(/^(?:(string|integer|number|version):)?(lte|gte|lt|gt|eq|ne)$/i);
  if (match === undefined) {
    throw cursor.expected('a comparison (lt, gt, lte, gte, eq or ne)', [
      ...comparisons,
      ...valueTypes.flatMap((type) => comparisons.map((comparison) => `${type}:${comparison}`)),
    ]);
  }
  const [, type, operation = 'eq'] = match;
  const value = cursor.next('a value to compare with').text;
  const source = /^(literal|param|meta)\{(.+)\}$/.exec(value);
  return {
    type: 'attribute',
    attribute,
    operation: operation.toLowerCase() as (typeof comparisons)[number],
    value: source?.[2] ?? value,
    ...(type === undefined ? {} : { valueType: type.toLowerCase() as (typeof valueTypes)[number] }),
    ...(source === null ? {} : { valueSource: source[1] as 'literal' | 'param' | 'meta' }),
  };
}

function parseAttributeName(cursor: Cursor): string {
  const match = cursor.match(/^[\p{L}\p{N}_#$.-][^=]*$/u);
  if (match === undefined) throw cursor.expected('a node attribute');
  return match[0];
}

const dateWords = ['lt', 'gt', 'in', 'in_range', 'spec', 'date_spec'];

const units = [
  'years',
  'months',
  'weeks',
  'days',
  'hours',
  'minutes',
  'seconds',
  'monthdays',
  'weekdays',
  'yeardays',
  'yearsdays',
  'weekyears',
];

/** What follows the word `date`. */
function parseDate(cursor: Cursor): Expression {
  switch (cursor.keyword) {
    case 'lt':
      cursor.skip();
      return { type: 'date', operation: 'lt', end: cursor.next('a date').text };
    case 'gt':
      cursor.skip();
      return { type: 'date', operation: 'gt', start: cursor.next('a date').text };
    case 'in':
    case 'in_range':
      cursor.skip();
      return parseRange(cursor);
    case 'spec':
    case 'date_spec': {
      cursor.skip();
      const dateSpec = parseUnits(cursor, units);
      if (Object.keys(dateSpec).length === 0)
        throw cursor.expected('something such as hours=9-17 or weekdays=1-5', units);
      return { type: 'date', operation: 'date_spec', dateSpec };
    }
    default:
      throw cursor.expected('lt, gt, in or spec', dateWords);
  }
}

function parseRange(cursor: Cursor): Expression {
  const { start, end, ...duration } = parseUnits(cursor, ['start', 'end', ...units]);
  const hasDuration = Object.keys(duration).length > 0;
  if ((start === undefined && end === undefined) || (end === undefined && !hasDuration)) {
    throw cursor.expected(start === undefined ? 'start=DATE' : 'end=DATE, or a duration such as months=2', [
      'start',
      'end',
    ]);
  }
  return {
    type: 'date',
    operation: 'in_range',
    ...(start === undefined ? {} : { start }),
    ...(end === undefined ? {} : { end }),
    ...(hasDuration ? { duration } : {}),
  };
}

function parseUnits(cursor: Cursor, names: readonly string[]): Record<string, string> {
  const pattern = new RegExp(`^(${names.join('|')})=(.+)$`, 's');
  const result: Record<string, string> = {};
  for (;;) {
    const match = cursor.match(pattern);
    if (match === undefined) return result;
    result[match[1] ?? ''] = match[2] ?? '';
  }
}

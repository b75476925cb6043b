/** Attribute sets, pairs and rules as text. */
import { type AttributeSet, type Expression, formatScore, INFINITY, type Pair, type Rule } from '@systole/cib';
import { pairText, quote } from './quote.ts';

/** Ids that something else refers to, so that they must be shown. */
export type Referenced = ReadonlySet<string>;

export const infinity = (score: number): string => formatScore(score).replace('INFINITY', 'inf');

export const words = (...parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined && part !== '').join(' ');

export const descriptionLine = (value: { readonly description?: string }): readonly string[] =>
  value.description === undefined ? [] : [pairText('description', value.description)];

export const setLines = (word: string, sets: readonly AttributeSet[], referenced: Referenced): readonly string[] =>
  sets.map((set) => words(word, setText(set, referenced)));

function setText(set: AttributeSet, referenced: Referenced): string {
  if (set.idRef !== undefined) return `$id-ref=${set.idRef}`;
  const { id, score, rule } = set;
  return words(
    id !== undefined && referenced.has(id) ? `$id=${id}` : undefined,
    score === undefined ? undefined : `${infinity(score)}:`,
    rule === undefined ? undefined : ruleText(rule, referenced),
    ...set.pairs.map((pair) => onePair(pair, referenced)),
  );
}

export function onePair(pair: Pair, referenced: Referenced): string {
  if (pair.idRef !== undefined) return pair.name === undefined ? `@${pair.idRef}` : `@${pair.idRef}:${pair.name}`;
  const name = pair.name ?? '';
  if (pair.value === undefined) return name;
  const text = pairText(name, pair.value);
  return pair.id !== undefined && referenced.has(pair.id) ? `$${pair.id}:${text}` : text;
}

export function ruleText(rule: Rule, referenced: Referenced): string {
  if (rule.idRef !== undefined) return `rule $id-ref=${rule.idRef}`;
  const score =
    rule.scoreAttribute ?? (rule.score === undefined || rule.score >= INFINITY ? undefined : infinity(rule.score));
  return words(
    'rule',
    rule.id !== undefined && referenced.has(rule.id) ? `$id=${rule.id}` : undefined,
    rule.role === undefined ? undefined : `$role=${rule.role}`,
    score === undefined ? undefined : `${score}:`,
    rule.expressions.map(expressionText).join(` ${rule.booleanOp ?? 'and'} `),
  );
}

function expressionText(expression: Expression): string {
  switch (expression.type) {
    case 'attribute': {
      const { attribute, operation, value, valueType, valueSource } = expression;
      if (operation === 'defined' || operation === 'not_defined') return `${operation} ${attribute}`;
      const comparison = valueType === undefined ? operation : `${valueType}:${operation}`;
      const isPlain = valueSource === undefined || valueSource === 'literal';
      return `${attribute} ${comparison} ${quote(isPlain ? (value ?? '') : `${valueSource}{${value ?? ''}}`)}`;
    }
    case 'date': {
      const { operation, start, end, duration, dateSpec } = expression;
      if (operation === 'lt') return `date lt ${quote(end ?? '')}`;
      if (operation === 'gt') return `date gt ${quote(start ?? '')}`;
      const amounts = Object.entries({ ...duration, ...dateSpec }).filter(([name]) => name !== 'id');
      return words(
        operation === 'in_range' ? 'date in' : 'date spec',
        start === undefined ? undefined : pairText('start', start),
        end === undefined ? undefined : pairText('end', end),
        ...amounts.map(([name, value]) => pairText(name, value)),
      );
    }
    default:
      // No words for these: the statement will not read back, and is printed as XML.
      return `<${expression.type}>`;
  }
}

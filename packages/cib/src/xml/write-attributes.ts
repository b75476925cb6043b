/** Writes attribute sets and rules. What was made here without an id gets one derived from its place: XML requires ids. */
import type { AttributeSet, Expression, Pair, Rule } from '../model/attributes.ts';
import { formatScore } from '../score.ts';
import type { Output } from './writer.ts';

/** Ids of XML are names: letters, digits, `.`, `_`, `-`; anything else becomes a dot. */
export const idOf = (...parts: readonly string[]): string => parts.join('-').replace(/[^\p{L}\p{N}._-]/gu, '.');

export const optionalScore = (score: number | undefined): string | undefined =>
  score === undefined ? undefined : formatScore(score);

export const optionalBoolean = (value: boolean | undefined): string | undefined =>
  value === undefined ? undefined : String(value);

export const withComments = (comments: readonly string[] | undefined): { comments?: readonly string[] } =>
  comments === undefined ? {} : { comments: comments.map((text) => `# ${text}`) };

/** `owner` is the id of what the sets belong to. */
export const writeSets = (sets: readonly AttributeSet[], name: string, owner: string): Output[] =>
  sets.map((set, index) => writeSet(set, name, index === 0 ? idOf(owner, name) : idOf(owner, name, String(index))));

export function writeSet(set: AttributeSet, name: string, fallbackId: string): Output {
  const id = set.idRef === undefined ? (set.id ?? fallbackId) : set.id;
  return {
    name,
    attributes: { id, 'id-ref': set.idRef, score: optionalScore(set.score) },
    ...withComments(set.comments),
    children: [
      ...(set.rule === undefined ? [] : [writeRule(set.rule, idOf(id ?? fallbackId, 'rule'))]),
      ...set.pairs.map((pair, index) => writePair(pair, id ?? fallbackId, index)),
    ],
  };
}

function writePair(pair: Pair, owner: string, index: number): Output {
  const id = pair.idRef === undefined ? (pair.id ?? idOf(owner, pair.name ?? String(index))) : pair.id;
  return { name: 'nvpair', attributes: { id, 'id-ref': pair.idRef, name: pair.name, value: pair.value } };
}

export function writeRule(rule: Rule, fallbackId: string): Output {
  const id = rule.idRef === undefined ? (rule.id ?? fallbackId) : rule.id;
  return {
    name: 'rule',
    attributes: {
      id,
      'id-ref': rule.idRef,
      role: rule.role,
      score: optionalScore(rule.score),
      'score-attribute': rule.scoreAttribute,
      'boolean-op': rule.booleanOp,
    },
    children: rule.expressions.map((expression, index) => {
      const suffix = index === 0 ? 'expression' : `expression-${index}`;
      return writeExpression(expression, idOf(id ?? fallbackId, suffix));
    }),
  };
}

function writeExpression(expression: Expression, fallbackId: string): Output {
  switch (expression.type) {
    case 'rule':
      return writeRule(expression.rule, fallbackId.replace(/expression(?=(?:-\d+)?$)/, 'rule'));
    case 'attribute':
      return {
        name: 'expression',
        attributes: {
          id: expression.id ?? fallbackId,
          attribute: expression.attribute,
          operation: expression.operation,
          value: expression.value,
          type: expression.valueType,
          'value-source': expression.valueSource,
        },
      };
    case 'date': {
      const id = expression.id ?? fallbackId;
      const { duration, dateSpec } = expression;
      return {
        name: 'date_expression',
        attributes: { id, operation: expression.operation, start: expression.start, end: expression.end },
        children: [
          ...(duration === undefined ? [] : [writeAmounts('duration', idOf(id, 'duration'), duration)]),
          ...(dateSpec === undefined ? [] : [writeAmounts('date_spec', idOf(id, 'date_spec'), dateSpec)]),
        ],
      };
    }
    case 'resource':
      return {
        name: 'rsc_expression',
        attributes: {
          id: expression.id ?? fallbackId,
          class: expression.class,
          provider: expression.provider,
          type: expression.agentType,
        },
      };
    case 'operation':
      return {
        name: 'op_expression',
        attributes: { id: expression.id ?? fallbackId, name: expression.name, interval: expression.interval },
      };
  }
}

const writeAmounts = (name: string, fallbackId: string, amounts: Readonly<Record<string, string>>): Output => ({
  name,
  attributes: { id: fallbackId, ...amounts },
});

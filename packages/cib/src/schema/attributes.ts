/** Schemas of pairs, sets of them, and rules. */
import { Type } from 'typebox';
import type { Rule } from '../model/attributes.ts';
import { list, name, object, optional, reference, score, text, texts, word, words } from './values.ts';

export const role = words('Stopped', 'Started', 'Promoted', 'Unpromoted');

export const pair = object({ id: optional(word), name: optional(word), value: optional(text), idRef: optional(word) });

/** Rules hold rules, so the schema names itself. */
const ruleId = 'rule';
export const ruleReference = reference<Rule>(ruleId);

const expression = Type.Unsafe<Rule['expressions'][number]>({
  type: 'object',
  required: ['type'],
  discriminator: { propertyName: 'type' },
  oneOf: [
    object({ type: Type.Literal('rule'), rule: ruleReference }),
    object({
      type: Type.Literal('attribute'),
      id: optional(word),
      attribute: word,
      operation: words('lt', 'gt', 'lte', 'gte', 'eq', 'ne', 'defined', 'not_defined'),
      value: optional(text),
      valueType: optional(words('string', 'integer', 'number', 'version')),
      valueSource: optional(words('literal', 'param', 'meta')),
    }),
    object({
      type: Type.Literal('date'),
      id: optional(word),
      operation: words('gt', 'lt', 'in_range', 'date_spec'),
      start: optional(text),
      end: optional(text),
      duration: optional(texts),
      dateSpec: optional(texts),
    }),
    object({
      type: Type.Literal('resource'),
      id: optional(word),
      class: optional(word),
      provider: optional(word),
      agentType: optional(word),
    }),
    object({ type: Type.Literal('operation'), id: optional(word), name: word, interval: optional(text) }),
  ],
});

name(
  ruleId,
  object({
    id: optional(word),
    idRef: optional(word),
    score: optional(score),
    scoreAttribute: optional(word),
    role: optional(role),
    booleanOp: optional(words('and', 'or')),
    expressions: list(expression),
  }),
);

export const attributeSet = object({
  id: optional(word),
  idRef: optional(word),
  score: optional(score),
  rule: optional(ruleReference),
  pairs: list(pair),
  comments: optional(list(text)),
});

export const attributeSets = name('attributeSets', list(attributeSet));

/** Comments of the configuration text. */
export const comments = optional(list(text));

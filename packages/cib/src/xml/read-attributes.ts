/** Reads attribute sets and rules. */
import type { AttributeSet, Expression, Pair, Rule } from '../model/attributes.ts';
import { commentsOf, maybe, type Reading } from './reading.ts';
import type { Element } from './tree.ts';

const setNames = new Set(['id', 'id-ref', 'score']);
const pairNames = new Set(['id', 'id-ref', 'name', 'value']);

export function readSet(reading: Reading, element: Element): AttributeSet {
  reading.known(element, setNames);
  const { id, 'id-ref': idRef } = element.attributes;
  const pairs: Pair[] = [];
  const rules: Rule[] = [];
  for (const child of element.children) {
    if (child.name === 'nvpair') pairs.push(readPair(reading, child));
    else if (child.name === 'rule') rules.push(readRule(reading, child));
    else if (child.name === 'attributes') pairs.push(...readWrappedPairs(reading, child));
    else reading.unknownChild(element, child);
  }
  return {
    ...maybe('id', id),
    ...maybe('idRef', idRef),
    ...maybe('score', reading.score(element)),
    ...maybe('rule', asOneRule(reading, element, rules)),
    pairs,
    ...commentsOf(element),
  };
}

/** The oldest schemas put an `<attributes>` around the pairs. */
function readWrappedPairs(reading: Reading, element: Element): Pair[] {
  reading.note('upgraded', element, 'pairs are written without <attributes> around them');
  const pairs: Pair[] = [];
  for (const child of element.children) {
    if (child.name === 'nvpair') pairs.push(readPair(reading, child));
    else reading.unknownChild(element, child);
  }
  return pairs;
}

/** Several rules of one set mean that any of them is enough. */
function asOneRule(reading: Reading, element: Element, rules: readonly Rule[]): Rule | undefined {
  if (rules.length <= 1) return rules[0];
  reading.note('upgraded', element, 'several rules became one rule of which any part is enough');
  return {
    id: `${element.attributes['id'] ?? 'set'}-rule-any`,
    booleanOp: 'or',
    expressions: rules.map((rule) => ({ type: 'rule', rule })),
  };
}

function readPair(reading: Reading, element: Element): Pair {
  reading.known(element, pairNames);
  for (const child of element.children) reading.unknownChild(element, child);
  const { id, 'id-ref': idRef, name, value } = element.attributes;
  return { ...maybe('id', id), ...maybe('name', name), ...maybe('value', value), ...maybe('idRef', idRef) };
}

const ruleNames = new Set(['id', 'id-ref', 'score', 'score-attribute', 'role', 'boolean-op']);

export function readRule(reading: Reading, element: Element): Rule {
  reading.known(element, ruleNames);
  const { id, 'id-ref': idRef, 'score-attribute': scoreAttribute } = element.attributes;
  const expressions: Expression[] = [];
  for (const child of element.children) {
    const expression = readExpression(reading, child);
    if (expression === undefined) reading.unknownChild(element, child);
    else expressions.push(expression);
  }
  return {
    ...maybe('id', id),
    ...maybe('idRef', idRef),
    ...maybe('score', reading.score(element)),
    ...maybe('scoreAttribute', scoreAttribute),
    ...maybe('role', reading.role(element, 'role')),
    ...maybe('booleanOp', reading.word(element, 'boolean-op', ['and', 'or'])),
    expressions,
  };
}

function readExpression(reading: Reading, element: Element): Expression | undefined {
  switch (element.name) {
    case 'rule':
      return { type: 'rule', rule: readRule(reading, element) };
    case 'expression':
      return readAttributeExpression(reading, element);
    case 'date_expression':
      return readDateExpression(reading, element);
    case 'rsc_expression': {
      reading.known(element, resourceNames);
      const { id, class: standard, provider, type } = element.attributes;
      return {
        type: 'resource',
        ...maybe('id', id),
        ...maybe('class', standard),
        ...maybe('provider', provider),
        ...maybe('agentType', type),
      };
    }
    case 'op_expression': {
      reading.known(element, operationNames);
      const { id, interval } = element.attributes;
      return {
        type: 'operation',
        ...maybe('id', id),
        name: reading.required(element, 'name'),
        ...maybe('interval', interval),
      };
    }
    default:
      return undefined;
  }
}

const resourceNames = new Set(['id', 'class', 'provider', 'type']);
const operationNames = new Set(['id', 'name', 'interval']);
const expressionNames = new Set(['id', 'attribute', 'operation', 'value', 'type', 'value-source']);
const comparisons = ['lt', 'gt', 'lte', 'gte', 'eq', 'ne', 'defined', 'not_defined'] as const;

function readAttributeExpression(reading: Reading, element: Element): Expression {
  reading.known(element, expressionNames);
  for (const child of element.children) reading.unknownChild(element, child);
  const { id, value } = element.attributes;
  reading.required(element, 'operation');
  const operation = reading.word(element, 'operation', comparisons);
  return {
    type: 'attribute',
    ...maybe('id', id),
    attribute: reading.required(element, 'attribute'),
    // What compares in no known way is never true, as in Pacemaker: nothing is less than nothing.
    operation: operation ?? 'lt',
    ...maybe('value', value),
    ...maybe('valueType', reading.word(element, 'type', ['string', 'integer', 'number', 'version'])),
    ...maybe('valueSource', reading.word(element, 'value-source', ['literal', 'param', 'meta'])),
  };
}

const dateNames = new Set(['id', 'operation', 'start', 'end']);

function readDateExpression(reading: Reading, element: Element): Expression {
  reading.known(element, dateNames);
  const { id, start, end } = element.attributes;
  let duration: Readonly<Record<string, string>> | undefined;
  let dateSpec: Readonly<Record<string, string>> | undefined;
  for (const child of element.children) {
    if (child.name === 'duration') duration = amounts(reading, child);
    else if (child.name === 'date_spec') dateSpec = amounts(reading, child);
    else reading.unknownChild(element, child);
  }
  return {
    type: 'date',
    ...maybe('id', id),
    operation: reading.word(element, 'operation', ['gt', 'lt', 'in_range', 'date_spec']) ?? 'in_range',
    ...maybe('start', start),
    ...maybe('end', end),
    ...maybe('duration', duration),
    ...maybe('dateSpec', dateSpec),
  };
}

const units = new Set([
  'id',
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
  'weekyears',
  'yearsdays',
]);

function amounts(reading: Reading, element: Element): Readonly<Record<string, string>> {
  reading.known(element, units);
  const result: Record<string, string> = {};
  for (const [unit, amount] of Object.entries(element.attributes)) {
    if (units.has(unit)) result[unit] = amount;
  }
  return result;
}

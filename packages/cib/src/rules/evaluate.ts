/**
 * Whether a rule holds, at an instant, for a node, a resource or an operation. What a rule cannot know of (a node's
 * attributes where there is no node) makes its expression false, as Pacemaker has it; a malformed expression is false.
 *
 * Semantics: Pacemaker Explained, "Rules"; details from its lib/common/rules.c.
 */
import type {
  AttributeExpression,
  DateExpression,
  Expression,
  OperationExpression,
  ResourceExpression,
  Rule,
} from '../model/attributes.ts';
import { parseDuration } from '@systole/kernel';
import type { AgentName } from '../model/resources.ts';
import { addDuration, dateFields, parseDateTime } from './calendar.ts';
import { compareValues } from './compare.ts';
import type { References } from './references.ts';

export interface RuleContext {
  /** Seconds since 1970. */
  readonly now: number;
  /** For dates without an offset and for date specifications; UTC unless said otherwise. */
  readonly timeZone?: string;
  readonly references: References;
  /** The node's, where the rule is asked for a node. */
  readonly nodeAttributes?: ReadonlyMap<string, string>;
  /** The resource's, for `value-source` param and meta. */
  readonly parameters?: ReadonlyMap<string, string>;
  readonly meta?: ReadonlyMap<string, string>;
  readonly agent?: Partial<AgentName>;
  readonly operation?: { readonly name: string; readonly intervalMs: number };
  /** What a pattern matched, for `%0` to `%9` in attribute names. */
  readonly submatches?: readonly (string | undefined)[];
  /** Told each time (seconds since 1970) at which an expression that was looked at changes its mind. */
  readonly noteChange?: (at: number) => void;
}

/** True if `rule` holds. A rule without expressions holds; a reference to nothing does not. */
export function evaluateRule(rule: Rule, context: RuleContext): boolean {
  const resolved = rule.idRef === undefined ? rule : context.references.rule(rule.idRef);
  if (resolved === undefined) return false;
  if (resolved.expressions.length === 0) return true;
  const holds = (expression: Expression): boolean => evaluateExpression(expression, context);
  return resolved.booleanOp === 'or' ? resolved.expressions.some(holds) : resolved.expressions.every(holds);
}

function evaluateExpression(expression: Expression, context: RuleContext): boolean {
  switch (expression.type) {
    case 'rule':
      return evaluateRule(expression.rule, context);
    case 'attribute':
      return evaluateAttribute(expression, context);
    case 'date':
      return evaluateDate(expression, context);
    case 'resource':
      return evaluateResource(expression, context.agent ?? {});
    case 'operation':
      return evaluateOperation(expression, context.operation);
  }
}

function evaluateAttribute(expression: AttributeExpression, context: RuleContext): boolean {
  const actual = context.nodeAttributes?.get(withSubmatches(expression.attribute, context.submatches));
  if (expression.operation === 'defined') return expression.value === undefined && actual !== undefined;
  if (expression.operation === 'not_defined') return expression.value === undefined && actual === undefined;
  if (expression.value === undefined) return false;
  const reference = referenceValue(expression.value, expression.valueSource, context);
  const isOrder = expression.operation !== 'eq' && expression.operation !== 'ne';
  if (isOrder && (actual === undefined || reference === undefined)) return false;
  const isFraction = [actual, reference].some((value) => value?.includes('.'));
  const type = expression.valueType ?? (isOrder ? (isFraction ? 'number' : 'integer') : 'string');
  const order = compareValues(actual, reference, type);
  switch (expression.operation) {
    case 'eq':
      return order === 0;
    case 'ne':
      return order !== 0;
    case 'lt':
      return order < 0;
    case 'lte':
      return order <= 0;
    case 'gt':
      return order > 0;
    case 'gte':
      return order >= 0;
  }
}

const withSubmatches = (name: string, submatches: RuleContext['submatches']): string =>
  submatches === undefined ? name : name.replace(/%(\d)/g, (_, digit: string) => submatches[Number(digit)] ?? '');

function referenceValue(
  value: string,
  source: AttributeExpression['valueSource'],
  context: RuleContext,
): string | undefined {
  if (source === 'param') return context.parameters?.get(value);
  return source === 'meta' ? context.meta?.get(value) : value;
}

function evaluateDate(expression: DateExpression, context: RuleContext): boolean {
  const zone = context.timeZone ?? 'UTC';
  const point = (text: string | undefined): number | undefined =>
    text === undefined ? undefined : parseDateTime(text, zone);
  const start = point(expression.start);
  if (expression.start !== undefined && start === undefined) return false;
  const writtenEnd = point(expression.end);
  if (expression.end !== undefined && writtenEnd === undefined) return false;

  switch (expression.operation) {
    case 'date_spec':
      return matchesSpecification(expression.dateSpec, dateFields(context.now, zone));
    case 'gt':
      return start !== undefined && isAfter(start, context);
    case 'lt':
      if (writtenEnd === undefined || context.now >= writtenEnd) return false;
      context.noteChange?.(writtenEnd);
      return true;
    case 'in_range': {
      if (start === undefined && writtenEnd === undefined) return false;
      const hasDuration = writtenEnd === undefined && expression.duration !== undefined;
      const lasting = hasDuration && start !== undefined ? addDuration(start, expression.duration, zone) : undefined;
      const end = hasDuration ? lasting : writtenEnd;
      if (hasDuration && end === undefined) return false;
      if (start !== undefined && context.now < start) {
        context.noteChange?.(start);
        return false;
      }
      if (end !== undefined && context.now > end) return false;
      if (end !== undefined) context.noteChange?.(end + 1);
      return true;
    }
  }
}

function isAfter(start: number, context: RuleContext): boolean {
  if (context.now > start) return true;
  context.noteChange?.(start + 1);
  return false;
}

function matchesSpecification(
  specification: Readonly<Record<string, string>> | undefined,
  fields: Readonly<Record<string, number>>,
): boolean {
  if (specification === undefined) return false;
  return Object.entries(fields).every(([unit, value]) => {
    const range = specification[unit];
    if (range === undefined) return true;
    const match = /^\s*(\d+)?(-)?(\d+)?\s*$/.exec(range);
    if (match === null || (match[1] === undefined && match[3] === undefined)) return false;
    const low = match[1] === undefined ? -Infinity : Number(match[1]);
    const high = match[3] === undefined ? (match[2] === undefined ? low : Infinity) : Number(match[3]);
    return value >= low && value <= high;
  });
}

function evaluateResource(expression: ResourceExpression, agent: Partial<AgentName>): boolean {
  const fits = (wanted: string | undefined, actual: string | undefined): boolean =>
    wanted === undefined || wanted === actual;
  return (
    fits(expression.class, agent.class) &&
    fits(expression.provider, agent.provider) &&
    fits(expression.agentType, agent.type)
  );
}

function evaluateOperation(expression: OperationExpression, operation: RuleContext['operation']): boolean {
  if (operation === undefined || operation.name !== expression.name) return false;
  if (expression.interval === undefined) return true;
  const interval = parseDuration(expression.interval);
  return interval.ok && interval.value === operation.intervalMs;
}

/** Rules: when they hold, and when they will change their mind; and what attribute sets with rules come to. */
import { describe, expect, test } from 'vitest';
import {
  addDuration,
  type AttributeSet,
  compareValues,
  compareVersionTexts,
  emptyConfiguration,
  evaluateRule,
  type Expression,
  mergeSets,
  parseDateTime,
  references,
  type Rule,
  type RuleContext,
  valuesOf,
} from '@systole/cib';

const seconds = (text: string): number => Date.parse(text) / 1000;

const context = (more: Partial<RuleContext> = {}): RuleContext => ({
  now: seconds('2026-07-01T12:00:00Z'), // a Wednesday
  references: references(emptyConfiguration),
  ...more,
});

const rule = (...expressions: Expression[]): Rule => ({ expressions });
const attribute = (operation: string, value?: string, more: object = {}): Expression =>
  ({
    type: 'attribute',
    attribute: 'rack',
    operation,
    ...(value === undefined ? {} : { value }),
    ...more,
  }) as Expression;
const onNode = (rack?: string): RuleContext =>
  context({ nodeAttributes: new Map(rack === undefined ? [] : [['rack', rack]]) });

describe('dates', () => {
  test.each([
    ['2019-09-20 15:10:52 +00:00', '2019-09-20T15:10:52Z'],
    ['2019-09-20T15:10+02:00', '2019-09-20T13:10:00Z'],
    ['2005-001', '2005-01-01T00:00:00Z'],
    ['2005-W01-1', '2005-01-03T00:00:00Z'],
    ['20200101T10:00Z', '2020-01-01T10:00:00Z'],
    ['2020-02-29T24:00:00', '2020-03-01T00:00:00Z'],
  ])('%s is %s', (text, expected) => {
    expect(parseDateTime(text, 'UTC')).toBe(seconds(expected));
  });

  test.each(['2020-02-30', 'tomorrow', '2020-13-01', '2020-01-01T25:00'])('%s is no date', (text) => {
    expect(parseDateTime(text, 'UTC')).toBeUndefined();
  });

  test('without an offset a time is that of the zone', () => {
    expect(parseDateTime('2026-07-01 12:00:00', 'Europe/Berlin')).toBe(seconds('2026-07-01T10:00:00Z'));
  });

  test('a duration of a month ends on the last day of a shorter one', () => {
    const january = seconds('2026-01-31T00:00:00Z');
    expect(addDuration(january, { months: '1' }, 'UTC')).toBe(seconds('2026-02-28T00:00:00Z'));
    expect(addDuration(january, { months: 'one' }, 'UTC')).toBeUndefined();
  });
});

describe('a rule on node attributes', () => {
  test('holds where the value is the same, in any case', () => {
    expect(evaluateRule(rule(attribute('eq', 'A1')), onNode('a1'))).toBe(true);
    expect(evaluateRule(rule(attribute('eq', 'A1')), onNode('b1'))).toBe(false);
  });

  test('of inequality holds also where the attribute is missing', () => {
    expect(evaluateRule(rule(attribute('ne', 'a')), onNode())).toBe(true);
    expect(evaluateRule(rule(attribute('lt', '5')), onNode())).toBe(false);
  });

  test('compares as whole numbers, as numbers with a fraction, or as text if one is no number', () => {
    expect(evaluateRule(rule(attribute('gt', '9')), onNode('10'))).toBe(true);
    expect(evaluateRule(rule(attribute('gt', '9.5')), onNode('9.25'))).toBe(false);
    expect(evaluateRule(rule(attribute('lt', 'b')), onNode('a'))).toBe(true);
  });

  test('knows defined and not_defined, which take no value', () => {
    expect(evaluateRule(rule(attribute('defined')), onNode('x'))).toBe(true);
    expect(evaluateRule(rule(attribute('not_defined')), onNode('x'))).toBe(false);
    expect(evaluateRule(rule(attribute('defined', 'x')), onNode('x'))).toBe(false);
  });

  test('can take its value from the parameters or meta attributes of the resource', () => {
    const fromMeta = rule(attribute('eq', 'wanted', { valueSource: 'meta' }));
    const meta = new Map([['wanted', 'a']]);
    expect(evaluateRule(fromMeta, { ...onNode('a'), meta })).toBe(true);
    expect(evaluateRule(fromMeta, onNode('a'))).toBe(false);
  });

  test('combines by and, or by or, and nests', () => {
    const either: Rule = { booleanOp: 'or', expressions: [attribute('eq', 'a'), attribute('eq', 'b')] };
    expect(evaluateRule(either, onNode('b'))).toBe(true);
    expect(evaluateRule(rule({ type: 'rule', rule: either }, attribute('ne', 'b')), onNode('b'))).toBe(false);
  });
});

describe('a rule on dates', () => {
  const inRange = (start?: string, end?: string): Rule =>
    rule({
      type: 'date',
      operation: 'in_range',
      ...(start === undefined ? {} : { start }),
      ...(end === undefined ? {} : { end }),
    });
  const changesOf = (one: Rule): readonly number[] => {
    const changes: number[] = [];
    evaluateRule(one, context({ noteChange: (at) => changes.push(at) }));
    return changes;
  };

  test('holds within its range, ends included, and says when that is over', () => {
    expect(evaluateRule(inRange('2026-07-01', '2026-07-01T12:00:00Z'), context())).toBe(true);
    expect(changesOf(inRange('2026-07-01', '2026-07-02'))).toEqual([seconds('2026-07-02T00:00:01Z')]);
    expect(changesOf(inRange('2026-08-01'))).toEqual([seconds('2026-08-01T00:00:00Z')]);
    expect(changesOf(inRange(undefined, '2026-06-01'))).toEqual([]);
  });

  test('with a duration ends so long after its start', () => {
    const lasting: Rule = rule({ type: 'date', operation: 'in_range', start: '2026-07-01', duration: { hours: '11' } });
    expect(evaluateRule(lasting, context())).toBe(false);
  });

  test('with a specification holds on the days and hours that it names', () => {
    const spec = (dateSpec: Readonly<Record<string, string>>): boolean =>
      evaluateRule(rule({ type: 'date', operation: 'date_spec', dateSpec }), context());
    expect(spec({ hours: '9-16', weekdays: '1-5' })).toBe(true);
    expect(spec({ weekdays: '6-7' })).toBe(false);
    expect(spec({ years: '2027-' })).toBe(false);
    expect(spec({ hours: 'noon' })).toBe(false);
  });

  test('that is malformed does not hold', () => {
    expect(evaluateRule(inRange('yesterday'), context())).toBe(false);
    expect(evaluateRule(inRange(), context())).toBe(false);
  });
});

test('rules on resources and operations fit an agent, an operation, and its interval if they say one', () => {
  const isApache = rule({ type: 'resource', class: 'ocf', agentType: 'apache' });
  expect(evaluateRule(isApache, context({ agent: { class: 'ocf', provider: 'heartbeat', type: 'apache' } }))).toBe(
    true,
  );
  expect(evaluateRule(isApache, context())).toBe(false);
  const isMonitor = rule({ type: 'operation', name: 'monitor', interval: '10s' });
  expect(evaluateRule(isMonitor, context({ operation: { name: 'monitor', intervalMs: 10_000 } }))).toBe(true);
  expect(evaluateRule(isMonitor, context({ operation: { name: 'monitor', intervalMs: 0 } }))).toBe(false);
});

test('versions compare number by number', () => {
  expect(compareVersionTexts('3.9', '3.10')).toBeLessThan(0);
  expect(compareVersionTexts('3.10', '3.10.0')).toBe(0);
  expect(compareValues(undefined, 'a', 'string')).toBeLessThan(0);
});

describe('of several sets', () => {
  const set = (value: string, more: Partial<AttributeSet> = {}): AttributeSet => ({
    pairs: [{ name: 'timeout', value }],
    ...more,
  });

  test('the one with the higher score wins, of equals the later', () => {
    expect(valuesOf([set('a', { score: 1 }), set('b', { score: 2 })], context()).get('timeout')).toBe('b');
    expect(valuesOf([set('a'), set('b')], context()).get('timeout')).toBe('b');
  });

  test('the named first one wins over any score', () => {
    const sets = [set('a', { id: 'first' }), set('b', { score: 1_000_000 })];
    expect(valuesOf(sets, context(), { firstId: 'first' }).get('timeout')).toBe('a');
  });

  test('those whose rule does not hold do not count', () => {
    expect(valuesOf([set('a'), set('b', { rule: rule(attribute('eq', 'x')) })], onNode('y')).get('timeout')).toBe('a');
  });

  test('values that are there already stay', () => {
    const values = new Map([['timeout', 'kept']]);
    mergeSets([set('a')], context(), values);
    expect(values.get('timeout')).toBe('kept');
  });

  test('a reference stands for the set, pair or rule of that id', () => {
    const known = references({
      ...emptyConfiguration,
      operationDefaults: [{ id: 'slow', pairs: [{ id: 'slow-timeout', name: 'timeout', value: '90s' }] }],
    });
    const sets = [{ idRef: 'slow', pairs: [] }];
    expect(valuesOf(sets, context({ references: known })).get('timeout')).toBe('90s');
    const pairs = [{ pairs: [{ idRef: 'slow-timeout', name: 'wait' }] }];
    expect(valuesOf(pairs, context({ references: known })).get('wait')).toBe('90s');
    expect(valuesOf([{ idRef: 'nowhere', pairs: [] }], context({ references: known })).size).toBe(0);
  });
});

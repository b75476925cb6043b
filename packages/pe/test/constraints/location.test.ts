import { describe, expect, test } from 'vitest';
import type { LocationRule } from '../../src/constraints/constraint.ts';
import { constraintsOf, dummy, meta, type ClusterParts } from '../support/cluster.ts';

const two = dummy('web') + dummy('db');
const brief = ({ resource, role, scores }: LocationRule): string =>
  `${resource.id}${role === 'Unknown' ? '' : ` ${role}`}: ${scores.map(({ node, score }) => `${node.name} ${score}`).join(', ')}`;
const read = (constraints: string, parts: Partial<ClusterParts> = {}): readonly string[] =>
  constraintsOf({ resources: two, constraints, ...parts }).locations.map(brief);
const ruled = (rule: string): string => `<rsc_location id="l" rsc="web">${rule}</rsc_location>`;

describe('a location', () => {
  test('scores a resource on the node it names', () => {
    expect(read('<rsc_location id="l" rsc="web" node="b" score="-INFINITY"/>')).toEqual(['web: b -1000000']);
  });

  test('for a node that is not there is silently without effect', () => {
    const { locations, messages } = constraintsOf({
      resources: two,
      constraints: '<rsc_location id="l" rsc="web" node="gone" score="10"/>',
    });
    expect([locations, messages]).toEqual([[], []]);
  });

  test('for the role Started or Unpromoted means every role', () => {
    expect(read('<rsc_location id="l" rsc="web" node="b" score="1" role="Started"/>')).toEqual(['web: b 1']);
    expect(read('<rsc_location id="l" rsc="web" node="b" score="1" role="Promoted"/>')).toEqual(['web Promoted: b 1']);
  });

  test('with a set takes score and role from the set', () => {
    const set = '<resource_set id="s" score="5"><resource_ref id="web"/><resource_ref id="db"/></resource_set>';
    expect(read(`<rsc_location id="l" node="a" score="1">${set}</rsc_location>`)).toEqual(['web: a 5', 'db: a 5']);
  });
});

describe('a pattern', () => {
  test('means the resources whose id it matches, and after ! those that it does not', () => {
    expect(read('<rsc_location id="l" rsc-pattern="^w" node="a" score="1"/>')).toEqual(['web: a 1']);
    expect(read('<rsc_location id="l" rsc-pattern="!^w" node="a" score="1"/>')).toEqual(['db: a 1']);
  });

  test('is a POSIX extended expression, in which a backslash makes no class of digits', () => {
    const resources = dummy('d1') + dummy('dd');
    const found = (pattern: string): readonly string[] =>
      read(`<rsc_location id="l" rsc-pattern="${pattern}" node="a" score="1"/>`, { resources });
    expect(found('^d\\d')).toEqual(['dd: a 1']);
    expect(found('^d[[:digit:]]')).toEqual(['d1: a 1']);
  });

  test('knows the classes of POSIX', () => {
    expect(read('<rsc_location id="l" rsc-pattern="^[[:lower:]]b$" node="a" score="1"/>')).toEqual(['db: a 1']);
  });

  test('that is none is reported', () => {
    const constraints = '<rsc_location id="l" rsc-pattern="(" node="a" score="1"/>';
    expect(constraintsOf({ resources: two, constraints }).messages[0]?.text).toContain('not a regular expression');
  });
});

describe('a rule', () => {
  const attributes = ['a site=east', 'b site=west', 'b rank=7'];

  test('scores the nodes for which it holds', () => {
    const rule = '<rule id="r" score="3"><expression id="e" attribute="site" operation="eq" value="west"/></rule>';
    expect(read(ruled(rule), { attributes })).toEqual(['web: b 3']);
  });

  test('can take the score from an attribute of the node', () => {
    const rule = '<rule id="r" score-attribute="rank"><expression id="e" attribute="site" operation="defined"/></rule>';
    expect(read(ruled(rule), { attributes })).toEqual(['web: b 7']);
  });

  test('on dates says when it will change its mind', () => {
    const rule = '<rule id="r" score="3"><date_expression id="e" operation="gt" start="2026-07-02T00:00:00Z"/></rule>';
    const { locations, recheck } = constraintsOf({ resources: two, constraints: ruled(rule) });
    expect(locations[0]?.scores).toEqual([]);
    expect(recheck?.at).toBe(Date.UTC(2026, 6, 2) / 1000 + 1);
  });
});

test('the history name of a clone’s instances refers to the clone', () => {
  const clone = `<clone id="pool">${meta('pool', {})}${dummy('db')}</clone>`;
  const constraints = '<rsc_location id="l" rsc="db" node="a" score="1"/>';
  expect(constraintsOf({ resources: clone, constraints, running: ['db@a'] }).locations[0]?.resource.id).toBe('pool');
});

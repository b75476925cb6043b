import { describe, expect, test } from 'vitest';
import { dummy, meta } from '../support/cluster.ts';
import { decided } from '../support/decided.ts';

const both = dummy('db') + dummy('web');
const order = (attributes: string): string => `<rsc_order id="o" first="db" then="web" ${attributes}/>`;

describe('an order', () => {
  test('is kept when both start', () => {
    const { isBefore } = decided({ nodes: ['a'], resources: both, constraints: order('') });
    expect(isBefore('start db a', 'start web a')).toBe(true);
  });

  test('is kept the other way round when both stop', () => {
    const { isBefore } = decided({
      nodes: ['a?', 'b'],
      resources: both,
      constraints: order(''),
      running: ['db@a', 'web@a'],
    });
    expect(isBefore('stop web a', 'stop db a')).toBe(true);
    expect(isBefore('start db b', 'start web b')).toBe(true);
  });

  test('restarts the second with the first', () => {
    const location = '<rsc_location id="l" rsc="db" node="b" score="INFINITY"/>';
    const { actions } = decided({
      nodes: ['a', 'b'],
      resources: both,
      constraints: order('') + location,
      running: ['db@a', 'web@a'],
    });
    expect(actions).toEqual(expect.arrayContaining(['stop web a', 'stop db a', 'start db b']));
    expect(actions.some((action) => action.startsWith('start web'))).toBe(true);
  });

  test('that is optional does not restart the second', () => {
    const constraints =
      order('kind="Optional"') +
      '<rsc_location id="l" rsc="db" node="b" score="INFINITY"/><rsc_location id="m" rsc="web" node="a" score="100"/>';
    const { actions } = decided({ nodes: ['a', 'b'], resources: both, constraints, running: ['db@a', 'web@a'] });
    expect(actions).not.toContain('stop web a');
    expect(actions).toContain('stop db a');
  });

  test('keeps the second down while the first cannot start', () => {
    const resources = dummy('db', meta('db', { 'target-role': 'Stopped' })) + dummy('web');
    const { actions } = decided({ nodes: ['a'], resources, constraints: order('') });
    expect(actions).toEqual(['monitor db a', 'monitor web a']);
  });

  test('without an inverse does not hold back the stop', () => {
    const { isBefore } = decided({
      nodes: ['a?', 'b'],
      resources: both,
      constraints: order('symmetrical="false"'),
      running: ['db@a', 'web@a'],
    });
    expect(isBefore('stop web a', 'stop db a')).toBe(false);
  });

  test('that contradicts another is not kept, and both are named', () => {
    const constraints = `${order('')}<rsc_order id="p" first="web" then="db"/>`;
    const { circles, actions } = decided({ nodes: ['a'], resources: both, constraints });
    expect(actions).toEqual(expect.arrayContaining(['start db a', 'start web a']));
    expect(circles).toEqual([['db_start_0', 'web_start_0']]);
  });
});

describe('a group', () => {
  const group = `<group id="g">${dummy('ip') + dummy('web')}</group>`;

  test('starts its members in order and stops them in the opposite order', () => {
    const { isBefore } = decided({ nodes: ['a?', 'b'], resources: group, running: ['ip@a', 'web@a'] });
    expect(isBefore('stop web a', 'stop ip a')).toBe(true);
    expect(isBefore('stop ip a', 'start ip b')).toBe(true);
    expect(isBefore('start ip b', 'start web b')).toBe(true);
  });

  test('starts what is missing without disturbing what runs', () => {
    expect(decided({ nodes: ['a'], resources: group, running: ['ip@a'] }).actions).toEqual([
      'monitor web a',
      'start web a',
    ]);
  });

  test('goes down from its end to restart an earlier member', () => {
    const { actions, isBefore } = decided({ nodes: ['a'], resources: group, running: ['web@a'] });
    expect(actions).toEqual(expect.arrayContaining(['stop web a', 'start ip a', 'start web a']));
    expect(isBefore('stop web a', 'start ip a')).toBe(true);
  });
});

describe('room on a node', () => {
  test('is waited for only where the resource might have gone before the others were placed', () => {
    const node =
      '<node id="a" uname="a"><utilization id="u"><nvpair id="u-c" name="cpu" value="4"/></utilization></node>';
    const needy = dummy('x', '<utilization id="x-u"><nvpair id="x-c" name="cpu" value="1"/></utilization>');
    const { points } = decided({
      nodes: [node],
      options: { 'placement-strategy': 'utilization', 'symmetric-cluster': 'false' },
      resources: `<clone id="cx">${needy}</clone><clone id="cy">${dummy('y')}</clone>`,
      constraints: '<rsc_colocation id="k" rsc="cx" with-rsc="cy" score="INFINITY"/>',
    });
    expect(points).toEqual([]);
  });
});

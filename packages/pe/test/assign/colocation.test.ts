import { describe, expect, test } from 'vitest';
import { dummy, meta, placed } from '../support/cluster.ts';

const with_ = (dependent: string, primary: string, score: string, more = ''): string =>
  `<rsc_colocation id="k-${dependent}-${primary}-${score}" rsc="${dependent}" with-rsc="${primary}" score="${score}" ${more}/>`;
const at = (rsc: string, node: string, score: string, more = ''): string =>
  `<rsc_location id="l-${rsc}-${node}" rsc="${rsc}" node="${node}" score="${score}" ${more}/>`;
const three = dummy('web') + dummy('db') + dummy('log');

describe('a dependent', () => {
  test('goes where its primary is, even if it is configured first', () => {
    const { nodeOf } = placed({ resources: three, constraints: with_('web', 'db', 'INFINITY') + at('db', 'c', '5') });
    expect([nodeOf('web'), nodeOf('db')]).toEqual(['c', 'c']);
  });

  test('goes nowhere if its primary does and it must be with it', () => {
    const stopped = dummy('web') + dummy('db', meta('db', { 'target-role': 'Stopped' }));
    expect(placed({ resources: stopped, constraints: with_('web', 'db', 'INFINITY') }).nodeOf('web')).toBeUndefined();
    expect(placed({ resources: stopped, constraints: with_('web', 'db', '1000') }).nodeOf('web')).toBe('a');
  });

  test('that must keep away from its primary takes another node, or none', () => {
    const constraints = with_('web', 'db', '-INFINITY');
    const { nodeOf } = placed({ resources: three, constraints });
    expect(nodeOf('web')).not.toBe(nodeOf('db'));
    expect(placed({ nodes: ['a'], resources: three, constraints }).nodeOf('web')).toBeUndefined();
  });

  test('that would only like to keep away runs with it where there is no other node', () => {
    const parts = { nodes: ['a'], resources: three, constraints: with_('web', 'db', '-100') };
    expect(placed(parts).nodeOf('web')).toBe('a');
  });

  test('obeys every colocation of its group and its own', () => {
    // Pacemaker 3.0.2 counts the first of the group's colocations twice and forgets the second here.
    const resources = `<group id="g">${dummy('g1')}</group>${dummy('x')}${dummy('y')}${dummy('z')}`;
    const constraints =
      with_('g1', 'x', '10') +
      with_('g', 'y', '-10') +
      with_('g', 'z', '-INFINITY') +
      at('x', 'a', '5') +
      at('z', 'a', '5');
    const { nodeOf } = placed({ nodes: ['a', 'b'], resources, constraints });
    expect([nodeOf('z'), nodeOf('g1')]).toEqual(['a', 'b']);
  });
});

describe('a primary', () => {
  test('is drawn to where its dependents can run', () => {
    const { nodeOf, scoreOf } = placed({
      resources: three,
      constraints: with_('web', 'db', 'INFINITY') + at('web', 'b', '20'),
    });
    expect([scoreOf('db', 'b'), nodeOf('db'), nodeOf('web')]).toEqual([20, 'b', 'b']);
  });

  test('is drawn less by what is further away, and never by nothing', () => {
    const { scoreOf } = placed({
      resources: dummy('p') + dummy('q') + dummy('r'),
      constraints: with_('q', 'p', '500000') + with_('r', 'q', '500000') + at('q', 'a', '100') + at('r', 'b', '2'),
    });
    // Half of q's 100; a quarter of r's 2 rounded, which is 1 in place of 0.
    expect([scoreOf('p', 'a'), scoreOf('p', 'b'), scoreOf('p', 'c')]).toEqual([50, 1, 0]);
  });

  test('that runs is not drawn by a dependent without influence', () => {
    const constraints = with_('web', 'db', 'INFINITY', 'influence="false"') + at('web', 'b', '20');
    expect(placed({ resources: three, constraints, running: ['db@a'] }).scoreOf('db', 'b')).toBe(0);
    expect(placed({ resources: three, constraints }).scoreOf('db', 'b')).toBe(20);
  });

  test('is not driven about by what its dependent avoids', () => {
    const { scoreOf } = placed({
      resources: three,
      constraints: with_('web', 'db', '-INFINITY') + at('web', 'b', '-500'),
    });
    expect(scoreOf('db', 'b')).toBe(0);
  });
});

test('nodes with the same value of an attribute are one place', () => {
  const node = (name: string, site: string): string =>
    `<node id="${name}" uname="${name}"><instance_attributes id="${name}-i"><nvpair id="${name}-site" name="site" value="${site}"/></instance_attributes></node>`;
  const { nodeOf } = placed({
    nodes: [node('a', 'east'), node('b', 'west'), node('c', 'West')],
    resources: three,
    constraints: with_('web', 'db', 'INFINITY', 'node-attribute="site"') + at('db', 'b', '10') + at('web', 'c', '5'),
  });
  expect([nodeOf('db'), nodeOf('web')]).toEqual(['b', 'c']);
});

test('resources that depend on each other in a circle are placed all the same', () => {
  const { nodeOf } = placed({
    resources: three,
    constraints: with_('web', 'db', 'INFINITY') + with_('db', 'log', 'INFINITY') + with_('log', 'web', 'INFINITY'),
  });
  expect(new Set(['web', 'db', 'log'].map(nodeOf))).toEqual(new Set(['a']));
});

describe('a group', () => {
  const group = `<group id="g">${dummy('g1')}${dummy('g2')}${dummy('g3')}</group>`;

  test('is on one node, and its location counts once', () => {
    const { nodeOf, scoreOf } = placed({ resources: group, constraints: at('g', 'b', '7') });
    expect(['g1', 'g2', 'g3'].map(nodeOf)).toEqual(['b', 'b', 'b']);
    expect(scoreOf('g1', 'b')).toBe(7);
  });

  test('sticks with all its members together', () => {
    const sticky = `<group id="g">${meta('g', { 'resource-stickiness': 10 })}${dummy('g1')}${dummy('g2')}</group>`;
    const { scoreOf } = placed({ resources: sticky, running: ['g1@c', 'g2@c'] });
    expect(scoreOf('g1', 'c')).toBe(20);
  });

  test('does not go on behind a member that has no node', () => {
    const ban = ['a', 'b', 'c'].map((node) => at('g2', node, '-INFINITY')).join('');
    const { nodeOf } = placed({ resources: group, constraints: ban });
    expect(['g1', 'g2', 'g3'].map(nodeOf)).toEqual(['a', undefined, undefined]);
  });
});

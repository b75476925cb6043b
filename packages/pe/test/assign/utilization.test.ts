import { expect, test } from 'vitest';
import { dummy, meta, placed } from '../support/cluster.ts';

const node = (name: string, cpu: number): string =>
  `<node id="${name}" uname="${name}"><utilization id="${name}-u"><nvpair id="${name}-cpu" name="cpu" value="${cpu}"/></utilization></node>`;
const needs = (id: string, cpu: number, more = ''): string =>
  dummy(id, `${more}<utilization id="${id}-u"><nvpair id="${id}-cpu" name="cpu" value="${cpu}"/></utilization>`);

test('by default capacities do not count', () => {
  expect(placed({ nodes: [node('a', 1)], resources: needs('web', 5) }).nodeOf('web')).toBe('a');
});

test('a node without room is left out', () => {
  const { nodeOf } = placed({
    nodes: [node('a', 1), node('b', 5)],
    options: { 'placement-strategy': 'utilization' },
    resources: needs('web', 3) + needs('db', 3),
  });
  expect([nodeOf('web'), nodeOf('db')]).toEqual(['b', undefined]);
});

test('what must be together needs room together', () => {
  const { nodeOf } = placed({
    nodes: [node('a', 3), node('b', 4)],
    options: { 'placement-strategy': 'utilization' },
    resources: needs('db', 2) + needs('web', 2),
    constraints: '<rsc_colocation id="k" rsc="web" with-rsc="db" score="INFINITY"/>',
  });
  expect([nodeOf('db'), nodeOf('web')]).toEqual(['b', 'b']);
});

test('with balanced the node with most left comes first, with minimal the one that has some already', () => {
  const parts = { nodes: [node('a', 4), node('b', 8)], resources: needs('x', 1) + needs('y', 1) };
  const balanced = placed({ ...parts, options: { 'placement-strategy': 'balanced' } });
  expect([balanced.nodeOf('x'), balanced.nodeOf('y')]).toEqual(['b', 'b']);
  const minimal = placed({ ...parts, options: { 'placement-strategy': 'minimal' } });
  expect([minimal.nodeOf('x'), minimal.nodeOf('y')]).toEqual(['a', 'a']);
});

test('with a strategy those that are most bound to a node choose first', () => {
  const { placement } = placed({
    nodes: [node('a', 4), node('b', 8)],
    options: { 'placement-strategy': 'utilization' },
    resources: needs('free', 1) + needs('bound', 1, meta('bound', { 'resource-stickiness': 100 })),
    running: ['bound@b'],
  });
  expect(placement.order.map(({ id }) => id)).toEqual(['bound', 'free']);
});

test('what is placed takes of the capacity that is left', () => {
  const { placement } = placed({
    nodes: [node('a', 4)],
    options: { 'placement-strategy': 'utilization' },
    resources: needs('web', 3),
  });
  expect(placement.nodes[0]?.free.get('cpu')).toBe(1);
});

import { expect, test } from 'vitest';
import { dummy, placed } from '../support/cluster.ts';

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);
const resources = (count: number): string =>
  numbers(count)
    .map((at) => dummy(`p${at}`))
    .join('');
const colocation = (dependent: number, primary: number, score: string): string =>
  `<rsc_colocation id="k${dependent}-${primary}" rsc="p${dependent}" with-rsc="p${primary}" score="${score}"/>`;

test('a chain of thousands of colocations is followed from end to end, in either direction', () => {
  const count = 3000;
  const wish = (at: number): string => `<rsc_location id="l" rsc="p${at}" node="c" score="5"/>`;
  const up = numbers(count - 1)
    .map((at) => colocation(at + 1, at, 'INFINITY'))
    .join('');
  const first = placed({ resources: resources(count), constraints: up + wish(count - 1) });
  expect([first.nodeOf('p0'), first.nodeOf(`p${count - 1}`)]).toEqual(['c', 'c']);
  const down = numbers(count - 1)
    .map((at) => colocation(at, at + 1, 'INFINITY'))
    .join('');
  const last = placed({ resources: resources(count), constraints: down + wish(0) });
  expect([last.nodeOf('p0'), last.nodeOf(`p${count - 1}`)]).toEqual(['c', 'c']);
});

test('colocations in diamonds count every way, and take no longer for it', () => {
  // Each of two in a layer goes with both of the layer before: 2^20 ways from the last layer to the first.
  const layers = 20;
  const constraints = numbers(layers - 1)
    .flatMap((layer) =>
      [0, 1].flatMap((one) => [0, 1].map((other) => colocation(2 * (layer + 1) + one, 2 * layer + other, 'INFINITY'))),
    )
    .join('');
  const wish = `<rsc_location id="l" rsc="p${2 * layers - 1}" node="b" score="1"/>`;
  const { scoreOf, nodeOf } = placed({ resources: resources(2 * layers), constraints: constraints + wish });
  expect(scoreOf('p0', 'b')).toBe(2 ** (layers - 2));
  expect(nodeOf('p0')).toBe('b');
});

test('a circle of diamonds comes to an end', () => {
  const count = 24;
  const constraints = numbers(count)
    .flatMap((at) => [1, 2, 3].map((step) => colocation(at, (at + step) % count, step === 2 ? '100' : 'INFINITY')))
    .join('');
  const { nodeOf } = placed({ resources: resources(count), constraints });
  expect(nodeOf('p0')).toBeDefined();
});

import { expect, test } from 'vitest';
import type { Contribution } from '../../src/assign/placement.ts';
import { dummy, meta, placed } from '../support/cluster.ts';

const brief = ({ instance, node, score, source }: Contribution): string =>
  `${instance.id} ${node?.name ?? '*'} ${score} ${source.type}`;

test('every score of a resource is the sum of its contributions', () => {
  const { placement } = placed(
    {
      nodes: ['a', 'b'],
      resources: dummy('web', meta('web', { 'resource-stickiness': 3 })) + dummy('db'),
      constraints:
        '<rsc_location id="l" rsc="web" node="a" score="7"/><rsc_colocation id="k" rsc="web" with-rsc="db" score="20"/>',
      running: ['web@a'],
    },
    { explains: true },
  );
  expect(placement.contributions.map(brief)).toEqual([
    'web a 7 location',
    'web a 3 stickiness',
    'db a 1 colocation',
    'web a 20 colocation',
  ]);
});

test('without being asked nothing is kept', () => {
  const { placement } = placed({
    resources: dummy('web'),
    constraints: '<rsc_location id="l" rsc="web" node="a" score="7"/>',
  });
  expect(placement.contributions).toEqual([]);
});

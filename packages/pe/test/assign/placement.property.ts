import { importCib, INFINITY, type Cib } from '@systole/cib';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assign } from '../../src/assign/place.ts';
import type { Place, Placement } from '../../src/assign/placement.ts';
import { readConstraints } from '../../src/constraints/read.ts';
import { readSituation } from '../../src/status/read.ts';
import { noon } from '../support/cluster.ts';
import { randomCib } from '../support/random-cib.ts';

function cibOf(seed: number, isRich: boolean): Cib {
  const imported = importCib(randomCib(seed, { isRich }));
  if (!imported.ok) throw new Error(imported.error.message);
  return imported.value.cib;
}

function placeAll(cib: Cib) {
  const situation = readSituation(cib, noon);
  const constraints = readConstraints(situation);
  return { situation, constraints, placement: assign(situation, constraints) };
}

const brief = (placement: Placement): readonly string[] =>
  placement.places.map(({ instance, node, nextRole }) => `${instance.id} ${node?.name} ${nextRole}`);

const seeds = fc.integer({ min: 0, max: 1_000_000 });
const runs = { numRuns: 60 };

describe('in every cluster', () => {
  test('the order in which nodes and constraints are written changes nothing', () => {
    fc.assert(
      fc.property(seeds, fc.infiniteStream(fc.nat()), (seed, stream) => {
        const cib = cibOf(seed, false);
        const shuffle = <T>(list: readonly T[]): readonly T[] =>
          list
            .map((value) => ({ value, key: stream.next().value }))
            .toSorted((a, b) => a.key - b.key)
            .map(({ value }) => value);
        const { configuration } = cib;
        const shuffled: Cib = {
          ...cib,
          configuration: {
            ...configuration,
            nodes: shuffle(configuration.nodes),
            constraints: shuffle(configuration.constraints),
          },
        };
        expect(brief(placeAll(shuffled).placement)).toEqual(brief(placeAll(cib).placement));
      }),
      runs,
    );
  });

  test('nothing that is managed is placed on a node that cannot run it', () => {
    fc.assert(
      fc.property(seeds, fc.boolean(), (seed, isRich) => {
        const { placement } = placeAll(cibOf(seed, isRich));
        for (const { instance, node, isManaged } of placement.places) {
          if (node === undefined || !isManaged || instance.kind !== 'primitive') continue;
          // A guest may come up together with what runs on it.
          expect(placement.nodes[node.index]?.isAvailable === true || node.kind === 'guest').toBe(true);
        }
      }),
      runs,
    );
  });

  test('what must be together is together, and what must not is not', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const { constraints, placement } = placeAll(cibOf(seed, false));
        const placeOf = (index: number): Place => placement.places[index] as Place;
        for (const {
          dependent,
          primary,
          score,
          dependentRole,
          primaryRole,
          nodeAttribute,
        } of constraints.colocations) {
          if (Math.abs(score) < INFINITY || dependentRole !== 'Unknown' || primaryRole !== 'Unknown') continue;
          if (dependent.kind !== 'primitive' || primary.kind !== 'primitive' || nodeAttribute !== '#uname') continue;
          const [one, other] = [placeOf(dependent.index), placeOf(primary.index)];
          if (!one.isManaged || one.node === undefined) continue;
          if (score > 0) expect(one.node).toBe(other.node);
          else expect(one.node).not.toBe(other.node);
        }
      }),
      { numRuns: 120 },
    );
  });

  test('a clone has no more instances on a node, and no more promoted ones, than it may', () => {
    fc.assert(
      fc.property(seeds, fc.boolean(), (seed, isRich) => {
        const { placement } = placeAll(cibOf(seed, isRich));
        for (const { instance: clone } of placement.places) {
          if (clone.kind !== 'clone') continue;
          const counts = new Map<string, number>();
          let promoted = 0;
          for (const child of clone.children) {
            const place = placement.places[child.index];
            if (child.kind !== 'primitive' || place?.node === undefined || !place.isManaged) continue;
            counts.set(place.node.name, (counts.get(place.node.name) ?? 0) + 1);
            if (place.nextRole === 'Promoted') promoted += 1;
          }
          for (const count of counts.values()) expect(count).toBeLessThanOrEqual(clone.nodeMax);
          expect(promoted).toBeLessThanOrEqual(clone.promotedMax);
        }
      }),
      runs,
    );
  });
});

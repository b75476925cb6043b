/** The choice of members, against the plain definition by trying every subset. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { bitCount, chooseTarget, type TargetInput } from '../src/target.ts';

const nodes = 7;
const graphs = fc.array(fc.boolean(), { minLength: 21, maxLength: 21 }).map((edges) => {
  const graph = Array.from({ length: nodes }, () => 0);
  let index = 0;
  for (let a = 0; a < nodes; a++) {
    for (let b = a + 1; b < nodes; b++, index++) {
      if (edges[index] !== true) continue;
      graph[a] = (graph[a] as number) | (1 << b);
      graph[b] = (graph[b] as number) | (1 << a);
    }
  }
  return graph;
});

const isClique = (mask: number, graph: readonly number[]): boolean =>
  graph.every((around, node) => (mask & (1 << node)) === 0 || (mask & ~around & ~(1 << node)) === 0);

const inputs = fc.record({
  graph: graphs,
  self: fc.nat({ max: nodes - 1 }),
  present: fc.nat({ max: 2 ** nodes - 1 }),
  quorate: fc.boolean(),
});

const complete = (partial: { graph: number[]; self: number; present: number; quorate: boolean }): TargetInput => ({
  ...partial,
  present: partial.present | (1 << partial.self),
  neighbours: Array.from({ length: nodes }, () => undefined),
  votes: bitCount,
  enough: (mask) => 2 * bitCount(mask) > nodes,
});

test('the target is the best clique with this node: by members kept, or quorum, then size, then lowest ids', () => {
  fc.assert(
    fc.property(inputs, (partial) => {
      const input = complete(partial);
      const score = (mask: number): number[] => [
        input.quorate ? bitCount(mask & input.present) : input.enough(mask) ? 1 : 0,
        bitCount(mask),
        ...Array.from({ length: nodes }, (_, node) => ((mask & (1 << node)) === 0 ? 0 : 1)),
      ];
      let best = 1 << input.self;
      for (let mask = 0; mask < 2 ** nodes; mask++) {
        if ((mask & (1 << input.self)) === 0 || !isClique(mask, input.graph)) continue;
        const [a, b] = [score(mask), score(best)];
        const differs = a.findIndex((value, index) => value !== b[index]);
        if (differs >= 0 && (a[differs] as number) > (b[differs] as number)) best = mask;
      }
      expect(chooseTarget(input)).toBe(best);
    }),
    { numRuns: 3000 },
  );
});

test('no node is taken from a partner that it hears and that is not taken too, unless that makes a quorum of none', () => {
  fc.assert(
    fc.property(
      inputs,
      fc.array(fc.tuple(fc.nat({ max: 127 }), fc.boolean()), { minLength: nodes, maxLength: nodes }),
      (partial, views) => {
        const neighbours = views.map(([view, quorate], node) => ({
          view: view | (1 << node),
          hears: partial.graph[node] as number,
          quorate,
        }));
        const input: TargetInput = { ...complete(partial), neighbours };
        const target = chooseTarget(input);
        expect(isClique(target, input.graph)).toBe(true);
        expect(target & (1 << input.self)).not.toBe(0);
        for (let node = 0; node < nodes; node++) {
          const isForeign = (target & (1 << node)) !== 0 && (input.present & (1 << node)) === 0;
          const neighbour = neighbours[node];
          if (!isForeign || neighbour === undefined || (input.enough(target) && !neighbour.quorate)) continue;
          expect(neighbour.view & neighbour.hears & ~target).toBe(0);
        }
      },
    ),
    { numRuns: 3000 },
  );
});

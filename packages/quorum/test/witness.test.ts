import { describe, expect, test } from 'vitest';
import { decodeHeader, decodeSlot, encodeHeader, encodeSlot, type Slot, SLOT_BYTES } from '../src/witness/slot.ts';
import { baseOf, longest, viewOf, WitnessWorld } from './witness-world.ts';

const nodes = [1, 2, 3, 4];
const base = baseOf(nodes);

describe.for(['disk', 'http'] as const)('a witness on %s', (kind) => {
  test('gives its vote to the view that asks, and goes on giving it', () => {
    const world = new WitnessWorld(kind, nodes);
    for (const node of nodes) world.view(node, viewOf(5, nodes, base));
    world.run(60_000);
    expect(new Set(world.grants.map(({ node }) => node))).toEqual(new Set([1]));
    for (const [index, { at }] of world.grants.entries()) {
      expect(at).toBeLessThan(world.grants[index - 1]?.until ?? Infinity);
    }
    expect(world.grants.at(-1)?.until).toBeGreaterThan(world.now);
  });

  test('gives it to one of two halves only: to the one with the tie breaker’s node', () => {
    const world = new WitnessWorld(kind, nodes, 1, { tieBreaker: 'highest' });
    for (const node of [1, 2]) world.view(node, viewOf(6, [1, 2], base));
    for (const node of [3, 4]) world.view(node, viewOf(7, [3, 4], base));
    world.run(10_000);
    expect(new Set(world.grants.map(({ node }) => node))).toEqual(new Set([3]));
    expect(
      world.verdicts.some(({ node, vote, reason }) => node === 1 && vote === 'deny' && reason.includes('view 7')),
    ).toBe(true);
  });

  test('gives it to no part with less than half of the votes, unless the last man may stand', () => {
    for (const [algorithm, expected] of [
      ['ffsplit', 0],
      ['lastManStanding', 1],
    ] as const) {
      const world = new WitnessWorld(kind, nodes, 1, { algorithm });
      world.view(4, viewOf(6, [4], base));
      world.run(3000);
      expect(Math.min(1, world.grants.length)).toBe(expected);
    }
  });

  test('moves with its holder at once, and says how long the view before may still count on it', () => {
    const world = new WitnessWorld(kind, nodes);
    world.view(1, viewOf(5, nodes, base));
    world.run(4000);
    const asked = world.now;
    world.view(1, viewOf(6, [1, 2], base));
    world.run(1000);
    const moved = world.grants.find(({ view }) => view === 6);
    expect(moved?.at).toBeLessThan(asked + 500);
    const before = world.grants.findLast(({ view }) => view === 5);
    expect(moved?.exclusiveAfterMs).toBeGreaterThanOrEqual((before?.until ?? 0) - (moved?.at ?? 0));
  });

  test('changes hands only when the lease of its holder is over', () => {
    const world = new WitnessWorld(kind, nodes);
    world.view(1, viewOf(5, [1, 2], base));
    world.view(3, viewOf(6, [3, 4], base));
    world.run(5000);
    world.crash(1);
    world.run(longest[kind] + 10_000);
    world.checkExclusive();
    expect(world.grants.at(-1)?.node).toBe(3);
  });

  test('of a path that hangs is lost in time; what arrives late does no harm', () => {
    const world = new WitnessWorld(kind, nodes);
    world.view(1, viewOf(5, [1, 2], base));
    world.view(3, viewOf(6, [3, 4], base));
    world.run(5000);
    world.hang(1, true);
    world.run(longest[kind] + 10_000);
    expect(world.grants.at(-1)?.node).toBe(3);
    world.hang(1, false);
    world.run(longest[kind] + 10_000);
    world.checkExclusive();
    expect(world.grants.at(-1)?.node).toBe(3);
  });

  test('treats the lease of a former life as another’s', () => {
    const world = new WitnessWorld(kind, nodes);
    world.view(1, viewOf(5, nodes, base));
    world.run(4000);
    world.crash(1);
    world.start(1);
    const before = world.grants.length;
    world.view(1, viewOf(9, [1, 2], base));
    world.run(kind === 'disk' ? 5000 : 15_000);
    expect(world.grants).toHaveLength(before);
    world.run(longest[kind]);
    expect(world.grants.length).toBeGreaterThan(before);
  });

  test('never gives it twice, whatever crashes, hangs, is torn or starts again', () => {
    for (let seed = 1; seed <= 150; seed++) {
      const world = new WitnessWorld(kind, nodes, seed, { algorithm: seed % 3 === 0 ? 'ffsplit' : 'lastManStanding' });
      world.latencyMs = [5, 50, 800, 2400][seed % 4] ?? 5;
      const leaders = [1, 2, 3];
      let number = 10;
      for (let turn = 0; turn < 40; turn++) {
        const node = leaders[world.random.integer(3)] as number;
        const chance = world.random.integer(10);
        if (chance === 0) world.crash(node);
        else if (chance === 1 && !world.isUp(node)) world.start(node);
        else if (chance === 2) world.hang(node, world.random.integer(2) === 0);
        else if (chance === 3 && kind === 'disk') world.tear(node);
        else if (chance < 7 && world.isUp(node)) world.view(node, viewOf((number += 1), [node, 4], base));
        world.run(world.random.integer(4000));
      }
      world.checkExclusive();
      world.latencyMs = 5;
      for (const node of leaders) {
        world.hang(node, false);
        if (world.isUp(node)) world.crash(node);
      }
      world.start(2);
      world.view(2, viewOf(number + 1, [2, 4], base));
      world.run(longest[kind] + 20_000);
      world.checkExclusive();
      expect(world.grants.at(-1)?.view, `seed ${seed}`).toBe(number + 1);
    }
  });
});

describe('a slot of the disk', () => {
  const slot: Slot = {
    node: 65_535,
    incarnation: 2 ** 48 - 1,
    promised: 2 ** 47,
    accepted: 2 ** 40 + 3,
    view: { number: 2 ** 45, hash: 0xffffffff },
    members: Array.from({ length: 32 }, (_, index) => index + 1),
    base: { generation: 3, revision: 2 ** 31 },
    sequence: 0xffffffff,
  };

  test('is read as it was written, and no other way', () => {
    const bytes = encodeSlot(slot);
    expect(decodeSlot(bytes)).toEqual(slot);
    expect(decodeSlot(new Uint8Array(SLOT_BYTES))).toBe('empty');
    for (const at of [0, 4, 46, 47, 500, 2047, SLOT_BYTES - 1]) {
      const spoilt = Uint8Array.from(bytes);
      spoilt[at] = (spoilt[at] ?? 0) ^ 0x40;
      expect(decodeSlot(spoilt)).toBe('torn');
    }
    expect(decodeSlot(bytes.subarray(1))).toBe('torn');
  });

  test('has a header before it that names the cluster and the nodes', () => {
    const header = { cluster: 'demo', nodes: [7, 300] };
    expect(decodeHeader(encodeHeader(header))).toEqual(header);
    expect(decodeHeader(new Uint8Array(SLOT_BYTES))).toBeUndefined();
    const spoilt = encodeHeader(header);
    spoilt[40] = (spoilt[40] ?? 0) ^ 1;
    expect(decodeHeader(spoilt)).toBeUndefined();
  });
});

import { describe, expect, test } from 'vitest';
import type { Service } from '../src/surface.ts';
import type { Cluster } from './harness/cluster.ts';
import { membersAt, settledCluster } from './harness/settled.ts';
import { framesIn, rewrite } from './harness/wire-tap.ts';

const texts = (cluster: Cluster, id: number): string[] => cluster.machine(id).deliveries.map(({ text }) => text);
const coordinatorOf = (cluster: Cluster): number => cluster.machine(1).view?.members[0]?.node ?? 0;

describe('the order', () => {
  test.for([1, 2, 3])(
    'is one, first in first out and without duplicates under loss, duplication and reordering (seed %i)',
    (seed) => {
      const cluster = settledCluster({ nodes: 4, seed, loss: 0.1, duplicate: 0.2, delayMs: [0, 8] });
      for (let turn = 0; turn < 300; turn++) {
        cluster.submit(1 + (turn % 4), (['agreed', 'safe', 'durable'] as const)[turn % 3], turn % 10 === 0 ? 4000 : 0);
        cluster.run(2);
      }
      cluster.run(1500);
      expect(texts(cluster, 1)).toHaveLength(300);
      for (const id of [2, 3, 4]) expect(texts(cluster, id)).toEqual(texts(cluster, 1));
      cluster.finish();
    },
  );

  test("a message is accepted at its origin after its delivery, and carries the origin's handle", () => {
    const cluster = settledCluster({ nodes: 3 });
    const seen: string[] = [];
    cluster.watch = (machine, effect) => {
      if (machine.id !== 2) return;
      if (effect.type === 'deliver') seen.push(`deliver ${effect.handle ?? 'foreign'}`);
      if (effect.type === 'accepted') seen.push(`accepted ${effect.handle}`);
    };
    const own = cluster.submit(2);
    cluster.run(20);
    cluster.submit(3);
    cluster.run(20);
    expect(seen).toEqual([`deliver ${own}`, `accepted ${own}`, 'deliver foreign']);
  });

  test('the last message lost is found within milliseconds, not by the next one', () => {
    const cluster = settledCluster({ nodes: 3 });
    const coordinator = coordinatorOf(cluster);
    let isLosing = true;
    cluster.filter = (_from, _to, _link, _via, bytes) => !isLosing || rewrite(bytes, ({ type }) => type !== 'ordered');
    cluster.submit(coordinator);
    cluster.run(2);
    isLosing = false;
    cluster.run(14);
    for (const id of [1, 2, 3]) expect(texts(cluster, id)).toHaveLength(1);
  });

  test('a message of one megabyte arrives at five percent of loss', () => {
    const cluster = settledCluster({ nodes: 3, seed: 9, loss: 0.05 });
    cluster.submit(2, 'agreed', 1024 * 1024);
    cluster.run(3000);
    for (const id of [1, 2, 3]) expect(cluster.machine(id).deliveries).toHaveLength(1);
    cluster.finish();
  });

  test('equal senders share the window alike, the coordinator among them', () => {
    const cluster = settledCluster({ nodes: 5, delayMs: [20, 0] });
    for (let turn = 0; turn < 200; turn++) {
      for (let id = 1; id <= 5; id++) for (let burst = 0; burst < 20; burst++) cluster.submit(id);
      cluster.run(1);
    }
    const counts = [1, 2, 3, 4, 5].map(
      (id) => cluster.machine(1).deliveries.filter(({ origin }) => origin === id).length,
    );
    const [sum, squares] = [counts.reduce((a, b) => a + b, 0), counts.reduce((a, b) => a + b * b, 0)];
    expect((sum * sum) / (5 * squares)).toBeGreaterThan(0.95);
  });
});

describe('safe and durable', () => {
  test.for(['safe', 'durable'] as const)(
    'a %s message is not delivered while a member lacks it, then transitionally without it',
    (service) => {
      const cluster = settledCluster({ nodes: 3 });
      const coordinator = coordinatorOf(cluster);
      const [stuck, other] = [1, 2, 3].filter((id) => id !== coordinator) as [number, number];
      cluster.filter = (_from, to, _link, _via, bytes) =>
        to !== stuck || rewrite(bytes, ({ type }) => type !== 'ordered' && type !== 'tail');
      cluster.submit(other, service);
      cluster.run(300);
      for (const id of [1, 2, 3]) expect(cluster.machine(id).deliveries).toEqual([]);
      cluster.crash(stuck);
      cluster.run(1000);
      expect(cluster.machine(other).deliveries).toMatchObject([{ transitional: true }]);
      expect(texts(cluster, coordinator)).toEqual(texts(cluster, other));
      cluster.finish();
    },
  );

  test('one failing disk of three does not keep durable messages from being delivered; two do', () => {
    const cluster = settledCluster({ nodes: 3 });
    cluster.machine(2).diskWorks = false;
    cluster.submit(1, 'durable');
    cluster.run(200);
    for (const id of [1, 2, 3]) expect(cluster.machine(id).deliveries).toHaveLength(1);
    cluster.machine(3).diskWorks = false;
    cluster.submit(1, 'durable');
    cluster.run(500);
    for (const id of [1, 2, 3]) expect(cluster.machine(id).deliveries).toHaveLength(1);
    expect(cluster.machine(2).reports.some(({ event }) => event === 'diskFailed')).toBe(true);
    cluster.finish();
  });

  test('a safe message takes two rounds, not a heartbeat', () => {
    const cluster = settledCluster({ nodes: 3, delayMs: [1, 0] });
    const [origin] = [1, 2, 3].filter((id) => id !== coordinatorOf(cluster)) as [number];
    cluster.submit(origin, 'safe');
    expect(cluster.runUntil(() => cluster.machine(origin).deliveries.length === 1, 1000)).toBeLessThanOrEqual(5);
  });
});

describe('bounds', () => {
  test('a full queue refuses, and says when there is room again', () => {
    const cluster = settledCluster({ nodes: 2 });
    const origin = coordinatorOf(cluster) === 1 ? 2 : 1;
    for (let index = 0; index < 1100; index++) cluster.submit(origin);
    expect(cluster.machine(origin).rejected).toHaveLength(76);
    expect(new Set(cluster.machine(origin).rejected.map(({ reason }) => reason))).toEqual(new Set(['queueFull']));
    cluster.run(500);
    expect(cluster.machine(origin).drained).toBe(1);
    expect(cluster.machine(origin).deliveries).toHaveLength(1024);
    cluster.finish();
  });

  test('a message above the limit is refused', () => {
    const cluster = settledCluster({ nodes: 2 });
    cluster.submit(1, 'agreed', 1024 * 1024 + 1);
    expect(cluster.machine(1).rejected).toMatchObject([{ reason: 'tooLarge' }]);
  });

  test('nothing is taken before the first view is active', () => {
    const cluster = settledCluster({ nodes: 2 });
    cluster.crash(2);
    cluster.start(2);
    cluster.submit(2);
    cluster.run(5);
    expect(cluster.machine(2).rejected).toMatchObject([{ reason: 'notActive' }]);
  });

  test('a member that lacks what all wait for and does not get it is put out after three seconds, and stays out for ten', () => {
    const cluster = settledCluster({ nodes: 3 });
    const coordinator = coordinatorOf(cluster);
    const [slow] = [1, 2, 3].filter((id) => id !== coordinator) as [number];
    cluster.filter = (_from, to, _link, _via, bytes) =>
      to !== slow || rewrite(bytes, ({ type }) => type !== 'ordered' && type !== 'tail');
    cluster.submit(coordinator, 'safe');
    cluster.run(2500);
    expect(membersAt(cluster, coordinator)).toEqual([1, 2, 3]);
    cluster.run(1500);
    expect(membersAt(cluster, coordinator)).toHaveLength(2);
    expect(cluster.machine(coordinator).deliveries).toHaveLength(1);
    cluster.filter = undefined;
    cluster.run(7000);
    expect(membersAt(cluster, coordinator)).toHaveLength(2);
    cluster.run(6000);
    expect(membersAt(cluster, coordinator)).toHaveLength(3);
    cluster.finish();
  });

  test('the window closes over a member that acknowledges nothing, and opens again', () => {
    const cluster = settledCluster({ nodes: 3 });
    const coordinator = coordinatorOf(cluster);
    const [slow, other] = [1, 2, 3].filter((id) => id !== coordinator) as [number, number];
    let isStuck = true;
    cluster.filter = (_from, to, _link, _via, bytes) =>
      !isStuck || to !== slow || rewrite(bytes, ({ type }) => type !== 'ordered' && type !== 'tail');
    for (let turn = 0; turn < 60; turn++) {
      for (let burst = 0; burst < 50; burst++) cluster.submit(turn % 2 === 0 ? other : coordinator);
      cluster.run(10);
    }
    const status = cluster.machine(coordinator).engine?.status(cluster.now as never);
    expect(status?.order.received).toBe(2048);
    isStuck = false;
    cluster.run(3000);
    const taken = 3000 - [1, 2, 3].reduce((sum, id) => sum + cluster.machine(id).rejected.length, 0);
    for (const id of [1, 2, 3]) expect(cluster.machine(id).deliveries).toHaveLength(taken);
    cluster.finish();
  });
});

describe('the end of a view', () => {
  test.for([1, 2, 3, 4, 5, 6])('the fate of every message is known, fragments included (seed %i)', (seed) => {
    const cluster = settledCluster({ nodes: 3, seed, loss: 0.05 });
    const services: readonly Service[] = ['agreed', 'safe', 'durable'];
    for (let turn = 0; turn < 120; turn++) {
      cluster.submit(1 + (turn % 3), services[turn % 3], turn % 4 === 0 ? 20_000 : 0);
      if (turn === 60) cluster.crash(coordinatorOf(cluster));
      cluster.run(seed);
    }
    cluster.run(2000);
    for (const { handles } of cluster.up) expect(handles.size).toBe(0);
    cluster.finish();
  });

  test('an unreliable message reaches members and others, once, unordered', () => {
    const cluster = settledCluster({ nodes: 3 });
    cluster.input(cluster.machine(1), { type: 'unreliable', to: 'all', body: Buffer.from('hello') });
    cluster.input(cluster.machine(1), { type: 'unreliable', to: 3, body: Buffer.from('you') });
    cluster.run(10);
    expect(cluster.machine(2).unreliable).toEqual(['hello']);
    expect(cluster.machine(3).unreliable.toSorted()).toEqual(['hello', 'you']);
  });
});

test('what one turn produces leaves in few datagrams', () => {
  const cluster = settledCluster({ nodes: 2 });
  const origin = coordinatorOf(cluster) === 1 ? 2 : 1;
  let datagrams = 0;
  cluster.filter = (from, _to, _link, _via, bytes) => {
    if (from === origin && framesIn(bytes).some(({ type }) => type === 'submission')) datagrams += 1;
    return true;
  };
  for (let index = 0; index < 100; index++) cluster.submit(origin);
  cluster.run(5);
  // The harness gives every submission a turn of its own; the hundred entries still go out as the window allows.
  expect(datagrams).toBeLessThanOrEqual(100);
});

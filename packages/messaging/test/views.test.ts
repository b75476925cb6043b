import { describe, expect, test } from 'vitest';
import { Cluster } from './harness/cluster.ts';

describe('views', () => {
  test('nodes that start together are soon one active quorate view', () => {
    const cluster = new Cluster({ nodes: 3 }).startAll();
    const took = cluster.runUntil(() => cluster.isSettled(), 5000);
    expect(took).toBeLessThan(800);
    cluster.finish();
  });

  test('a crash is a new active quorate view everywhere within 350 ms, typically', () => {
    const times: number[] = [];
    for (let seed = 1; seed <= 20; seed++) {
      const cluster = new Cluster({ nodes: 3, seed }).startAll();
      expect(cluster.runUntil(() => cluster.isSettled(), 5000)).toBeDefined();
      cluster.run(1000 + seed * 7);
      cluster.crash(1 + (seed % 3));
      times.push(cluster.runUntil(() => cluster.isSettled(), 5000) ?? Infinity);
    }
    times.sort((a, b) => a - b);
    expect(times[10]).toBeLessThanOrEqual(345);
    expect(times[19]).toBeLessThanOrEqual(450);
  });

  test('messages are delivered in one order everywhere', () => {
    const cluster = new Cluster({ nodes: 3, loss: 0.05 }).startAll();
    cluster.runUntil(() => cluster.isSettled(), 5000);
    for (let turn = 0; turn < 200; turn++) {
      cluster.submit(1 + (turn % 3), (['agreed', 'safe', 'durable'] as const)[turn % 3]);
      cluster.run(2);
    }
    cluster.run(500);
    const [first, ...others] = [...cluster.machines.values()].map(({ deliveries }) =>
      deliveries.map(({ text }) => text),
    );
    expect(first).toHaveLength(200);
    for (const other of others) expect(other).toEqual(first);
    cluster.finish();
  });
});

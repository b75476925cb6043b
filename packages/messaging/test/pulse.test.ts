import { describe, expect, test } from 'vitest';
import type { ClusterOptions } from './harness/cluster.ts';
import { settledCluster } from './harness/settled.ts';
import { framesIn } from './harness/wire-tap.ts';

const intervalMs = 50;

/** When each node sent a heartbeat to any of the others, for so long. */
function heartbeats(options: ClusterOptions, forMs: number): ReadonlyMap<number, readonly number[]> {
  const cluster = settledCluster(options);
  cluster.run(2000);
  const sent = new Map([...cluster.machines.keys()].map((id) => [id, new Set<number>()]));
  cluster.filter = (from, _to, _link, _via, bytes) => {
    if (framesIn(bytes).some(({ type }) => type === 'heartbeat')) sent.get(from)?.add(cluster.now);
    return true;
  };
  cluster.run(forMs);
  return new Map([...sent].map(([id, times]) => [id, [...times]]));
}

describe('the pulse', () => {
  test('of all members is one: who hears the coordinator answers, so that a round comes close together', () => {
    const sent = heartbeats({ nodes: 5, delayMs: [0, 1] }, 5000);
    const [first = [], ...others] = [...sent.values()];
    for (const times of others) {
      // The answer to a heartbeat at the very end is not in it.
      for (const at of first.slice(0, -1)) expect(times.some((answer) => answer >= at && answer <= at + 2)).toBe(true);
    }
  });

  test('is no quicker for it, however long the paths are', () => {
    for (const delay of [1, 10, 24, 26, 40, 60, 100]) {
      for (const [id, times] of heartbeats({ nodes: 3, delayMs: [delay, 2] }, 10_000)) {
        expect(times.length, `node ${id} at ${delay} ms`).toBeLessThanOrEqual(10_000 / intervalMs + 5);
        expect(times.length, `node ${id} at ${delay} ms`).toBeGreaterThanOrEqual(10_000 / (1.1 * intervalMs) - 2);
      }
    }
  });

  test('goes on where the coordinator is not heard', () => {
    const cluster = settledCluster({ nodes: 3 });
    const times: number[] = [];
    cluster.cut(1, 3);
    cluster.filter = (from, _to, _link, _via, bytes) => {
      if (from === 3 && framesIn(bytes).some(({ type }) => type === 'heartbeat')) times.push(cluster.now);
      return true;
    };
    cluster.run(300); // less than anybody needs to suspect it
    const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1.1 * intervalMs);
  });
});

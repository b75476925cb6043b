import { describe, expect, test } from 'vitest';
import type { EngineEffect } from '../src/surface.ts';
import type { Cluster } from './harness/cluster.ts';
import { changesSince, membersAt, settledCluster } from './harness/settled.ts';

const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Infinity;

const untilMembers = (cluster: Cluster, id: number, members: readonly number[], limit: number): number | undefined =>
  cluster.runUntil(() => cluster.machine(id).active && membersAt(cluster, id).toString() === members.toString(), limit);

describe('a crash', () => {
  test.for([
    [2, 0, 12],
    [3, 0, 20],
    [5, 0, 12],
    [3, 0.05, 12],
  ] as const)('of one of %i nodes at loss %f is a new active view everywhere in time', ([nodes, loss, runs]) => {
    const times: number[] = [];
    for (let seed = 1; seed <= runs; seed++) {
      const cluster = settledCluster({ nodes, seed, loss });
      cluster.run(300 + seed * 13);
      cluster.crash(1 + (seed % nodes));
      const left = [...cluster.machines.keys()].filter((id) => id !== 1 + (seed % nodes));
      const took = cluster.runUntil(
        () => left.every((id) => cluster.machine(id).active && membersAt(cluster, id).length === nodes - 1),
        5000,
      );
      times.push(took ?? Infinity);
    }
    expect(percentile(times, 0.5)).toBeLessThanOrEqual(loss > 0 ? 360 : 345);
    expect(percentile(times, 0.99)).toBeLessThanOrEqual(loss > 0 ? 600 : 450);
  });

  test('is told with its evidence', () => {
    const cluster = settledCluster({ nodes: 3 });
    cluster.crash(3);
    cluster.run(600);
    const attempts = cluster.machine(1).reports.filter(({ event }) => event === 'attempt');
    expect(attempts.at(-1)?.fields).toMatchObject({ evidence: [{ node: 3, cause: 'lost', limitMs: 350 }] });
  });

  test('is an unclean departure', () => {
    const cluster = settledCluster({ nodes: 3 });
    const departed: unknown[] = [];
    cluster.watch = (_machine, effect) => {
      if (effect.type === 'view') departed.push(...effect.departed.map(({ node, cause }) => `${node} ${cause}`));
    };
    cluster.crash(3);
    cluster.run(600);
    expect(departed).toEqual(['3 lost', '3 lost']);
  });
});

describe('a pause', () => {
  test('of five seconds accuses nobody afterwards, and ends certainty in the first step', () => {
    const cluster = settledCluster({ nodes: 3 });
    cluster.run(2500);
    const engine = cluster.machine(3).engine;
    if (engine === undefined) throw new Error('node 3 runs');
    expect(cluster.machine(3).quorum).toBe('held');
    cluster.pause(3, 5000);
    const first: EngineEffect[] = [];
    cluster.watch = (machine, effect) => {
      if (machine.id === 3 && first.length < 1) first.push(effect);
    };
    cluster.run(5010);
    expect(first[0]).toMatchObject({ type: 'quorum', state: { state: 'uncertain' } });
    cluster.watch = undefined;
    const since = cluster.now;
    expect(cluster.runUntil(() => cluster.isSettled(), 3000)).toBeLessThan(1500);
    for (const id of [1, 2]) {
      const shrunk = cluster.machine(id).views.filter(({ at, view }) => at > since && view.members.length < 2);
      expect(shrunk).toEqual([]);
    }
    cluster.finish();
  });

  test('without any mail left from it forgives the others the time', () => {
    const cluster = settledCluster({ nodes: 3 });
    cluster.run(2500);
    cluster.filter = (_from, to) => to !== 3;
    cluster.pause(3, 1000);
    cluster.run(1000);
    const resumed = cluster.now;
    cluster.run(250);
    const attempts = cluster.machine(3).reports.filter(({ event, at }) => event === 'attempt' && at >= resumed);
    expect(attempts).toEqual([]);
  });

  test('of half a second, again and again, costs one change and no more', () => {
    const cluster = settledCluster({ nodes: 3 });
    cluster.run(2500);
    cluster.pause(3, 470);
    cluster.run(3000);
    expect(cluster.isSettled()).toBe(true);
    const since = cluster.now;
    for (let round = 0; round < 10; round++) {
      cluster.pause(3, 400 + 7 * round);
      cluster.run(2000);
    }
    expect(changesSince(cluster, since)).toBe(0);
  });

  test('that the monotonic clock did not see ends certainty too', () => {
    const cluster = settledCluster({ nodes: 3 });
    expect(cluster.machine(2).quorum).toBe('held');
    cluster.input(cluster.machine(2), { type: 'clockStepped', wallAheadMs: 60_000 });
    cluster.watch = undefined;
    expect(cluster.machine(2).engine?.status(cluster.now as never).counters['pauses']).toBe(1);
  });

  test('raises the limit for that node only', () => {
    const cluster = settledCluster({ nodes: 3 });
    cluster.run(2500);
    cluster.pause(3, 250);
    cluster.run(600);
    const peers = cluster.machine(1).engine?.status(cluster.now as never).peers ?? [];
    const [two, three] = peers.map(({ limitMs }) => limitMs) as [number, number];
    expect(two).toBe(350);
    expect(three).toBeGreaterThan(450);
    cluster.run(70_000);
    expect(cluster.machine(1).engine?.status(cluster.now as never).peers[1]?.limitMs).toBe(350);
  });

  test('with five thousand old heartbeats in the socket buffer accuses nobody', () => {
    const cluster = settledCluster({ nodes: 4 });
    cluster.run(2500);
    const since = cluster.now;
    const old: Uint8Array[] = [];
    cluster.filter = (_from, to, _link, _via, bytes) => {
      if (to === 1 && old.length < 100) old.push(bytes);
      return true;
    };
    cluster.pause(1, 300);
    for (let index = 0; index < 5000; index++) {
      cluster.at(cluster.now + 200, () => {
        const bytes = old[index % Math.max(1, old.length)];
        if (bytes !== undefined) cluster.arrive(2 + (index % 3), 1, 0, 'multicast', bytes);
      });
    }
    cluster.run(2000);
    expect(changesSince(cluster, since)).toBe(0);
  });
});

describe('one-way faults', () => {
  test.for([
    ['deaf', 2],
    ['mute', 2],
  ] as const)('a %s node is out within 1200 ms and all is quiet', ([kind]) => {
    const cluster = settledCluster({ nodes: 4 });
    for (const other of [1, 2, 4]) {
      if (kind === 'deaf') cluster.cut(other, 3);
      else cluster.cut(3, other);
    }
    expect(untilMembers(cluster, 1, [1, 2, 4], 3000)).toBeLessThan(1200);
    cluster.run(1500);
    const since = cluster.now;
    cluster.run(3000);
    expect(changesSince(cluster, since)).toBe(0);
    cluster.finish();
  });

  test.for([3, 4, 5])('of any pair among %i cost at most 2n installations and then quiet', (nodes) => {
    for (let from = 1; from <= nodes; from++) {
      for (let to = 1; to <= nodes; to++) {
        if (from === to || (nodes === 5 && (from + to) % 3 !== 0)) continue;
        const cluster = settledCluster({ nodes, seed: from * 10 + to });
        const cutAt = cluster.now;
        cluster.cut(from, to);
        cluster.run(2500);
        expect(changesSince(cluster, cutAt), `${from}>${to}`).toBeLessThanOrEqual(2 * nodes);
        const since = cluster.now;
        cluster.run(1500);
        expect(changesSince(cluster, since), `${from}>${to} quiet`).toBe(0);
        cluster.finish();
      }
    }
  });

  test('a broken pair among three forms at most three views in a minute', () => {
    const cluster = settledCluster({ nodes: 3 });
    const since = cluster.now;
    cluster.cutBoth(2, 3);
    cluster.run(20_000);
    expect(changesSince(cluster, since)).toBeLessThanOrEqual(4);
    cluster.finish();
  });
});

describe('leaving', () => {
  test.for([1, 2, 3])('takes 25 ms and is clean (node %i)', (leaver) => {
    const cluster = settledCluster({ nodes: 3 });
    const causes: string[] = [];
    cluster.watch = (_machine, effect) => {
      if (effect.type === 'view') causes.push(...effect.departed.map(({ cause }) => cause));
    };
    cluster.input(cluster.machine(leaver), { type: 'leave', reason: 'test' });
    const rest = [1, 2, 3].filter((id) => id !== leaver);
    const took = cluster.runUntil(
      () => rest.every((id) => cluster.machine(id).active && membersAt(cluster, id).length === 2),
      2000,
    );
    expect(took).toBeLessThanOrEqual(25);
    expect(causes).toEqual(['left', 'left']);
    expect(cluster.runUntil(() => cluster.machine(leaver).hasLeft, 1000)).toBeLessThan(200);
    cluster.finish();
  });

  test('of all at once ends for all', () => {
    const cluster = settledCluster({ nodes: 3 });
    for (const machine of cluster.machines.values()) cluster.input(machine, { type: 'leave', reason: 'test' });
    cluster.run(700);
    expect([...cluster.machines.values()].every(({ hasLeft }) => hasLeft)).toBe(true);
  });

  test('of a node alone is immediate', () => {
    const cluster = settledCluster({ nodes: 1 });
    cluster.input(cluster.machine(1), { type: 'leave', reason: 'test' });
    cluster.run(50);
    expect(cluster.machine(1).hasLeft).toBe(true);
  });
});

describe('joining and merging', () => {
  test('a node alone is a view of one after 300 ms', () => {
    const cluster = settledCluster({ nodes: 3 });
    cluster.crash(2);
    cluster.crash(3);
    cluster.crash(1);
    cluster.run(100);
    cluster.start(2);
    expect(untilMembers(cluster, 2, [2], 1000)).toBeLessThanOrEqual(310);
    expect(cluster.machine(2).quorum).toBe('lost');
  });

  test('a node that returns is in within 500 ms, by one change', () => {
    const cluster = settledCluster({ nodes: 3 });
    cluster.crash(3);
    cluster.run(2000);
    const since = cluster.now;
    cluster.start(3);
    expect(cluster.runUntil(() => cluster.isSettled(), 3000)).toBeLessThanOrEqual(500);
    expect(changesSince(cluster, since)).toBe(3);
  });

  test('four views merge', () => {
    const cluster = settledCluster({ nodes: 6 });
    cluster.partition([1, 2], [3], [4], [5, 6]);
    cluster.run(1500);
    cluster.heal();
    expect(cluster.runUntil(() => cluster.isSettled(), 3000)).toBeLessThan(1200);
    cluster.finish();
  });

  test('sixteen nodes that start within 200 ms need few changes', () => {
    const cluster = settledCluster({ nodes: 1 });
    expect(cluster.isSettled()).toBe(true);
    const many = settledCluster({ nodes: 16, seed: 2 });
    for (const { views } of many.up) expect(views.length).toBeLessThanOrEqual(2);
  });

  test('a node of another configuration revision is not merged, and merged when it has caught up', () => {
    const cluster = settledCluster({ nodes: 3 });
    cluster.crash(3);
    cluster.run(1000);
    cluster.machine(3).configuration = { ...cluster.machine(3).configuration, revision: 2 };
    cluster.start(3);
    cluster.run(3000);
    expect(membersAt(cluster, 3)).toEqual([3]);
    expect(membersAt(cluster, 1)).toEqual([1, 2]);
    for (const id of [1, 2]) {
      const { configuration } = cluster.machine(id);
      cluster.input(cluster.machine(id), { type: 'reconfigure', configuration: { ...configuration, revision: 2 } });
    }
    expect(cluster.runUntil(() => cluster.isSettled(), 3000)).toBeDefined();
  });

  test('a node that keeps dying is let back ever later, unless an operator says otherwise', () => {
    const cluster = settledCluster({ nodes: 3 });
    for (let round = 0; round < 3; round++) {
      cluster.crash(3);
      cluster.run(1000);
      cluster.start(3);
      if (round < 2) expect(cluster.runUntil(() => cluster.isSettled(), 2000)).toBeDefined();
    }
    cluster.run(5000);
    expect(membersAt(cluster, 1)).toEqual([1, 2]);
    expect(cluster.machine(1).engine?.status(cluster.now as never).peers[1]?.dampedMs).toBeGreaterThan(0);
    for (const id of [1, 2]) cluster.input(cluster.machine(id), { type: 'readmit', node: 3 });
    expect(cluster.runUntil(() => cluster.isSettled(), 2000)).toBeDefined();
  });
});

test('skew between wall clocks is reported from a second on', () => {
  const cluster = settledCluster({ nodes: 2 });
  cluster.input(cluster.machine(1), { type: 'wallClock', wall: 1_700_000_000_000 as never });
  cluster.input(cluster.machine(2), { type: 'wallClock', wall: 1_700_000_002_500 as never });
  cluster.run(200);
  const [report] = cluster.machine(1).reports.filter(({ event }) => event === 'clockSkew');
  expect(report?.fields).toMatchObject({ node: 2 });
  expect(Math.abs(Number(report?.fields['skewMs']) - 2500)).toBeLessThan(20);
});

test('an application that hangs for ten seconds lets the peers notice', () => {
  const cluster = settledCluster({ nodes: 3 });
  cluster.input(cluster.machine(3), { type: 'applicationAlive' });
  cluster.run(9900);
  expect(membersAt(cluster, 1)).toEqual([1, 2, 3]);
  cluster.run(1000);
  expect(membersAt(cluster, 1)).toEqual([1, 2]);
});

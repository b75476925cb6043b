import { describe, expect, test } from 'vitest';
import { Cluster } from './harness/cluster.ts';
import { PuppetTheatre } from './harness/puppets.ts';
import { settledCluster } from './harness/settled.ts';

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

describe('who left cleanly is the same for all who go to the next view together', () => {
  const departedIn = (theatre: PuppetTheatre): string[] =>
    theatre.effects.flatMap((effect) =>
      effect.type === 'view' ? effect.departed.map(({ node, cause }) => `${node} ${cause}`) : [],
    );

  test('a member that does not hear the leaver counts it as left as the others do', () => {
    const causes: string[] = [];
    for (let seed = 1; seed <= 20; seed++) {
      const cluster = settledCluster({ nodes: 5, seed });
      cluster.watch = ({ id }, effect) => {
        if (effect.type === 'view' && id === 1) causes.push(...effect.departed.map(({ cause }) => cause));
      };
      cluster.cut(3, 1); // node 1 does not hear node 3: a view without one of them is tried
      cluster.run(330 + seed * 3);
      cluster.input(cluster.machine(3), { type: 'leave', reason: 'test' });
      cluster.run(700);
      cluster.finish();
    }
    expect(causes).toContain('left');
  });

  test("the initiator's word counts where this node did not hear the leaver", () => {
    const theatre = new PuppetTheatre([1, 2, 3]);
    const view = theatre.join(2, [2, 1, 3]);
    const proposal = theatre.proposal(2, 101, [2, 1]);
    theatre.send(2, proposal);
    const frame = theatre.installation(proposal, [{ view, members: [2, 1], cut: 0 }]);
    theatre.send(2, { ...frame, left: theatre.identities([3]) });
    expect(departedIn(theatre)).toEqual(['3 left']);
  });

  test('a leave that this node alone has heard of is not clean', () => {
    const theatre = new PuppetTheatre([1, 2, 3]);
    const view = theatre.join(2, [2, 1, 3]);
    const proposal = theatre.proposal(2, 101, [2, 1]);
    theatre.send(2, proposal);
    theatre.send(3, theatre.heartbeatOf(3, { leaving: true }));
    theatre.send(2, theatre.installation(proposal, [{ view, members: [2, 1], cut: 0 }]));
    expect(departedIn(theatre)).toEqual(['3 partial']);
  });

  test('a departure entry before the cut is clean: all who go together have it', () => {
    const theatre = new PuppetTheatre([1, 2, 3]);
    const view = theatre.join(2, [2, 1, 3]);
    const departure = {
      rank: 2,
      local: 1,
      service: 'agreed',
      kind: 'departure',
      first: true,
      last: true,
      bytes: new Uint8Array(0),
    } as const;
    theatre.send(2, { type: 'ordered', view, first: 1, stable: 0, durable: 0, entries: [departure] });
    const proposal = theatre.proposal(2, 140, [2, 1]);
    theatre.send(2, proposal);
    theatre.send(2, theatre.installation(proposal, [{ view, members: [2, 1], cut: 1 }]));
    expect(departedIn(theatre)).toEqual(['3 left']);
  });
});

/** Quorum as messaging carries it: the lease, the disk, changes of the base, the device's grant. */
import { describe, expect, test } from 'vitest';
import { majorityPolicy } from '../src/majority.ts';
import type { Decision, QuorumMemory, QuorumPolicy } from '../src/quorum-port.ts';
import type { NodeId } from '../src/surface.ts';
import { PuppetTheatre } from './harness/puppets.ts';
import { changesSince, membersAt, settledCluster } from './harness/settled.ts';

/** Proposes one change of the base, as soon as a view of three holds quorum. */
function growingPolicy(nodes: readonly NodeId[]): QuorumPolicy {
  const majority = majorityPolicy(nodes);
  const next = (memory: QuorumMemory): QuorumMemory['base'] => ({ ...memory.base, revision: memory.base.revision + 1 });
  return {
    ...majority,
    decide: (input): Decision => {
      const decision = majority.decide(input);
      const base =
        input.memory.base.revision > decision.memory.base.revision ? input.memory.base : decision.memory.base;
      return { ...decision, memory: { ...decision.memory, base } };
    },
    proposeChange: ({ memory, view }) =>
      memory.base.revision === 0 && memory.pending === undefined && view.members.length === 3
        ? Uint8Array.of(1)
        : undefined,
    changeReceived: (_body, memory, view) => ({
      ...memory,
      pending: { base: next(memory), viewNumber: view.tag.number },
    }),
    changeDelivered: (_body, memory) => {
      const { pending: _settled, ...kept } = memory;
      return { ...kept, base: next(memory) };
    },
  };
}

describe('the base', () => {
  test('changes by an ordered durable entry, is on every disk, and quorum is held through it', () => {
    const cluster = settledCluster({ nodes: 3, policy: growingPolicy });
    const since = cluster.now;
    cluster.run(2500);
    for (const machine of cluster.machines.values()) {
      expect(machine.saved?.quorum.base.revision).toBe(1);
      expect(machine.saved?.quorum.pending).toBeUndefined();
      expect(machine.quorum).toBe('held');
    }
    expect(changesSince(cluster, since)).toBe(0);
    cluster.crash(3);
    cluster.run(1000);
    for (const id of [1, 2]) expect(cluster.machine(id).quorum).toBe('held');
    cluster.finish();
  });

  test('is not acknowledged before it is saved', () => {
    const theatre = new PuppetTheatre([1, 2, 3]);
    const view = theatre.join(2, [2, 1, 3]);
    const entry = (local: number, kind: 'application' | 'baseChange') =>
      ({ rank: 0, local, service: 'durable', kind, first: true, last: true, bytes: Uint8Array.of(1) }) as const;
    const entries = [entry(1, 'application'), entry(2, 'baseChange'), entry(3, 'application')];
    theatre.heldSaves = [];
    theatre.send(2, { type: 'ordered', view, first: 1, stable: 0, durable: 0, entries });
    const marks = (): number[] =>
      theatre
        .take()
        .flatMap((frame) => (frame.type === 'receipt' || frame.type === 'heartbeat' ? [frame.received] : []));
    theatre.run(200);
    expect(new Set(marks())).toEqual(new Set([1]));
    theatre.releaseSaves();
    theatre.run(100);
    expect(marks().at(-1)).toBe(3);
  });
});

describe('the lease', () => {
  test('of the side that is cut off ends before the other side calls itself alone', () => {
    const cluster = settledCluster({ nodes: 5 });
    cluster.partition([1, 2], [3, 4, 5]);
    const cutAt = cluster.now;
    cluster.run(3000);
    const firstOf = (id: number, state: string): number =>
      cluster.machine(id).quorums.find((entry) => entry.at > cutAt && entry.state === state)?.at ?? Infinity;
    const uncertain = Math.max(firstOf(1, 'uncertain'), firstOf(2, 'uncertain'));
    const exclusive = Math.min(...[3, 4, 5].map((id) => firstOf(id, 'held'))) + 757;
    expect(uncertain).toBeLessThan(exclusive);
    expect(cluster.machine(1).quorum).toBe('lost');
  });

  test('is held again a round after the activation, without waiting for the next heartbeats', () => {
    const cluster = settledCluster({ nodes: 3, delayMs: [1, 0], saveMs: 0 });
    cluster.crash(3);
    cluster.runUntil(() => cluster.machine(1).active && membersAt(cluster, 1).length === 2, 2000);
    expect(cluster.runUntil(() => cluster.isSettled(), 2000)).toBeLessThanOrEqual(8);
  });
});

describe('the device', () => {
  const policy = (nodes: readonly NodeId[]): QuorumPolicy => {
    const majority = majorityPolicy(nodes);
    return {
      ...majority,
      enough: (members, memory, deviceGranted) =>
        members.length + (deviceGranted ? 1 : 0) > (nodes.length + 1) / 2 && memory !== undefined,
      decide: (input) => {
        const decision = majority.decide(input);
        const ok = input.view.members.length + (input.deviceGranted ? 1 : 0) > (nodes.length + 1) / 2;
        const memory = { ...decision.memory, lineage: ok ? input.view.tag.number : input.memory.lineage };
        return { ...decision, ok, memory };
      },
    };
  };

  test('counts while its grant runs, for every member that hears of it', () => {
    const cluster = settledCluster({ nodes: 4, policy });
    cluster.partition([1, 2], [3, 4]);
    cluster.run(1500);
    for (const id of [1, 2, 3, 4]) expect(cluster.machine(id).quorum).not.toBe('held');
    const view = cluster.machine(1).view?.tag ?? { number: 0, hash: 0 };
    const grant = (): void => {
      cluster.input(cluster.machine(1), {
        type: 'deviceVerdict',
        view,
        vote: 'grant',
        leaseUntil: (cluster.now + 1000) as never,
        exclusiveAfterMs: 2000,
      });
    };
    grant();
    cluster.run(300);
    expect(cluster.machine(1).quorum).toBe('held');
    expect(cluster.machine(2).quorum).toBe('held');
    cluster.run(800);
    expect(cluster.machine(1).quorum).toBe('lost');
    expect(cluster.machine(2).quorum).toBe('lost');
  });

  const answer = (cluster: ReturnType<typeof settledCluster>, id: NodeId, vote: 'grant' | 'deny'): void => {
    cluster.input(cluster.machine(id), {
      type: 'deviceVerdict',
      view: cluster.machine(id).view?.tag ?? { number: 0, hash: 0 },
      vote,
      leaseUntil: (cluster.now + (vote === 'grant' ? 1000 : 0)) as never,
      exclusiveAfterMs: 2000,
    });
  };

  test('passed on by a member makes nobody alone before the lease that the others may have is over', () => {
    const cluster = settledCluster({
      nodes: 4,
      policy: (nodes) => {
        const given = policy(nodes);
        return { ...given, decide: (input) => ({ ...given.decide(input), exclusive: true }) };
      },
    });
    cluster.partition([1, 2], [3, 4]);
    cluster.run(1500);
    answer(cluster, 1, 'grant');
    cluster.run(300);
    const held = (id: NodeId): number | undefined => cluster.machine(id).quorums.at(-1)?.exclusiveAfterMs;
    expect(held(1)).toBe(2000); // the device's own word
    expect(held(2)).toBeGreaterThan(900); // of a lease of one second
  });

  test('is waited for in a new view, for two seconds, before quorum counts as lost', () => {
    const cluster = settledCluster({ nodes: 4, policy });
    cluster.partition([1, 2], [3, 4]);
    cluster.run(1500);
    expect(cluster.machine(1).quorum).toBe('uncertain');
    answer(cluster, 1, 'grant');
    cluster.run(300);
    expect(cluster.machine(1).quorum).toBe('held');
    expect(cluster.machine(3).quorum).toBe('uncertain');
    cluster.run(1500);
    expect(cluster.machine(3).quorum).toBe('lost');
  });

  test('that says no may change its mind within that time, while it still hears of the view before', () => {
    const cluster = settledCluster({ nodes: 4, policy });
    cluster.partition([1, 2], [3, 4]);
    cluster.run(1500);
    answer(cluster, 3, 'deny');
    cluster.run(5);
    expect(cluster.machine(3).quorum).toBe('uncertain');
    answer(cluster, 3, 'grant');
    cluster.run(300);
    expect(cluster.machine(3).quorum).toBe('held');
    answer(cluster, 3, 'deny');
    cluster.run(1200);
    expect(cluster.machine(3).quorum).toBe('lost');
  });
});

/** Votes, ties, waiting and the joint rule; among them the examples of votequorum(5). */
import { describe, expect, test } from 'vitest';
import {
  type Base,
  decide,
  force,
  memoryAtStart,
  proceed,
  type QuorumMemory,
  quorumOptions,
  type QuorumOptions,
  quorumPolicy,
  type QuorumSettings,
} from '../src/index.ts';

function optionsOf(votes: readonly number[], settings: Omit<QuorumSettings, 'voters'> = {}): QuorumOptions {
  const checked = quorumOptions({
    voters: votes.map((each, index) => ({ node: index + 1, votes: each })),
    ...settings,
  });
  if (!checked.ok) throw new Error(checked.error.join('; '));
  return checked.value.options;
}

const ones = (count: number): readonly number[] => Array.from({ length: count }, () => 1);
const range = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

interface Case {
  readonly options: QuorumOptions;
  readonly members: readonly number[];
  readonly change?: (memory: QuorumMemory, node: number) => QuorumMemory;
  readonly deviceGranted?: boolean;
}

function verdict({ options, members, change = (memory) => memory, deviceGranted = false }: Case) {
  const started = { ...memoryAtStart(options, undefined), waiting: options.waitForAll };
  const reports = members.map((node) => ({ node, memory: change(started, node) }));
  return decide({ members, reports, options, deviceGranted });
}

describe('a majority of the votes', () => {
  test.for([
    { nodes: 1, members: [1], ok: true },
    { nodes: 2, members: [1], ok: false },
    { nodes: 3, members: [2, 3], ok: true },
    { nodes: 3, members: [3], ok: false },
    { nodes: 8, members: range(1, 5), ok: true },
    { nodes: 8, members: range(1, 4), ok: false },
  ])('$members of $nodes: $ok', ({ nodes, members, ok }) => {
    expect(verdict({ options: optionsOf(ones(nodes)), members }).ok).toBe(ok);
  });

  test('counts votes, not nodes', () => {
    const options = optionsOf([3, 1, 1]);

    expect(verdict({ options, members: [1] }).ok).toBe(true);
    expect(verdict({ options, members: [2, 3] }).ok).toBe(false);
  });

  test('a node with 0 votes changes nothing', () => {
    const options = optionsOf([1, 1, 1, 0]);

    expect(verdict({ options, members: [1, 4] }).ok).toBe(false);
    expect(verdict({ options, members: [1, 2] }).ok).toBe(true);
  });

  test('a node that is not in the base has no vote', () => {
    expect(verdict({ options: optionsOf(ones(3)), members: [1, 7, 8, 9] }).ok).toBe(false);
  });

  test('the reason names the votes and the threshold', () => {
    expect(verdict({ options: optionsOf(ones(5)), members: [1, 2] }).reason).toBe('2 of 5 votes, 3 needed');
    expect(verdict({ options: optionsOf(ones(5)), members: [1, 2, 3] }).reason).toBe('3 of 5 votes, 3 needed');
  });
});

describe('two_node', () => {
  const options = optionsOf(ones(2), { twoNode: true });

  test('waits for both after a start', () => {
    const alone = verdict({ options, members: [1] });

    expect(alone.ok).toBe(false);
    expect(alone.waitingFor).toEqual([2]);
    expect(alone.reason).toContain('wait_for_all');
    expect(verdict({ options, members: [1, 2] }).ok).toBe(true);
  });

  test('one that was quorate before goes on alone', () => {
    expect(verdict({ options, members: [2], change: proceed }).ok).toBe(true);
  });

  test('one that returns joins the other, which waits no more', () => {
    const change = (memory: QuorumMemory, node: number): QuorumMemory => (node === 1 ? proceed(memory) : memory);

    expect(verdict({ options, members: [1, 2], change }).ok).toBe(true);
  });

  test('promises no exclusive time: the other side may hold quorum too', () => {
    const policy = quorumPolicy(options);
    const memory = proceed(policy.start(undefined));
    const view = { tag: { number: 3 }, members: [{ node: 1 }] };

    expect(
      policy.decide({ view, self: 1, reports: [{ node: 1, memory }], memory, deviceGranted: false }),
    ).toMatchObject({ ok: true, exclusive: false });
  });
});

describe('wait_for_all', () => {
  const options = optionsOf(ones(3), { waitForAll: true });

  test('a majority that has just started waits for all voters', () => {
    expect(verdict({ options, members: [1, 2] }).ok).toBe(false);
    expect(verdict({ options, members: [1, 2, 3] }).ok).toBe(true);
  });

  test('one member that waits no more is enough', () => {
    const change = (memory: QuorumMemory, node: number): QuorumMemory => (node === 2 ? proceed(memory) : memory);

    expect(verdict({ options, members: [1, 2], change }).ok).toBe(true);
  });

  test('a quorate view ends the wait of all its members, for what they save', () => {
    const policy = quorumPolicy(options);
    const memory = policy.start(undefined);
    const members = [1, 2, 3].map((node) => ({ node }));
    const reports = members.map(({ node }) => ({ node, memory }));
    const decision = policy.decide({
      view: { tag: { number: 5 }, members },
      self: 2,
      reports,
      memory,
      deviceGranted: false,
    });

    expect(decision.memory).toMatchObject({ waiting: false, lineage: 5, lastQuorateMembers: [1, 2, 3] });
  });

  test('a restart of the process waits again', () => {
    const policy = quorumPolicy(options);

    expect(policy.start({ ...policy.start(undefined), waiting: false }).waiting).toBe(true);
  });
});

describe('auto_tie_breaker', () => {
  test.for([
    { setting: 'lowest', members: [1, 2], ok: true },
    { setting: 'lowest', members: [3, 4], ok: false },
    { setting: 'highest', members: [3, 4], ok: true },
    { setting: [4, 1], members: [1, 2], ok: false },
    { setting: [4, 1], members: [3, 4], ok: true },
    { setting: 'lowest', members: [1], ok: false },
  ] as const)('$setting: $members of 4 is $ok', ({ setting, members, ok }) => {
    expect(verdict({ options: optionsOf(ones(4), { autoTieBreaker: setting }), members }).ok).toBe(ok);
  });

  test('a list names the first node that was in the last quorate view', () => {
    const options = optionsOf(ones(4), { autoTieBreaker: [1, 2, 3] });
    const change = (memory: QuorumMemory): QuorumMemory => ({ ...memory, lineage: 9, lastQuorateMembers: [2, 3, 4] });

    expect(verdict({ options, members: [2, 4], change }).ok).toBe(true);
    expect(verdict({ options, members: [1, 3], change }).ok).toBe(false);
  });

  test('half less one of an odd number is not enough', () => {
    expect(verdict({ options: optionsOf(ones(5), { autoTieBreaker: 'lowest' }), members: [1, 2] }).ok).toBe(false);
  });
});

describe('while the base may be changing', () => {
  const base: Base = {
    generation: 0,
    revision: 0,
    voters: range(1, 8).map((node) => ({ node, votes: 1 })),
    deviceVotes: 0,
  };
  const pending = {
    base: { ...base, revision: 1, voters: range(1, 5).map((node) => ({ node, votes: 1 })) },
    viewNumber: 7,
  };
  const options = optionsOf(ones(8));

  test('enough of the old base is not enough of the pending one', () => {
    const change = (memory: QuorumMemory, node: number): QuorumMemory =>
      node === 4 || node === 5 ? { ...memory, pending } : memory;
    const result = verdict({ options, members: range(4, 8), change });

    expect(result.ok).toBe(false);
    expect(result.reason).toContain('a change to base 0.1 {1, 2, 3, 4, 5} may be under way');
  });

  test('those who moved on count by the new one', () => {
    const change = (memory: QuorumMemory): QuorumMemory => ({ ...memory, base: pending.base });

    expect(verdict({ options, members: [1, 2, 3], change }).ok).toBe(true);
  });

  test('a pending change of an older revision is settled', () => {
    const change = (memory: QuorumMemory, node: number): QuorumMemory =>
      node === 1 ? { ...memory, base: { ...base, revision: 3 } } : { ...memory, pending };

    expect(verdict({ options, members: range(1, 5), change }).pending).toBeUndefined();
  });
});

describe('force', () => {
  test('the members become the base of a new generation, and the others yield to it', () => {
    const options = optionsOf(ones(3));
    const before = memoryAtStart(options, undefined);
    const forced = force(before, [3], options);

    expect(verdict({ options, members: [3], change: () => forced }).ok).toBe(true);
    expect(verdict({ options, members: [1, 2, 3], change: (_, node) => (node === 3 ? forced : before) }).base).toEqual(
      forced.base,
    );
  });
});

describe('a device', () => {
  const options = optionsOf(ones(2), { device: { kind: 'arbiter' } });

  test('its vote breaks the tie', () => {
    expect(verdict({ options, members: [1], deviceGranted: true }).ok).toBe(true);
    expect(verdict({ options, members: [1], deviceGranted: false }).ok).toBe(false);
    expect(verdict({ options, members: [1, 2], deviceGranted: false }).ok).toBe(true);
  });

  test('with last_man_standing one node and the device are enough, and without it all nodes are needed', () => {
    const four = optionsOf(ones(4), {
      device: { kind: 'arbiter', algorithm: 'lastManStanding' },
      dynamicDevice: false,
    });

    expect(verdict({ options: four, members: [3], deviceGranted: true }).ok).toBe(true);
    expect(verdict({ options: four, members: [1, 2, 3], deviceGranted: false }).ok).toBe(false);
    expect(verdict({ options: four, members: [1, 2, 3, 4], deviceGranted: false }).ok).toBe(true);
  });
});

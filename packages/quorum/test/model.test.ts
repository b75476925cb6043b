/** The laws of quorum over every history of a few nodes, and over broken variants that must be caught (§6.4, Q-2, Q-12). */
import { describe, expect, test } from 'vitest';
import { type Policy, type QuorumMemory, quorumPolicy, type QuorumSettings, quorumOptions } from '../src/index.ts';
import { explore } from './model.ts';

/** How far beyond the unit run's bound to go: `SYSTOLE_MODEL_DEEPER=2 vitest run …` takes minutes and finds the same. */
const deeper = Number(process.env['SYSTOLE_MODEL_DEEPER'] ?? 0);

function policyOf(nodes: number, settings: Omit<QuorumSettings, 'voters'> = {}): Policy {
  const voters = Array.from({ length: nodes }, (_, index) => ({ node: index + 1, votes: 1 }));
  const checked = quorumOptions({ voters, ...settings });
  if (!checked.ok) throw new Error(checked.error.join('; '));
  return quorumPolicy(checked.value.options);
}

const shrinking = { lastManStanding: true, waitForAll: false } as const;

describe('over every history, no two partitions hold quorum and quorate views form a chain', () => {
  test.for([
    { name: 'majority', nodes: 3, depth: 5, settings: {} },
    { name: 'majority', nodes: 4, depth: 3, settings: {} },
    { name: 'tie breaker lowest', nodes: 4, depth: 3, settings: { autoTieBreaker: 'lowest' } },
    { name: 'tie breaker list', nodes: 4, depth: 3, settings: { autoTieBreaker: [2, 3] } },
    { name: 'shrinking base', nodes: 3, depth: 7, settings: shrinking },
    {
      name: 'shrinking base and tie breaker',
      nodes: 3,
      depth: 6,
      settings: { ...shrinking, autoTieBreaker: 'lowest' },
    },
    { name: 'shrinking base and tie list', nodes: 4, depth: 4, settings: { ...shrinking, autoTieBreaker: [3, 1] } },
    { name: 'wait for all', nodes: 3, depth: 5, settings: { waitForAll: true } },
  ] as const)('$name, $nodes nodes', ({ nodes, depth, settings }) => {
    const result = explore(policyOf(nodes, settings), { nodes, depth: depth + deeper });

    expect(result.violation).toBeUndefined();
    expect(result.states).toBeGreaterThan(100);
  });
});

/** Every combination with a device that the configuration accepts, as far as it matters here. */
const withDevice = [2, 3, 4, 5].flatMap((nodes) =>
  (['ffsplit', 'lastManStanding'] as const).flatMap((algorithm) =>
    [false, true].flatMap((lastManStanding) =>
      [false, true].flatMap((dynamicDevice) =>
        [false, true].flatMap((waitForAll) => {
          const device = { kind: 'arbiter', algorithm } as const;
          const settings: Omit<QuorumSettings, 'voters'> = { device, lastManStanding, dynamicDevice, waitForAll };
          const voters = Array.from({ length: nodes }, (_, index) => ({ node: index + 1, votes: 1 }));
          if (!quorumOptions({ ...settings, voters }).ok) return [];
          const flags = [...(lastManStanding ? ['shrinking base'] : []), ...(dynamicDevice ? ['dynamic'] : [])];
          const name = [algorithm, ...flags, ...(waitForAll ? ['wait for all'] : [])].join(', ');
          return [{ name, nodes, depth: [5, 4, 2, 2][nodes - 2] ?? 2, settings }];
        }),
      ),
    ),
  ),
);

describe('over every history with a device that gives its vote to any one view, no two partitions hold quorum', () => {
  test('and there are such combinations', () => {
    expect(withDevice.length).toBeGreaterThan(20);
  });

  test.for(withDevice)('$name, $nodes nodes', ({ nodes, depth, settings }) => {
    const policy = policyOf(nodes, settings);
    const result = explore(policy, { nodes, depth: depth + deeper, device: true, chain: false });

    expect(result.violation).toBeUndefined();
    expect(result.states).toBeGreaterThan(100);
  });

  test('and a device that votes twice would be caught', () => {
    const policy = policyOf(4, { device: { kind: 'arbiter', algorithm: 'ffsplit' } });
    const twice: Policy = {
      ...policy,
      decide: (input) => policy.decide({ ...input, deviceGranted: true }),
      enough: (nodes, memory, _granted, decision) => policy.enough(nodes, memory, true, decision),
    };
    expect(explore(twice, { nodes: 4, depth: 3, device: true, chain: false }).violation).toBeDefined();
  });
});

const withoutPending = ({ base, lineage, lastQuorateMembers, waiting, forced }: QuorumMemory): QuorumMemory => ({
  base,
  lineage,
  lastQuorateMembers,
  waiting,
  forced,
});

/** Each takes one rule out of the policy. */
const mutants: Readonly<Record<string, (policy: Policy) => Policy>> = {
  'the joint rule is off': (policy) => ({
    ...policy,
    enough: (nodes, memory, device) => policy.enough(nodes, withoutPending(memory), device, undefined),
    decide: (input) => {
      const reports = input.reports.map(({ node, memory }) => ({ node, memory: withoutPending(memory) }));
      const decision = policy.decide({ ...input, reports, memory: withoutPending(input.memory) });
      const { pending } = input.memory;
      return { ...decision, memory: { ...decision.memory, ...(pending === undefined ? {} : { pending }) } };
    },
  }),
  'an unfinished change is not proposed again first': (policy) => ({
    ...policy,
    proposeChange: (context, now) =>
      policy.proposeChange(
        {
          ...context,
          memory: withoutPending(context.memory),
          reports: context.reports.map(({ node, memory }) => ({ node, memory: withoutPending(memory) })),
        },
        now,
      ),
  }),
  'a change counts on receipt': (policy) => ({
    ...policy,
    changeReceived: (body, memory, view) => policy.changeDelivered(body, memory, view),
  }),
  'half of the votes are enough': (policy) => ({
    ...policy,
    decide: (input) => {
      const decision = policy.decide(input);
      return 2 * decision.votes >= decision.total
        ? {
            ...decision,
            ok: true,
            memory: {
              ...decision.memory,
              lineage: input.view.tag.number,
              lastQuorateMembers: input.view.members.map(({ node }) => node),
            },
          }
        : decision;
    },
    enough: (nodes, memory) =>
      2 * nodes.reduce((sum, node) => sum + policy.votes(node, memory), 0) >= memory.base.voters.length,
  }),
  'a restart forgets the base': (policy) => ({ ...policy, start: () => policy.start(undefined) }),
};

/** Members 1, 2 and 3 of four agree on the base {1 2 3}; only node 1 has learnt that it is decided. */
const halfDecided = [
  'view of 1 2 3',
  'node 1 proposes',
  'node 1 receives',
  'node 2 receives',
  'node 3 receives',
  'node 1 delivers',
];

describe('taking a rule out of the policy is noticed', () => {
  test.for([
    { name: 'a change counts on receipt', after: halfDecided.slice(0, 2), depth: 4, tie: [3] },
    { name: 'half of the votes are enough', after: [], depth: 3, tie: false },
    { name: 'a restart forgets the base', after: halfDecided.slice(0, 5), depth: 5, tie: [3] },
    { name: 'the joint rule is off', after: halfDecided, depth: 3, tie: [3] },
    {
      name: 'an unfinished change is not proposed again first',
      after: [
        ...halfDecided,
        'view of 2 3 4',
        'node 2 proposes',
        'node 2 receives',
        'node 3 receives',
        'node 4 receives',
      ],
      depth: 3,
      tie: false,
    },
  ] as const)('$name', ({ name, after, depth, tie }) => {
    const broken = mutants[name]?.(policyOf(4, { ...shrinking, autoTieBreaker: tie }));
    if (broken === undefined) throw new Error(`no mutant "${name}"`);
    const result = explore(broken, { nodes: 4, depth, after });

    expect(result.violation).toBeDefined();
  });

  test('a tie list that is looked up in the view before this one', () => {
    const policy = policyOf(4, { autoTieBreaker: [1, 2, 3, 4] });
    const before = new Map<string, readonly number[]>();
    const keyOf = ({ view }: Parameters<Policy['decide']>[0]): string =>
      `${view.tag.number} ${view.members.map(({ node }) => node).join()}`;
    const broken: Policy = {
      ...policy,
      decide: (input) => {
        const decision = policy.decide(input);
        before.set(keyOf(input), input.memory.lastQuorateMembers);
        return { ...decision, reason: keyOf(input) };
      },
      enough: (nodes, memory, device, decision) =>
        policy.enough(
          nodes,
          { ...memory, lastQuorateMembers: before.get(decision?.reason ?? '') ?? [] },
          device,
          decision,
        ),
    };

    expect(
      explore(broken, { nodes: 4, depth: 3, after: ['view of 2 3 4', 'view of 1 2 3 4'] }).violation,
    ).toBeDefined();
  });
});

describe('further from a base that is half decided', () => {
  test.for([false, [3], 'lowest'] as const)('no law breaks with tie breaker %o', (tie) => {
    const policy = policyOf(4, { ...shrinking, autoTieBreaker: tie });

    expect(explore(policy, { nodes: 4, depth: 3 + deeper, after: halfDecided }).violation).toBeUndefined();
  });
});

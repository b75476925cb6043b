/**
 * Nodes that are broken on purpose, each in one way that a hurried change could introduce. They are made around the real
 * node, at its rim: what it asks for is done wrongly, what it is told is a lie, what it may rely on is taken away.
 */
import type { NodeEffect, NodeInput, NodeStart } from '@systole/daemon/node';
import { createNode, nodeIdOf } from '@systole/daemon/node';
import { later } from '@systole/kernel';
import type { QuorumPolicy } from '@systole/messaging';
import { quorumOptions, quorumPolicy } from '@systole/quorum';
import { type MakeNode, shipped, type SimNode, type Subject } from '@systole/simulator';

/** Wraps a node: `rim` sees each effect and says what is done in its place, and what the node is told at once. */
function around(
  rim: (effect: NodeEffect) => { readonly effects: readonly NodeEffect[]; readonly told: readonly NodeInput[] },
): MakeNode {
  return (start) => {
    const node = createNode(start);
    const step: SimNode['step'] = (input, now) => {
      const done: NodeEffect[] = [];
      const inputs: NodeInput[] = [input];
      for (let next = inputs.shift(); next !== undefined; next = inputs.shift()) {
        for (const effect of node.step(next, now)) {
          const { effects, told } = rim(effect);
          done.push(...effects);
          inputs.push(...told);
        }
      }
      return done;
    };
    return { ...others(node), step };
  };
}

/** What a node offers beside its step, unchanged. */
const others = (node: ReturnType<typeof createNode>): Omit<SimNode, 'step'> => ({
  wakeAt: () => node.wakeAt(),
  messagingStatus: (now) => node.messagingStatus(now),
  fillings: (now) => node.fillings(now),
  get mayFeedWatchdog() {
    return node.mayFeedWatchdog;
  },
});

const asItIs = (effect: NodeEffect) => ({ effects: [effect], told: [] });

const isOperation = (effect: NodeEffect, operation: string): effect is Extract<NodeEffect, { type: 'startProcess' }> =>
  effect.type === 'startProcess' && effect.argv[1] === operation;

const succeeded = (id: string): NodeInput => ({
  type: 'processEnded',
  id,
  outcome: { type: 'exited', code: 0 },
  stdout: '',
  stderr: '',
  startedAt: 0 as Extract<NodeInput, { type: 'processEnded' }>['startedAt'],
  durationMs: 1,
});

/** The policy that a node would use, changed. */
function withPolicy(change: (policy: QuorumPolicy) => QuorumPolicy, votes = 1): MakeNode {
  return (start: NodeStart) => {
    const { nodes, quorum } = start.configuration;
    const checked = quorumOptions({ ...quorum, voters: nodes.map((name) => ({ node: nodeIdOf(name), votes })) });
    if (!checked.ok) throw new Error(checked.error.join('; '));
    return createNode({
      ...start,
      ports: { ...start.ports, quorumPolicy: change(quorumPolicy(checked.value.options)) },
    });
  };
}

const mutant = (makeNode: MakeNode): Subject => ({ ...shipped, makeNode });

export const mutants = {
  'a fence device is not asked, and its success assumed': mutant(
    around((effect) => {
      const isFencing = effect.type === 'startProcess' && /^action=(?:off|reboot)$/m.test(effect.stdin);
      return isFencing ? { effects: [], told: [succeeded(effect.id)] } : asItIs(effect);
    }),
  ),
  'a stop is not awaited': mutant(
    around((effect) =>
      isOperation(effect, 'stop') ? { effects: [effect], told: [succeeded(effect.id)] } : asItIs(effect),
    ),
  ),
  'a change is acknowledged before it is on disk': mutant(
    around((effect) =>
      effect.type === 'saveCib'
        ? { effects: [effect], told: [{ type: 'saved', token: effect.token, isOk: true }] }
        : asItIs(effect),
    ),
  ),
  'a restart forgets the CIB': mutant((start) => {
    const { cib: _forgotten, ...saved } = start.saved;
    return createNode({ ...start, saved });
  }),
  'half of the votes are enough': mutant(
    withPolicy((policy) => ({
      ...policy,
      decide: (input) => {
        const decision = policy.decide(input);
        if (2 * decision.votes < decision.total) return decision;
        const lastQuorateMembers = input.view.members.map(({ node }) => node).toSorted((a, b) => a - b);
        return {
          ...decision,
          ok: true,
          memory: { ...decision.memory, lineage: input.view.tag.number, lastQuorateMembers },
        };
      },
      enough: (nodes, memory) => 2 * nodes.length >= memory.base.voters.length,
    })),
  ),
  'every partition is quorate': mutant(
    withPolicy((policy) => ({
      ...policy,
      decide: (input) => {
        const lastQuorateMembers = input.view.members.map(({ node }) => node).toSorted((a, b) => a - b);
        const decision = policy.decide(input);
        return {
          ...decision,
          ok: true,
          memory: { ...decision.memory, lineage: input.view.tag.number, lastQuorateMembers },
        };
      },
      enough: () => true,
    })),
  ),
  'a fence device that fails is taken for one that works': mutant((start) => {
    const node = createNode(start);
    const isFenceAgent = (id: string): boolean => id.startsWith('stonith/');
    return {
      ...others(node),
      step: (input, now) =>
        node.step(
          input.type === 'processEnded' && isFenceAgent(input.id)
            ? { ...input, outcome: { type: 'exited', code: 0 } }
            : input,
          now,
        ),
    };
  }),
  'a node that should reset itself goes on': mutant(
    around((effect) => (effect.type === 'resetSelf' ? { effects: [], told: [] } : asItIs(effect))),
  ),
  'the watchdog is fed as long as the daemon lives': mutant((start) => {
    const node = createNode(start);
    return {
      wakeAt: () => node.wakeAt(),
      step: (input, now) => node.step(input, now),
      mayFeedWatchdog: true,
    };
  }),
  "the arbiter's vote is believed in beyond its lease": mutant((start) => {
    const node = createNode(start);
    return {
      ...others(node),
      step: (input, now) => {
        const isGrant = input.type === 'deviceVerdict' && input.vote === 'grant';
        return node.step(isGrant ? { ...input, leaseUntil: later(input.leaseUntil, 60_000) } : input, now);
      },
    };
  }),
  'a queue has no bound': mutant((start) => {
    const node = createNode(start);
    const fillings: SimNode['fillings'] = (now) => node.fillings(now).map((each) => ({ ...each, max: 0 }));
    return { ...others(node), step: (input, now) => node.step(input, now), fillings };
  }),
} as const satisfies Readonly<Record<string, Subject>>;

export type MutantName = keyof typeof mutants;

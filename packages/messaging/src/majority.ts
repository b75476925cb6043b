/**
 * The simplest quorum policy: more than half of a fixed base's votes, no device, no options. For tests of messaging,
 * and the reference for what the interface asks of the real one.
 */
import type { Base, Decision, QuorumMemory, QuorumPolicy } from './quorum-port.ts';
import type { NodeId } from './surface.ts';

const isNewer = (a: Base, b: Base): boolean =>
  a.generation > b.generation || (a.generation === b.generation && a.revision > b.revision);

const votesOf = (nodes: readonly NodeId[], base: Base): number =>
  base.voters.reduce((sum, { node, votes }) => (nodes.includes(node) ? sum + votes : sum), 0);

const total = (base: Base): number => base.voters.reduce((sum, { votes }) => sum + votes, 0);

export function majorityPolicy(voters: readonly NodeId[]): QuorumPolicy {
  const base: Base = {
    generation: 0,
    revision: 0,
    voters: voters.toSorted((a, b) => a - b).map((node) => ({ node, votes: 1 })),
    deviceVotes: 0,
  };
  return {
    start: (saved): QuorumMemory =>
      saved ?? { base, lineage: 0, lastQuorateMembers: [], waiting: false, forced: false },

    decide: ({ view, self, reports }): Decision => {
      const newest = reports.reduce((best, { memory }) => (isNewer(memory.base, best) ? memory.base : best), base);
      const members = view.members.map(({ node }) => node);
      const votes = votesOf(members, newest);
      const needed = Math.floor(total(newest) / 2) + 1;
      const ok = votes >= needed;
      const own = reports.find(({ node }) => node === self)?.memory;
      const memory: QuorumMemory = {
        base: newest,
        lineage: ok ? view.tag.number : (own?.lineage ?? 0),
        lastQuorateMembers: ok ? members.toSorted((a, b) => a - b) : (own?.lastQuorateMembers ?? []),
        waiting: false,
        forced: own?.forced ?? false,
      };
      const reason = `${votes} of ${total(newest)} votes, ${needed} needed`;
      return { ok, reason, votes, needed, total: total(newest), memory, exclusive: true };
    },
    enough: (nodes, memory) => 2 * votesOf(nodes, memory.base) > total(memory.base),
    votes: (node, memory) => votesOf([node], memory.base),
    proposeChange: () => undefined,
    changeReceived: (_body, memory) => memory,
    changeDelivered: (_body, memory) => memory,
  };
}

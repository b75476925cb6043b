/** What an operator's word does to the quorum memory of a node: pure, so that it can be read and tested by itself. */
import type { QuorumMemory } from '@systole/quorum';

/** `quorum proceed`: those who have not been seen since the start are not waited for any longer. */
export const proceeding = (memory: QuorumMemory): QuorumMemory => ({ ...memory, waiting: false });

/**
 * `quorum force`: the members that are here are the base from now on, in a generation that beats every earlier one.
 * Nodes of a lower generation give up their branch of the CIB when they come back; the operator has vouched that they
 * are down.
 */
export function forced(memory: QuorumMemory, members: readonly number[]): QuorumMemory {
  const { pending: _pending, ...rest } = memory;
  const voters = members
    .toSorted((a, b) => a - b)
    .map((node) => ({ node, votes: memory.base.voters.find((voter) => voter.node === node)?.votes ?? 1 }));
  const base = { generation: memory.base.generation + 1, revision: 0, voters, deviceVotes: 0 };
  return { ...rest, base, waiting: false, forced: true };
}

import type { QuorumMemory } from '@systole/quorum';
import { describe, expect, test } from 'vitest';
import { forced, proceeding } from '../../src/node/quorum-commands.ts';

const memory: QuorumMemory = {
  base: {
    generation: 2,
    revision: 7,
    voters: [
      { node: 1, votes: 1 },
      { node: 2, votes: 3 },
      { node: 3, votes: 1 },
    ],
    deviceVotes: 1,
  },
  lineage: 40,
  lastQuorateMembers: [1, 2, 3],
  waiting: true,
  forced: false,
};

describe('the operator and the quorum', () => {
  test('to proceed ends the wait for all and changes nothing else', () => {
    expect(proceeding(memory)).toEqual({ ...memory, waiting: false });
  });

  test('a forced base is that of the members present, with their votes, in a generation that beats the old one', () => {
    const after = forced(memory, [3, 2]);

    expect(after.base).toEqual({
      generation: 3,
      revision: 0,
      voters: [
        { node: 2, votes: 3 },
        { node: 3, votes: 1 },
      ],
      deviceVotes: 0,
    });
    expect(after).toMatchObject({ waiting: false, forced: true, lineage: 40 });
  });

  test('a base change that was under way ends with a forced base: its voters are not those of the new base', () => {
    const pending = { revision: 8, view: 41, base: memory.base } as unknown as NonNullable<QuorumMemory['pending']>;

    expect(forced({ ...memory, pending }, [1])).not.toHaveProperty('pending');
  });
});

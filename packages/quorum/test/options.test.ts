/** Which settings of quorum go together; refused ones are refused with the reason (§6.5, Q-10). */
import { describe, expect, test } from 'vitest';
import { quorumOptions, type QuorumSettings } from '../src/index.ts';

const settings = (nodes: number, more: Omit<QuorumSettings, 'voters'> = {}): QuorumSettings => ({
  voters: Array.from({ length: nodes }, (_, index) => ({ node: index + 1, votes: 1 })),
  ...more,
});

const device = { kind: 'arbiter' } as const;

describe('refused, with the reason', () => {
  test.for([
    { given: settings(3, { twoNode: true }), says: 'two_node needs exactly two nodes with votes, and there are 3' },
    { given: settings(2, { twoNode: true, autoTieBreaker: 'lowest' }), says: 'two ways to break the same tie' },
    {
      given: settings(2, { twoNode: true, lastManStanding: true }),
      says: 'last_man_standing means nothing with two_node',
    },
    {
      given: settings(2, { twoNode: true, allowDownscale: true }),
      says: 'two_node and allow_downscale exclude each other',
    },
    { given: settings(2, { twoNode: true, device }), says: 'a quorum device replaces two_node' },
    { given: settings(4, { autoTieBreaker: 'lowest', device }), says: 'already breaks ties' },
    { given: settings(4, { lastManStanding: true, device, dynamicDevice: false }), says: 'needs dynamic_device' },
    { given: settings(4, { dynamicDevice: true }), says: 'no device is configured' },
    { given: settings(4, { expectedVotes: 5 }), says: 'the listed nodes have 4 votes together' },
    { given: settings(4, { expectedVotes: 0 }), says: 'expected_votes is 0' },
    { given: settings(4, { autoTieBreaker: [9] }), says: 'names node 9' },
    { given: settings(4, { autoTieBreaker: [] }), says: 'list is empty' },
    { given: settings(4, { device: { kind: 'disk', votes: 0 } }), says: 'the device has 0 votes' },
    { given: settings(4, { founders: [] }), says: 'no founder' },
    { given: { voters: [{ node: 1, votes: 0 }] }, says: 'no node has a vote' },
    { given: { voters: [{ node: 1, votes: 1.5 }] }, says: 'has 1.5 votes' },
    {
      given: {
        voters: [
          { node: 1, votes: 1 },
          { node: 1, votes: 1 },
        ],
      },
      says: 'listed twice',
    },
  ])('$says', ({ given, says }) => {
    const checked = quorumOptions(given);

    expect(checked.ok ? [] : checked.error).toContainEqual(expect.stringContaining(says));
  });
});

describe('allowed', () => {
  test.for([
    settings(2, { twoNode: true }),
    settings(4, { autoTieBreaker: 'lowest', lastManStanding: true, allowDownscale: true, waitForAll: true }),
    settings(4, { device, lastManStanding: true, allowDownscale: true, waitForAll: true }),
  ])('%o', (given) => {
    expect(quorumOptions(given).ok).toBe(true);
  });

  test('two_node and last_man_standing turn wait_for_all on, unless it is set', () => {
    const on = [quorumOptions(settings(2, { twoNode: true })), quorumOptions(settings(4, { lastManStanding: true }))];
    const off = quorumOptions(settings(2, { twoNode: true, waitForAll: false }));

    expect(on.map((checked) => checked.ok && checked.value.options.waitForAll)).toEqual([true, true]);
    expect(off.ok && off.value).toMatchObject({
      options: { waitForAll: false },
      warnings: [expect.stringContaining('will fence the other')],
    });
  });

  test('the device has one vote with ffsplit, and all but one of the nodes’ with last_man_standing', () => {
    const ffsplit = quorumOptions(settings(4, { device }));
    const standing = quorumOptions(settings(4, { device: { kind: 'arbiter', algorithm: 'lastManStanding' } }));

    expect(ffsplit.ok && ffsplit.value.options.device?.votes).toBe(1);
    expect(standing.ok && standing.value.options.device?.votes).toBe(3);
  });
});

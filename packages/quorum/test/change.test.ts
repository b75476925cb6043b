/** Which change of the base is due, what a node does on its receipt and delivery, and its bytes. */
import { describe, expect, test } from 'vitest';
import {
  decodeChange,
  desiredBase,
  encodeChange,
  initialBase,
  type QuorumMemory,
  quorumOptions,
  type QuorumOptions,
  quorumPolicy,
  type QuorumSettings,
} from '../src/index.ts';

const voters = (...nodes: readonly number[]) => nodes.map((node) => ({ node, votes: 1 }));
const range = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

function optionsOf(nodes: readonly number[], settings: Omit<QuorumSettings, 'voters'> = {}): QuorumOptions {
  const checked = quorumOptions({ voters: voters(...nodes), ...settings });
  if (!checked.ok) throw new Error(checked.error.join('; '));
  return checked.value.options;
}

const nodesOf = (
  base: { readonly voters: readonly { readonly node: number }[] } | undefined,
): readonly number[] | undefined => base?.voters.map(({ node }) => node);

describe('last_man_standing', () => {
  const shrink = (
    present: readonly number[],
    from: readonly number[],
    settings: Omit<QuorumSettings, 'voters'> = {},
  ): readonly number[] | undefined => {
    const options = optionsOf(range(1, 8), { lastManStanding: true, ...settings });
    const desired = desiredBase({
      base: initialBase(voters(...from)),
      options,
      members: present,
      left: [],
      windowPassed: true,
    });
    return nodesOf(desired?.base);
  };

  test('8 nodes shrink step by step to 2', () => {
    expect(shrink(range(1, 5), range(1, 8))).toEqual([1, 2, 3, 4, 5]);
    expect(shrink([1, 2, 3], range(1, 5))).toEqual([1, 2, 3]);
    expect(shrink([1, 2], [1, 2, 3])).toEqual([1, 2]);
  });

  test('one is left only with a tie breaker', () => {
    expect(shrink([1], [1, 2])).toBeUndefined();
    expect(shrink([1], [1, 2], { autoTieBreaker: 'lowest' })).toEqual([1]);
  });

  test('nothing shrinks inside the window', () => {
    const options = optionsOf(range(1, 8), { lastManStanding: true });

    expect(
      desiredBase({ base: initialBase(options.voters), options, members: range(1, 5), left: [], windowPassed: false }),
    ).toBeUndefined();
  });

  test('who returns gets its vote back', () => {
    expect(shrink([1, 2, 3], [1, 2])).toEqual([1, 2, 3]);
  });
});

describe('allow_downscale', () => {
  const options = optionsOf(range(1, 13), { allowDownscale: true, expectedVotes: 3 });

  test('13 nodes leave one by one until the floor of 3', () => {
    let base = initialBase(options.voters);
    for (const leaver of range(4, 13).toReversed()) {
      const members = range(1, leaver - 1);
      base = desiredBase({ base, options, members, left: [leaver], windowPassed: false })?.base ?? base;
      expect(nodesOf(base)).toEqual(members);
    }
    expect(desiredBase({ base, options, members: [1, 2], left: [3], windowPassed: false })).toBeUndefined();
  });

  test('a node that was lost, not left, keeps its place', () => {
    expect(
      desiredBase({ base: initialBase(options.voters), options, members: range(1, 12), left: [], windowPassed: false }),
    ).toBeUndefined();
  });
});

describe('growth and configuration', () => {
  test('a configured node joins the base when it joins a quorate view', () => {
    const options = optionsOf([1, 2, 3, 4], { founders: [1, 2, 3] });
    const base = initialBase(options.founders);

    expect(desiredBase({ base, options, members: [1, 2, 3], left: [], windowPassed: false })).toBeUndefined();
    expect(nodesOf(desiredBase({ base, options, members: [1, 2, 3, 4], left: [], windowPassed: false })?.base)).toEqual(
      [1, 2, 3, 4],
    );
  });

  test('nodes added together are no cluster of their own', () => {
    const policy = quorumPolicy(optionsOf(range(1, 7), { founders: [1, 2, 3] }));
    const memory = policy.start(undefined);
    const members = range(4, 7).map((node) => ({ node }));
    const decision = policy.decide({
      view: { tag: { number: 1 }, members },
      self: 4,
      reports: members.map(({ node }) => ({ node, memory })),
      memory,
      deviceGranted: false,
    });

    expect(decision.ok).toBe(false);
  });

  test('a node taken out of the configuration leaves the base', () => {
    const options = optionsOf([1, 2, 3]);

    expect(
      nodesOf(
        desiredBase({
          base: initialBase(voters(1, 2, 3, 4)),
          options,
          members: [1, 2, 3],
          left: [],
          windowPassed: false,
        })?.base,
      ),
    ).toEqual([1, 2, 3]);
  });

  test('the device loses its vote while the voters are odd', () => {
    const options = optionsOf([1, 2, 3, 4], { lastManStanding: true, device: { kind: 'arbiter' } });
    const four = initialBase(options.voters, 1);
    const three = desiredBase({ base: four, options, members: [1, 2, 3], left: [], windowPassed: true });

    expect(three?.base.deviceVotes).toBe(0);
  });
});

describe('a change on its way', () => {
  const policy = quorumPolicy(optionsOf([1, 2, 3, 4], { lastManStanding: true, waitForAll: false }));
  const start = policy.start(undefined);
  const view = (number: number, ...members: readonly number[]) => ({
    tag: { number },
    members: members.map((node) => ({ node })),
  });
  const context = (memory: QuorumMemory, number: number, ...members: readonly number[]) => ({
    view: view(number, ...members),
    self: members[0] ?? 0,
    memory,
    reports: members.map((node) => ({ node, memory })),
    activeSince: 0,
    left: [],
  });
  const long = 1_000_000;

  test('is received as pending and becomes the base at its delivery', () => {
    const body = policy.proposeChange(context(start, 5, 1, 2, 3), long);
    if (body === undefined) throw new Error('nothing proposed');
    const received = policy.changeReceived(body, start, view(5, 1, 2, 3));
    const delivered = policy.changeDelivered(body, received, view(5, 1, 2, 3));

    expect(received).toMatchObject({ base: start.base, pending: { viewNumber: 5, base: { revision: 1 } } });
    expect(nodesOf(delivered.base)).toEqual([1, 2, 3]);
    expect(delivered.pending).toBeUndefined();
    expect(policy.changeReceived(body, delivered, view(5, 1, 2, 3))).toEqual(delivered);
  });

  test('is not proposed twice in one view, and first of all in the next', () => {
    const body = policy.proposeChange(context(start, 5, 1, 2, 3), long);
    if (body === undefined) throw new Error('nothing proposed');
    const received = policy.changeReceived(body, start, view(5, 1, 2, 3));

    expect(policy.proposeChange(context(received, 5, 1, 2, 3), long)).toBeUndefined();
    const again = policy.proposeChange(context(received, 6, 2, 3, 4), long);
    expect(again === undefined ? undefined : nodesOf(decodeChange(again)?.next)).toEqual([1, 2, 3]);
  });

  test('a member that missed the revision before adopts it first', () => {
    const later = {
      base: { ...start.base, revision: 1, voters: voters(1, 2, 3) },
      next: { ...start.base, revision: 2, voters: voters(1, 2) },
    };
    const received = policy.changeReceived(encodeChange(later), start, view(9, 1, 2));

    expect(received).toMatchObject({ base: { revision: 1 }, pending: { base: { revision: 2 }, viewNumber: 9 } });
  });

  test('a body that is no change changes nothing', () => {
    for (const body of [new Uint8Array(), Uint8Array.of(1), Uint8Array.of(2, 0, 0), new Uint8Array(64).fill(255)]) {
      expect(decodeChange(body)).toBeUndefined();
      expect(policy.changeReceived(body, start, view(1, 1))).toBe(start);
      expect(policy.changeDelivered(body, start, view(1, 1))).toBe(start);
    }
  });
});

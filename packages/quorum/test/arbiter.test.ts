/** The third site's vote: who gets it, that it is never given twice, restarts, several arbiters. */
import { describe, expect, test } from 'vitest';
import {
  ArbiterClient,
  type ArbiterEffect,
  type ArbiterReport,
  ArbiterServer,
  type ArbiterVerdict,
  decodeReport,
  decodeVerdict,
  encodeReport,
  encodeVerdict,
  GRANT_LEASE_MS,
  type GrantRecord,
  initialBase,
} from '../src/index.ts';

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index + 1);
let reportNumber = 0;

interface Told extends Partial<Omit<ArbiterReport, 'view'>> {
  readonly node: number;
  readonly members: readonly number[];
  readonly view: number;
  readonly nodes?: number;
}

const report = ({ node, members, view, nodes = 4, ...more }: Told): ArbiterReport => ({
  node,
  number: (reportNumber += 1),
  view: { number: view, hash: members.reduce((sum, member) => sum * 31 + member, 7) },
  members,
  active: true,
  base: initialBase(
    range(nodes).map((each) => ({ node: each, votes: 1 })),
    1,
  ),
  lineage: 0,
  heuristics: 'none',
  algorithm: 'ffsplit',
  tieBreaker: 'lowest',
  keepsLineage: true,
  ...more,
});

/** Members report every 250 ms from `from` to `to`; the last verdict to each node and everything that was saved. */
function play(server: ArbiterServer, views: readonly (readonly Told[])[], from: number, to: number) {
  const verdicts = new Map<number, ArbiterVerdict>();
  const saved: GrantRecord[] = [];
  const take = (effects: readonly ArbiterEffect[]): void => {
    for (const effect of effects) {
      if (effect.type === 'save') saved.push(effect.record);
      else verdicts.set(effect.to, effect.verdict);
    }
  };
  for (let now = from; now <= to; now += 250) {
    for (const each of views.flat()) take(server.step({ type: 'report', report: report(each) }, now));
    take(server.step({ type: 'tick' }, now));
  }
  return { verdicts, saved, votes: Object.fromEntries([...verdicts].map(([node, { vote }]) => [node, vote])) };
}

const half = (members: readonly number[], view: number, more: Partial<Told> = {}): readonly Told[] =>
  members.map((node) => ({ node, members, view, ...more }));

describe('ffsplit', () => {
  test('in an even split the half with the tie breaker gets the vote, the other is denied', () => {
    const { votes } = play(new ArbiterServer(undefined, 0), [half([3, 4], 5), half([1, 2], 6)], 0, 2000);

    expect(votes).toEqual({ 1: 'grant', 2: 'grant', 3: 'deny', 4: 'deny' });
  });

  test('a part below half of the votes never gets it', () => {
    expect(play(new ArbiterServer(undefined, 0), [half([4], 5)], 0, 5000).votes).toEqual({ 4: 'deny' });
  });

  test('the first to report waits until every voter is accounted for', () => {
    const server = new ArbiterServer(undefined, 0);

    expect(play(server, [half([3, 4], 5)], 0, 500).votes).toEqual({ 3: 'wait', 4: 'wait' });
    expect(play(server, [half([3, 4], 5)], 750, 1750).votes).toEqual({ 3: 'grant', 4: 'grant' });
  });

  test('failing heuristics lose the vote to the other half', () => {
    const views = [half([1, 2], 5, { heuristics: 'fail' }), half([3, 4], 6, { heuristics: 'pass' })];

    expect(play(new ArbiterServer(undefined, 0), views, 0, 2000).votes).toEqual({
      1: 'deny',
      2: 'deny',
      3: 'grant',
      4: 'grant',
    });
  });

  test('only one member of a half reaches the arbiter, and that is enough', () => {
    const views = [half([1, 2], 5).slice(0, 1)];

    expect(play(new ArbiterServer(undefined, 0), views, 0, 2500).votes).toEqual({ 1: 'grant' });
  });

  test('a view that is not active has to wait', () => {
    expect(play(new ArbiterServer(undefined, 0), [half([1, 2], 5, { active: false })], 0, 2000).votes).toEqual({
      1: 'wait',
      2: 'wait',
    });
  });
});

describe('last_man_standing', () => {
  test('a single node gets the vote when nobody else reports', () => {
    const views = [half([4], 5, { algorithm: 'lastManStanding' })];

    expect(play(new ArbiterServer(undefined, 0), views, 0, 2000).votes).toEqual({ 4: 'grant' });
  });

  test('the larger part wins', () => {
    const views = [
      half([1], 5, { algorithm: 'lastManStanding' }),
      half([2, 3, 4], 6, { algorithm: 'lastManStanding' }),
    ];

    expect(play(new ArbiterServer(undefined, 0), views, 0, 2000).votes).toMatchObject({ 1: 'deny', 4: 'grant' });
  });
});

describe('the vote moves', () => {
  const whole = half([1, 2, 3, 4], 5);

  test('at once when all members of the granted view are seen elsewhere', () => {
    const server = new ArbiterServer(undefined, 0);
    play(server, [whole], 0, 1000);
    const after = play(server, [half([1, 2], 6, { lineage: 5 }), half([3, 4], 7, { lineage: 5 })], 1250, 1500);

    expect(after.verdicts.get(1)).toMatchObject({ vote: 'grant', exclusiveAfterMs: 0 });
    expect(after.verdicts.get(3)?.vote).toBe('deny');
  });

  test('with the rest of the lease as exclusiveAfter when some are silent', () => {
    const server = new ArbiterServer(undefined, 0);
    play(server, [half([1, 2], 5)], 0, 2000);
    const after = play(server, [half([3, 4], 6)], 2250, 3250);
    const verdict = after.verdicts.get(3);

    expect(verdict?.vote).toBe('grant');
    expect(verdict?.exclusiveAfterMs).toBe(2000 + 3080 - 3250);
  });

  test('never while the holder still reports, until its lease has ended', () => {
    const server = new ArbiterServer(undefined, 0);
    const holder = half([1, 2], 5, { heuristics: 'pass' });
    play(server, [holder, half([3, 4], 6)], 0, 1500);
    const turned = [half([1, 2], 5, { heuristics: 'fail' }), half([3, 4], 6, { heuristics: 'pass' })];

    expect(play(server, turned, 1750, 3000).votes).toEqual({ 1: 'deny', 2: 'deny', 3: 'wait', 4: 'wait' });
    expect(play(server, turned, 3250, 5000).votes).toEqual({ 1: 'deny', 2: 'deny', 3: 'grant', 4: 'grant' });
  });

  test('a grant is saved before it is told, each with a number of its own', () => {
    const server = new ArbiterServer(undefined, 0);
    const first = server.step({ type: 'report', report: report({ node: 1, members: [1], view: 3, nodes: 1 }) }, 0);

    expect(first.map(({ type }) => type)).toEqual(['save', 'verdict']);
    const { saved } = play(server, [half([1], 4, { nodes: 1, lineage: 3 })], 250, 250);
    expect(saved.map(({ grantNumber }) => grantNumber)).toEqual([2]);
  });
});

describe('after a restart of the arbiter', () => {
  const saved: GrantRecord = { grantNumber: 7, view: { number: 9, hash: 1 }, members: [1, 2] };

  test('another lineage waits for one lease', () => {
    const server = new ArbiterServer(saved, 0);

    expect(play(server, [half([3, 4], 8)], 0, GRANT_LEASE_MS).votes).toEqual({ 3: 'wait', 4: 'wait' });
    expect(play(server, [half([3, 4], 8)], GRANT_LEASE_MS + 250, GRANT_LEASE_MS + 500).votes).toEqual({
      3: 'grant',
      4: 'grant',
    });
  });

  test('the lineage that had it goes on', () => {
    const server = new ArbiterServer(saved, 0);

    expect(play(server, [half([1, 2], 10, { lineage: 9 })], 0, 1500).votes).toEqual({ 1: 'grant', 2: 'grant' });
  });
});

test('over all sequences of four situations, nobody can still use an older grant when a newer one is exclusive', () => {
  // Each situation of a 2 | 2 split lasts 1.25 s. A grant belongs to a view: who reports another one has dropped it.
  const situations = [
    [half([1, 2, 3, 4], 0)],
    [half([1, 2], 0), half([3, 4], 0)],
    [half([3, 4], 0)],
    [half([1, 2], 0)],
    [half([1, 2], 0, { heuristics: 'fail' }), half([3, 4], 0)],
  ];
  let grants = 0;
  for (const sequence of situations.flatMap((a) => situations.flatMap((b) => situations.map((c) => [a, b, c, a])))) {
    const server = new ArbiterServer(undefined, 0);
    const reported = new Map<number, number>();
    let last: { readonly view: number; readonly members: readonly number[]; until: number } | undefined;
    let now = 0;
    for (const [index, situation] of sequence.entries()) {
      for (let turn = 0; turn < 5; turn += 1, now += 250) {
        for (const [part, members] of situation.entries()) {
          for (const told of members) {
            const view = 10 * (index + 1) + part;
            reported.set(told.node, view);
            for (const effect of server.step(
              { type: 'report', report: report({ ...told, view, lineage: view - 10 }) },
              now,
            )) {
              if (effect.type !== 'verdict' || effect.verdict.vote !== 'grant') continue;
              const granted = effect.verdict.view.number;
              if (last !== undefined && last.view !== granted) {
                grants += 1;
                const before = last;
                const mayStillUseIt = before.members.some((node) => reported.get(node) === before.view);
                if (mayStillUseIt) expect(now + effect.verdict.exclusiveAfterMs).toBeGreaterThanOrEqual(before.until);
              }
              last = { view: granted, members: told.members, until: now + effect.verdict.leaseMs };
            }
          }
        }
      }
    }
  }
  expect(grants).toBeGreaterThan(200);
});

describe('the client', () => {
  const device = { kind: 'arbiter', votes: 1, algorithm: 'ffsplit', tieBreaker: 'lowest' } as const;
  const view = { number: 5, hash: 77 };
  const start = (arbiters: number): ArbiterClient => {
    const client = new ArbiterClient({ self: 1, arbiters, device });
    client.step({ type: 'view', view, members: [1, 2], active: true, base: initialBase([]), lineage: 0 }, 1000);
    return client;
  };
  const grant: ArbiterVerdict = {
    number: 1,
    view,
    vote: 'grant',
    leaseMs: 3000,
    exclusiveAfterMs: 0,
    grantNumber: 1,
    reason: 'x',
  };

  test('reports at a change and each 250 ms', () => {
    const client = start(1);

    expect(client.step({ type: 'tick' }, 1100)).toEqual([]);
    expect(client.step({ type: 'tick' }, 1250)).toHaveLength(1);
    expect(client.step({ type: 'heuristics', result: 'fail' }, 1300)).toMatchObject([
      { type: 'report', report: { heuristics: 'fail' } },
    ]);
  });

  test('a lease counts from the sending of the report', () => {
    expect(start(1).step({ type: 'verdict', arbiter: 0, verdict: grant }, 1800)).toMatchObject([
      { vote: 'grant', leaseUntil: 4000 },
    ]);
  });

  test('an answer for another view, or to a report never sent, is nothing', () => {
    expect(
      start(1).step({ type: 'verdict', arbiter: 0, verdict: { ...grant, view: { number: 4, hash: 77 } } }, 1800),
    ).toEqual([]);
    expect(start(1).step({ type: 'verdict', arbiter: 0, verdict: { ...grant, number: 9 } }, 1800)).toEqual([]);
  });

  test('of three arbiters two must grant', () => {
    const client = start(3);

    expect(client.step({ type: 'verdict', arbiter: 0, verdict: grant }, 1100)).toMatchObject([{ vote: 'wait' }]);
    expect(client.step({ type: 'verdict', arbiter: 1, verdict: { ...grant, vote: 'deny' } }, 1100)).toMatchObject([
      { vote: 'wait' },
    ]);
    expect(client.step({ type: 'verdict', arbiter: 2, verdict: grant }, 1100)).toMatchObject([{ vote: 'grant' }]);
  });
});

describe('bytes', () => {
  test('reports and verdicts come back as they were', () => {
    const told = report({ node: 1, members: [1, 2], view: 5 });
    const verdict: ArbiterVerdict = {
      number: 1,
      view: told.view,
      vote: 'deny',
      leaseMs: 0,
      exclusiveAfterMs: 0,
      grantNumber: 3,
      reason: 'no',
    };

    expect(decodeReport(encodeReport(told))).toEqual(told);
    expect(decodeVerdict(encodeVerdict(verdict))).toEqual(verdict);
  });

  test('anything else is nothing', () => {
    const told = report({ node: 1, members: [1, 2], view: 5 });
    for (const change of [
      { node: 3 },
      { members: [1, 1] },
      { base: {} },
      { view: 5 },
      { number: -1 },
      { heuristics: 'perhaps' },
    ]) {
      expect(decodeReport(new TextEncoder().encode(JSON.stringify({ ...told, ...change })))).toBeUndefined();
    }
    for (const bytes of [new Uint8Array(), Uint8Array.of(0xff), new Uint8Array(5000).fill(32)]) {
      expect(decodeReport(bytes)).toBeUndefined();
      expect(decodeVerdict(bytes)).toBeUndefined();
    }
  });
});

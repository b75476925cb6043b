import type { EventRow } from '@systole/api';
import { expect, test } from 'vitest';
import { measure } from '../src/render/availability.ts';
import { chooseTransition, mergeTimelines, tagsOf, transitionsIn } from '../src/render/timeline.ts';
import { through } from '../src/shell/lens.ts';

const row = (number: number, at: number, event: string, text: string, fields: EventRow['fields'] = {}): EventRow => ({
  number,
  at,
  level: 'info',
  subsystem: 'crm',
  event,
  text,
  fields,
});

test('what several nodes tell in the same words at the same time is one line', () => {
  const lost = (at: number) => row(1, at, 'node.lost', 'n3 is lost');
  const rows = mergeTimelines([
    { node: 'n1', events: [lost(100), row(2, 5000, 'node.lost', 'n3 is lost')] },
    { node: 'n2', events: [lost(140)] },
  ]);
  expect(rows.map(({ at, tellers }) => [at, tellers])).toEqual([
    [100, ['n1', 'n2']],
    [5000, ['n1']],
  ]);
});

test('transitions outlive the node that led them, with what it told', () => {
  const fields = { transition: 'tr_1', outcome: 'aborted', done: 3, failed: 1, skipped: 2 };
  const [first] = transitionsIn(
    mergeTimelines([
      {
        node: 'n2',
        events: [
          row(1, 100, 'transition.started', 'transition 4: 6 actions, because of x', {
            transition: 'tr_1',
            actions: 6,
            cause: 'x',
          }),
          row(2, 900, 'transition.ended', 'transition 4 aborted: start of web failed', fields),
        ],
      },
    ]),
  );
  expect(first).toEqual({
    id: 'tr_1',
    number: '4',
    leader: 'n2',
    startedAt: 100,
    endedAt: 900,
    actions: 6,
    cause: 'x',
    outcome: 'aborted',
    reason: 'start of web failed',
    done: 3,
    failed: 1,
    skipped: 2,
  });
});

test('a cluster that went down as a whole was down since it was last seen alive', () => {
  const start = (number: number, at: number) =>
    row(number, at, 'operation.done', 'start of web on n1 done', {
      resource: 'web',
      node: 'n1',
      operation: 'start',
      exitCode: 0,
    });
  const events = [
    start(1, 1000),
    row(2, 9000, 'daemon.started', 'the daemon of n1 starts', { node: 'n1', hasRebooted: true, lastAlive: 5000 }),
    start(3, 9500),
  ];
  const resources = [
    { id: 'web', rsc: 'web', role: 'Started', nodes: ['n1'], managed: true, failed: false, flags: [] },
  ];
  expect(measure({ events, resources, now: 10_000 })[0]).toMatchObject({
    downMs: 4500,
    outages: [{ from: 5000, to: 9500, cause: 'n1 went down without a word' }],
  });
});

const told = (id: string, number: string) => ({ id, number, leader: 'n1', startedAt: 0, actions: 1, cause: '' });

test('a transition is meant by its id, by the newest of its number, or counted from the last', () => {
  const rows = [told('a', '1'), told('b', '2'), told('c', '1')];
  const meant = (wanted?: string) => chooseTransition(rows, wanted)?.id;
  expect([undefined, '0', '-1', '-2', '-3', '1', '2', 'a', '7'].map(meant)).toEqual([
    'c',
    'c',
    'b',
    'a',
    undefined,
    'c',
    'b',
    'a',
    undefined,
  ]);
});

test('the tags of a transition name what it had to do with, and that something failed', () => {
  const failed = { ...row(1, 0, 'operation.done', '', { resource: 'web', node: 'n1', operation: 'start' }) };
  expect(tagsOf([failed, failed])).toEqual(['n1', 'start', 'web']);
  expect(tagsOf([{ ...failed, level: 'error' }])).toContain('error');
});

test('what is looked at is narrowed by period, both ends included, by node and by expression', () => {
  const events = [row(1, 100, 'a', 'web starts'), row(2, 200, 'b', 'db starts'), row(3, 300, 'a', 'web stops')];
  const parts = [
    { node: 'n1', events },
    { node: 'n2', events },
  ];
  const seen = (lens: Parameters<typeof through>[0]) =>
    through(lens, parts).map(({ node, events: rows = [] }) => [node, rows.map(({ number }) => number)]);
  expect(seen({ from: 100, to: 200, nodes: ['n2'] })).toEqual([['n2', [1, 2]]]);
  expect(seen({ exclude: /web st/i })).toEqual([
    ['n1', [2]],
    ['n2', [2]],
  ]);
  expect(seen({})).toEqual([
    ['n1', [1, 2, 3]],
    ['n2', [1, 2, 3]],
  ]);
});

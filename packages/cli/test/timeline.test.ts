import type { EventRow } from '@systole/api';
import { expect, test } from 'vitest';
import { measure } from '../src/render/availability.ts';
import { mergeTimelines, transitionsIn } from '../src/render/timeline.ts';

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

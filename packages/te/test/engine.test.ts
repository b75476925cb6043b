import { instant } from '@systole/kernel';
import type { Transition, TransitionAction } from '@systole/pe';
import { describe, expect, test } from 'vitest';
import { abortAll, TransitionEngine, type TransitionEffect, type TransitionInput } from '../src/index.ts';

const now = instant(0);

const action = (key: string, more: Partial<TransitionAction> = {}): TransitionAction => ({
  kind: 'rsc',
  operation: 'start',
  key,
  node: 'alpha',
  resource: key,
  timeoutMs: 20_000,
  parameters: {},
  meta: {},
  ...more,
});

const transition = (
  actions: readonly TransitionAction[],
  orderings: Transition['orderings'],
  settings: Partial<Transition['settings']> = {},
): Transition => ({
  actions,
  orderings,
  settings: {
    clusterDelayMs: 1000,
    fencingTimeoutMs: 60_000,
    batchLimit: 0,
    migrationLimit: -1,
    failedStopOffset: 1_000_000,
    failedStartOffset: 1_000_000,
    ...settings,
  },
});

/** Starts the transition and answers: what was asked to run since the last look, and how it ended. */
function play(graph: Transition) {
  const engine = new TransitionEngine();
  const seen: TransitionEffect[] = [];
  const give = (input: TransitionInput): void => void seen.push(...engine.step(input, now));
  give({ type: 'start', transitionId: 't', transition: graph });
  return {
    give,
    answer: (index: number, outcome: 'done' | 'failed' | 'timedOut' = 'done') =>
      give({ type: 'actionEnded', transitionId: 't', action: index, outcome }),
    begun: () => seen.filter((effect) => effect.type === 'runAction').map((effect) => effect.index),
    ended: () => seen.find((effect) => effect.type === 'transitionEnded'),
    timers: () => seen.filter((effect) => effect.type === 'startTimer'),
  };
}

describe('a transition', () => {
  test('begins an action only when everything it waits for is done', () => {
    const run = play(
      transition(
        [action('stop'), action('probe'), action('start')],
        [
          [0, 2],
          [1, 2],
        ],
      ),
    );
    expect(run.begun()).toEqual([0, 1]);
    run.answer(0);
    expect(run.begun()).toEqual([0, 1]);
    run.answer(1);
    expect(run.begun()).toEqual([0, 1, 2]);
    run.answer(2);
    expect(run.ended()).toMatchObject({ outcome: 'complete', done: 3, skipped: 0 });
  });

  test('passes through pseudo-actions at once', () => {
    const run = play(
      transition(
        [action('a'), action('all', { kind: 'pseudo' }), action('b')],
        [
          [0, 1],
          [1, 2],
        ],
      ),
    );
    run.answer(0);
    expect(run.begun()).toEqual([0, 2]);
  });

  test('without actions is complete at once', () => {
    expect(play(transition([], [])).ended()).toMatchObject({ outcome: 'complete', done: 0 });
  });

  test('never begins what waits for a failed action, and lets what is under way end', () => {
    const run = play(transition([action('stop'), action('start'), action('other')], [[0, 1]]));
    run.answer(0, 'failed');
    expect(run.ended()).toBeUndefined();
    run.answer(2);
    expect(run.begun()).toEqual([0, 2]);
    expect(run.ended()).toMatchObject({
      outcome: 'aborted',
      done: 1,
      failed: 1,
      skipped: 1,
      reason: 'start of stop on alpha failed',
    });
  });

  test('goes on after an action that may fail', () => {
    const run = play(transition([action('notify', { canFail: true }), action('start')], [[0, 1]]));
    run.answer(0, 'failed');
    run.answer(1);
    expect(run.ended()).toMatchObject({ outcome: 'complete' });
  });

  test('ends early when an action gives no answer in time', () => {
    const run = play(transition([action('a', { timeoutMs: 5000 }), action('b')], [[0, 1]]));
    expect(run.timers()).toEqual([{ type: 'startTimer', id: 'te.t.0', delayMs: 6000 }]);
    run.give({ type: 'timerExpired', id: 'te.t.0' });
    expect(run.ended()).toMatchObject({ outcome: 'aborted', reason: 'no answer to start of a on alpha in time' });
  });

  test('begins nothing more after an abort, and the strongest wish for what follows counts', () => {
    const run = play(transition([action('a'), action('b')], [[0, 1]]));
    run.give({ type: 'abort', reason: 'node lost', priority: abortAll, then: 'shutdown' });
    run.give({ type: 'abort', reason: 'configuration changed', priority: abortAll, then: 'restart' });
    run.answer(0);
    expect(run.begun()).toEqual([0]);
    expect(run.ended()).toMatchObject({ outcome: 'aborted', then: 'shutdown', reason: 'node lost', skipped: 1 });
  });

  test('goes on with actions above the priority of an abort', () => {
    const run = play(
      transition(
        [action('a'), action('urgent', { priority: 500 }), action('late')],
        [
          [0, 1],
          [0, 2],
        ],
      ),
    );
    run.give({ type: 'abort', reason: 'news', priority: 100, then: 'restart' });
    run.answer(0);
    expect(run.begun()).toEqual([0, 1]);
  });

  test('still tells what was done when it is aborted: notifications have the highest priority there is', () => {
    const run = play(
      transition(
        [
          action('promote'),
          action('promoted', { kind: 'pseudo', priority: abortAll }),
          action('notify', { priority: abortAll }),
          action('start'),
        ],
        [
          [0, 1],
          [1, 2],
          [0, 3],
        ],
      ),
    );
    run.give({
      type: 'abort',
      reason: 'the agent that promotes changes the configuration',
      priority: abortAll,
      then: 'restart',
    });
    run.answer(0);
    expect(run.begun()).toEqual([0, 2]);
    run.answer(2);
    expect(run.ended()).toMatchObject({ outcome: 'aborted', skipped: 1 });
  });

  test('keeps to the batch limit, highest priority first', () => {
    const run = play(transition([action('a'), action('b'), action('c', { priority: 9 })], [], { batchLimit: 2 }));
    expect(run.begun()).toEqual([2, 0]);
    run.answer(2);
    expect(run.begun()).toEqual([2, 0, 1]);
  });

  test('keeps to the migration limit of each node', () => {
    const migrate = (key: string, source: string, target: string): TransitionAction =>
      action(key, { operation: 'migrate_to', source, target });
    const run = play(
      transition([migrate('a', 'n1', 'n2'), migrate('b', 'n1', 'n3'), migrate('c', 'n4', 'n5')], [], {
        migrationLimit: 1,
      }),
    );
    expect(run.begun()).toEqual([0, 2]);
    run.answer(0);
    expect(run.begun()).toEqual([0, 2, 1]);
  });

  test('ignores answers that come twice, late, or from another transition', () => {
    const run = play(transition([action('a'), action('b')], [[0, 1]]));
    run.give({ type: 'actionEnded', transitionId: 'older', action: 0, outcome: 'failed' });
    run.answer(0);
    run.answer(0, 'failed');
    run.answer(1);
    expect(run.ended()).toMatchObject({ outcome: 'complete', done: 2 });
  });

  test('says so when actions wait for each other', () => {
    const run = play(
      transition(
        [action('a'), action('b')],
        [
          [0, 1],
          [1, 0],
        ],
      ),
    );
    expect(run.ended()).toMatchObject({ outcome: 'failed', reason: '2 actions wait for each other in a loop' });
  });
});

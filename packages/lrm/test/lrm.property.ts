/** Laws of the local resource manager under any order of requests, results, cancellations and deaths of the daemon. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { endedOf, execute, VirtualHost } from './virtual-host.ts';

const resources = ['web', 'db'] as const;

type Move =
  | { readonly type: 'ask'; readonly resource: string; readonly operation: string; readonly intervalMs: number }
  | { readonly type: 'finish'; readonly pick: number; readonly code: number }
  | { readonly type: 'cancel'; readonly resource: string }
  | { readonly type: 'forget'; readonly resource: string }
  | { readonly type: 'expire'; readonly pick: number }
  | { readonly type: 'die' };

const resource = fc.constantFrom(...resources);
const anyMove: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('ask' as const),
      resource,
      operation: fc.constantFrom('start', 'stop', 'promote', 'demote', 'notify', 'monitor'),
      intervalMs: fc.constant(0),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('ask' as const),
      resource,
      operation: fc.constant('monitor'),
      intervalMs: fc.constantFrom(5000, 10_000),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('finish' as const),
      pick: fc.nat(9),
      code: fc.constantFrom(0, 0, 0, 1, 7, 8),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('cancel' as const), resource }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('forget' as const), resource }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('expire' as const), pick: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('die' as const) }) },
);

/** A node whose daemon may die and come back; agents and services outlive it. */
class Node {
  host = new VirtualHost();
  readonly askedOnce = new Set<string>();
  #count = 0;

  move(move: Move): void {
    const { host } = this;
    switch (move.type) {
      case 'ask': {
        this.#count += 1;
        const operationId = `op ${this.#count}`;
        if (move.intervalMs === 0) this.askedOnce.add(operationId);
        host.give(execute(move.operation, { ...move, type: 'execute', operationId }));
        break;
      }
      case 'finish':
        this.#finish(move.pick, move.code);
        break;
      case 'cancel':
        host.give({ type: 'cancel', resource: move.resource, operation: 'monitor', intervalMs: 10_000 });
        break;
      case 'forget':
        host.give({ type: 'forget', resource: move.resource });
        break;
      case 'expire': {
        const timers = [...host.timers.keys()];
        const id = timers[move.pick % Math.max(1, timers.length)];
        if (id !== undefined) host.expire(id);
        break;
      }
      case 'die':
        this.#die();
        break;
    }
  }

  #finish(pick: number, code: number): void {
    const ids = [...this.host.running.keys()];
    const id = ids[pick % Math.max(1, ids.length)];
    if (id !== undefined) this.host.end(id, code);
  }

  #die(): void {
    const before = this.host;
    this.host = new VirtualHost();
    this.askedOnce.clear();
    const survivors = [...before.running.keys()].filter((id) => !id.includes('describe'));
    for (const id of survivors) {
      const process = before.running.get(id);
      if (process !== undefined) this.host.running.set(id, process);
    }
    for (const [name, saved] of before.disk) this.host.disk.set(name, saved);
    this.host.give({ type: 'restore', saved: [...before.disk.values()], survivors, hasRebooted: false });
  }

  /** Lets everything that runs end. */
  settle(): void {
    for (let round = 0; round < 1000 && this.host.running.size > 0; round += 1) this.#finish(0, 0);
  }
}

const runs = { numRuns: 500 };

describe('whatever happens', () => {
  test('a resource never has two agents at work', () => {
    fc.assert(
      fc.property(fc.array(anyMove, { maxLength: 60 }), (moves) => {
        const node = new Node();
        for (const move of moves) {
          node.move(move);
          const atWork = [...node.host.running.keys()]
            .map((id) => id.split('/')[2])
            .filter((name) => name !== undefined);
          const own = atWork.filter((name) => (resources as readonly string[]).includes(name));
          expect(new Set(own).size, own.join(' ')).toBe(own.length);
        }
      }),
      runs,
    );
  });

  test('every one-time operation of this life gets exactly one result', () => {
    fc.assert(
      fc.property(fc.array(anyMove, { maxLength: 60 }), (moves) => {
        const node = new Node();
        for (const move of moves) node.move(move);
        node.settle();
        const results = endedOf(node.host.effects)
          .filter(({ isRecurring }) => !isRecurring)
          .map(({ operationId }) => operationId);
        expect(results.toSorted()).toEqual([...node.askedOnce].toSorted());
      }),
      runs,
    );
  });

  test('after a stop nothing recurs until it is asked for again', () => {
    fc.assert(
      fc.property(fc.array(anyMove, { maxLength: 40 }), (moves) => {
        const node = new Node();
        for (const move of moves) node.move(move);
        for (const name of resources) node.move({ type: 'ask', resource: name, operation: 'stop', intervalMs: 0 });
        node.settle();
        expect([...node.host.timers.keys()]).toEqual([]);
        expect(node.host.lrm.isIdle()).toBe(true);
      }),
      runs,
    );
  });

  test('nothing is pending once everything has ended, and records of one id are one', () => {
    fc.assert(
      fc.property(fc.array(anyMove, { maxLength: 60 }), (moves) => {
        const node = new Node();
        for (const move of moves) node.move(move);
        node.settle();
        for (const { operations } of node.host.lrm.history()) {
          expect(operations.filter(({ status }) => status === -1)).toEqual([]);
          const ids = operations.map(({ id }) => id);
          expect(new Set(ids).size).toBe(ids.length);
        }
      }),
      runs,
    );
  });

  test('a restored daemon says it is ready once, after its former life’s agents are gone and all looks are done', () => {
    fc.assert(
      fc.property(fc.array(anyMove, { maxLength: 40 }), (moves) => {
        const node = new Node();
        for (const move of moves) node.move(move);
        node.move({ type: 'die' });
        const early = node.host.effects.filter(({ type }) => type === 'ready').length;
        expect(
          early === 0 ||
            node.host.running.size === 0 ||
            [...node.host.running.keys()].every((id) => id.includes('describe')),
        ).toBe(true);
        node.settle();
        expect(node.host.effects.filter(({ type }) => type === 'ready')).toHaveLength(1);
      }),
      runs,
    );
  });
});

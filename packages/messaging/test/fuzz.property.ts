/** Whatever arrives, the decoder answers and the engine stands: without the key, and, worse, with it. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeFrames } from '../src/decode.ts';
import { encodeFrame } from '../src/encode.ts';
import type { Frame } from '../src/frames.ts';
import { readHeader } from '../src/packet.ts';
import { settledCluster } from './harness/settled.ts';
import { oneOfEach } from './harness/frames.ts';
import { PuppetTheatre } from './harness/puppets.ts';

const u32 = fc.nat({ max: 2 ** 32 - 1 });
const small = fc.nat({ max: 40 });
const number = fc.oneof(small, u32);
const view = fc.record({ number: fc.nat({ max: 200 }), hash: number });
const bytes = fc.uint8Array({ maxLength: 60 });
const service = fc.constantFrom('agreed', 'safe', 'durable');
const kind = fc.constantFrom('application', 'departure', 'baseChange');
const entry = fc.record({ local: number, service, kind, first: fc.boolean(), last: fc.boolean(), bytes });

describe('the decoder', () => {
  test('is total over random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (input) => {
        const started = performance.now();
        decodeFrames(input);
        readHeader(input);
        expect(performance.now() - started).toBeLessThan(50);
      }),
      { numRuns: 20_000 },
    );
  });

  test('is total over mutations of valid frames', () => {
    const encoded = oneOfEach.map(encodeFrame);
    fc.assert(
      fc.property(
        fc.nat({ max: encoded.length - 1 }),
        fc.array(fc.tuple(fc.nat({ max: 400 }), fc.nat({ max: 255 })), { maxLength: 6 }),
        (which, changes) => {
          const mutated = Uint8Array.from(encoded[which] ?? []);
          for (const [at, value] of changes) mutated[at % mutated.length] = value;
          decodeFrames(mutated);
        },
      ),
      { numRuns: 20_000 },
    );
  });

  test('what it reads it writes alike', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ rank: fc.nat({ max: 31 }), entry }), { maxLength: 5 }),
        view,
        u32,
        (entries, tag, first) => {
          const frame: Frame = {
            type: 'ordered',
            view: tag,
            first,
            stable: 1,
            durable: 2,
            entries: entries.map(({ rank, entry: inner }) => ({ rank, ...inner })),
          };
          expect(decodeFrames(encodeFrame(frame))).toEqual([frame]);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('an engine', () => {
  const range = fc.tuple(small, small).map(([from, length]) => ({ from, to: from + length }));
  const hostile = (tag: { number: number; hash: number }): fc.Arbitrary<Frame> => {
    const aim = fc.oneof({ weight: 3, arbitrary: fc.constant(tag) }, { weight: 1, arbitrary: view });
    return fc.oneof(
      fc.record({
        type: fc.constant('ordered' as const),
        view: aim,
        first: number,
        stable: number,
        durable: number,
        entries: fc.array(
          entry.chain((inner) => small.map((rank) => ({ ...inner, rank }))),
          { maxLength: 4 },
        ),
      }),
      fc.record({ type: fc.constant('submission' as const), view: aim, entries: fc.array(entry, { maxLength: 4 }) }),
      fc.record({
        type: fc.constant('tail' as const),
        view: aim,
        highest: number,
        stable: number,
        durable: number,
        receiptWanted: fc.boolean(),
      }),
      fc.record({ type: fc.constant('receipt' as const), view: aim, received: number, durable: number }),
      fc.record({ type: fc.constant('gap' as const), view: aim, ranges: fc.array(range, { maxLength: 1 }) }),
      fc.record({ type: fc.constant('submissionGap' as const), view: aim, next: number }),
      fc.record({ type: fc.constant('activation' as const), view: aim }),
      fc.record({ type: fc.constant('installed' as const), view: aim }),
      fc.record({ type: fc.constant('recovered' as const), attempt: aim }),
      fc.constantFrom(...oneOfEach.filter(({ type }) => type !== 'heartbeat' && type !== 'staleIncarnation')),
    );
  };

  test('stands whatever an authenticated member sends', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.gen(), (isCoordinator, gen) => {
        const theatre = new PuppetTheatre([1, 2, 3]);
        const tag = theatre.join(2, isCoordinator ? [1, 2, 3] : [2, 1, 3]);
        for (let turn = 0; turn < 25; turn++) {
          const frame = gen(() => hostile(tag));
          theatre.send(2 + (turn % 2), frame);
          if (turn % 5 === 0) theatre.run(20);
        }
        theatre.run(100);
        const { order } = theatre.engine.status(theatre.now as never);
        expect(order.logEntries).toBeLessThan(5000);
      }),
      { numRuns: 150 },
    );
  });

  test('goes on while garbage floods every node', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 120 }), { minLength: 5, maxLength: 30 }), (garbage) => {
        const cluster = settledCluster({ nodes: 3 });
        const since = cluster.machine(1).views.length;
        for (const [index, junk] of garbage.entries()) {
          for (const id of [1, 2, 3])
            cluster.at(cluster.now + index * 7, () => cluster.arrive(1 + (index % 3), id, 0, 'multicast', junk));
        }
        cluster.submit(1, 'safe');
        cluster.run(400);
        expect(cluster.machine(3).deliveries).toHaveLength(1);
        expect(cluster.machine(1).views).toHaveLength(since);
      }),
      { numRuns: 20 },
    );
  });
});

import { emptyCib, type ReplicaState } from '@systole/cib';
import { describe, expect, test } from 'vitest';
import type { CibRecord, NodeEffect } from '../../src/node/contract.ts';
import { DurableCib, restored } from '../../src/node/durable.ts';

const empty: ReplicaState = { cib: emptyCib, records: [] };
const view = { number: 5, hash: 1 };

const changeTo = (option: string) => ({
  type: 'change',
  change: {
    base: emptyCib.version,
    edits: [
      {
        type: 'insert',
        path: ['configuration', 'options'],
        value: { id: option, pairs: [{ name: option, value: '1' }] },
      },
    ],
  },
  user: 'test',
  at: 1,
});
const entry = (sequence: number) =>
  ({ type: 'storeDurable', view, sequence, origin: 1, body: new Uint8Array() }) as const;

function setUp(): { durable: DurableCib; effects: NodeEffect[]; records: () => readonly CibRecord[] } {
  let token = 0;
  const effects: NodeEffect[] = [];
  const records = (): readonly CibRecord[] =>
    effects.flatMap((effect) => (effect.type === 'saveCib' ? [effect.record] : []));
  return {
    durable: new DurableCib(
      () => ++token,
      (effect) => void effects.push(effect),
    ),
    effects,
    records,
  };
}

describe('the CIB on disk', () => {
  test('has an entry before it is known to be delivered, and a restart makes it part of the state', () => {
    const { durable, records } = setUp();
    durable.agreed(5, empty, 5);
    durable.store(entry(7), empty, 5, changeTo('a'));

    expect(durable.saved(2, true)).toEqual([{ type: 'persisted', view, sequence: 7, ok: true }]);
    const after = restored(JSON.parse(JSON.stringify(records().at(-1))) as CibRecord);
    expect(after?.state.cib.configuration.options.map(({ id }) => id)).toEqual(['a']);
    expect(after?.lineage).toBe(5);
  });

  test('takes no entry before the members have agreed on what it builds on', () => {
    const { durable, effects, records } = setUp();
    durable.store(entry(3), empty, 0, changeTo('a'));
    expect(effects).toEqual([]);
    durable.agreed(5, empty, 5);
    expect(records().map(({ entries }) => entries.length)).toEqual([0, 1]);
  });

  test('does not keep what has become part of the state', () => {
    const { durable, records } = setUp();
    durable.agreed(5, empty, 5);
    durable.store(entry(3), empty, 5, changeTo('a'));
    durable.store(entry(4), empty, 5, changeTo('b'));
    durable.delivered({ view: 5, sequence: 3 });
    durable.store(entry(5), empty, 5, changeTo('c'));
    expect(
      records()
        .at(-1)
        ?.entries.map(({ sequence }) => sequence),
    ).toEqual([4, 5]);
  });

  test('that could not be written is not claimed to be, until a later record holds it', () => {
    const { durable } = setUp();
    durable.agreed(5, empty, 5);
    durable.store(entry(3), empty, 5, changeTo('a'));
    expect(durable.saved(2, false)).toMatchObject([{ type: 'persisted', ok: false }]);
    durable.retry(empty, 5);
    expect(durable.saved(3, true)).toMatchObject([{ type: 'persisted', sequence: 3, ok: true }]);
  });

  test('keeps nothing of what nodes ran: after a power cut that is void', () => {
    const { durable, records } = setUp();
    const node = { id: 'n1', name: 'n1', transientAttributes: [], history: [] };
    const running: ReplicaState = {
      ...empty,
      cib: { ...emptyCib, status: { nodes: [node], tickets: [{ id: 't', isGranted: true }] } },
    };
    durable.agreed(5, running, 5);
    const { state } = restored(records()[0]) ?? { state: empty };
    expect(state.cib.status).toEqual({ nodes: [], tickets: [{ id: 't', isGranted: true }] });
  });
});

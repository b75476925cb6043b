import { describe, expect, test } from 'vitest';
import {
  type FileChange,
  type FileChangeEffect,
  type FileChangeInput,
  FileChanges,
  type FileMessage,
  readFileMessage,
} from '../../src/node/file-change.ts';

const nodes = ['n1', 'n2', 'n3'];
const change: FileChange = {
  type: 'setLink',
  link: 1,
  isNew: true,
  addresses: { n1: '10.1.0.1', n2: '10.1.0.2', n3: '10.1.0.3' },
  options: {},
};

/** Three nodes that agree on the order; hosts do what they are asked, unless `problems` says otherwise. */
class Three {
  readonly machines = new Map(nodes.map((name) => [name, new FileChanges(name, nodes)]));
  readonly problems = new Map<string, string>();
  readonly deeds: string[] = [];
  readonly answers: unknown[] = [];
  #order: { readonly from: string; readonly message: FileMessage }[] = [];

  constructor(members: readonly string[] = nodes) {
    for (const name of members) this.give(name, { type: 'view', members });
  }

  give(name: string, input: FileChangeInput): void {
    for (const effect of this.machines.get(name)?.step(input) ?? []) this.#do(name, effect);
  }

  request(name: string, wanted: FileChange = change, isQuorate = true): void {
    this.give(name, { type: 'request', requestId: `r-${name}`, change: wanted, isQuorate });
  }

  deliver(): boolean {
    const next = this.#order.shift();
    if (next === undefined) return false;
    for (const name of nodes) this.give(name, { type: 'delivered', ...next });
    return true;
  }

  settle(): void {
    while (this.deliver());
  }

  #do(name: string, effect: FileChangeEffect): void {
    if (effect.type === 'send') this.#order.push({ from: name, message: effect.message });
    else if (effect.type === 'answer') this.answers.push(effect.answer);
    else {
      this.deeds.push(`${name} ${effect.step}`);
      const problem = this.problems.get(`${name} ${effect.step}`);
      this.give(name, {
        type: 'done',
        id: effect.id,
        step: effect.step,
        ...(problem === undefined ? {} : { problem }),
      });
    }
  }
}

describe('a change of the network', () => {
  test('is looked at by all, then done by all', () => {
    const three = new Three();
    three.request('n2');
    three.settle();
    expect(three.answers).toEqual([{ ok: true, value: {} }]);
    expect(three.deeds).toEqual([...nodes.map((name) => `${name} check`), ...nodes.map((name) => `${name} apply`)]);
  });

  test('that one node cannot do is done by none', () => {
    const three = new Three();
    three.problems.set('n3 check', '10.1.0.3 is no address of this machine');
    three.request('n1');
    three.settle();
    expect(three.answers).toMatchObject([
      { ok: false, code: 'refused', message: 'n3: 10.1.0.3 is no address of this machine' },
    ]);
    expect(three.deeds.filter((deed) => !deed.endsWith('check'))).toEqual([]);
    three.problems.clear();
    three.request('n1');
    three.settle();
    expect(three.answers.at(-1)).toMatchObject({ ok: true });
  });

  test('that does not work is taken back by all', () => {
    const three = new Three();
    three.problems.set('n2 apply', 'n3 does not answer over link 1');
    three.request('n1');
    three.settle();
    expect(three.answers).toMatchObject([{ ok: false, message: 'n2: n3 does not answer over link 1' }]);
    expect(three.deeds.filter((deed) => deed.endsWith('undo'))).toEqual(nodes.map((name) => `${name} undo`));
  });

  test('ends with its view, whoever proposed it', () => {
    const three = new Three();
    three.request('n1');
    three.deliver();
    for (const name of nodes) three.give(name, { type: 'viewEnded' });
    expect(three.answers).toMatchObject([{ ok: false, code: 'unavailable' }]);
    for (const name of nodes) three.give(name, { type: 'view', members: nodes });
    three.settle();
    three.request('n3');
    three.settle();
    expect(three.answers.at(-1)).toMatchObject({ ok: true });
  });

  test.for([
    ['without quorum', new Three(), change, false, 'noQuorum'],
    ['while a node is away', new Three(['n1', 'n2']), change, true, 'refused'],
    ['with no address for a node', new Three(), { ...change, addresses: { n1: '10.1.0.1' } }, true, 'refused'],
  ] as const)('is refused %s', ([, three, wanted, isQuorate, code]) => {
    three.request('n1', wanted, isQuorate);
    expect(three.answers).toMatchObject([{ ok: false, code }]);
    expect(three.deliver()).toBe(false);
  });

  test('is refused while another one is under way', () => {
    const three = new Three();
    three.request('n1');
    three.deliver();
    three.request('n2');
    expect(three.answers).toMatchObject([{ ok: false, code: 'refused' }]);
  });

  test.for([null, 7, {}, { type: 'commit' }, { type: 'propose', id: 'x' }, { type: 'other', id: 'x' }])(
    'is not begun by %j',
    (message) => {
      expect(readFileMessage(message)).toBeUndefined();
    },
  );
});

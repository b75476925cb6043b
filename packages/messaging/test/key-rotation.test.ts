import { describe, expect, test } from 'vitest';
import { readKeyMessage } from '../src/key-messages.ts';
import { unwrapKey, wrapKey } from '../src/key-wrap.ts';
import { firstKey, Group, hears } from './key-group.ts';

const three = ['n1', 'n2', 'n3'];
const idsOf = (group: Group, name: string): readonly number[] => group.node(name).disk.keys.map(({ id }) => id);

describe('a key rotation', () => {
  test('ends with the new key alone, the same everywhere', () => {
    const group = new Group(three);
    group.rotate('n2');
    group.settle();
    expect(group.answers).toEqual([{ ok: true, value: { to: 1 } }]);
    for (const name of three) {
      expect(group.node(name).disk.rotation).toBeUndefined();
      expect(idsOf(group, name)).toEqual([1]);
      expect(group.node(name).used).toEqual(group.node('n1').disk.keys);
    }
    expect(group.node('n1').disk.keys[0]?.key).not.toEqual(firstKey.key);
  });

  test('never shows a key: not in messages, reports or its status', () => {
    const group = new Group(three);
    group.rotate('n1');
    let told = '';
    do told += JSON.stringify(group.nodes.map(({ machine }) => machine?.status()));
    while (group.step());
    const all = [told, ...group.said, JSON.stringify(group.reports)].join('\n');
    for (const { key } of [firstKey, ...group.node('n1').disk.keys]) {
      expect(all).not.toContain(Buffer.from(key).toString('hex'));
      expect(all).not.toContain(Buffer.from(key).toString('base64').slice(0, 40));
    }
  });

  test('comes to the same end wherever nodes crash and return', () => {
    let changed = 0;
    for (let seed = 1; seed <= 100; seed++) {
      const group = new Group(three, seed);
      group.rotate('n1');
      for (let turn = 0; turn < 60; turn++) {
        const name = three[group.random.integer(3)] as string;
        const chance = group.random.integer(12);
        if (chance === 0) group.crash(name);
        else if (chance === 1) group.start(name);
        else if (chance === 2) group.changeView();
        else if (chance === 3 && group.view.length === 3) group.rotate(name);
        else group.step();
      }
      for (const name of three) group.start(name);
      group.settle();
      expect(group.view, `seed ${seed}`).toEqual(three);
      const rings = group.nodes.map(({ disk }) => JSON.stringify(disk));
      expect(new Set(rings).size, `seed ${seed}`).toBe(1);
      expect(group.node('n1').disk.keys, `seed ${seed}`).toHaveLength(1);
      if (group.node('n1').disk.keys[0]?.id !== firstKey.id) changed += 1;
    }
    expect(changed).toBeGreaterThan(50);
  });

  test('waits for a node that went away, and goes on when it is back', () => {
    const group = new Group(three);
    group.rotate('n1');
    group.crash('n3');
    group.rotate('n1'); // the first was lost with its view
    expect(group.answers.at(-1)).toMatchObject({ ok: false, code: 'refused' });
    group.start('n3');
    group.rotate('n1');
    group.step(); // the key is ordered
    group.crash('n3');
    group.settle();
    expect(idsOf(group, 'n1')).toEqual([0, 1]);
    expect(group.node('n1').machine?.status().waiting).toContain('n3 is away');
    group.start('n3');
    group.settle();
    for (const name of three) expect(idsOf(group, name)).toEqual([1]);
  });

  test('without a node that is away goes on; one that had the new key finds back by itself', () => {
    const group = new Group(three);
    group.rotate('n1');
    while (!group.nodes.every(({ disk }) => disk.keys.length === 2)) group.step();
    group.crash('n3');
    group.settle();
    expect(idsOf(group, 'n1')).toEqual([0, 1]);
    group.rotate('n2', ['n3']);
    group.settle();
    expect(idsOf(group, 'n1')).toEqual([1]);
    group.start('n3');
    expect(group.view).toEqual(['n1', 'n2']); // it seals with the old key still
    group.give(group.node('n3'), { type: 'keyInUse', keyId: 1 });
    group.settle();
    group.changeView();
    group.settle();
    expect(group.view).toEqual(three);
    expect(idsOf(group, 'n3')).toEqual([1]);
  });

  test('without a node that is away: one that never had the new key stays out', () => {
    const group = new Group(three);
    group.crash('n3');
    group.rotate('n1', ['n3']);
    group.settle();
    expect(idsOf(group, 'n1')).toEqual([1]);
    group.start('n3');
    expect(group.view).toEqual(['n1', 'n2']);
    expect(hears(group.node('n3'), group.node('n1'))).toBe(false);
  });

  test('of two that meet the later one counts', () => {
    const group = new Group(three);
    group.rotate('n1');
    group.step();
    // n1 alone has written the key that it made; the others never heard of it.
    const n1 = group.node('n1');
    n1.disk = n1.writing ?? n1.disk;
    const lost = n1.disk.keys[1]?.key;
    for (const node of group.nodes) {
      node.writing = undefined;
      group.crash(node.name);
    }
    group.start('n2');
    group.start('n3');
    group.rotate('n2', ['n1']);
    group.step();
    expect(group.node('n1').machine).toBeUndefined();
    for (const node of group.nodes) if (node.writing !== undefined) node.disk = node.writing;
    group.start('n1');
    group.settle();
    expect(new Set(group.nodes.map(({ disk }) => JSON.stringify(disk))).size).toBe(1);
    expect(n1.disk.keys).toHaveLength(1);
    expect(n1.disk.keys[0]?.key).not.toEqual(lost);
    expect(n1.disk.keys[0]?.key).not.toEqual(firstKey.key);
  });

  test('does not forget the old key while an arbiter knows only that one', () => {
    const group = new Group(three);
    group.give(group.node('n2'), { type: 'arbiters', areBehind: true });
    group.rotate('n1');
    group.settle();
    expect(idsOf(group, 'n1')).toEqual([1, 0]);
    expect(group.node('n1').machine?.status().waiting).toContain('arbiter');
    group.give(group.node('n2'), { type: 'arbiters', areBehind: false });
    group.settle();
    expect(idsOf(group, 'n1')).toEqual([1]);
  });

  test('holds while a disk is full, and goes on when it has room', () => {
    const group = new Group(three);
    group.node('n2').isDiskFull = true;
    group.rotate('n1');
    group.settle();
    expect(idsOf(group, 'n1')).toEqual([0, 1]);
    expect(group.reports.some(({ event, node }) => event === 'key.notSaved' && node === 'n2')).toBe(true);
    group.node('n2').isDiskFull = false;
    group.give(group.node('n2'), { type: 'retry' });
    group.settle();
    for (const name of three) expect(idsOf(group, name)).toEqual([1]);
  });

  test.for([
    ['without quorum', (group: Group) => group.rotate('n1', [], false), 'noQuorum'],
    ['without a node that does not exist', (group: Group) => group.rotate('n1', ['n9']), 'notFound'],
    ['without a node that is here', (group: Group) => group.rotate('n1', ['n2']), 'refused'],
  ] as const)('is refused %s', ([, ask, code]) => {
    const group = new Group(three);
    ask(group);
    expect(group.answers).toMatchObject([{ ok: false, code }]);
    expect(group.step()).toBe(false);
  });

  test('is refused while one is under way, and beside a change of the key file by hand', () => {
    const group = new Group(three);
    group.rotate('n1');
    group.step();
    group.rotate('n2');
    expect(group.answers.at(-1)).toMatchObject({ ok: false, code: 'refused' });
    const byHand = new Group(['n1']);
    byHand.crash('n1');
    byHand.node('n1').disk = { keys: [firstKey, { id: 9, key: new Uint8Array(32), primary: false }] };
    byHand.start('n1');
    byHand.settle();
    byHand.rotate('n1');
    expect(byHand.answers).toMatchObject([{ ok: false, code: 'refused' }]);
    expect(idsOf(byHand, 'n1')).toEqual([0, 9]);
  });
});

describe('a wrapped key', () => {
  const salt = new Uint8Array(16).fill(1);
  const secret = new Uint8Array(32).fill(3);

  test('opens with the key and the cluster that it was sealed for, and with no other', () => {
    const sealed = wrapKey(firstKey, 'test', secret, salt);
    expect(unwrapKey(firstKey, 'test', sealed)).toEqual(secret);
    expect(unwrapKey({ ...firstKey, key: secret }, 'test', sealed)).toBeUndefined();
    expect(unwrapKey(firstKey, 'other', sealed)).toBeUndefined();
    for (let at = 0; at < sealed.length; at++) {
      const spoilt = Uint8Array.from(sealed);
      spoilt[at] = (spoilt[at] ?? 0) ^ 1;
      expect(unwrapKey(firstKey, 'test', spoilt)).toBeUndefined();
    }
    expect(unwrapKey(firstKey, 'test', sealed.subarray(1))).toBeUndefined();
  });
});

describe('a message about keys', () => {
  const rotation = { to: 1, print: '00112233', number: 4, without: [] };

  test.for([
    null,
    7,
    {},
    { type: 'add' },
    { type: 'add', rotation, under: 0, sealed: 'xyz' },
    { type: 'advance', rotation, stage: 'added' },
    { type: 'advance', rotation: { ...rotation, to: 70_000 }, stage: 'remove' },
    { type: 'ring', ring: { primary: 0, keys: Array.from({ length: 33 }, () => ({ id: 0, print: '00112233' })) } },
    { type: 'ring', ring: { primary: 0, keys: [], rotation: { ...rotation, without: [1] } } },
  ])('%j is none', (message) => {
    expect(readKeyMessage(message)).toBeUndefined();
    const group = new Group(['n1', 'n2']);
    group.give(group.node('n1'), { type: 'delivered', from: 'n2', message });
    expect(group.reports).toMatchObject([{ event: 'key.malformed' }]);
  });
});

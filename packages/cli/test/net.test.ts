/** `key` and `net` commands against a daemon that is played: what they ask, and what they say. */
import type { KeyReport, NetworkRequest } from '@systole/api';
import { SystoleError } from '@systole/kernel';
import { describe, expect, test } from 'vitest';
import { isKeyLine, keyStatus, rotateKey, tokenKey } from '../src/commands/key.ts';
import { addLink, getValue, removeLink, setValue, updateLink } from '../src/commands/net.ts';
import { Context } from '../src/shell/context.ts';
import { readOptions } from '../src/shell/options.ts';

const network = {
  links: [0, 2].map((id) => ({ id, mode: 'auto', priority: 0, mtu: 1500 })),
  linkMode: 'passive',
  timing: { heartbeatMs: 50, suspectMs: 350, suspectMaxMs: 2000 },
};
const ring = (primary: number, more: Partial<KeyReport> = {}): KeyReport => ({
  keys: [{ id: primary, print: '00112233' }],
  primary,
  members: [],
  waitingFor: [],
  ...more,
});

function played(reports: KeyReport[] = []) {
  const said: string[] = [];
  const asked: (NetworkRequest['change'] | readonly string[])[] = [];
  const terminal = {
    out: (text: string) => said.push(text),
    error: (text: string) => said.push(text),
    isInteractive: false,
    isTerminal: false,
    ask: () => Promise.resolve('no'),
    lend: <Value>(given: () => Value): Value => given(),
    readInput: () => '',
  };
  const context = new Context(readOptions(['net']).options, terminal, '/nowhere');
  const client = {
    network: () => Promise.resolve(network),
    changeNetwork: (change: NetworkRequest['change']) => Promise.resolve(void asked.push(change)),
    keys: () => Promise.resolve(reports.length > 1 ? reports.shift() : reports[0]),
    rotateKey: (without: readonly string[]) => {
      asked.push(without);
      return Promise.resolve({ to: 1 });
    },
  };
  Object.defineProperty(context, 'client', { value: client });
  return { context, said, asked };
}

describe('net', () => {
  test('adds a link under the lowest free number', async () => {
    const { context, asked } = played();
    await addLink(context, ['n1=10.1.0.1', 'n2=fd00::2', 'options', 'priority=20', 'mode=unicast']);
    expect(asked).toEqual([
      {
        type: 'setLink',
        link: 1,
        isNew: true,
        addresses: { n1: '10.1.0.1', n2: 'fd00::2' },
        options: { priority: 20, mode: 'unicast' },
      },
    ]);
  });

  test('changes and removes a link, and sets a value', async () => {
    const { context, asked } = played();
    await updateLink(context, ['2', 'n1=10.1.0.9']);
    await removeLink(context, ['2']);
    await setValue(context, ['timing.suspect', '500ms']);
    expect(asked).toEqual([
      { type: 'setLink', link: 2, isNew: false, addresses: { n1: '10.1.0.9' }, options: {} },
      { type: 'removeLink', link: 2 },
      { type: 'setValue', name: 'timing.suspect', value: '500ms' },
    ]);
  });

  test('tells one value, or all', async () => {
    const { context, said } = played();
    await getValue(context, ['timing.suspect']);
    await getValue(context, []);
    expect(said).toEqual(['350\n', expect.stringContaining('link_mode           passive')]);
  });

  test('says what it does not understand', async () => {
    const { context } = played();
    await expect(removeLink(context, ['1'])).rejects.toThrow('there is no link 1; there are 0, 2');
    await expect(updateLink(context, ['x', 'n1=1'])).rejects.toThrow('"x" is no link');
    await expect(addLink(context, ['n1'])).rejects.toThrow('neither NODE=ADDRESS');
    await expect(getValue(context, ['colour'])).rejects.toThrow('there is no value colour');
  });
});

describe('key', () => {
  const rotation = { to: 1, print: '44556677', without: [] };

  test('rotate waits until the new key is alone, and reminds of who was left out', async () => {
    const { context, said, asked } = played([ring(0, { rotation }), ring(1, { rotation }), ring(1)]);
    await rotateKey(context, ['--without', 'n3,n4']);
    expect(asked).toEqual([['n3', 'n4']]);
    expect(said.at(-1)).toContain('key 1 now, on all members\nCopy the key file to n3, n4');
  });

  test('rotate says when the change was lost with its view', async () => {
    const { context } = played([ring(0)]);
    await expect(rotateKey(context, [])).rejects.toThrow(SystoleError);
  });

  test('status tells how far each member is', async () => {
    const members = [
      { node: 'n1', stage: 'primary' as const },
      { node: 'n2', stage: 'added' as const },
    ];
    const { context, said } = played([ring(0, { rotation, members, waiting: 'the members are taking the next step' })]);
    await keyStatus(context);
    expect(said[0]).toMatch(/changing to key 1: the members/);
    expect(said[0]).toMatch(/n2 {2}accepts the new key/);
  });

  test('a token gets the key that is used, and none while it is being changed', () => {
    const hex = 'ab'.repeat(32);
    expect(tokenKey(`# spring\n4:${hex}\n3:${'cd'.repeat(32)}\n`)).toBe(`4:${hex}`);
    expect(() => tokenKey(`#systole rotation to=4\n3:${hex}\n4:${hex}\n`)).toThrow('being changed');
    expect([hex, `65535:${hex}`, `x:${hex}`, hex.slice(1)].map(isKeyLine)).toEqual([true, true, false, false]);
  });
});

import { EventEmitter } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Keyboard } from '../src/prompt/keyboard.ts';
import { isLong, pagerCommand } from '../src/shell/pager.ts';

async function keyboard({ endsInput = false, interrupts = false } = {}) {
  const source = Object.assign(new EventEmitter(), { resume: () => undefined, pause: () => undefined });
  const told: string[] = [];
  const keys = new Keyboard(source, {
    onPaste: (text) => told.push(`paste ${text}`),
    onInterrupt: () => {
      told.push('interrupt');
      return interrupts;
    },
    onEnd: () => endsInput,
  });
  keys.on('data', (key: Buffer) => told.push(key.toString()));
  keys.resume();
  await setImmediate(); // a stream begins to flow in the next turn
  return { keys, told, type: (text: string) => source.emit('data', Buffer.from(text)) };
}

test('keys come one by one, so that a tab among them completes', async () => {
  const { told, type } = await keyboard();
  type('ab\tü');
  expect(told).toEqual(['a', 'b', '\t', 'ü']);
});

test('a paste of several lines is one piece, wherever the terminal cuts it; one of a line is typed', async () => {
  const { told, type } = await keyboard();
  type('x\u001b[200~one\rt');
  type('wo\r\u001b[20');
  type('1~y\u001b[200~a\tb\u001b[201~');
  expect(told).toEqual(['x', 'paste one\ntwo\n', 'y', 'a', ' ', 'b']);
});

test('keys wait while a command runs, until somebody holds again', async () => {
  const { keys, told, type } = await keyboard();
  keys.hold();
  type('ab\r\u001b[200~c\nd\u001b[201~');
  expect(told).toEqual([]);
  keys.once('data', () => keys.hold());
  keys.release();
  expect(told).toEqual(['a']);
  expect(keys.forget()).toBe(2);
  keys.release();
  expect(told).toEqual(['a']);
});

test('Ctrl-C takes effect while keys wait, and drops them; if it ended nothing, the line editor has it', async () => {
  for (const interrupts of [true, false]) {
    const { keys, told, type } = await keyboard({ interrupts });
    keys.hold();
    type('ab\u0003');
    keys.release();
    expect(told).toEqual(interrupts ? ['interrupt'] : ['interrupt', '\u0003']);
  }
});

test('Ctrl-D goes to the line editor unless it ends the input', async () => {
  for (const endsInput of [true, false]) {
    const { told, type } = await keyboard({ endsInput });
    type('\u0004');
    expect(told).toEqual(endsInput ? [] : ['\u0004']);
  }
});

test('only what is more than a screen, with the prompt below it, is long', () => {
  const lines = (count: number): string => 'x\n'.repeat(count);
  expect(isLong(lines(19), { rows: 20 })).toBe(false);
  expect(isLong(lines(20), { rows: 20 })).toBe(true);
  expect(isLong(`${'x'.repeat(81)}\n`.repeat(10), { rows: 20, columns: 80 })).toBe(true);
  expect(isLong(`\u001b[1m${'x'.repeat(80)}\u001b[22m\n`.repeat(10), { rows: 20, columns: 80 })).toBe(false);
  expect(isLong(lines(500), {})).toBe(false);
});

test('the pager is what the setting says, else the environment, and cat is none', () => {
  expect(pagerCommand('more', { PAGER: 'most' })).toBe('more');
  expect(pagerCommand('', { PAGER: 'most -s' })).toBe('most -s');
  expect(pagerCommand('cat', { PAGER: 'most' })).toBeUndefined();
  expect(pagerCommand('', { PATH: '/nowhere' })).toBeUndefined();
  expect(pagerCommand('more', { TERM: 'dumb' })).toBeUndefined();
});

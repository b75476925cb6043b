import process from 'node:process';
import { expect, test } from 'vitest';
import { interrupt, interruptible } from '../src/shell/interrupt.ts';

test('Ctrl-C ends the waiting, and not the program', async () => {
  const before = process.listenerCount('SIGINT');
  const waiting = interruptible(new Promise(() => undefined), 'interrupted');
  expect(process.listenerCount('SIGINT')).toBe(before + 1);
  interrupt();
  await expect(waiting).rejects.toMatchObject({ code: 'timedOut', message: 'interrupted' });
  expect(process.listenerCount('SIGINT')).toBe(before);
});

test('what must be put right is put right', async () => {
  const done: string[] = [];
  const restart = async (): Promise<void> => {
    try {
      await interruptible(new Promise(() => undefined), 'interrupted');
    } finally {
      done.push('started again');
    }
  };
  const running = restart();
  interrupt();
  await expect(running).rejects.toThrow('interrupted');
  expect(done).toEqual(['started again']);
});

test('what ends by itself is not disturbed', async () => {
  await expect(interruptible(Promise.resolve(7), 'interrupted')).resolves.toBe(7);
  await expect(interruptible(Promise.reject(new Error('its own')), 'interrupted')).rejects.toThrow('its own');
});

import { describe, expect, test } from 'vitest';
import { ReplayWindow } from '../src/replay-window.ts';

const accept = (window: ReplayWindow, counter: number): boolean => {
  const isFresh = window.isFresh(counter);
  if (isFresh) window.mark(counter);
  return isFresh;
};

describe('the replay window', () => {
  test('takes each counter once, in order', () => {
    const window = new ReplayWindow();
    for (let counter = 1; counter < 10_000; counter++) {
      expect(accept(window, counter)).toBe(true);
      expect(accept(window, counter)).toBe(false);
    }
  });

  test('takes each of the last 4096 once, in reverse', () => {
    const window = new ReplayWindow();
    accept(window, 5000);
    for (let counter = 4999; counter > 5000 - 4096; counter--) expect(accept(window, counter)).toBe(true);
    for (let counter = 4999; counter > 5000 - 4096; counter--) expect(accept(window, counter)).toBe(false);
    expect(accept(window, 5000 - 4096)).toBe(false);
  });

  test('forgets nothing wrongly over a gap larger than itself', () => {
    const window = new ReplayWindow();
    for (let counter = 1; counter <= 4096; counter++) accept(window, counter);
    expect(accept(window, 20_000)).toBe(true);
    expect(accept(window, 4096)).toBe(false);
    expect(accept(window, 20_000 - 4095)).toBe(true);
    expect(accept(window, 19_999)).toBe(true);
    expect(accept(window, 20_000)).toBe(false);
  });

  test('refuses counter 0 and keeps exact beyond 2^32', () => {
    const window = new ReplayWindow();
    expect(window.isFresh(0)).toBe(false);
    const base = 2 ** 32 + 7;
    expect(accept(window, base)).toBe(true);
    expect(accept(window, base - 1)).toBe(true);
    expect(accept(window, base)).toBe(false);
    expect(accept(window, 7)).toBe(false);
  });
});

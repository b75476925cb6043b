import { instant } from '@systole/kernel';
import { describe, expect, test } from 'vitest';
import { TimerTable } from '../../src/node/timer-table.ts';

describe('timers', () => {
  test('come due in order of time, then of setting', () => {
    const timers = new TimerTable();
    timers.start('late', instant(30));
    timers.start('b', instant(20));
    timers.start('a', instant(20));
    expect(timers.next()).toBe(20);
    expect([timers.takeDue(instant(25)), timers.takeDue(instant(25)), timers.takeDue(instant(25))]).toEqual([
      'b',
      'a',
      undefined,
    ]);
  });

  test('set again take the place of the old; stopped ones never come', () => {
    const timers = new TimerTable();
    timers.start('a', instant(10));
    timers.start('a', instant(40));
    timers.start('b', instant(10));
    timers.stop('b');
    expect(timers.takeDue(instant(30))).toBeUndefined();
    expect(timers.takeDue(instant(40))).toBe('a');
  });
});

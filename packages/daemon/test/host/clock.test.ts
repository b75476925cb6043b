import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Alarm } from '../../src/host/clock.ts';

describe('an alarm', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  const rings = (): { readonly alarm: Alarm; readonly times: number[] } => {
    const times: number[] = [];
    const begin = performance.now();
    return { alarm: new Alarm(() => times.push(performance.now() - begin)), times };
  };

  test('rings once, after its delay', () => {
    const { alarm, times } = rings();
    alarm.set(50);
    vi.advanceTimersByTime(200);
    expect(times).toEqual([50]);
  });

  test('that is set to later does not ring at the earlier time', () => {
    const { alarm, times } = rings();
    alarm.set(50);
    vi.advanceTimersByTime(30);
    alarm.set(50);
    vi.advanceTimersByTime(200);
    expect(times).toEqual([80]);
  });

  test('that is set to earlier does not wait for the later time', () => {
    const { alarm, times } = rings();
    alarm.set(100);
    alarm.set(20);
    vi.advanceTimersByTime(200);
    expect(times).toEqual([20]);
  });

  test('can be set again when it has rung, and by its own ring', () => {
    const times: number[] = [];
    const alarm: Alarm = new Alarm(() => {
      times.push(performance.now());
      if (times.length < 3) alarm.set(10);
    });
    const begin = performance.now();
    alarm.set(10);
    vi.advanceTimersByTime(100);
    expect(times.map((at) => at - begin)).toEqual([10, 20, 30]);
  });

  test('that is cleared is silent until it is set again', () => {
    const { alarm, times } = rings();
    alarm.set(50);
    alarm.clear();
    vi.advanceTimersByTime(100);
    alarm.set(50);
    vi.advanceTimersByTime(100);
    expect(times).toEqual([150]);
  });

  test('waits longer than a timer of the system can', () => {
    const { alarm, times } = rings();
    alarm.set(3_000_000_000);
    vi.advanceTimersByTime(2_999_999_999);
    expect(times).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(times).toEqual([3_000_000_000]);
  });
});

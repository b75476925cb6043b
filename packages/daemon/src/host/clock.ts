/** The node's clocks: a monotonic one in whole milliseconds for all decisions, the wall clock for history and logs. */
import { epoch, instant, type Epoch, type Instant } from '@systole/kernel';

/** Beyond it `setTimeout` fires at once: 2^31 - 1 ms, 24.8 days. */
const timeoutMaxMs = 2_147_483_647;

export interface HostClock {
  readonly now: () => Instant;
  readonly wall: () => Epoch;
}

export const systemClock: HostClock = {
  now: () => instant(Math.floor(performance.now())),
  wall: () => epoch(Date.now()),
};

/**
 * One alarm that can be set again and again; the earlier setting is forgotten. Set to later it keeps its timer, which then
 * finds that it is not yet time: the event loop would wake for a timer that was taken back all the same.
 */
export class Alarm {
  readonly #ring: () => void;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer goes off, and when the alarm is meant to ring. */
  #goesOffAt = 0;
  #ringsAt = 0;

  constructor(ring: () => void) {
    this.#ring = ring;
  }

  /** Rings after `delayMs`, however long that is; a delay that is over rings as soon as the event loop is free. */
  set(delayMs: number): void {
    const now = performance.now();
    this.#ringsAt = now + Math.max(0, delayMs);
    if (this.#timer !== undefined && this.#goesOffAt <= this.#ringsAt) return;
    clearTimeout(this.#timer);
    this.#arm(now);
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(now: number): void {
    const delayMs = Math.min(Math.ceil(this.#ringsAt - now), timeoutMaxMs);
    this.#goesOffAt = now + delayMs;
    this.#timer = setTimeout(this.#goOff, delayMs);
  }

  readonly #goOff = (): void => {
    this.#timer = undefined;
    const now = performance.now();
    // Timers have whole milliseconds and may be a fraction of one early.
    if (now < this.#ringsAt - 1) this.#arm(now);
    else this.#ring();
  };
}

/** Timers by id, in the order in which they come due; those due at one instant in the order in which they were set. */
import type { Instant } from '@systole/kernel';

interface Timer {
  readonly at: Instant;
  readonly order: number;
}

export class TimerTable {
  readonly #timers = new Map<string, Timer>();
  #order = 0;

  /** A timer of that id is replaced. */
  start(id: string, at: Instant): void {
    this.#order += 1;
    this.#timers.set(id, { at, order: this.#order });
  }

  stop(id: string): void {
    this.#timers.delete(id);
  }

  /** When the first comes due. A node has some tens of them, so looking at each is quick enough. */
  next(): Instant | undefined {
    let first: Instant | undefined;
    for (const { at } of this.#timers.values()) if (first === undefined || at < first) first = at;
    return first;
  }

  /** Takes the first that is due. */
  takeDue(now: Instant): string | undefined {
    let found: readonly [string, Timer] | undefined;
    for (const [id, timer] of this.#timers) {
      if (timer.at > now) continue;
      if (found === undefined || timer.at < found[1].at || (timer.at === found[1].at && timer.order < found[1].order)) {
        found = [id, timer];
      }
    }
    if (found !== undefined) this.#timers.delete(found[0]);
    return found?.[0];
  }
}

/** The last things that happened, for the timeline and for whoever listens. Numbers grow by one and never start again. */
import type { EventRow } from '@systole/api';

/** So many events are kept; older ones are in the system's log. */
export const eventsMax = 5000;

export class EventLog {
  #rows: EventRow[] = [];
  #next = 1;
  readonly #listeners = new Set<(row: EventRow) => void>();

  add(row: Omit<EventRow, 'number'>): void {
    const numbered = { ...row, number: this.#next };
    this.#next += 1;
    this.#rows.push(numbered);
    // Cut in large steps, so that each event does not move all others.
    if (this.#rows.length > 2 * eventsMax) this.#rows = this.#rows.slice(-eventsMax);
    for (const listener of this.#listeners) listener(numbered);
  }

  /** From `since` on, oldest first. */
  from(since: number): readonly EventRow[] {
    const first = this.#rows.findIndex(({ number }) => number >= since);
    return first < 0 ? [] : this.#rows.slice(Math.max(first, this.#rows.length - eventsMax));
  }

  /** Returns how to stop listening. */
  listen(listener: (row: EventRow) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

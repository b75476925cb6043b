/**
 * What happened, for the timeline and for whoever listens: the newest in memory, the rest in the journal on disk.
 * Numbers grow by one and never start again.
 */
import type { EventRow } from '@systole/api';
import type { Journal } from './journal.ts';

/** So many events are kept in memory. */
export const eventsMax = 5000;

export class EventLog {
  #rows: EventRow[] = [];
  #next = 1;
  readonly #journal: Journal | undefined;
  readonly #listeners = new Set<(row: EventRow) => void>();

  /** Without a journal what is older than this process is unknown. */
  constructor(journal?: Journal, former: readonly EventRow[] = []) {
    this.#journal = journal;
    this.#rows = [...former];
    this.#next = (former.at(-1)?.number ?? 0) + 1;
  }

  /** Goes on where the former life of this daemon ended. */
  static async open(journal: Journal): Promise<EventLog> {
    return new EventLog(journal, await journal.read(0, eventsMax));
  }

  add(row: Omit<EventRow, 'number'>): void {
    const numbered = { ...row, number: this.#next };
    this.#next += 1;
    this.#rows.push(numbered);
    this.#journal?.append(numbered);
    // Cut in large steps, so that each event does not move all others.
    if (this.#rows.length > 2 * eventsMax) this.#rows = this.#rows.slice(-eventsMax);
    for (const listener of this.#listeners) listener(numbered);
  }

  /** From number `since` on, oldest first. */
  from(since: number): readonly EventRow[] {
    const first = this.#rows.findIndex(({ number }) => number >= since);
    return first < 0 ? [] : this.#rows.slice(Math.max(first, this.#rows.length - eventsMax));
  }

  /** Since a time (milliseconds since 1970), as far back as the journal goes; the newest `max`. */
  async since(time: number, max: number): Promise<readonly EventRow[]> {
    const [oldest] = this.#rows;
    const isInMemory = oldest === undefined || oldest.number === 1 || oldest.at < time;
    if (isInMemory || this.#journal === undefined) return this.#rows.filter(({ at }) => at >= time).slice(-max);
    return await this.#journal.read(time, max);
  }

  /** Returns how to stop listening. */
  listen(listener: (row: EventRow) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** What will happen, in order of time and then of insertion: a binary heap. Times are whole milliseconds of true time. */

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

export class Agenda {
  readonly #heap: Entry[] = [];
  #inserted = 0;
  #now = 0;
  #ran = 0;

  get now(): number {
    return this.#now;
  }

  /** How many events have run. */
  get ran(): number {
    return this.#ran;
  }

  get length(): number {
    return this.#heap.length;
  }

  /** `at` in the past happens now. */
  at(at: number, run: () => void): void {
    const entry = { at: Math.max(at, this.#now), order: (this.#inserted += 1), run };
    const heap = this.#heap;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as Entry; // parent < index < length
      if (!isBefore(entry, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
  }

  after(delay: number, run: () => void): void {
    this.at(this.#now + delay, run);
  }

  /** Runs the next event if it is due by `until`; else moves the clock there and answers false. */
  step(until: number): boolean {
    const heap = this.#heap;
    const next = heap[0];
    if (next === undefined || next.at > until) {
      this.#now = Math.max(this.#now, until);
      return false;
    }
    const last = heap.pop() as Entry; // there is at least one
    if (heap.length > 0) this.#sink(last);
    this.#now = next.at;
    this.#ran += 1;
    next.run();
    return true;
  }

  #sink(entry: Entry): void {
    const heap = this.#heap;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      if (left >= heap.length) break;
      const right = left + 1;
      const child = right < heap.length && isBefore(heap[right] as Entry, heap[left] as Entry) ? right : left;
      const below = heap[child] as Entry; // child < length
      if (isBefore(entry, below)) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = entry;
  }
}

const isBefore = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

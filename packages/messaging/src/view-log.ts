/**
 * The order of one view as this node holds it: entries by sequence, and the marks that move along it.
 *
 *     base ≤ delivered, stable        entries up to base are forgotten: everyone has them and we delivered them
 *     received                        everything up to here is held (or forgotten)
 *     highest                         the largest sequence known to exist
 */
import type { OrderedEntry, Range } from './frames.ts';
import { windowEntries } from './limits.ts';

export interface LogEntry extends OrderedEntry {
  /** The whole message, at its last fragment, once everything before it is held. */
  message: Uint8Array | undefined;
  /** The message was too much for reassembly: known alike at every member, delivered at none. */
  dropped: boolean;
}

export class ViewLog {
  readonly #entries = new Map<number, LogEntry>();
  base = 0;
  received = 0;
  highest = 0;
  bytes = 0;

  get size(): number {
    return this.#entries.size;
  }

  /** The furthest sequence that any window allows from here. */
  get reach(): number {
    return this.received + 2 * windowEntries;
  }

  get(sequence: number): LogEntry | undefined {
    return this.#entries.get(sequence);
  }

  /** False: held already, or further ahead than any window allows. */
  store(sequence: number, entry: OrderedEntry): boolean {
    if (sequence <= this.received || sequence > this.reach || this.#entries.has(sequence)) {
      return false;
    }
    this.#entries.set(sequence, {
      rank: entry.rank,
      local: entry.local,
      service: entry.service,
      kind: entry.kind,
      first: entry.first,
      last: entry.last,
      bytes: entry.bytes,
      message: undefined,
      dropped: false,
    });
    this.bytes += entry.bytes.length;
    if (sequence > this.highest) this.highest = sequence;
    return true;
  }

  /** Moves `received` one on if the next entry is held, and returns it. */
  advance(): LogEntry | undefined {
    const entry = this.#entries.get(this.received + 1);
    if (entry !== undefined) this.received += 1;
    return entry;
  }

  /** What is held beyond `received`. */
  beyond(limit: number): Range[] {
    const ranges: Range[] = [];
    let from = 0;
    for (let sequence = this.received + 1; sequence <= this.highest + 1; sequence++) {
      const held = this.#entries.has(sequence);
      if (held && from === 0) from = sequence;
      if (!held && from !== 0) {
        ranges.push({ from, to: sequence - 1 });
        from = 0;
        if (ranges.length === limit) break;
      }
    }
    return ranges;
  }

  /** What is missing up to `last`. */
  missing(last: number, limit: number): Range[] {
    const ranges: Range[] = [];
    let from = 0;
    for (let sequence = this.received + 1; sequence <= last + 1; sequence++) {
      const lacks = sequence <= last && !this.#entries.has(sequence);
      if (lacks && from === 0) from = sequence;
      if (!lacks && from !== 0) {
        ranges.push({ from, to: sequence - 1 });
        from = 0;
        if (ranges.length === limit) break;
      }
    }
    return ranges;
  }

  /** Everything up to here is delivered, and every member has it. */
  forget(upTo: number): void {
    for (let sequence = this.base + 1; sequence <= upTo; sequence++) {
      const entry = this.#entries.get(sequence);
      if (entry === undefined) continue;
      this.bytes -= entry.bytes.length;
      this.#entries.delete(sequence);
    }
    if (upTo > this.base) this.base = upTo;
  }
}

/**
 * A machine's disk as its daemon sees it: named files replaced as a whole, and named logs that grow.
 *
 * The host writes aside, flushes, renames and flushes the folder, so a file is the old one or the new one; what a power
 * cut does is decide which. An unflushed tail of a log may be lost or torn in the middle of a record; the last good
 * record is then the end. Full: writes fail. Slow: the flush takes long.
 */
import type { Agenda } from './agenda.ts';
import { between, draw } from './draw.ts';

export interface Written {
  readonly ok: boolean;
}

interface Pending {
  readonly apply: () => void;
  readonly done: (written: Written) => void;
  cancelled: boolean;
}

export class Disk {
  readonly #seed: number;
  readonly #machine: number;
  readonly #agenda: Agenda;
  readonly #files = new Map<string, unknown>();
  readonly #logs = new Map<string, string[]>();
  readonly #pending = new Set<Pending>();
  #writes = 0;
  #freeAt = 0;
  isFull = false;
  #flushMs = 1;

  constructor(seed: number, machine: number, agenda: Agenda) {
    this.#seed = seed;
    this.#machine = machine;
    this.#agenda = agenda;
  }

  get flushMs(): number {
    return this.#flushMs;
  }

  /** Flushes take between so many and twice so many milliseconds from now on; one that becomes quick catches up at once. */
  set flushMs(flushMs: number) {
    this.#flushMs = flushMs;
    if (flushMs > 1) return;
    this.#freeAt = this.#agenda.now;
    for (const pending of this.#pending) this.#finishAt((this.#freeAt += 1), pending);
  }

  read(name: string): unknown {
    return this.#files.get(name);
  }

  readLog(name: string): readonly string[] {
    return this.#logs.get(name) ?? [];
  }

  /** `content` undefined removes the file. `done` comes later, in the order of the writes, unless the power goes first. */
  replace(name: string, content: unknown, done: (written: Written) => void): void {
    this.#queue(() => {
      if (content === undefined) this.#files.delete(name);
      else this.#files.set(name, content);
    }, done);
  }

  append(name: string, record: string, done: (written: Written) => void): void {
    this.#queue(() => {
      const log = this.#logs.get(name) ?? [];
      log.push(record);
      this.#logs.set(name, log);
    }, done);
  }

  truncateLog(name: string, done: (written: Written) => void): void {
    this.#queue(() => this.#logs.delete(name), done);
  }

  /** The daemon is gone: nobody waits for its writes. Those in flight are on disk or not, in order up to some point. */
  abandon(): void {
    const waiting = [...this.#pending];
    const kept =
      waiting.length === 0 ? 0 : draw(this.#seed, 'torn', this.#machine, this.#writes) % (waiting.length + 1);
    for (const [index, pending] of waiting.entries()) {
      pending.cancelled = true;
      if (index < kept) pending.apply();
    }
    this.#pending.clear();
    this.#freeAt = this.#agenda.now;
  }

  #queue(apply: () => void, done: (written: Written) => void): void {
    this.#writes += 1;
    if (this.isFull) {
      this.#agenda.after(1, () => done({ ok: false }));
      return;
    }
    const pending: Pending = { apply, done, cancelled: false };
    this.#pending.add(pending);
    const takes =
      this.flushMs <= 1 ? 1 : between(this.flushMs, 2 * this.flushMs, this.#seed, 'flush', this.#machine, this.#writes);
    this.#freeAt = Math.max(this.#freeAt, this.#agenda.now) + takes;
    this.#finishAt(this.#freeAt, pending);
  }

  #finishAt(at: number, pending: Pending): void {
    this.#agenda.at(at, () => {
      if (pending.cancelled || !this.#pending.delete(pending)) return;
      pending.apply();
      pending.done({ ok: true });
    });
  }
}

/**
 * Notices that this node itself stood still: its step came later than it had asked for.
 *
 * The worst lateness of the last minute is announced in heartbeats, and peers give this node that much more time. A
 * shorter memory let the same node be suspected falsely again and again; the first two seconds after the start do not
 * count, or every start would slow detection down for a minute.
 */
import { type Core, never } from './core.ts';

const ignoreFirstMs = 2000;
const memoryMs = 60_000;
const slots = 12;
const slotMs = memoryMs / slots;
const announcedMax = 900;

export class Stalls {
  readonly #core: Core;
  readonly #worst = new Float64Array(slots + 1);
  readonly #slotOf = new Float64Array(slots + 1).fill(never);

  constructor(core: Core) {
    this.#core = core;
  }

  /** A step came `lateMs` after it was due. */
  note(lateMs: number): void {
    const { now, startedAt } = this.#core;
    if (lateMs <= 0 || now - startedAt < ignoreFirstMs) return;
    const slot = Math.floor(now / slotMs);
    const index = ((slot % (slots + 1)) + slots + 1) % (slots + 1);
    if (this.#slotOf[index] !== slot) {
      this.#slotOf[index] = slot;
      this.#worst[index] = 0;
    }
    if (lateMs > (this.#worst[index] as number)) this.#worst[index] = lateMs;
  }

  /** The worst of the last minute, at most 900 ms. */
  announced(): number {
    const oldest = Math.floor(this.#core.now / slotMs) - slots;
    let worst = 0;
    for (let index = 0; index <= slots; index++) {
      if ((this.#slotOf[index] as number) >= oldest) worst = Math.max(worst, this.#worst[index] as number);
    }
    return Math.min(announcedMax, Math.floor(worst));
  }
}

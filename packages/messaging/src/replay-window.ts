/**
 * Remembers which counters of a session have been seen: each counts once, and those further than 4096 behind the
 * highest count no more. A ring of bits; 512 bytes a session.
 */
const size = 4096;

export class ReplayWindow {
  #highest = 0;
  #seen = new Uint32Array(size / 32);

  /** Whether `counter` may still be accepted. Changes nothing: only an opened datagram may mark. */
  isFresh(counter: number): boolean {
    if (counter < 1) return false;
    if (counter > this.#highest) return true;
    if (counter <= this.#highest - size) return false;
    const bit = counter % size;
    return ((this.#seen[bit >>> 5] as number) & (1 << (bit & 31))) === 0;
  }

  /** `counter` is fresh and its datagram was authentic. */
  mark(counter: number): void {
    if (counter > this.#highest) {
      if (counter - this.#highest >= size) this.#seen.fill(0);
      else for (let passed = this.#highest + 1; passed < counter; passed++) this.#clear(passed % size);
      this.#highest = counter;
    }
    const bit = counter % size;
    this.#seen[bit >>> 5] = ((this.#seen[bit >>> 5] as number) | (1 << (bit & 31))) >>> 0;
  }

  #clear(bit: number): void {
    this.#seen[bit >>> 5] = ((this.#seen[bit >>> 5] as number) & ~(1 << (bit & 31))) >>> 0;
  }
}

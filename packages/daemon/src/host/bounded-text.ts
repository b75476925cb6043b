/** Keeps the beginning and the end of a stream that may be endless, and says how much is missing between them. */
export class BoundedText {
  readonly #half: number;
  #head = Buffer.alloc(0);
  #tail = Buffer.alloc(0);
  #dropped = 0;

  /** Keeps about `limitBytes` in all, half of them from each end. */
  constructor(limitBytes: number) {
    this.#half = Math.max(1, Math.floor(limitBytes / 2));
  }

  add(chunk: Buffer): void {
    const room = this.#half - this.#head.length;
    if (room > 0) this.#head = Buffer.concat([this.#head, chunk.subarray(0, room)]);
    const rest = chunk.subarray(Math.max(0, room));
    if (rest.length === 0) return;
    const tail = Buffer.concat([this.#tail, rest]);
    const excess = Math.max(0, tail.length - this.#half);
    this.#dropped += excess;
    this.#tail = tail.subarray(excess);
  }

  /** Bytes that are no UTF-8 become replacement characters. */
  toString(): string {
    const gap = this.#dropped === 0 ? '' : `\n[… ${this.#dropped} bytes left out …]\n`;
    return `${this.#head.toString('utf8')}${gap}${this.#tail.toString('utf8')}`;
  }
}

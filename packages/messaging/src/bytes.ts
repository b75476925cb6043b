/**
 * Reading and writing big-endian fields. The reader is total: past the end it answers zeros and remembers that it
 * failed; a count is checked against what is left before anything is allocated for it.
 */

const two32 = 2 ** 32;

/** Bytes of the piece that small ones are cut from: some forty full datagrams. */
const slabBytes = 64 * 1024;
let slab = new ArrayBuffer(0);
let slabUsed = 0;

/**
 * Zeroed bytes that are nobody else's. Small ones are cut from a larger piece: an allocation of its own outside the
 * heap for each frame and datagram cost more than filling them, and made the collector run twice as often.
 */
export function freshBytes(size: number): Uint8Array {
  if (size > slabBytes / 8) return new Uint8Array(size);
  if (slabUsed + size > slab.byteLength) {
    slab = new ArrayBuffer(slabBytes);
    slabUsed = 0;
  }
  const start = slabUsed;
  slabUsed += size;
  return new Uint8Array(slab, start, size);
}

export class ByteReader {
  #bytes: Uint8Array;
  #view: DataView;
  #at: number;
  #end: number;
  /** Something was read that is not there: the whole input is malformed. */
  failed = false;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = start;
    this.#end = end;
  }

  get left(): number {
    return this.#end - this.#at;
  }

  get at(): number {
    return this.#at;
  }

  #take(size: number): number {
    const at = this.#at;
    if (this.failed || size > this.#end - at) {
      this.failed = true;
      return -1;
    }
    this.#at = at + size;
    return at;
  }

  u8(): number {
    const at = this.#take(1);
    return at < 0 ? 0 : (this.#bytes[at] as number);
  }

  u16(): number {
    const at = this.#take(2);
    return at < 0 ? 0 : this.#view.getUint16(at);
  }

  u32(): number {
    const at = this.#take(4);
    return at < 0 ? 0 : this.#view.getUint32(at);
  }

  u48(): number {
    const at = this.#take(6);
    return at < 0 ? 0 : this.#view.getUint16(at) * two32 + this.#view.getUint32(at + 2);
  }

  /** A view into the input, not a copy. */
  bytes(length: number): Uint8Array {
    const at = this.#take(length);
    return at < 0 ? new Uint8Array(0) : this.#bytes.subarray(at, at + length);
  }

  /** Whether `count` elements of at least `size` bytes can follow; fails the reader if not. */
  fits(count: number, size: number): boolean {
    if (!this.failed && count * size <= this.left) return true;
    this.failed = true;
    return false;
  }

  /** A list whose elements take at least `size` bytes each. */
  list<T>(count: number, size: number, read: () => T): T[] {
    if (!this.fits(count, size)) return [];
    const elements: T[] = [];
    for (let index = 0; index < count && !this.failed; index++) elements.push(read());
    return elements;
  }
}

export class ByteWriter {
  #bytes: Uint8Array;
  #view: DataView;
  length = 0;

  constructor(size = 2048) {
    this.#bytes = new Uint8Array(size);
    this.#view = new DataView(this.#bytes.buffer);
  }

  #room(size: number): number {
    const at = this.length;
    if (at + size > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(2 * this.#bytes.length, at + size));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    this.length = at + size;
    return at;
  }

  u8(value: number): void {
    const at = this.#room(1);
    this.#bytes[at] = value;
  }

  u16(value: number): void {
    const at = this.#room(2);
    this.#view.setUint16(at, value);
  }

  u32(value: number): void {
    const at = this.#room(4);
    this.#view.setUint32(at, value);
  }

  u48(value: number): void {
    const at = this.#room(6);
    this.#view.setUint16(at, Math.floor(value / two32));
    this.#view.setUint32(at + 2, value >>> 0);
  }

  bytes(value: Uint8Array): void {
    const at = this.#room(value.length);
    this.#bytes.set(value, at);
  }

  setU16(at: number, value: number): void {
    this.#view.setUint16(at, value);
  }

  reset(): void {
    this.length = 0;
  }

  /** A copy of what was written. */
  copy(): Uint8Array {
    const copied = freshBytes(this.length);
    copied.set(this.#bytes.subarray(0, this.length));
    return copied;
  }
}

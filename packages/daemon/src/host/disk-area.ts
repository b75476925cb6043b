/**
 * A witness's area on a shared disk, read and written past the page cache: what another machine wrote must be seen, and
 * what is written must be there when the call returns. Every call may hang for as long as a path to the disk does, so this
 * runs in a thread of its own.
 *
 * `O_DIRECT` wants memory at an address that is a multiple of the disk's block. Node does not say where a buffer is: the
 * right offset in a large one is the first at which nothing is refused (`EINVAL`). It is looked for whenever something is:
 * a read from a hole of a file is not refused at any address.
 */
import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import {
  AREA_BYTES,
  AREA_OFFSET,
  decodeHeader,
  encodeHeader,
  SLOT_BYTES,
  slotOffset,
  SLOTS_MAX,
} from '@systole/quorum';
import type { WitnessHeader } from '@systole/quorum';

/** Addresses are multiples of 8; disks want 512 or 4096. */
const alignmentStep = 8;

export class DiskArea {
  readonly #file: number;
  readonly #whole = Buffer.alloc(AREA_BYTES + SLOT_BYTES);
  /** Where in the whole buffer direct access was not refused so far. */
  #at = 0;
  /** False: the file system knows no direct access, as on tmpfs. Then only processes of this machine see each other. */
  readonly isDirect: boolean;

  private constructor(file: number, isDirect: boolean) {
    this.#file = file;
    this.isDirect = isDirect;
  }

  /** @throws where it cannot be opened, or is too small. */
  static open(path: string): DiskArea {
    const flags = constants.O_RDWR | constants.O_DSYNC;
    let file: number;
    let isDirect = true;
    try {
      file = openSync(path, flags | constants.O_DIRECT);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
      file = openSync(path, flags);
      isDirect = false;
    }
    try {
      const size = fstatSync(file);
      if (size.isFile() && size.size < AREA_OFFSET + AREA_BYTES)
        throw new Error(`${path} has ${size.size} bytes; a witness needs ${AREA_OFFSET + AREA_BYTES}`);
      return new DiskArea(file, isDirect);
    } catch (error) {
      closeSync(file);
      throw error;
    }
  }

  /** The header and all slots, as they are on the disk now. @throws Error if this is no witness. */
  read(): { readonly header: WitnessHeader; readonly slots: readonly Uint8Array[] } {
    this.#readInto(AREA_BYTES, AREA_OFFSET);
    const header = decodeHeader(new Uint8Array(this.#buffer.subarray(0, SLOT_BYTES)));
    if (header === undefined)
      throw new Error('there is no witness on this disk; "systoled --config FILE --make-witness" makes one');
    const slots = header.nodes.map((_, index) => {
      const at = slotOffset(index) - AREA_OFFSET;
      return new Uint8Array(this.#buffer.subarray(at, at + SLOT_BYTES));
    });
    return { header, slots };
  }

  writeSlot(index: number, bytes: Uint8Array): void {
    this.#write(bytes, slotOffset(index));
  }

  /**
   * Makes a witness, or gives the nodes that have none a slot behind the others. The slots that are in use stay.
   * @throws Error where another cluster uses it, unless `isForced`.
   */
  make(wanted: WitnessHeader, isForced: boolean): WitnessHeader {
    this.#readInto(AREA_BYTES, AREA_OFFSET);
    const before = decodeHeader(new Uint8Array(this.#buffer.subarray(0, SLOT_BYTES)));
    if (before !== undefined && before.cluster !== wanted.cluster && !isForced)
      throw new Error(`this disk is the witness of the cluster ${before.cluster}; --force takes it over`);
    if (before === undefined && this.#buffer.subarray(0, AREA_BYTES).some((byte) => byte !== 0) && !isForced)
      throw new Error(`there is something on this disk, at ${AREA_OFFSET} bytes; --force overwrites it`);
    const isSame = before?.cluster === wanted.cluster;
    const kept = isSame ? before.nodes : [];
    const header = { ...wanted, nodes: [...kept, ...wanted.nodes.filter((node) => !kept.includes(node))] };
    if (header.nodes.length > SLOTS_MAX) throw new Error(`a witness has ${SLOTS_MAX} slots`);
    const empty = new Uint8Array(SLOT_BYTES);
    for (let index = kept.length; index < SLOTS_MAX; index += 1) this.writeSlot(index, empty);
    this.#write(encodeHeader(header), AREA_OFFSET);
    return header;
  }

  close(): void {
    closeSync(this.#file);
  }

  get #buffer(): Buffer {
    return this.#whole.subarray(this.#at, this.#at + AREA_BYTES);
  }

  #readInto(length: number, position: number): void {
    let done = 0;
    while (done < length) {
      const count = this.#direct((buffer) => readSync(this.#file, buffer, done, length - done, position + done));
      if (count === 0) throw new Error('the disk ends before the witness does');
      done += count;
    }
  }

  #write(bytes: Uint8Array, position: number): void {
    const count = this.#direct((buffer) => {
      buffer.set(bytes);
      return writeSync(this.#file, buffer, 0, bytes.length, position);
    });
    if (count !== bytes.length) throw new Error(`only ${count} of ${bytes.length} bytes were written`);
  }

  /** Does it at the first address that is not refused. */
  #direct(act: (buffer: Buffer) => number): number {
    for (;;) {
      try {
        return act(this.#buffer);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EINVAL' || this.#at + alignmentStep >= SLOT_BYTES) throw error;
        this.#at += alignmentStep;
      }
    }
  }
}

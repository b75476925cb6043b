/**
 * Carries a disk procedure out on a device or file. Reads and writes go past all caches (O_DIRECT), else a node would read
 * its own memory; and they block, so this is for a thread or process that nobody waits for.
 */
import { closeSync, constants, existsSync, fstatSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { DiskError, type DiskProcedure, headerBytesMax } from '@systole/stonith';

/** O_DIRECT wants memory that begins where a page begins, which only WebAssembly promises. */
declare const WebAssembly: {
  readonly Memory: new (size: { readonly initial: number }) => { readonly buffer: ArrayBuffer };
};
/** In WebAssembly's pages of 64 KiB. */
const pages = (bytes: number): number => Math.ceil(bytes / 65_536);
/** All slots of a disk with sectors of 4096 bytes. */
const bufferBytes = 2 * 256 * headerBytesMax;

export class Sectors {
  readonly #file: number;
  readonly #buffer: Uint8Array;

  private constructor(file: number) {
    this.#file = file;
    this.#buffer = new Uint8Array(new WebAssembly.Memory({ initial: pages(bufferBytes) }).buffer);
  }

  /** @throws DiskError */
  static open(path: string): Sectors {
    const { O_RDWR, O_DIRECT, O_DSYNC } = constants;
    try {
      return new Sectors(openSync(path, O_RDWR | O_DIRECT | O_DSYNC));
    } catch (error) {
      throw new DiskError(`cannot be opened: ${(error as Error).message}`, { cause: error });
    }
  }

  /** Of the device below; 512 for a file. */
  get sectorBytes(): number {
    const status = fstatSync(this.#file);
    if (!status.isBlockDevice()) return 512;
    const device = `/sys/dev/block/${status.rdev >> 8}:${status.rdev & 0xff}`;
    const place = [`${device}/queue`, `${device}/../queue`].find((folder) => existsSync(folder));
    return place === undefined ? 512 : Number(readFileSync(`${place}/logical_block_size`, 'utf8'));
  }

  /** @throws DiskError where the disk fails, or holds what it must not. */
  run<Value>(procedure: DiskProcedure<Value>): Value {
    for (let at = procedure.next(new Uint8Array()); ;) {
      if (at.done === true) return at.value;
      const step = at.value;
      let answer: Uint8Array = new Uint8Array();
      try {
        if (step.type === 'read') answer = this.#read(step.offset, step.length);
        else if (step.type === 'write') this.#write(step.offset, step.content);
        else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, step.ms);
      } catch (error) {
        at = procedure.throw(error);
        continue;
      }
      at = procedure.next(answer);
    }
  }

  #read(offset: number, length: number): Uint8Array {
    const got = attempt(() => readSync(this.#file, this.#buffer, 0, length, offset));
    if (got < length) throw new DiskError(`ends after ${offset + got} bytes`);
    return this.#buffer.slice(0, length);
  }

  #write(offset: number, content: Uint8Array): void {
    this.#buffer.set(content);
    const written = attempt(() => writeSync(this.#file, this.#buffer, 0, content.length, offset));
    if (written < content.length) throw new DiskError(`took ${written} of ${content.length} bytes`);
  }

  close(): void {
    closeSync(this.#file);
  }
}

function attempt<Value>(work: () => Value): Value {
  try {
    return work();
  } catch (error) {
    throw new DiskError((error as Error).message, { cause: error });
  }
}

/**
 * A device or file that several machines share, read and written past all caches (`O_DIRECT`): what another machine wrote is
 * seen, and what is written is there when the call returns. Every call may hang for as long as a path to the disk does, so
 * this is for threads and processes that nobody waits for.
 */
import { closeSync, constants, existsSync, fstatSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';

/** `O_DIRECT` wants memory that begins where a page begins, which only WebAssembly promises. */
declare const WebAssembly: {
  readonly Memory: new (size: { readonly initial: number }) => { readonly buffer: ArrayBuffer };
};
const wasmPageBytes = 65_536;

export class DirectFile {
  readonly #file: number;
  readonly #buffer: Uint8Array;
  /** False: the file system knows no direct access, as an older tmpfs. Then only processes of this machine see each other. */
  readonly isDirect: boolean;

  private constructor(file: number, isDirect: boolean, bytesMax: number) {
    this.#file = file;
    this.isDirect = isDirect;
    this.#buffer = new Uint8Array(new WebAssembly.Memory({ initial: Math.ceil(bytesMax / wasmPageBytes) }).buffer);
  }

  /** `bytesMax`: of one read or write. @throws where it cannot be opened. */
  static open(path: string, bytesMax: number): DirectFile {
    const flags = constants.O_RDWR | constants.O_DSYNC;
    try {
      return new DirectFile(openSync(path, flags | constants.O_DIRECT), true, bytesMax);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
      return new DirectFile(openSync(path, flags), false, bytesMax);
    }
  }

  /** Of a device; 512 for a file. */
  get sectorBytes(): number {
    const status = fstatSync(this.#file);
    if (!status.isBlockDevice()) return 512;
    const device = `/sys/dev/block/${status.rdev >> 8}:${status.rdev & 0xff}`;
    const place = [`${device}/queue`, `${device}/../queue`].find((folder) => existsSync(folder));
    return place === undefined ? 512 : Number(readFileSync(`${place}/logical_block_size`, 'utf8'));
  }

  /** Of a file; devices do not tell so. */
  get fileBytes(): number | undefined {
    const status = fstatSync(this.#file);
    return status.isFile() ? status.size : undefined;
  }

  /** @throws where the disk fails or ends. */
  read(offset: number, length: number): Uint8Array {
    for (let done = 0; done < length;) {
      const count = readSync(this.#file, this.#buffer, done, length - done, offset + done);
      if (count === 0) throw new Error(`the disk ends after ${offset + done} bytes`);
      done += count;
    }
    return this.#buffer.slice(0, length);
  }

  /** @throws where the disk fails. */
  write(offset: number, content: Uint8Array): void {
    this.#buffer.set(content);
    const count = writeSync(this.#file, this.#buffer, 0, content.length, offset);
    if (count !== content.length) throw new Error(`only ${count} of ${content.length} bytes were written`);
  }

  close(): void {
    closeSync(this.#file);
  }
}

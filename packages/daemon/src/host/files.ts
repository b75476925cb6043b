/**
 * What must survive, on disk. A record is written aside, flushed, renamed over the old one, and the folder flushed: after
 * a power cut there is the old record or the new one, never half of one. Each carries its length and a checksum, so a
 * disk that lies is noticed.
 */
import { mkdir, open, readFile, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

export type Loaded =
  | { readonly type: 'present'; readonly content: string }
  /** Never written. */
  | { readonly type: 'missing' }
  /** Written, and not what was written: half a record, or a flipped bit. */
  | { readonly type: 'damaged'; readonly message: string };

const magic = 'systole-record-1';

/** Records by name in one folder. Saves of one name happen one after the other, in the order they were asked for. */
export class RecordStore {
  readonly #folder: string;
  readonly #last = new Map<string, Promise<void>>();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Makes the folder if need be, readable for its owner only. @throws if it cannot be made or written. */
  static async open(folder: string): Promise<RecordStore> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return new RecordStore(folder);
  }

  /** Fulfilled when the record is on disk. @throws if it is not: ENOSPC, EIO, …; then the old record still stands. */
  save(name: string, content: string): Promise<void> {
    const turn = (this.#last.get(name) ?? Promise.resolve())
      .catch(() => undefined)
      .then(() => this.#write(name, content));
    this.#last.set(name, turn);
    return turn;
  }

  async load(name: string): Promise<Loaded> {
    let bytes: Buffer;
    try {
      bytes = await readFile(this.#path(name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { type: 'missing' };
      throw error;
    }
    const end = bytes.indexOf('\n');
    const [word, length, checksum] = bytes.subarray(0, Math.max(0, end)).toString('latin1').split(' ');
    const content = bytes.subarray(end + 1);
    const isWhole = word === magic && Number(length) === content.length && checksum === crc32(content).toString(16);
    if (isWhole) return { type: 'present', content: content.toString('utf8') };
    return { type: 'damaged', message: `${this.#path(name)} is damaged: its checksum does not fit its content` };
  }

  async #write(name: string, content: string): Promise<void> {
    const bytes = Buffer.from(content);
    const aside = `${this.#path(name)}.new`;
    try {
      const file = await open(aside, 'w', 0o600);
      try {
        // Not `write`: on a disk that is nearly full that writes a part, and says so only in its count.
        await file.writeFile(
          Buffer.concat([Buffer.from(`${magic} ${bytes.length} ${crc32(bytes).toString(16)}\n`), bytes]),
        );
        await file.datasync();
      } finally {
        await file.close();
      }
      await rename(aside, this.#path(name));
    } catch (error) {
      // A half-written file would only take the room that is missing.
      await unlink(aside).catch(() => undefined);
      throw error;
    }
    const folder = await open(this.#folder, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }
}

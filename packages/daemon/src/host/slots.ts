/**
 * A small record that is written often and must be written even when the disk is full: two files of a fixed size,
 * overwritten in turn where they stand. A write that is cut short damages only its own slot, and the other still holds
 * the record before it.
 *
 * Rejected: writing aside and renaming. It needs a new block each time, which a full disk does not have, and flushes
 * twice; membership would stand still while the disk is full.
 */
import { SystoleError } from '@systole/kernel';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

/** Each slot's size. A membership record of 32 nodes takes about 3 KiB. */
const slotBytes = 16 * 1024;

export class SlotRecord {
  readonly #slots: readonly [FileHandle, FileHandle];
  #counter: number;
  #turn: Promise<void> = Promise.resolve();

  private constructor(slots: readonly [FileHandle, FileHandle], counter: number) {
    this.#slots = slots;
    this.#counter = counter;
  }

  /**
   * Opens `NAME.0` and `NAME.1` in `folder`, taking their room on the disk now. Also gives the newer whole content.
   *
   * @throws if both are damaged: a cut write spoils one, so that this is the disk's doing, and what the record held of
   * promises to others is gone.
   */
  static async open(
    folder: string,
    name: string,
  ): Promise<{ readonly record: SlotRecord; readonly content?: string; readonly damaged: number }> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    let newest: { readonly counter: number; readonly content: string } | undefined;
    let damaged = 0;
    const handles: FileHandle[] = [];
    for (const index of [0, 1]) {
      const path = join(folder, `${name}.${index}`);
      const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      });
      const read = bytes && parse(bytes);
      if (bytes !== undefined && bytes.some((byte) => byte !== 0) && read === undefined) damaged += 1;
      if (read !== undefined && (newest === undefined || read.counter > newest.counter)) newest = read;
      const handle = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
      if (bytes === undefined || bytes.length < slotBytes) {
        await writeWhole(handle, Buffer.alloc(slotBytes - (bytes?.length ?? 0)), bytes?.length ?? 0);
        await handle.sync();
      }
      handles.push(handle);
    }
    if (damaged === handles.length) {
      for (const handle of handles) await handle.close();
      throw new SystoleError(
        'failed',
        `both copies of the ${name} record are damaged: ${join(folder, name)}.0 and .1. This node no longer knows what it has ` +
          'promised to the others. Look after the disk; then, while the other nodes hold quorum, move both files away and start ' +
          'it again: it joins as a new one',
      );
    }
    const record = new SlotRecord(handles as unknown as readonly [FileHandle, FileHandle], newest?.counter ?? 0);
    return { record, damaged, ...(newest === undefined ? {} : { content: newest.content }) };
  }

  /** Fulfilled when the content is on disk. @throws on EIO and the like, and where it does not fit a slot. */
  save(content: string): Promise<void> {
    const turn = this.#turn.catch(() => undefined).then(() => this.#write(content));
    this.#turn = turn;
    return turn;
  }

  async close(): Promise<void> {
    for (const slot of this.#slots) await slot.close();
  }

  async #write(content: string): Promise<void> {
    // Counts only once it is on disk: another attempt goes to the same slot, and the other keeps the last record.
    const counter = this.#counter + 1;
    const body = Buffer.from(`${counter} ${content}`);
    const bytes = Buffer.alloc(slotBytes);
    const header = Buffer.from(`${body.length} ${crc32(body).toString(16)}\n`);
    if (header.length + body.length > slotBytes)
      throw new Error(`a record of ${body.length} bytes does not fit its slot`);
    header.copy(bytes);
    body.copy(bytes, header.length);
    const slot = this.#slots[counter % 2 === 0 ? 0 : 1];
    await writeWhole(slot, bytes, 0);
    await slot.datasync();
    this.#counter = counter;
  }
}

/** The kernel may write a part and say so only in its count; the reason comes with the next attempt. */
async function writeWhole(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    if (bytesWritten === 0) throw new Error(`only ${done} of ${bytes.length} bytes were written`);
    done += bytesWritten;
  }
}

function parse(bytes: Buffer): { readonly counter: number; readonly content: string } | undefined {
  const end = bytes.indexOf('\n');
  const [length, checksum] = bytes.subarray(0, Math.max(0, end)).toString('latin1').split(' ');
  const body = bytes.subarray(end + 1, end + 1 + Number(length));
  if (end < 0 || body.length !== Number(length) || crc32(body).toString(16) !== checksum) return undefined;
  const text = body.toString('utf8');
  const space = text.indexOf(' ');
  return { counter: Number(text.slice(0, space)), content: text.slice(space + 1) };
}

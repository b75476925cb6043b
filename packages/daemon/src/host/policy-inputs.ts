/**
 * Inputs of the policy engine on disk, so that a decision of last night can be looked at and made again. One compressed
 * file each, in a folder of bounded size: the oldest go first. Written by the policy engine's thread, read by whoever asks.
 *
 * A file is written aside, flushed and renamed: after a power cut it is there whole or not at all, and what was left aside
 * goes with the next life. Nothing waits for it: what cannot be written is said, and lost, and the cluster goes on.
 */
import { mkdir, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { InputRow, StoredInput } from '@systole/api';
import { SystoleError } from '@systole/kernel';

const compress = promisify(gzip);
const decompress = promisify(gunzip);

export interface InputBounds {
  /** 0: none is kept. */
  readonly countMax: number;
  readonly bytesMax: number;
}

/** Some weeks of a quiet cluster, or the night in which one failed again and again; small beside what a disk has. */
export const inputBounds: InputBounds = { countMax: 1000, bytesMax: 64 * 1024 * 1024 };

/** So many may wait for a slow disk; more than that are not kept. Each holds a CIB in memory. */
const waitingMax = 8;
/** Unpacked, an input is not larger: the largest CIB that messaging carries, and some room. */
const inputBytesMax = 64 * 1024 * 1024;
const asideEnding = '.new';
const namePattern = /^(\d{8})_(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z)_(\d+)_(tr_[\w-]+)\.json\.gz$/;

export const inputFolder = (state: string): string => join(state, 'policy-inputs');

/** The serial number first, so that names sort by age whatever the clock did. */
function nameOf({ serial, at, number, transition }: Omit<InputRow, 'bytes'>): string {
  const time = new Date(at).toISOString().replaceAll(':', '-');
  return `${String(serial).padStart(8, '0')}_${time}_${number}_${transition}.json.gz`;
}

function readName(name: string): Omit<InputRow, 'bytes'> | undefined {
  const [, serial, time, number, transition] = namePattern.exec(name) ?? [];
  if (serial === undefined || time === undefined || transition === undefined) return undefined;
  const at = Date.parse(time.replace(/T(\d\d)-(\d\d)-/, 'T$1:$2:'));
  return { serial: Number(serial), at, number: Number(number), transition };
}

/** What is kept in a folder, oldest first; nothing if there is no such folder. @throws if it cannot be read. */
export async function listInputs(folder: string): Promise<readonly InputRow[]> {
  const rows: InputRow[] = [];
  for (const name of (await namesIn(folder)).toSorted()) {
    const row = readName(name);
    const bytes = row === undefined ? undefined : await sizeOf(join(folder, name));
    if (row !== undefined && bytes !== undefined) rows.push({ ...row, bytes });
  }
  return rows;
}

/** Undefined: it is not kept, or not any more. @throws SystoleError `failed` if the file is damaged. */
export async function readInput(folder: string, transition: string): Promise<StoredInput | undefined> {
  const text = await readInputText(folder, transition);
  return text === undefined ? undefined : (JSON.parse(text) as StoredInput);
}

/** As JSON: whoever only passes it on need not stand still for reading megabytes of it. */
export async function readInputText(folder: string, transition: string): Promise<string | undefined> {
  const name = (await namesIn(folder)).toSorted().findLast((each) => readName(each)?.transition === transition);
  if (name === undefined) return undefined;
  try {
    const bytes = await decompress(await readFile(join(folder, name)), { maxOutputLength: inputBytesMax });
    return bytes.toString('utf8');
  } catch (error) {
    if (isMissing(error)) return undefined; // removed meanwhile
    throw new SystoleError('failed', `${join(folder, name)} cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

export class InputStore {
  readonly #folder: string;
  readonly #bounds: InputBounds;
  /** Oldest first. Known after the first look into the folder; nobody else writes there. */
  #rows: InputRow[] | undefined;
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(folder: string, bounds: InputBounds = inputBounds) {
    this.#folder = folder;
    this.#bounds = bounds;
  }

  /** Fulfilled when it is on disk, or is not to be kept. @throws if it cannot be written; what was kept before still is. */
  keep(input: StoredInput): Promise<void> {
    if (this.#bounds.countMax === 0) return Promise.resolve();
    if (this.#waiting >= waitingMax)
      return Promise.reject(new Error(`${waitingMax} others still wait for the disk of ${this.#folder}`));
    this.#waiting += 1;
    const turn = this.#last.then(() => this.#write(input)).finally(() => (this.#waiting -= 1));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #write(input: StoredInput): Promise<void> {
    const rows = (this.#rows ??= await this.#prepare());
    // Quick rather than small: the thread's next question may be a failover's.
    const packed = await compress(JSON.stringify(input), { level: 1 });
    const { bytesMax } = this.#bounds;
    if (packed.length > bytesMax)
      throw new Error(`it has ${packed.length} bytes, and all together may have ${bytesMax} (policy_inputs.bytes)`);
    const { at, number, transition } = input;
    const row = { serial: (rows.at(-1)?.serial ?? 0) + 1, at, number, transition, bytes: packed.length };
    await this.#removeOldest(rows, packed.length);
    const path = join(this.#folder, nameOf(row));
    const aside = `${path}${asideEnding}`;
    try {
      const file = await open(aside, 'w', 0o600);
      try {
        await file.writeFile(packed);
        await file.datasync();
      } finally {
        await file.close();
      }
      await rename(aside, path);
    } catch (error) {
      this.#rows = undefined; // whatever is wrong with the folder: it is looked at anew
      // A half-written file would only take the room that is missing.
      await unlink(aside).catch(() => undefined);
      throw error;
    }
    rows.push(row);
  }

  /** Makes room for one of so many bytes. */
  async #removeOldest(rows: InputRow[], bytes: number): Promise<void> {
    let sum = rows.reduce((total, row) => total + row.bytes, bytes);
    for (let row = rows[0]; row !== undefined; row = rows[0]) {
      if (rows.length < this.#bounds.countMax && sum <= this.#bounds.bytesMax) return;
      await remove(join(this.#folder, nameOf(row)));
      sum -= row.bytes;
      rows.shift();
    }
  }

  async #prepare(): Promise<InputRow[]> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    for (const name of await namesIn(this.#folder))
      if (name.endsWith(asideEnding)) await remove(join(this.#folder, name)); // a life ended in the middle
    return [...(await listInputs(this.#folder))];
  }
}

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isMissing(error)) return undefined; // removed meanwhile
    throw error;
  }
}

async function remove(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/**
 * What happened on this node, on disk: one JSON line an event, in two files of bounded size. When the newer is full it
 * becomes the older, and what the older held is gone. So a restart forgets nothing that `history` and `availability`
 * tell of, and a node that lives for years fills no disk.
 *
 * Nothing waits for a line to be on the disk: a power cut may cost the last moments of a story that its peers tell as well.
 */
import {
  createReadStream,
  createWriteStream,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  type WriteStream,
} from 'node:fs';
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { EventRow } from '@systole/api';

/** Bytes of each of the two files: some twenty thousand events, in a quiet cluster many months. */
export const journalFileBytes = 4 * 1024 * 1024;

/** So exactly it is known when a node was last alive, if its machine dies. */
export const touchEveryMs = 30_000;

const names = ['journal.1.jsonl', 'journal.jsonl'] as const;

export class Journal {
  readonly #folder: string;
  readonly #problem: (error: Error) => void;
  readonly #fileBytes: number;
  #stream: WriteStream | undefined;
  #bytes = 0;

  /** `problem` is told when lines cannot be written; events are then lost, and nothing else. */
  constructor(folder: string, problem: (error: Error) => void, fileBytes = journalFileBytes) {
    this.#folder = folder;
    this.#problem = problem;
    this.#fileBytes = fileBytes;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  append(row: EventRow): void {
    const line = `${JSON.stringify(row)}\n`;
    if (this.#stream === undefined) this.#openFile();
    if (this.#bytes + line.length > this.#fileBytes) this.#turnOver();
    this.#bytes += Buffer.byteLength(line);
    this.#stream?.write(line);
  }

  /** Events since a time (milliseconds since 1970), oldest first, the newest `max` of them. */
  async read(since: number, max: number): Promise<readonly EventRow[]> {
    const lines: string[] = [];
    for (const name of names) {
      for await (const line of linesOf(join(this.#folder, name))) {
        lines.push(line);
        // Cut in large steps, so that each line does not move all others.
        if (lines.length > 2 * max) lines.splice(0, lines.length - max);
      }
    }
    return lines.slice(-max).flatMap((line) => {
      const row = readRow(line);
      return row === undefined || row.at < since ? [] : [row];
    });
  }

  /** Says that this node lives, for `lastAlive`. */
  async touch(): Promise<void> {
    const now = new Date();
    try {
      await utimes(join(this.#folder, names[1]), now, now);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#problem(error as Error);
    }
  }

  /** When the former life of this daemon was certainly there; milliseconds since 1970. Undefined: it has had none. */
  lastAlive(): number | undefined {
    try {
      return statSync(join(this.#folder, names[1])).mtimeMs;
    } catch {
      return undefined; // the first life
    }
  }

  async close(): Promise<void> {
    const stream = this.#stream;
    this.#stream = undefined;
    if (stream !== undefined) await new Promise<void>((resolve) => stream.end(() => resolve()));
  }

  #openFile(): void {
    const path = join(this.#folder, names[1]);
    let descriptor: number;
    try {
      // At once, so that a file that is renamed a moment later is this one and not its follower.
      descriptor = openSync(path, 'a', 0o600);
    } catch (error) {
      this.#problem(error as Error);
      return;
    }
    const stream = createWriteStream(path, { fd: descriptor });
    stream.on('error', (error) => {
      // Tried again with the next event: a full disk may have room by then.
      if (this.#stream === stream) this.#stream = undefined;
      this.#problem(error);
    });
    this.#stream = stream;
    this.#bytes = sizeOf(path);
  }

  #turnOver(): void {
    this.#stream?.end();
    try {
      renameSync(join(this.#folder, names[1]), join(this.#folder, names[0]));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#problem(error as Error);
    }
    this.#openFile();
  }
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0; // not there yet
  }
}

async function* linesOf(path: string): AsyncGenerator<string> {
  const stream = createReadStream(path, 'utf8');
  try {
    yield* createInterface({ input: stream, crlfDelay: Infinity });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  } finally {
    stream.destroy();
  }
}

/** A line that a power cut has torn is left out. */
function readRow(line: string): EventRow | undefined {
  try {
    const row = JSON.parse(line) as Partial<EventRow>;
    return typeof row.at === 'number' && typeof row.number === 'number' ? (row as EventRow) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Recordings of messaging on disk: written while the engine goes on, a part a turn, compressed, and the oldest removed.
 * A recording of a busy minute is some megabytes before it is compressed; made at once it would be a stall of its own.
 */
import { createWriteStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip, gunzipSync, gzipSync } from 'node:zlib';

/** Enough for a bad night; each is at most a few megabytes. */
const recordingsMax = 8;
/** Lines turned into text before the event loop has its turn: well below a millisecond. */
const linesATurn = 50;
const ending = '.jsonl.gz';

/** Names sort by time. */
const pathOf = (folder: string, wall: number): string =>
  join(folder, `messaging-${new Date(wall).toISOString().replaceAll(':', '-')}${ending}`);

/** Writes a recording and answers with its path. @throws if it cannot be written. */
export async function writeRecording(folder: string, lines: Iterable<string>, wall: number): Promise<string> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = pathOf(folder, wall);
  await pipeline(Readable.from(inParts(lines)), createGzip({ level: 1 }), createWriteStream(path, { mode: 0o600 }));
  await removeOldest(folder);
  return path;
}

/** For a thread that is about to die: at once. */
export function writeLastRecording(folder: string, lines: Iterable<string>, wall: number): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = pathOf(folder, wall);
  writeFileSync(path, gzipSync([...lines].join('\n'), { level: 1 }), { mode: 0o600 });
  return path;
}

/** @throws if it is not there or not whole. */
export const readRecording = (path: string): readonly string[] =>
  gunzipSync(readFileSync(path)).toString('utf8').split('\n');

async function* inParts(lines: Iterable<string>): AsyncGenerator<string> {
  let part: string[] = [];
  for (const line of lines) {
    part.push(line);
    if (part.length < linesATurn) continue;
    yield `${part.join('\n')}\n`;
    part = [];
    await new Promise((resolve) => setImmediate(resolve));
  }
  yield part.join('\n');
}

async function removeOldest(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(ending)).toSorted();
  for (const name of names.slice(0, -recordingsMax)) await unlink(join(folder, name));
}

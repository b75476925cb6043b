/**
 * The cluster key's file: one key a line, 64 hexadecimal digits, before it optionally `ID:` (0 to 65535, default 0). The
 * first is sealed with, all are accepted. `#` begins a comment.
 *
 * While the cluster changes its key (`systole key rotate`) the daemon rewrites the file; a line
 * `#systole rotation to=1 print=0a1b2c3d number=7 without=n3` then says so, so that a node that stops meanwhile goes on
 * where it was. Written aside, flushed and renamed: after a power cut there is the old file or the new one.
 */
import { open, readFile, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SystoleError } from '@systole/kernel';
import type { ClusterKey, KeyRing, Rotation } from '@systole/messaging';

const line = /^(?:(\d{1,5}):)?\s*([0-9a-f]{64})$/i;

const mark = '#systole rotation';

/** @throws SystoleError with what is wrong: missing, readable for others, malformed. */
export const readKeys = async (path: string): Promise<readonly ClusterKey[]> => (await readKeyRing(path)).keys;

/** @throws SystoleError with what is wrong: missing, readable for others, malformed. */
export async function readKeyRing(path: string): Promise<KeyRing> {
  let content: string;
  try {
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0) {
      throw new SystoleError('permission', `${path} may be read by others; run: chmod 600 ${path}`);
    }
    content = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof SystoleError) throw error;
    const hint = (error as NodeJS.ErrnoException).code === 'ENOENT' ? `; "systole key generate ${path}" makes one` : '';
    throw new SystoleError('notFound', `the cluster key ${path} cannot be read: ${(error as Error).message}${hint}`, {
      cause: error,
    });
  }
  const lines = content
    .split('\n')
    .map((one) => one.replace(/#.*/, '').trim())
    .filter((one) => one !== '');
  const keys = lines.map((one, index): ClusterKey => {
    const match = line.exec(one);
    const id = Number(match?.[1] ?? 0);
    if (match === null || id > 65_535) {
      throw new SystoleError(
        'invalid',
        `${path}: key ${index + 1} is not 64 hexadecimal digits, with ID: before them if at all`,
      );
    }
    return { id, key: Buffer.from(match[2] as string, 'hex'), primary: index === 0 };
  });
  if (keys.length === 0) throw new SystoleError('invalid', `${path} holds no key`);
  if (new Set(keys.map(({ id }) => id)).size !== keys.length) {
    throw new SystoleError('invalid', `${path}: two keys have the same id; write ID: before each`);
  }
  const rotation = readRotation(content);
  const isOurs = rotation !== undefined && keys.some(({ id }) => id === rotation.to);
  return { keys, ...(isOurs ? { rotation } : {}) };
}

function readRotation(content: string): Rotation | undefined {
  const marked = content.split('\n').find((one) => one.startsWith(mark));
  if (marked === undefined) return undefined;
  const fields = new Map(
    marked
      .slice(mark.length)
      .trim()
      .split(/\s+/)
      .map((pair) => pair.split('=', 2) as [string, string]),
  );
  const without = (fields.get('without') ?? '').split(',').filter((name) => name !== '');
  const rotation = {
    to: Number(fields.get('to')),
    print: fields.get('print') ?? '',
    number: Number(fields.get('number')),
    without,
  };
  return Number.isInteger(rotation.to) && Number.isSafeInteger(rotation.number) ? rotation : undefined;
}

/** @throws if the file is not on disk: then the one before still is. */
export async function writeKeyRing(path: string, { keys, rotation }: KeyRing): Promise<void> {
  const head =
    rotation === undefined
      ? []
      : [
          `${mark} to=${rotation.to} print=${rotation.print} number=${rotation.number} without=${rotation.without.join(',')}`,
        ];
  const ordered = [...keys.filter(({ primary }) => primary), ...keys.filter(({ primary }) => !primary)];
  const lines = ordered.map(({ id, key }) => `${id}:${Buffer.from(key).toString('hex')}`);
  const aside = `${path}.new`;
  try {
    await unlink(aside).catch(() => undefined); // what a crash left; and never through a link that somebody else put there
    const file = await open(aside, 'wx', 0o600);
    try {
      await file.writeFile([...head, ...lines, ''].join('\n'));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, path);
  } catch (error) {
    await unlink(aside).catch(() => undefined); // half a file with keys in it is of no use
    throw error;
  }
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

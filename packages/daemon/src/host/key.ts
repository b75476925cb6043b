/**
 * The cluster key's file: one key a line, 64 hexadecimal digits, before it optionally `ID:` (0 to 65535, default 0). The
 * first is sealed with, all are accepted; so a key is changed by adding the new one everywhere, making it first
 * everywhere, and then removing the old one. `#` begins a comment.
 */
import { readFile, stat } from 'node:fs/promises';
import { SystoleError } from '@systole/kernel';
import type { ClusterKey } from '@systole/messaging';

const line = /^(?:(\d{1,5}):)?\s*([0-9a-f]{64})$/i;

/** @throws SystoleError with what is wrong: missing, readable for others, malformed. */
export async function readKeys(path: string): Promise<readonly ClusterKey[]> {
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
  return keys;
}

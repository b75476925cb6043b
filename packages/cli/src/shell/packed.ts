/** Files as text, also those that gzip or bzip2 has packed: what the policy engine decided from is kept so, here and by Pacemaker. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { SystoleError } from '@systole/kernel';

/** Unpacked, no CIB is larger. */
const bytesMax = 256 * 1024 * 1024;

/** `-` is standard input. @throws SystoleError `notFound` if it cannot be read, `invalid` if it cannot be unpacked. */
export function readPacked(path: string): string {
  const bytes = readBytes(path);
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return gunzipped(bytes, path);
  if (bytes.subarray(0, 3).toString('latin1') === 'BZh') return bunzipped(bytes, path);
  return bytes.toString('utf8');
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path === '-' ? 0 : path);
  } catch (error) {
    throw new SystoleError('notFound', `cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
}

function gunzipped(bytes: Buffer, path: string): string {
  try {
    return gunzipSync(bytes, { maxOutputLength: bytesMax }).toString('utf8');
  } catch (error) {
    throw new SystoleError('invalid', `${path} is damaged: ${(error as Error).message}`, { cause: error });
  }
}

function bunzipped(bytes: Buffer, path: string): string {
  const { status, stdout, stderr, error } = spawnSync('bzip2', ['-dc'], { input: bytes, maxBuffer: bytesMax });
  if (status === 0) return stdout.toString('utf8');
  throw new SystoleError('invalid', `${path} cannot be unpacked by bzip2: ${error?.message ?? stderr.toString()}`);
}

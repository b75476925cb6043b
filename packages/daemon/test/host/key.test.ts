import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readKeys } from '../../src/host/key.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'key-'));
  path = join(folder, 'key');
});
afterEach(() => rm(folder, { recursive: true }));

const write = (content: string): Promise<void> => writeFile(path, content, { mode: 0o600 });
const hex = (digit: string): string => digit.repeat(64);

describe('the key file', () => {
  test('seals with the first key and accepts all', async () => {
    await write(`# of spring\n2:${hex('a')}\n1:${hex('b')}\n`);
    const keys = await readKeys(path);
    expect(keys.map(({ id, primary, key }) => [id, primary, key.length])).toEqual([
      [2, true, 32],
      [1, false, 32],
    ]);
  });

  test('that others may read is refused', async () => {
    await write(hex('a'));
    await chmod(path, 0o640);
    await expect(readKeys(path)).rejects.toThrow(/chmod 600/);
  });

  test.for([
    ['', /holds no key/],
    ['abc', /not 64 hexadecimal digits/],
    [`${hex('a')}\n${hex('b')}`, /same id/],
  ] as const)('with %j is refused', async ([content, message]) => {
    await write(content);
    await expect(readKeys(path)).rejects.toThrow(message);
  });

  test('that is missing says how to make one', async () => {
    await expect(readKeys(path)).rejects.toThrow(/systole key generate/);
  });
});

import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readKeyRing, readKeys, writeKeyRing } from '../../src/host/key.ts';

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

  test('keeps a ring and the rotation that is under way, for its owner only', async () => {
    const key = (id: number, primary: boolean) => ({ id, primary, key: new Uint8Array(32).fill(id) });
    const rotation = { to: 2, print: '0a1b2c3d', number: 41, without: ['n3', 'n4'] };
    await write(hex('a'));
    await writeKeyRing(path, { keys: [key(1, false), key(2, true)], rotation });
    const ring = await readKeyRing(path);
    expect(ring.rotation).toEqual(rotation);
    expect(ring.keys.map(({ id, primary }) => [id, primary])).toEqual([
      [2, true],
      [1, false],
    ]);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['key']);

    await writeKeyRing(path, { keys: [key(2, true)] });
    expect(await readFile(path, 'utf8')).toBe(`2:${'02'.repeat(32)}\n`);
    expect((await readKeyRing(path)).rotation).toBeUndefined();
  });

  test('whose rotation is to a key that it does not hold is taken without it', async () => {
    await write(`#systole rotation to=9 print=0a1b2c3d number=1 without=\n1:${hex('a')}\n`);
    expect((await readKeyRing(path)).rotation).toBeUndefined();
  });

  test('that cannot be written stays as it was', async () => {
    const missing = join(folder, 'gone', 'key');
    await expect(writeKeyRing(missing, { keys: [] })).rejects.toThrow(/ENOENT/);
  });
});

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoredInput } from '@systole/api';
import { emptyCib } from '@systole/cib';
import { afterEach, expect, test } from 'vitest';
import { InputStore, listInputs, readInput } from '../../src/host/policy-inputs.ts';
import { shortOfRoom } from './short-of-room.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const parent = mkdtempSync(join(tmpdir(), 'systole-inputs-'));
  folders.push(parent);
  return join(parent, 'policy-inputs');
}

const input = (number: number, cause = 'a test'): StoredInput => ({
  format: 'systole-input/1',
  transition: `tr_${String(number).padStart(8, '-_')}`,
  number,
  node: 'n1',
  at: 1_767_225_600_123 + number,
  cause,
  release: '0.1.0',
  decision: 'x',
  cib: emptyCib,
});

const numbers = async (folder: string): Promise<readonly number[]> =>
  (await listInputs(folder)).map(({ number }) => number);

const large = { countMax: 100, bytesMax: 1_000_000 };

test('what was kept is listed oldest first and comes back as it was, for its owner only', async () => {
  const folder = newFolder();
  const store = new InputStore(folder, large);
  await Promise.all([store.keep(input(7)), store.keep(input(8))]);

  const [first, second] = await listInputs(folder);
  expect(first).toMatchObject({ transition: input(7).transition, number: 7, at: input(7).at, serial: 1 });
  expect(second).toMatchObject({ number: 8, serial: 2 });
  expect(await readInput(folder, input(7).transition)).toEqual(input(7));
  expect(await readInput(folder, 'tr_elsewhere')).toBeUndefined();
  const [name = ''] = readdirSync(folder);
  expect(name).toBe('00000001_2026-01-01T00-00-00.130Z_7_tr_-_-_-_-7.json.gz');
  expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, name)).size).toBe(first?.bytes);
  expect(JSON.parse(execFileSync('gzip', ['-dc', join(folder, name)], { encoding: 'utf8' }))).toEqual(input(7));
});

test('the oldest go when there are too many, also those of a former life and whatever the clock says', async () => {
  const folder = newFolder();
  const first = new InputStore(folder, { ...large, countMax: 3 });
  for (const number of [5, 6, 7, 8]) await first.keep(input(number));
  expect(await numbers(folder)).toEqual([6, 7, 8]);

  const second = new InputStore(folder, { ...large, countMax: 3 });
  await second.keep({ ...input(1), at: 1000 });
  expect(await numbers(folder)).toEqual([7, 8, 1]);
});

test('the oldest go when together they are too large; one that is too large alone is refused and costs none', async () => {
  const folder = newFolder();
  await new InputStore(folder, large).keep(input(1));
  const [{ bytes } = { bytes: 0 }] = await listInputs(folder);
  const store = new InputStore(folder, { countMax: 100, bytesMax: 3 * bytes + 20 });
  for (const number of [2, 3, 4, 5]) await store.keep(input(number));
  expect(await numbers(folder)).toEqual([3, 4, 5]);

  const noise = Array.from({ length: 2000 }, (_, index) => Math.imul(index, 2_654_435_761).toString(36)).join('');
  await expect(store.keep(input(6, noise))).rejects.toThrow(/policy_inputs\.bytes/);
  expect(await numbers(folder)).toEqual([3, 4, 5]);
});

test('with a count of nought nothing is kept, and no folder made', async () => {
  const folder = newFolder();
  await new InputStore(folder, { ...large, countMax: 0 }).keep(input(1));
  expect(await listInputs(folder)).toEqual([]);
  expect(readdirSync(join(folder, '..'))).toEqual([]);
});

test('what a power cut left aside is removed, and what it tore is said to be damaged and harms no other', async () => {
  const folder = newFolder();
  await new InputStore(folder, large).keep(input(1));
  const [name = ''] = readdirSync(folder);
  const torn = name
    .replace('00000001', '00000002')
    .replace('_1_', '_2_')
    .replace(/.\.json/, '2.json');
  writeFileSync(join(folder, torn), readFileSync(join(folder, name)).subarray(0, 40));
  writeFileSync(join(folder, `${name.replace('00000001', '00000003')}.new`), 'half');

  await new InputStore(folder, large).keep(input(3));
  expect(await numbers(folder)).toEqual([1, 2, 3]);
  expect(readdirSync(folder).filter((each) => each.endsWith('.new'))).toEqual([]);
  await expect(readInput(folder, input(2).transition)).rejects.toThrow(/cannot be read/);
  expect(await readInput(folder, input(3).transition)).toEqual(input(3));
});

test('a write that fails is told and leaves nothing behind, and the next is tried again', async () => {
  const folder = newFolder();
  writeFileSync(folder, 'no folder');
  const store = new InputStore(folder, large);
  await expect(store.keep(input(1))).rejects.toThrow(/EEXIST|ENOTDIR/);
  rmSync(folder);
  await store.keep(input(2));
  expect(await numbers(folder)).toEqual([2]);

  const half = newFolder();
  mkdirSync(half, { recursive: true });
  const noise = JSON.stringify(
    input(9, Array.from({ length: 500 }, (_, index) => Math.imul(index, 2_654_435_761).toString(36)).join('')),
  );
  const said = await shortOfRoom(`
    import { InputStore } from '${new URL('../../src/host/policy-inputs.ts', import.meta.url).href}';
    process.on('SIGXFSZ', () => {});
    const store = new InputStore('${half}', ${JSON.stringify(large)});
    await store.keep(${JSON.stringify(input(1))});
    await store.keep(${noise}).catch((error) => console.log(error.code));
    await store.keep(${JSON.stringify(input(2))});
  `);
  expect(said.trim()).toBe('EFBIG');
  expect(await numbers(half)).toEqual([1, 2]);
  expect(readdirSync(half)).toHaveLength(2);
});

test('more than a slow disk can take are refused, not piled up in memory', async () => {
  const store = new InputStore(newFolder(), large);
  const kept = await Promise.allSettled(Array.from({ length: 20 }, (_, index) => store.keep(input(index))));
  expect(kept.filter(({ status }) => status === 'fulfilled')).toHaveLength(8);
  await store.keep(input(21));
});

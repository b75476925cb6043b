import { appendFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RecordStore } from '../../src/host/files.ts';
import { shortOfRoom } from './short-of-room.ts';

describe('the record store', () => {
  let folder = '';
  let store: RecordStore;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'systole-test-'));
    store = await RecordStore.open(join(folder, 'state'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test('gives back what was saved last', async () => {
    expect(await store.load('cib')).toEqual({ type: 'missing' });
    await store.save('cib', 'one');
    await Promise.all([store.save('cib', 'two'), store.save('cib', 'dreißig')]);
    expect(await store.load('cib')).toEqual({ type: 'present', content: 'dreißig' });
    expect(await readdir(join(folder, 'state'))).toEqual(['cib']);
  });

  test('keeps the old record where the disk has room for a part of the new one only', async () => {
    await store.save('cib', 'old');
    const printed = await shortOfRoom(`
      import { RecordStore } from ${JSON.stringify(import.meta.resolve('../../src/host/files.ts'))};
      const store = await RecordStore.open(${JSON.stringify(join(folder, 'state'))});
      await store.save('cib', 'x'.repeat(5000)).then(() => console.log('saved'), ({ code }) => console.log(code));
    `);
    expect(printed).toBe('EFBIG\n');
    expect(await store.load('cib')).toEqual({ type: 'present', content: 'old' });
  });

  test('notices a record that is not what was written', async () => {
    await store.save('cib', 'content');
    await appendFile(join(folder, 'state', 'cib'), 'x');
    expect(await store.load('cib')).toMatchObject({ type: 'damaged' });
    await writeFile(join(folder, 'state', 'cib'), 'foreign');
    expect(await store.load('cib')).toMatchObject({ type: 'damaged' });
  });

  test('keeps the old record, and goes on, when a new one cannot be written', async () => {
    await store.save('cib', 'old');
    await rm(join(folder, 'state'), { recursive: true });
    await expect(store.save('cib', 'new')).rejects.toMatchObject({ code: 'ENOENT' });
    store = await RecordStore.open(join(folder, 'state'));
    await store.save('cib', 'newer');
    expect(await store.load('cib')).toEqual({ type: 'present', content: 'newer' });
  });
});

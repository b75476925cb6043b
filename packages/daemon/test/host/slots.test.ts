import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SlotRecord } from '../../src/host/slots.ts';
import { shortOfRoom } from './short-of-room.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slots-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function saved(...contents: readonly string[]): Promise<void> {
  const { record } = await SlotRecord.open(folder, 'record');
  for (const content of contents) await record.save(content);
  await record.close();
}

describe('a record in two slots', () => {
  test('gives back what was saved last', async () => {
    await saved('one', 'two', 'three');
    await saved('four');
    const { content, record } = await SlotRecord.open(folder, 'record');
    expect(content).toBe('four');
    await record.close();
  });

  test('is nothing before the first save', async () => {
    const { content, damaged, record } = await SlotRecord.open(folder, 'record');
    expect([content, damaged]).toEqual([undefined, 0]);
    await record.close();
  });

  test('that cannot be written keeps the last one, however often it is tried', async () => {
    await saved('one', 'two');
    const printed = await shortOfRoom(`
      import { SlotRecord } from ${JSON.stringify(import.meta.resolve('../../src/host/slots.ts'))};
      const { record } = await SlotRecord.open(${JSON.stringify(folder)}, 'record');
      const attempt = () => record.save('x'.repeat(5000)).then(() => 'saved', ({ code }) => code);
      console.log(await attempt(), await attempt());
    `);
    expect(printed).toBe('EFBIG EFBIG\n');
    const { content, record } = await SlotRecord.open(folder, 'record');
    expect(content).toBe('two');
    await record.close();
  });

  test('whose last write was cut short gives back the one before, and says so', async () => {
    await saved('one', 'two');
    const path = join(folder, 'record.0'); // the second save went to slot 0
    const bytes = await readFile(path);
    bytes.fill(0xff, 8, 400);
    await writeFile(path, bytes);
    const { content, damaged, record } = await SlotRecord.open(folder, 'record');
    expect([content, damaged]).toEqual(['one', 1]);
    await record.close();
  });

  test('of which both copies are damaged is refused, with what to do', async () => {
    await saved('one', 'two');
    for (const slot of ['record.0', 'record.1']) {
      const path = join(folder, slot);
      const bytes = await readFile(path);
      bytes.fill(0xff, 8, 400);
      await writeFile(path, bytes);
    }
    await expect(SlotRecord.open(folder, 'record')).rejects.toThrow(
      /both copies of the record record are damaged.*move both/,
    );
  });

  test('has its room on the disk from the start, and refuses what is larger', async () => {
    await saved('x');
    expect((await readFile(join(folder, 'record.1'))).length).toBe(16 * 1024);
    await expect(saved('y'.repeat(20_000))).rejects.toThrow(/does not fit/);
  });
});

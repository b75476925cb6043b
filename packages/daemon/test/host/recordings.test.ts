import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readRecording, writeLastRecording, writeRecording } from '../../src/host/recordings.ts';

describe('recordings on disk', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'systole-recordings-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('are read as they were written, for their owner only', async () => {
    const lines = Array.from({ length: 1234 }, (_, index) => `{"line":${index}}`);
    const path = await writeRecording(join(folder, 'recordings'), lines, 1_800_000_000_000);
    expect(readRecording(path).filter((line) => line !== '')).toEqual(lines);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(readRecording(writeLastRecording(folder, lines, 1_800_000_000_001))).toEqual(lines);
  });

  test('leave the eight newest, and other files alone', async () => {
    await writeFile(join(folder, 'notes'), '');
    for (let each = 0; each < 11; each++) await writeRecording(folder, ['{}'], 1_800_000_000_000 + each);
    const names = (await readdir(folder)).toSorted();
    expect(names).toHaveLength(9);
    expect(names).toContain('notes');
    expect(names[0]).toContain('.003Z');
  });
});

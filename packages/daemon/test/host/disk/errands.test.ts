import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { diskFolder, newDiskFile } from '../../../../../test/support/disk-folder.ts';
import { sendOut } from '../../../src/host/disk/errands.ts';

const program = new URL('../../../src/host/disk/errand-process.ts', import.meta.url);
const folder = diskFolder('errands');
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

test(
  'disks do their errands side by side; one that takes too long, or is none, holds up nobody',
  { timeout: 60_000 },
  async () => {
    const disks = [newDiskFile(folder, 'good'), newDiskFile(folder, 'slow'), join(folder, 'missing')];
    const [good = '', slow = ''] = disks;
    const made = await sendOut(program, disks, (disk) => ({
      type: 'create',
      // Whoever takes a slot on the slow one waits for a minute, to see whether somebody else has taken it.
      times: { watchdogS: 5, allocateS: disk === slow ? 60 : 0, loopS: 1, msgwaitS: 10 },
      uuid: '77'.repeat(16),
    }));
    expect(made.map(({ found }) => found !== undefined)).toEqual([true, true, false]);
    const taken = await sendOut(program, disks, { type: 'allocate', node: 'n1' });
    expect(taken).toMatchObject([
      { disk: good, found: { taken: { node: 'n1', slot: 0 } } },
      { disk: slow, problem: 'did not answer within 3000 ms' },
      { problem: expect.stringContaining('cannot be opened') as string },
    ]);
    const posted = await sendOut(program, [good], { type: 'post', node: 'n1', letter: { message: 'off', from: 'n2' } });
    expect(posted[0]?.found?.taken?.slot).toBe(0);
    const read = await sendOut(program, [good], { type: 'read', slot: 0 });
    expect(read[0]?.found?.letter).toEqual({ message: 'off', from: 'n2' });
  },
);

/** Real threads on disks that are files; death is written into a file. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  createSlots,
  type DiskMessage,
  type DiskTimes,
  encodeLetter,
  letterOffset,
  listSlots,
  postLetter,
  readHeader,
} from '@systole/stonith';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { diskFolder, newDiskFile } from '../../../../../test/support/disk-folder.ts';
import { noteStore } from '../../../../../test/support/note-store.ts';
import { NotesLeft } from '../../../src/host/disk/notes-left.ts';
import { Sectors } from '../../../src/host/disk/sectors.ts';
import { DiskWatch } from '../../../src/host/disk/watch.ts';

const quick: DiskTimes = { watchdogS: 2, allocateS: 0, loopS: 0, msgwaitS: 4 };

const folder = diskFolder('disk');
const trigger = join(folder, 'trigger');
const open: DiskWatch[] = [];
let count = 0;

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((watch) => watch.close()));
  rmSync(trigger, { force: true });
});

function newDisk(): string {
  const path = newDiskFile(folder, `disk${count++}`);
  onDisk(path, (sectors) => sectors.run(createSlots(quick, { sectorBytes: 512, uuid: '01'.repeat(16) })));
  return path;
}

function onDisk<Value>(path: string, work: (sectors: Sectors) => Value): Value {
  const sectors = Sectors.open(path);
  try {
    return work(sectors);
  } finally {
    sectors.close();
  }
}

const slotsOn = (path: string) => onDisk(path, (sectors) => sectors.run(listSlots(sectors.run(readHeader()))));
const post = (path: string, message: DiskMessage, from = 'n1') =>
  onDisk(path, (sectors) => sectors.run(postLetter('n2', { message, from })));

async function watch(disks: readonly string[], options: { hasBooted?: boolean; start?: 'always' | 'clean' } = {}) {
  const heard: string[] = [];
  const { hasBooted = true, start = 'always' } = options;
  const one = await DiskWatch.start(
    { disks, notes: await NotesLeft.load(noteStore()), node: 'n2', hasBooted, start, trigger },
    {
      problem: (_disk, text) => heard.push(`problem: ${text}`),
      ready: () => undefined,
      remark: (_disk, text) => heard.push(`remark: ${text}`),
      leave: (from) => heard.push(`leave: ${from}`),
      dying: (reason) => heard.push(`dying: ${reason}`),
      died: (error) => heard.push(`died: ${String(error)}`),
    },
  );
  open.push(one);
  return { watch: one, heard };
}

const death = (): string => (existsSync(trigger) ? readFileSync(trigger, 'utf8') : '');

describe('a watcher of a disk', () => {
  test('takes its slot, and is within reach', async () => {
    const disk = newDisk();
    const { watch: one } = await watch([disk]);
    await vi.waitFor(() => expect(one.isReachable()).toBe(true), 5000);
    expect(slotsOn(disk)).toMatchObject([{ node: 'n2', letter: { message: 'clear', from: 'n2' } }]);
    expect(one.watchdogS).toBe(2);
  });

  test.for([
    ['reset', 'b'],
    ['off', 'o'],
    ['crashdump', 'c'],
  ] as const)('obeys "%s" at once', async ([message, letter]) => {
    const disk = newDisk();
    const { heard } = await watch([disk]);
    post(disk, message);
    await vi.waitFor(() => expect(death()).toBe(letter), 5000);
    await vi.waitFor(() => expect(heard).toContain(`dying: n1 says "${message}" on ${disk}`), 5000);
  });

  test('answers a question by emptying its mailbox, unsigned', async () => {
    const disk = newDisk();
    await watch([disk]);
    post(disk, 'test');
    await vi.waitFor(() => expect(slotsOn(disk)[0]?.letter).toEqual({ message: 'clear', from: '' }), 5000);
    expect(death()).toBe('');
  });

  test('asks its node to leave when it is told to exit', async () => {
    const disk = newDisk();
    const { heard } = await watch([disk]);
    post(disk, 'exit');
    await vi.waitFor(() => expect(heard).toContain('leave: n1'), 5000);
    expect(death()).toBe('');
  });

  test('is out of reach when its only disk is wiped, and within again when that is mended', async () => {
    const disk = newDisk();
    const { watch: one, heard } = await watch([disk]);
    await vi.waitFor(() => expect(one.isReachable()).toBe(true), 5000);
    writeFileSync(disk, new Uint8Array(1024 * 1024));
    await vi.waitFor(() => expect(one.isReachable()).toBe(false), 5000);
    expect(heard.join()).toContain('has not been initialised');
    onDisk(disk, (sectors) => sectors.run(createSlots(quick, { sectorBytes: 512, uuid: '02'.repeat(16) })));
    await vi.waitFor(() => expect(one.isReachable()).toBe(true), 5000);
  });

  test('goes on with two of three disks, and with one of two', async () => {
    const three = await watch([newDisk(), newDisk(), join(folder, 'none')]);
    const two = await watch([newDisk(), join(folder, 'none')]);
    const one = await watch([newDisk(), join(folder, 'none'), join(folder, 'none2')]);
    await vi.waitFor(() => expect(three.watch.isReachable()).toBe(true), 5000);
    await vi.waitFor(() => expect(two.watch.isReachable()).toBe(true), 5000);
    expect(one.watch.isReachable()).toBe(false);
  });

  test('keeps to the time that its note was made of, also when a disk that it reads later allows a longer one', async () => {
    const disk = join(folder, 'late');
    const { watch: one } = await watch([disk]);
    expect(one.reachS).toBe(5);
    newDiskFile(folder, 'late');
    onDisk(disk, (sectors) =>
      sectors.run(createSlots({ ...quick, watchdogS: 60 }, { sectorBytes: 512, uuid: '03'.repeat(16) })),
    );
    await vi.waitFor(() => expect(one.isReachable()).toBe(true), 5000);
    expect(one.watchdogS).toBe(60);
    expect(one.reachS).toBe(5);
  });

  test('notes its watchdog on the disk, and takes that back', async () => {
    const disk = newDisk();
    const { watch: one } = await watch([disk]);
    expect(await one.note({ isArmed: true, deathS: 7 }, 3000)).toBe(true);
    expect(slotsOn(disk)[0]?.watcher).toEqual({ isArmed: true, deathS: 7 });
    expect(await one.note({ isArmed: false, deathS: 0 }, 3000)).toBe(true);
    expect(slotsOn(disk)[0]?.watcher?.isArmed).toBe(false);
  });

  test('at the start after a boot clears the message that has been obeyed, or refuses to start', async () => {
    const disk = newDisk();
    await (await watch([disk])).watch.close();
    post(disk, 'reset');
    expect((await watch([disk], { start: 'clean' })).watch.refusal).toContain('n1 has told this node to reset');
    expect((await watch([disk])).watch.refusal).toBeUndefined();
    expect(death()).toBe('');
    expect(slotsOn(disk)[0]?.letter).toEqual({ message: 'clear', from: 'n2' });
  });

  test('without a boot in between does not sign its empty mailbox as if it had been dead', async () => {
    const disk = newDisk();
    await (await watch([disk])).watch.close();
    post(disk, 'reset');
    post(disk, 'test', 'n3');
    await watch([disk], { hasBooted: false });
    expect(slotsOn(disk)[0]?.letter).toEqual({ message: 'clear', from: '' });
  });

  test('that finds its disk again does not sign its empty mailbox as if it had been dead', async () => {
    const disk = newDisk();
    const { watch: one, heard } = await watch([disk]);
    await vi.waitFor(() => expect(one.isReachable()).toBe(true), 5000);
    const whole = readFileSync(disk);
    writeFileSync(disk, new Uint8Array(whole.length));
    await vi.waitFor(() => expect(heard.join()).toContain('has not been initialised'), 5000);
    const header = { ...quick, slots: 255, sectorBytes: 512, uuid: '' };
    whole.set(encodeLetter({ message: 'test', from: 'n3' }, 512), letterOffset(header, 0));
    writeFileSync(disk, whole);
    await vi.waitFor(() => expect(slotsOn(disk)[0]?.letter).toEqual({ message: 'clear', from: '' }), 5000);
  });

  test('without a boot in between obeys what was written while it was away', async () => {
    const disk = newDisk();
    await (await watch([disk])).watch.close();
    post(disk, 'off');
    await watch([disk], { hasBooted: false });
    await vi.waitFor(() => expect(death()).toBe('o'), 5000);
  });
});

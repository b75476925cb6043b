import { describe, expect, test } from 'vitest';
import {
  decodeHeader,
  defaultDiskTimes,
  encodeSlot,
  letterOffset,
  slotAreaBytes,
  slotOffset,
} from '../../src/disk/layout.ts';
import {
  createSlots,
  DiskError,
  listSlots,
  lookIntoMailbox,
  noteWatcher,
  postLetter,
  readHeader,
  takeSlot,
  writeLetter,
} from '../../src/disk/procedures.ts';
import { run, Running, SimulatedDisk } from './simulated-disk.ts';

const uuid = '00112233445566778899aabbccddeeff';

function newDisk(): SimulatedDisk {
  const disk = new SimulatedDisk();
  run(disk, createSlots(defaultDiskTimes, { sectorBytes: 512, uuid }));
  return disk;
}

const namesOn = (disk: SimulatedDisk): readonly string[] =>
  run(disk, listSlots(run(disk, readHeader()))).map(({ slot, node }) => `${slot} ${node}`);

const mailOn = (disk: SimulatedDisk): readonly string[] =>
  run(disk, listSlots(run(disk, readHeader()))).map(
    ({ node, letter }) => `${node}: ${letter?.message ?? 'nonsense'} of ${letter?.from ?? '?'}`,
  );

describe('slots on a disk', () => {
  test('stand where sbd has them', () => {
    const disk = newDisk();
    const head = [...disk.bytes.subarray(0, 49)];
    expect(new TextDecoder().decode(disk.bytes.slice(0, 8))).toBe('SBD_SBD_');
    expect(head.slice(8, 33)).toEqual(
      // version, slots, two bytes of padding, then sector size, watchdog, allocate, loop, msgwait; minor version
      [2, 255, 0, 0, 0, 0, 2, 0, 0, 0, 0, 5, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 10, 1],
    );
    run(disk, takeSlot('n1'));
    run(disk, postLetter('n1', { message: 'off', from: 'n2' }));
    expect([...disk.bytes.subarray(512, 516)]).toEqual([1, 0x6e, 0x31, 0]);
    expect([...disk.bytes.subarray(1024, 1028)]).toEqual([3, 0x6e, 0x32, 0]);
  });

  test('may have sectors of 4096 bytes', () => {
    const disk = new SimulatedDisk(4 * 1024 * 1024);
    const header = run(disk, createSlots(defaultDiskTimes, { sectorBytes: 4096, uuid }));
    run(disk, takeSlot('n1'));
    run(disk, takeSlot('n2'));
    expect(slotOffset(header, 1)).toBe(3 * 4096);
    expect(namesOn(disk)).toEqual(['0 n1', '1 n2']);
  });

  test.for([
    [512, 255],
    [4096, 127],
  ] as const)('with sectors of %i bytes are %i, and leave alone what begins at 1 MiB', ([sectorBytes, slots]) => {
    const disk = new SimulatedDisk(4 * 1024 * 1024);
    disk.bytes.fill(0xaa);
    const header = run(disk, createSlots(defaultDiskTimes, { sectorBytes, uuid }));
    expect(header.slots).toBe(slots);
    for (let index = 0; index < slots; index++) run(disk, takeSlot(`n${index}`));
    expect(() => run(disk, takeSlot('late'))).toThrow(`all ${slots} slots are taken`);
    expect(disk.bytes.subarray(slotAreaBytes).every((byte) => byte === 0xaa)).toBe(true);
  });

  test('are not those of a disk on which their making broke off', () => {
    const disk = newDisk();
    const making = new Running(disk, createSlots(defaultDiskTimes, { sectorBytes: 512, uuid }));
    making.step();
    making.step();
    expect(decodeHeader(disk.bytes).ok).toBe(false);
  });

  test('are a node’s once, whatever the case of its name', () => {
    const disk = newDisk();
    run(disk, takeSlot('alpha'));
    expect(run(disk, takeSlot('Alpha')).taken.slot).toBe(0);
    expect(namesOn(disk)).toEqual(['0 alpha']);
  });

  test('are 255, and the 256th node gets none', () => {
    const disk = newDisk();
    for (let index = 1; index <= 255; index++) run(disk, takeSlot(`n${index}`));
    expect(() => run(disk, takeSlot('n256'))).toThrow('all 255 slots are taken');
  });

  test('of two nodes that take the same one, the one whose name stands there after the pause keeps it', () => {
    const disk = newDisk();
    const two = [new Running(disk, takeSlot('n1')), new Running(disk, takeSlot('n2'))];
    while (!two.every((one) => one.isOver)) for (const one of two) one.step();
    expect(namesOn(disk)).toHaveLength(2);
    expect(new Set(two.map((one) => one.value.taken.slot))).toEqual(new Set([0, 1]));
  });

  test('refuse names that do not fit', () => {
    expect(() => run(newDisk(), takeSlot('x'.repeat(64)))).toThrow(DiskError);
    expect(() => run(newDisk(), takeSlot(''))).toThrow(DiskError);
  });
});

describe('a message on a disk', () => {
  test('is for a node that has a slot', () => {
    const disk = newDisk();
    run(disk, takeSlot('n2'));
    run(disk, postLetter('n2', { message: 'reset', from: 'n1' }));
    expect(mailOn(disk)).toEqual(['n2: reset of n1']);
    expect(() => run(disk, postLetter('ghost', { message: 'reset', from: 'n1' }))).toThrow('ghost has no slot');
  });

  test('does not count if the disk does not keep it', () => {
    const disk = newDisk();
    run(disk, takeSlot('n2'));
    const posting = new Running(disk, postLetter('n2', { message: 'reset', from: 'n1' }));
    while (disk.writes < 6) posting.step();
    disk.bytes.fill(0, letterOffset(run(disk, readHeader()), 0), 2000); // another writer, or a disk that lies
    expect(() => {
      while (!posting.isOver) posting.step();
    }).toThrow('does not keep');
  });

  test('that was torn has not been written, and is no message for its reader', () => {
    const disk = newDisk();
    const { header, taken } = run(disk, takeSlot('n2'));
    disk.bytes.fill(0xff, letterOffset(header, 0), letterOffset(header, 0) + 512);
    expect(run(disk, lookIntoMailbox(header, taken))).toBeUndefined();
    disk.tearAfterBytes = 1;
    expect(() => run(disk, postLetter('n2', { message: 'reset', from: 'n1' }))).toThrow('power lost');
  });
});

describe('a message and a watcher that takes its note back', () => {
  test('never miss each other, whichever of their steps comes first', () => {
    let isOver = false;
    for (let before = 0; !isOver; before++) {
      const disk = newDisk();
      const { header, taken } = run(disk, takeSlot('n2'));
      run(disk, noteWatcher(header, taken, { isArmed: true, deathS: 7 }));
      const posting = new Running(disk, postLetter('n2', { message: 'reset', from: 'n1' }));
      for (let step = 0; step < before; step++) posting.step();
      isOver = posting.isOver;
      run(disk, noteWatcher(header, taken, { isArmed: false, deathS: 0 }));
      const found = run(disk, lookIntoMailbox(header, taken));
      while (!posting.isOver) posting.step();
      const isKnown = posting.value.taken.watcher?.isArmed === false;
      expect(isKnown || found?.message === 'reset', `after ${before} steps of the message`).toBe(true);
    }
  });
});

describe('a watcher’s look', () => {
  test('sees what was written before it began', () => {
    const disk = newDisk();
    const { header, taken } = run(disk, takeSlot('n2'));
    expect(run(disk, lookIntoMailbox(header, taken))).toEqual({ message: 'clear', from: '' });
    run(disk, writeLetter(header, 0, { message: 'off', from: 'n1' }));
    expect(run(disk, lookIntoMailbox(header, taken))).toEqual({ message: 'off', from: 'n1' });
  });

  test.for([
    ['was wiped', (disk: SimulatedDisk): unknown => disk.bytes.fill(0)],
    [
      'was initialised anew',
      (disk: SimulatedDisk) => run(disk, createSlots(defaultDiskTimes, { sectorBytes: 512, uuid: 'ff'.repeat(16) })),
    ],
    [
      'gave our slot to another',
      (disk: SimulatedDisk): unknown => disk.bytes.set(encodeSlot({ node: 'n3' }, 512), 512),
    ],
    ['breaks', (disk: SimulatedDisk): unknown => (disk.isBroken = true)],
  ] as const)('does not count on a disk that %s', ([, spoil]) => {
    const disk = newDisk();
    const { header, taken } = run(disk, takeSlot('n2'));
    spoil(disk);
    expect(() => run(disk, lookIntoMailbox(header, taken))).toThrow(DiskError);
  });

  test('can leave a note, which is nothing to sbd and void when torn', () => {
    const disk = newDisk();
    const { header, taken } = run(disk, takeSlot('n2'));
    run(disk, noteWatcher(header, taken, { isArmed: true, deathS: 10 }));
    expect(run(disk, takeSlot('n2')).taken.watcher).toEqual({ isArmed: true, deathS: 10 });
    expect([...disk.bytes.subarray(512, 577)]).toEqual([1, 0x6e, 0x32, ...Array.from({ length: 62 }, () => 0)]);
    const next = new SimulatedDisk();
    next.bytes.set(disk.bytes);
    next.tearAfterBytes = 271;
    expect(() => run(next, noteWatcher(header, taken, { isArmed: true, deathS: 300 }))).toThrow('power lost');
    expect(run(next, takeSlot('n2')).taken.watcher).toBeUndefined();
    run(disk, noteWatcher(header, taken, undefined));
    expect(run(disk, takeSlot('n2')).taken.watcher).toBeUndefined();
  });
});

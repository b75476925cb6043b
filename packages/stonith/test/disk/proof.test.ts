import { describe, expect, test } from 'vitest';
import { isUndisturbed, type Posted, prospect, readLetterMark, startLetter } from '../../src/disk/letter.ts';
import type { Letter, WatcherNote } from '../../src/disk/layout.ts';
import { neededToRead, neededToWrite } from '../../src/disk/majority.ts';
import { DiskView, heed, heedAtStart } from '../../src/disk/watcher.ts';

const posted = (disk: string, watcher?: WatcherNote): Posted => ({
  disk,
  msgwaitS: 10,
  taken: { slot: 0, node: 'n2', ...(watcher === undefined ? {} : { watcher }) },
});
const armed = { isArmed: true, deathS: 12 };

describe('a message proves that its reader is dead', () => {
  test('after the longest time that it takes', () => {
    expect(prospect([posted('a', armed)], 1, false)).toEqual({ type: 'wait', ms: 12_000 });
    expect(prospect([posted('a', { isArmed: true, deathS: 4 })], 1, false)).toEqual({ type: 'wait', ms: 10_000 });
  });

  test('only on a majority of the disks', () => {
    expect(prospect([posted('a', armed)], 2, false).type).toBe('useless');
    expect(prospect([posted('a', armed), posted('b', armed)], 3, false).type).toBe('wait');
    expect(prospect([], 1, true).type).toBe('useless');
  });

  test('only if a watchdog is known to stand behind the reader, or the configuration vouches for it', () => {
    expect(prospect([posted('a')], 1, false).type).toBe('useless');
    expect(prospect([posted('a')], 1, true)).toEqual({ type: 'wait', ms: 10_000 });
    // Who has said that it has none is not believed to have one.
    expect(prospect([posted('a', { isArmed: false, deathS: 10 })], 1, true).type).toBe('useless');
    expect(prospect([posted('a', armed), posted('b')], 2, false).type).toBe('useless');
  });

  const taken = { slot: 0, node: 'n2', watcher: armed };
  const foreign = { slot: 0, node: 'n2' };

  test.for([
    ['the message itself', { message: 'reset', from: 'n1' }, true],
    ['another’s deadly message', { message: 'off', from: 'n3' }, true],
    ['the mark of its reader’s next start', startLetter('n2'), true],
    ['the answer to a question that somebody put in its place', readLetterMark, false],
    ['a question', { message: 'test', from: 'n3' }, false],
    ['a call to leave', { message: 'exit', from: 'n3' }, false],
    ['somebody’s pardon', { message: 'clear', from: 'n3' }, false],
    ['nonsense', undefined, false],
  ] satisfies readonly (readonly [string, Letter | undefined, boolean])[])(
    'if after the wait there stands %s: %o → %s',
    ([, letter, isProof]) => {
      expect(isUndisturbed(letter, taken)).toBe(isProof);
    },
  );

  test('of a reader that signs nothing, an empty mailbox is its next start', () => {
    expect(isUndisturbed({ message: 'clear', from: '' }, foreign)).toBe(true);
    expect(isUndisturbed({ message: 'clear', from: 'n3' }, foreign)).toBe(false);
  });

  test('because what it was written to and what its reader sees overlap', () => {
    for (const disks of [1, 2, 3]) expect(neededToWrite(disks) + neededToRead(disks)).toBeGreaterThan(disks);
  });
});

describe('a watcher', () => {
  test('counts a disk as seen while its last good look began less than the watchdog’s time ago', () => {
    const view = new DiskView(['a'], 5000);
    expect(view.isReachable(0)).toBe(false);
    view.looked('a', 1000);
    expect(view.isReachable(5999)).toBe(true);
    expect(view.isReachable(6000)).toBe(false);
  });

  test('is not fooled by the late answer of a disk that hung', () => {
    const view = new DiskView(['a'], 5000);
    view.looked('a', 10_000);
    view.looked('a', 2000);
    expect(view.isReachable(14_000)).toBe(true);
    const hung = new DiskView(['a'], 5000);
    hung.looked('a', 1000); // began at 1 s, answered at 30 s
    expect(hung.isReachable(30_000)).toBe(false);
  });

  test.for([
    [1, 1],
    [2, 1],
    [3, 2],
  ] as const)('with %i disks needs to see %i', ([disks, needed]) => {
    const names = ['a', 'b', 'c'].slice(0, disks);
    const view = new DiskView(names, 5000);
    for (const [index, name] of names.entries()) {
      expect(view.isReachable(100)).toBe(index >= needed);
      view.looked(name, 100);
    }
    expect(view.isReachable(100)).toBe(true);
  });

  test('dies of what is deadly, leaves when told to, and clears what needs no deed', () => {
    expect(heed({ message: 'reset', from: 'n1' })).toEqual({ type: 'die', how: 'reset', from: 'n1' });
    expect(heed({ message: 'off', from: 'n1' })).toMatchObject({ how: 'off' });
    expect(heed({ message: 'crashdump', from: 'n1' })).toMatchObject({ how: 'crashdump' });
    expect(heed({ message: 'exit', from: 'n1' }).type).toBe('leave');
    expect(heed({ message: 'test', from: 'n1' }).type).toBe('clear');
    expect(heed({ message: 'clear', from: '' }).type).toBe('nothing');
    expect(heed(undefined).type).toBe('clear');
  });

  const reset = { message: 'reset', from: 'n1' } as const;

  test('at a start clears the message that its last boot has obeyed, or refuses to start if it is told to', () => {
    expect(heedAtStart(reset, { hasBooted: true, start: 'always' }).type).toBe('clear');
    expect(heedAtStart(reset, { hasBooted: true, start: 'clean' }).type).toBe('refuse');
    expect(heedAtStart({ message: 'exit', from: 'n1' }, { hasBooted: true, start: 'clean' }).type).toBe('clear');
  });

  test('that starts anew on a machine that has not booted obeys what was written while it was away', () => {
    expect(heedAtStart(reset, { hasBooted: false, start: 'always' }).type).toBe('die');
  });
});

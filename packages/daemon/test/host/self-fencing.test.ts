/**
 * What one life of a daemon leaves on its disks, and what the next one does about it. Real threads on disks that are files;
 * the watchdog is a fake, and a life that "breaks off" takes nothing back.
 */
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  createSlots,
  type DiskProcedure,
  type DiskTimes,
  encodeSlot,
  letterOffset,
  listSlots,
  noteWatcher,
  postLetter,
  readHeader,
  slotOffset,
} from '@systole/stonith';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { diskFolder, newDiskFile } from '../../../../test/support/disk-folder.ts';
import { Sectors } from '../../src/host/disk/sectors.ts';
import { RecordStore } from '../../src/host/files.ts';
import type { Logger } from '../../src/host/log.ts';
import { SelfFencing } from '../../src/host/self-fencing.ts';

const quick: DiskTimes = { watchdogS: 2, allocateS: 0, loopS: 0, msgwaitS: 4 };
const folder = diskFolder('notes');
const lives: SelfFencing[] = [];
let count = 0;

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});
afterEach(async () => {
  for (const life of lives.splice(0)) await life.end(false);
});

function on<Value>(path: string, procedure: DiskProcedure<Value>): Value {
  const sectors = Sectors.open(path);
  try {
    return sectors.run(procedure);
  } finally {
    sectors.close();
  }
}

function makeSlots(path: string): void {
  count += 1;
  on(path, createSlots(quick, { sectorBytes: 512, uuid: count.toString(16).padStart(32, '0') }));
}

function newDisk(): string {
  const path = newDiskFile(folder, `disk${count}`);
  makeSlots(path);
  return path;
}

const slotsOn = (path: string) => on(path, listSlots(on(path, readHeader())));
const noteOn = (path: string) => slotsOn(path).find(({ node }) => node === 'n1')?.watcher;

/** A machine: its state folder, and a life after the other. */
class Machine {
  readonly state = mkdtempSync(join(folder, 'state-'));
  readonly trigger = join(this.state, 'trigger');
  readonly said: string[] = [];
  disarmed = 0;

  async live({
    disks,
    countdownS,
    hasBooted = true,
    save,
    whileArming = () => Promise.resolve(),
  }: {
    readonly disks?: readonly string[];
    /** Of the watchdog; absent: there is none. */
    readonly countdownS?: number;
    readonly hasBooted?: boolean;
    readonly whileArming?: () => Promise<void>;
    readonly save?: (store: RecordStore, name: string, content: string) => Promise<void>;
  }): Promise<SelfFencing> {
    const store = await RecordStore.open(this.state);
    const say = (_fields: unknown, text: string): void => void this.said.push(text);
    const life = await SelfFencing.prepare({
      node: 'n1',
      ...(countdownS === undefined ? {} : { watchdog: '/dev/watchdog' }),
      openWatchdog: async () => {
        await whileArming();
        return { feed: () => undefined, disarm: () => void (this.disarmed += 1), countdownS };
      },
      ...(disks === undefined ? {} : { disks: { devices: disks, start: 'always', timeoutAction: 'reset' } }),
      hasBooted,
      store: {
        load: (name) => store.load(name),
        save: (name, content) => (save ?? ((to, ...rest) => to.save(...rest)))(store, name, content),
      },
      trigger: this.trigger,
      log: { info: say, warn: say, error: say, fatal: say } as unknown as Logger,
      leave: (reason) => void this.said.push(`leaves: ${reason}`),
      fail: (reason) => void this.said.push(`fails: ${reason}`),
    });
    lives.push(life);
    const node = { mayFeedWatchdog: true, isAtRest: true, isQuorumExclusive: true };
    await life.begin(node, () => true);
    return life;
  }

  /** As after a power cut, once its note stood on the disk. */
  async breakOff(disk: string, countdownS = 3): Promise<void> {
    const life = await this.live({ disks: [disk], countdownS });
    await vi.waitFor(() => expect(life.report().disks[0]?.isArmed).toBe(true), 5000);
    await vi.waitFor(async () => expect(await this.entered()).toHaveLength(1), 5000);
    await life.end(false);
  }

  async entered(): Promise<readonly { readonly deathS: number }[]> {
    const loaded = await (await RecordStore.open(this.state)).load('disk-notes');
    return loaded.type === 'present' ? (JSON.parse(loaded.content) as { readonly deathS: number }[]) : [];
  }
}

describe('a note of a watchdog on a disk', () => {
  test('is entered in the state folder before it is written', async () => {
    const disk = newDisk();
    const machine = new Machine();
    const atSave: unknown[] = [];
    const life = await machine.live({
      disks: [disk],
      countdownS: 3,
      save: (store, name, content) => {
        atSave.push(noteOn(disk));
        return store.save(name, content);
      },
    });
    await vi.waitFor(() => expect(noteOn(disk)).toEqual({ isArmed: true, deathS: 5 }), 5000);
    expect(atSave).toEqual([undefined]);
    expect(await machine.entered()).toMatchObject([{ disk, deathS: 5 }]);
    await life.end(true);
    expect(noteOn(disk)?.isArmed).toBe(false);
    expect(await machine.entered()).toEqual([]);
  });

  test('is not written where it cannot be entered', async () => {
    const disk = newDisk();
    const machine = new Machine();
    const life = await machine.live({ disks: [disk], countdownS: 3, save: () => Promise.reject(new Error('ENOSPC')) });
    await vi.waitFor(() => expect(machine.said.join()).toContain('not noted, since that cannot be recorded'), 5000);
    await life.end(true);
    expect(noteOn(disk)?.isArmed ?? false).toBe(false);
  });

  test('that could not be taken back at the end stays entered', async () => {
    const disk = newDisk();
    const machine = new Machine();
    const life = await machine.live({ disks: [disk], countdownS: 3 });
    await vi.waitFor(() => expect(noteOn(disk)?.isArmed).toBe(true), 5000);
    const whole = readFileSync(disk);
    writeFileSync(disk, new Uint8Array(whole.length));
    await life.end(true);
    writeFileSync(disk, whole);
    expect(await machine.entered()).toHaveLength(1);
    expect(machine.said.join()).toContain('keeps the note');
    await machine.live({});
    expect(noteOn(disk)?.isArmed).toBe(false);
  }, 30_000);
});

describe('the next life after one that broke off', () => {
  test('without its disks takes the note back before it joins', async () => {
    const disk = newDisk();
    const machine = new Machine();
    await machine.breakOff(disk);
    expect(noteOn(disk)?.isArmed).toBe(true);
    await machine.live({});
    expect(noteOn(disk)).toEqual({ isArmed: false, deathS: 0 });
    expect(await machine.entered()).toEqual([]);
  });

  test('with other disks takes it back from the old one', async () => {
    const [before, now] = [newDisk(), newDisk()];
    const machine = new Machine();
    await machine.breakOff(before);
    await machine.live({ disks: [now], countdownS: 3 });
    expect(noteOn(before)?.isArmed).toBe(false);
    await vi.waitFor(() => expect(noteOn(now)?.isArmed).toBe(true), 5000);
  });

  test.for(['entered and never written', 'taken back and not struck out'])(
    'is content with a note that was %s',
    async (how) => {
      const disk = newDisk();
      const machine = new Machine();
      await machine.breakOff(disk);
      if (how === 'entered and never written') makeSlotsAsBefore(disk);
      else {
        const header = on(disk, readHeader());
        for (const mine of slotsOn(disk)) on(disk, noteWatcher(header, mine, { isArmed: false, deathS: 0 }));
      }
      await machine.live({});
      expect(await machine.entered()).toEqual([]);
    },
  );

  test('does not join while a disk that it watches no more is gone, and does when it is back', async () => {
    const disk = newDisk();
    const machine = new Machine();
    await machine.breakOff(disk);
    renameSync(disk, `${disk}.away`);
    await expect(machine.live({})).rejects.toThrow(/cannot be taken back: .*bring .* back/);
    await expect(machine.live({ disks: [newDisk()], countdownS: 3 })).rejects.toThrow('cannot be taken back');
    renameSync(`${disk}.away`, disk);
    await machine.live({});
    expect(noteOn(disk)?.isArmed).toBe(false);
  });

  test.for(['watched', 'not watched'])(
    'does not join where another disk stands in the place of one %s',
    async (how) => {
      const disk = newDisk();
      const machine = new Machine();
      await machine.breakOff(disk);
      makeSlots(disk);
      const life = machine.live(how === 'watched' ? { disks: [disk], countdownS: 3 } : {});
      await expect(life).rejects.toThrow(/another disk .*remove the file disk-notes/);
      rmSync(join(machine.state, 'disk-notes'));
      await machine.live(how === 'watched' ? { disks: [disk], countdownS: 3 } : {});
    },
  );

  test('leaves when a disk that it could not read at the start turns out to be another', async () => {
    const disk = newDisk();
    const machine = new Machine();
    await machine.breakOff(disk);
    rmSync(disk);
    await machine.live({ disks: [disk], countdownS: 3 });
    newDiskFile(folder, disk.slice(folder.length + 1));
    makeSlots(disk);
    await vi.waitFor(() => expect(machine.said.join()).toContain('leaves: another disk stands'), 5000);
  });

  test('finds its slot where it is now, and leaves the slots of others alone', async () => {
    const disk = newDisk();
    const machine = new Machine();
    await machine.breakOff(disk);
    const header = on(disk, readHeader());
    const watcher = { isArmed: true, deathS: 9 };
    on(disk, writeSlot(0, 'n7'));
    on(disk, writeSlot(3, 'n1'));
    await machine.live({});
    expect(slotsOn(disk)).toMatchObject([
      { slot: 0, node: 'n7', watcher },
      { slot: 3, node: 'n1', watcher: { isArmed: false } },
    ]);
    function* writeSlot(slot: number, node: string): DiskProcedure<void> {
      yield { type: 'write', offset: slotOffset(header, slot), content: encodeSlot({ node, watcher }, 512) };
      yield { type: 'write', offset: letterOffset(header, slot), content: new Uint8Array(512) };
    }
  });

  test('without its watchdog has said so on the disk before it joins', async () => {
    const disk = newDisk();
    const machine = new Machine();
    await machine.breakOff(disk);
    await machine.live({ disks: [disk] });
    expect(noteOn(disk)?.isArmed).toBe(false);
    expect(await machine.entered()).toEqual([]);
  });

  test('with a longer countdown has said so on the disk before it joins', async () => {
    const disk = newDisk();
    const machine = new Machine();
    await machine.breakOff(disk, 3);
    await machine.live({ disks: [disk], countdownS: 30 });
    expect(noteOn(disk)).toEqual({ isArmed: true, deathS: 32 });
    expect(await machine.entered()).toMatchObject([{ deathS: 32 }]);
  });

  test.for([{}, { countdownS: 30 }] as readonly { readonly countdownS?: number }[])(
    'that kills itself slower than noted (%j) does not join while the disk is gone',
    { timeout: 30_000 },
    async (life) => {
      const disk = newDisk();
      const machine = new Machine();
      await machine.breakOff(disk, 3);
      renameSync(disk, `${disk}.away`);
      await expect(machine.live({ disks: [disk], ...life })).rejects.toThrow('may still say what a former life');
      // It has run nothing since its boot: the machine need not go down for it.
      expect(machine.disarmed).toBe('countdownS' in life ? 1 : 0);
      expect(await machine.entered()).toMatchObject([{ deathS: 5 }]);
    },
  );

  test('that goes on threatening while services of its former life may run', async () => {
    const disk = newDisk();
    const machine = new Machine();
    await machine.breakOff(disk, 3);
    renameSync(disk, `${disk}.away`);
    const life = machine.live({ disks: [disk], countdownS: 30, hasBooted: false });
    await expect(life).rejects.toThrow('may still say');
    expect(machine.disarmed).toBe(0);
  }, 30_000);

  test.for([3, 1])('whose watchdog keeps what was noted (%i s) joins though the disk is gone', async (countdownS) => {
    const disk = newDisk();
    const machine = new Machine();
    await machine.breakOff(disk, 3);
    renameSync(disk, `${disk}.away`);
    await machine.live({ disks: [disk], countdownS });
    expect(await machine.entered()).toMatchObject([{ deathS: 5 }]);
  });

  test('does not join when it is told to die while it arms its watchdog', async () => {
    const disk = newDisk();
    const machine = new Machine();
    const whileArming = async (): Promise<void> => {
      on(disk, postLetter('n1', { message: 'reset', from: 'n2' }));
      await vi.waitFor(() => expect(machine.said.join()).toContain('fails: n2 says "reset"'), 5000);
    };
    await expect(machine.live({ disks: [disk], countdownS: 3, whileArming })).rejects.toThrow('n2 says "reset"');
    expect(readFileSync(machine.trigger, 'utf8')).toBe('b');
    expect(machine.disarmed).toBe(0);
  });

  test('obeys what was written to a disk that it watches no more, unless it has booted since', async () => {
    const disk = newDisk();
    const machine = new Machine();
    await machine.breakOff(disk);
    on(disk, postLetter('n1', { message: 'off', from: 'n2' }));
    await expect(machine.live({ hasBooted: false })).rejects.toThrow('n2 says "off"');
    expect(readFileSync(machine.trigger, 'utf8')).toBe('o');
    rmSync(machine.trigger);
    await machine.live({});
    expect(existsSync(machine.trigger)).toBe(false);
  });

  test('does not join when it is not known any more what was noted', async () => {
    const disk = newDisk();
    const machine = new Machine();
    await machine.breakOff(disk);
    const path = join(machine.state, 'disk-notes');
    writeFileSync(path, readFileSync(path, 'utf8').slice(0, -4));
    await expect(machine.live({})).rejects.toThrow('no longer knows on which disks');
  });
});

/** As if the note had never been written: the same disk, with nothing in it. */
function makeSlotsAsBefore(path: string): void {
  const { uuid } = on(path, readHeader());
  on(path, createSlots(quick, { sectorBytes: 512, uuid }));
}

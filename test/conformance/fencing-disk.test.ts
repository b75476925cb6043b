/**
 * The cases of the agents suite on fencing through shared disks, on disks that are files, with real watchers. What a case
 * does to the machine is written into a file instead; its watchdog is a counter.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  createSlots,
  defaultDiskTimes,
  DiskError,
  type DiskMessage,
  type DiskProcedure,
  listSlots,
  neededToWrite,
  postLetter,
  readHeader,
  takeSlot,
} from '@systole/stonith';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { die, type Death } from '../../packages/daemon/src/host/death.ts';
import { Sectors } from '../../packages/daemon/src/host/disk/sectors.ts';
import { NotesLeft } from '../../packages/daemon/src/host/disk/notes-left.ts';
import { noteStore } from '../support/note-store.ts';
import { DiskWatch } from '../../packages/daemon/src/host/disk/watch.ts';
import { monotonicMs } from '../../packages/daemon/src/host/disk/watch-protocol.ts';
import { Feeder } from '../../packages/daemon/src/host/feeder.ts';
import { diskFolder, newDiskFile } from '../support/disk-folder.ts';
import { shared, sharedMissing } from '../support/repository.ts';

vi.setConfig({ maxConcurrency: 16 });

interface Step {
  readonly do: string;
  readonly disks?: readonly string[];
  readonly [field: string]: unknown;
}

interface Case {
  readonly id: string;
  readonly group: string;
  readonly title: string;
  readonly steps: readonly Step[];
}

const exceptions: Readonly<Record<string, string>> = {
  'fence-disk-watch-stalled':
    'a daemon that stands still feeds nothing by definition; test/netns/self-fencing.test.ts stops a real one on a real watchdog',
};

const missing = sharedMissing('agents-suite/fencing.json');
const cases: readonly Case[] =
  missing === undefined
    ? (
        JSON.parse(readFileSync(join(shared, 'agents-suite/fencing.json'), 'utf8')) as {
          readonly cases: readonly Case[];
        }
      ).cases.filter(({ group }) => group === 'disk')
    : [];

/** Where a case gives no times, its watchers need not take as long as the suite's. */
const quick = { ...defaultDiskTimes, watchdogS: 1, msgwaitS: 2, allocateS: 0 };

const work = diskFolder('disk-cases');
afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

const textOf = (value: unknown, otherwise: string): string => (typeof value === 'string' ? value : otherwise);

const actions: Readonly<Record<string, string>> = { b: 'reboot', o: 'poweroff', c: 'crashdump' };

class Driver {
  readonly #folder: string;
  readonly #trigger: string;
  #watch: DiskWatch | undefined;
  #feeder: Feeder | undefined;
  #fedAtMs = 0;

  constructor(id: string) {
    this.#folder = mkdtempSync(join(work, `${id}-`));
    this.#trigger = join(this.#folder, 'trigger');
  }

  async close(): Promise<void> {
    this.#feeder?.stop(false);
    await this.#watch?.close();
  }

  #path = (disk: string): string => join(this.#folder, disk);

  /** On each disk; a disk that is broken is one that is not there. */
  #onDisks<Value>(step: Step, procedure: () => DiskProcedure<Value>): readonly Value[] {
    const broken = (step['broken'] ?? []) as readonly string[];
    return (step.disks ?? []).flatMap((disk): readonly Value[] => {
      try {
        const sectors = Sectors.open(broken.includes(disk) ? this.#path('broken') : this.#path(disk));
        try {
          return [sectors.run(procedure())];
        } finally {
          sectors.close();
        }
      } catch (error) {
        if (!(error instanceof DiskError)) throw error;
        return [];
      }
    });
  }

  #expectOn(step: Step, found: readonly unknown[]): void {
    const isEnough = found.length >= neededToWrite(step.disks?.length ?? 0);
    expect(isEnough ? 'ok' : 'error', JSON.stringify(step)).toBe(step['expect'] ?? 'ok');
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case 'disk-init':
        this.#init(step);
        break;
      case 'disk-allocate':
        this.#expectOn(
          step,
          this.#onDisks(step, () => takeSlot(String(step['node']))),
        );
        break;
      case 'disk-message': {
        const letter = { message: step['message'] as DiskMessage, from: textOf(step['sender'], 'n0') };
        this.#expectOn(
          step,
          this.#onDisks(step, () => postLetter(String(step['node']), letter)),
        );
        break;
      }
      case 'disk-list':
        for (const slots of this.#onDisks(step, listAll))
          expect(slots).toMatchObject(step['slots'] as readonly object[]);
        break;
      case 'disk-describe':
        for (const header of this.#onDisks(step, readHeader)) {
          const { watchdogS, allocateS, loopS, msgwaitS } = header;
          expect({ watchdog_s: watchdogS, allocate_s: allocateS, loop_s: loopS, msgwait_s: msgwaitS }).toEqual(
            step['values'],
          );
        }
        break;
      case 'disk-watch-start':
        await this.#watchStart(step);
        break;
      case 'disk-wipe':
        for (const disk of step.disks ?? []) writeFileSync(this.#path(disk), new Uint8Array(1024 * 1024));
        break;
      case 'for-each':
        for (let n = 1; n <= Number(step['count']); n++) {
          for (const inner of step['steps'] as readonly Step[]) {
            await this.take({ ...inner, node: String(inner['node']).replace('{n}', String(n)) });
          }
        }
        break;
      case 'expect-node-action':
        await this.#expectAction(step);
        break;
      default:
        throw new Error(`no such step: ${step.do}`);
    }
  }

  #init(step: Step): void {
    const disks = step.disks ?? [];
    for (const disk of disks.filter((name) => name !== 'missing')) newDiskFile(this.#folder, disk);
    const hasTimes = step['watchdog_s'] !== undefined;
    const times = {
      ...(hasTimes ? defaultDiskTimes : quick),
      ...(hasTimes ? { watchdogS: Number(step['watchdog_s']), msgwaitS: Number(step['msgwait_s']) } : {}),
    };
    const made = this.#onDisks(step, () => createSlots(times, { sectorBytes: 512, uuid: '5a'.repeat(16) }));
    this.#expectOn(step, made);
  }

  async #watchStart(step: Step): Promise<void> {
    const options = { node: String(step['node']), hasBooted: true, start: 'always', trigger: this.#trigger } as const;
    const watch = await DiskWatch.start(
      { disks: (step.disks ?? []).map(this.#path), notes: await NotesLeft.load(noteStore()), ...options },
      {
        problem: () => undefined,
        ready: () => undefined,
        remark: () => undefined,
        leave: () => undefined,
        dying: () => this.#feeder?.doom(),
        died: (error) => expect.fail(String(error)),
      },
    );
    this.#watch = watch;
    await vi.waitFor(() => expect(watch.isReachable()).toBe(true), 5000);
    const action = textOf(step['timeout_action'], 'reset') as Death;
    this.#feeder = new Feeder({
      ...(step['watchdog'] === true
        ? { watchdog: { feed: () => void (this.#fedAtMs = monotonicMs()), disarm: () => undefined } }
        : {}),
      countdownS: quick.watchdogS,
      disks: watch,
      // Alone, and with services: nothing but its disks vouches for it.
      node: { mayFeedWatchdog: true, isAtRest: true, isQuorumExclusive: false },
      isQuorumHeldNow: () => false,
      nowMs: monotonicMs,
      die: () => void die(action, this.#trigger),
      problem: (error) => expect.fail(String(error)),
    });
    this.#feeder.look();
  }

  async #expectAction({ action, within_s: withinS }: Step): Promise<void> {
    const limitMs = withinS === undefined ? (quick.msgwaitS + 2 * quick.watchdogS) * 1000 : Number(withinS) * 1000;
    const end = monotonicMs() + limitMs + slackMs;
    while (monotonicMs() < end && this.#action() === undefined) await pause(50);
    expect(this.#action()).toBe(action);
  }

  /** What has become of the node. */
  #action(): string | undefined {
    if (existsSync(this.#trigger)) return actions[readFileSync(this.#trigger, 'utf8')];
    const isHungry = this.#fedAtMs > 0 && monotonicMs() - this.#fedAtMs > quick.watchdogS * 1000;
    return isHungry ? 'watchdog-fires' : undefined;
  }
}

/** What a busy machine may add. */
const slackMs = 3000;

function* listAll(): DiskProcedure<
  readonly { readonly node: string; readonly message: string; readonly sender: string }[]
> {
  const slots = yield* listSlots(yield* readHeader());
  return slots.map(({ node, letter }) => ({ node, message: letter?.message ?? '', sender: letter?.from ?? '' }));
}

describe.skipIf(missing !== undefined)(
  `fencing through disks, cases of other projects${missing === undefined ? '' : ` (${missing})`}`,
  () => {
    const applying = cases.filter(({ id }) => !(id in exceptions));

    test.concurrent.for(applying.map((one) => [one.id, one.title, one] as const))(
      '%s: %s',
      { timeout: 60_000 },
      async ([id, , { steps }]) => {
        const driver = new Driver(id);
        try {
          for (const step of steps) await driver.take(step);
        } finally {
          await driver.close();
        }
      },
    );

    test('every exception names a case that exists', () => {
      const ids = new Set(cases.map(({ id }) => id));
      expect(Object.keys(exceptions).filter((id) => !ids.has(id))).toEqual([]);
    });
  },
);

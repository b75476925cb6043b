/**
 * The disks through which this node can be told to die, as the daemon sees them: which were seen lately, and what their
 * headers and messages ask for. Each is watched by a thread of its own (`watch-thread.ts`).
 */
import { Worker } from 'node:worker_threads';
import type { DiskRow } from '@systole/api';
import { defaultDiskTimes, type DiskHeader, DiskView, neededToRead, type WatcherNote } from '@systole/stonith';
import type { NotesLeft, Promised } from './notes-left.ts';
import { type FromWatchThread, monotonicMs, type ToWatchThread, type WatchThreadData } from './watch-protocol.ts';

/** At a start the first looks are awaited for so long: a node that must not start should not get further. */
const firstLookMs = 5000;
/** Their heaps hold next to nothing. */
const heapMegabytesMax = 16;

export interface DiskWatchOptions extends Omit<WatchThreadData, 'disk'> {
  readonly disks: readonly string[];
  /** The disks' time when a former life read them. */
  readonly formerReachS?: number;
  /** Where a note is entered before it is written. */
  readonly notes: Pick<NotesLeft, 'willNote' | 'hasNoted'>;
}

export interface DiskEvents {
  readonly problem: (disk: string, text: string) => void;
  /** Its slot is ours to watch, for the first time or again. */
  readonly ready: (disk: string, uuid: string) => void;
  readonly remark: (disk: string, text: string) => void;
  readonly leave: (from: string) => void;
  /** This machine is going down, or its watchdog must see to that. */
  readonly dying: (reason: string) => void;
  readonly died: (error: Error) => void;
}

interface Watched {
  readonly disk: string;
  readonly worker: Worker;
  header?: DiskHeader;
  problem?: string;
  note?: WatcherNote;
}

export class DiskWatch {
  readonly #events: DiskEvents;
  readonly #disks: readonly Watched[];
  readonly #notes: DiskWatchOptions['notes'];
  #wanted: WatcherNote | undefined;
  readonly #formerReachS: number | undefined;
  #reachS: number | undefined;
  #entering: Promise<void> = Promise.resolve();
  #view: DiskView | undefined;
  #refusal: string | undefined;
  readonly #changed = new Set<() => void>();

  private constructor(options: DiskWatchOptions, events: DiskEvents) {
    this.#events = events;
    const { disks, notes, formerReachS, ...common } = options;
    this.#formerReachS = formerReachS;
    this.#notes = notes;
    this.#disks = disks.map((disk): Watched => {
      const worker = new Worker(new URL('./watch-thread.ts', import.meta.url), {
        name: `disk ${disk}`,
        workerData: { ...common, disk } satisfies WatchThreadData,
        resourceLimits: { maxOldGenerationSizeMb: heapMegabytesMax },
      });
      const watched: Watched = { disk, worker };
      worker.on('message', (message: FromWatchThread) => this.#heard(watched, message));
      worker.on('error', (error) => events.died(error));
      return watched;
    });
  }

  /** Fulfilled when enough disks have been seen, or will not be soon; `refusal` says if this node must not start. */
  static async start(options: DiskWatchOptions, events: DiskEvents): Promise<DiskWatch> {
    const watch = new DiskWatch(options, events);
    const end = monotonicMs() + firstLookMs;
    const isOpen = (): boolean =>
      watch.#refusal === undefined &&
      watch.#disks.some(({ header, problem }) => header === undefined && problem === undefined);
    while (isOpen() && monotonicMs() < end) await watch.#change(end - monotonicMs());
    return watch;
  }

  #change(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#changed.delete(done);
        resolve();
      };
      const timer = setTimeout(done, withinMs);
      this.#changed.add(done);
    });
  }

  #heard(watched: Watched, message: FromWatchThread): void {
    switch (message.type) {
      case 'ready':
        watched.header = message.header;
        delete watched.problem;
        delete watched.note;
        this.#events.ready(watched.disk, message.header.uuid);
        this.#send(watched);
        break;
      case 'remade':
        this.#enter(watched.disk, message.uuid, undefined);
        break;
      case 'looked':
        this.#view ??= new DiskView(
          this.#disks.map(({ disk }) => disk),
          this.reachS * 1000,
        );
        this.#view.looked(watched.disk, message.begunAtMs);
        break;
      case 'noted':
        this.#noted(watched, message);
        break;
      case 'problem':
        watched.problem = message.text;
        this.#events.problem(watched.disk, message.text);
        break;
      case 'remark':
        this.#events.remark(watched.disk, message.text);
        break;
      case 'refused':
        this.#refusal = message.reason;
        break;
      case 'leave':
        this.#events.leave(message.from);
        break;
      case 'dying': {
        const { how, from, problem } = message;
        this.#events.dying(`${from} says "${how}" on ${watched.disk}${problem === undefined ? '' : `; ${problem}`}`);
        break;
      }
    }
    for (const done of this.#changed) done();
  }

  /** Why this node must not start, if it must not. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  /** The watchdog's time that the disks agree on; of disks that differ the shortest is the safe one. Unread ones had it before. */
  get watchdogS(): number | undefined {
    const times = this.#disks.flatMap(({ header }) => (header === undefined ? [] : [header.watchdogS]));
    return times.length === 0 ? this.#formerReachS : Math.min(...times);
  }

  /** Without a look at enough disks for so long it is not within reach. Said once, since notes are made of it. */
  get reachS(): number {
    this.#reachS ??= this.watchdogS ?? defaultDiskTimes.watchdogS;
    return this.#reachS;
  }

  uuidOf(disk: string): string | undefined {
    return this.#disks.find((one) => one.disk === disk)?.header?.uuid;
  }

  /** Whether a message would reach this node: enough disks were seen lately. */
  isReachable(): boolean {
    return this.#view?.isReachable(monotonicMs()) ?? false;
  }

  /** Notes on every disk what stands behind this watcher; fulfilled when enough disks have it, or after `withinMs`. */
  async note(note: WatcherNote, withinMs: number): Promise<boolean> {
    this.#wanted = note;
    for (const watched of this.#disks) this.#send(watched);
    const needed = neededToRead(this.#disks.length);
    const isDone = (): boolean => this.#disks.filter((watched) => this.#isNoted(watched)).length >= needed;
    await this.#until(isDone, withinMs);
    await this.#entering;
    return isDone();
  }

  /** Of these disks, the ones on which the last note does not stand by then. */
  async unnoted(disks: readonly string[], withinMs: number): Promise<readonly string[]> {
    const left = (): readonly string[] =>
      this.#disks.filter((watched) => disks.includes(watched.disk) && !this.#isNoted(watched)).map(({ disk }) => disk);
    await this.#until(() => left().length === 0, withinMs);
    await this.#entering;
    return left();
  }

  async #until(isDone: () => boolean, withinMs: number): Promise<void> {
    const end = monotonicMs() + withinMs;
    while (!isDone() && monotonicMs() < end) await this.#change(end - monotonicMs());
  }

  readonly #isNoted = ({ note }: Watched): boolean =>
    this.#wanted !== undefined && JSON.stringify(note) === JSON.stringify(this.#wanted);

  /** What is to be noted goes to the thread only when it is entered. */
  #send({ disk, worker, header }: Watched): void {
    const note = this.#wanted;
    if (note === undefined || header === undefined) return;
    const { uuid } = header;
    this.#notes.willNote(disk, uuid, this.#promised(note)).then(
      () => worker.postMessage({ type: 'note', note, uuid } satisfies ToWatchThread),
      (error: unknown) => this.#events.problem(disk, `not noted, since that cannot be recorded: ${String(error)}`),
    );
  }

  #noted(watched: Watched, { note, uuid }: Extract<FromWatchThread, { type: 'noted' }>): void {
    watched.note = note;
    // Another one is on its way, and what is entered holds for both.
    if (!this.#isNoted(watched)) return;
    this.#enter(watched.disk, uuid, this.#promised(note));
  }

  #promised({ isArmed, deathS }: WatcherNote): Promised | undefined {
    return isArmed ? { deathS, reachS: this.reachS } : undefined;
  }

  #enter(disk: string, uuid: string, promised: Promised | undefined): void {
    this.#entering = Promise.all([
      this.#entering,
      this.#notes.hasNoted(disk, uuid, promised).catch((error: unknown) => {
        this.#events.problem(disk, `its note stands, and that cannot be recorded: ${String(error)}`);
      }),
    ]).then(() => undefined);
  }

  report(): readonly DiskRow[] {
    const now = monotonicMs();
    return this.#disks.map(({ disk, header, note, problem }) => ({
      disk,
      isSeen: this.#view?.isSeen(disk, now) ?? false,
      isArmed: note?.isArmed ?? false,
      ...(header === undefined ? {} : { times: { watchdogS: header.watchdogS, msgwaitS: header.msgwaitS } }),
      ...(problem === undefined ? {} : { problem }),
    }));
  }

  async close(): Promise<void> {
    await Promise.all(this.#disks.map(({ worker }) => worker.terminate()));
  }
}

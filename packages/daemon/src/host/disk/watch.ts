/**
 * The disks through which this node can be told to die, as the daemon sees them: which were seen lately, and what their
 * headers and messages ask for. Each is watched by a thread of its own (`watch-thread.ts`).
 */
import { Worker } from 'node:worker_threads';
import type { DiskRow } from '@systole/api';
import { type DiskHeader, DiskView, neededToRead, type WatcherNote } from '@systole/stonith';
import { type FromWatchThread, monotonicMs, type ToWatchThread, type WatchThreadData } from './watch-protocol.ts';

/** At a start the first looks are awaited for so long: a node that must not start should not get further. */
const firstLookMs = 5000;
/** Their heaps hold next to nothing. */
const heapMegabytesMax = 16;

export interface DiskWatchOptions extends Omit<WatchThreadData, 'disk'> {
  readonly disks: readonly string[];
}

export interface DiskEvents {
  readonly problem: (disk: string, text: string) => void;
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
  #view: DiskView | undefined;
  #refusal: string | undefined;
  readonly #changed = new Set<() => void>();

  private constructor(options: DiskWatchOptions, events: DiskEvents) {
    this.#events = events;
    const { disks, ...common } = options;
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
        break;
      case 'looked':
        this.#view ??= new DiskView(
          this.#disks.map(({ disk }) => disk),
          (this.watchdogS ?? 0) * 1000,
        );
        this.#view.looked(watched.disk, message.begunAtMs);
        break;
      case 'noted':
        watched.note = message.note;
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

  /** The watchdog's time that the disks agree on; of disks that differ the shortest is the safe one. */
  get watchdogS(): number | undefined {
    const times = this.#disks.flatMap(({ header }) => (header === undefined ? [] : [header.watchdogS]));
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Whether a message would reach this node: enough disks were seen lately. */
  isReachable(): boolean {
    return this.#view?.isReachable(monotonicMs()) ?? false;
  }

  /** Notes on every disk what stands behind this watcher; fulfilled when enough disks have it, or after `withinMs`. */
  async note(note: WatcherNote, withinMs: number): Promise<boolean> {
    for (const { worker } of this.#disks) worker.postMessage({ type: 'note', note } satisfies ToWatchThread);
    const isDone = (): boolean =>
      this.#disks.filter((one) => JSON.stringify(one.note) === JSON.stringify(note)).length >=
      neededToRead(this.#disks.length);
    const end = monotonicMs() + withinMs;
    while (!isDone() && monotonicMs() < end) await this.#change(end - monotonicMs());
    return isDone();
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

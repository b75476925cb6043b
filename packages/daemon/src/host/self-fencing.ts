/**
 * What makes this node die when it must and cannot say so: its watchdog, its disks, and who feeds the one and watches the
 * others. `docs/fencing.md` says what an operator has to set up.
 */
import process from 'node:process';
import type { SelfFencingReport } from '@systole/api';
import { SystoleError } from '@systole/kernel';
import { defaultDiskTimes } from '@systole/stonith';
import type { DiskSettings } from '../configuration.ts';
import { die, sysrqTrigger } from './death.ts';
import { DiskWatch } from './disk/watch.ts';
import { monotonicMs } from './disk/watch-protocol.ts';
import { Feeder, type FeederParts } from './feeder.ts';
import type { Logger } from './log.ts';
import { Watchdog } from './watchdog.ts';

/** Where the driver does not tell: what most drivers begin with, and more than any operator would wait. */
const unknownCountdownS = 60;
/** A note on the disks takes a look and a write; a disk that hangs must not hold up the daemon's end. */
const noteWithinMs = 3000;

export interface SelfFencingSettings {
  readonly node: string;
  readonly watchdog?: string;
  readonly watchdogS?: number;
  readonly disks?: DiskSettings;
  readonly hasBooted: boolean;
  readonly log: Logger;
  /** Leave the cluster in order: a message on a disk says so. */
  readonly leave: (reason: string) => void;
  /** Stop without leaving: this machine is to go down. */
  readonly fail: (reason: string) => void;
}

export class SelfFencing {
  readonly #settings: SelfFencingSettings;
  readonly #disks: DiskWatch | undefined;
  #watchdog: Watchdog | undefined;
  #feeder: Feeder | undefined;
  #isDoomed = false;

  private constructor(settings: SelfFencingSettings, disks: DiskWatch | undefined) {
    this.#settings = settings;
    this.#disks = disks;
  }

  /** Looks at the disks. @throws SystoleError if a message there keeps this node from starting. */
  static async prepare(settings: SelfFencingSettings): Promise<SelfFencing> {
    const { disks, node, hasBooted, log } = settings;
    if (disks === undefined) return new SelfFencing(settings, undefined);
    const later: { self?: SelfFencing; doom?: string } = {};
    const watch = await DiskWatch.start(
      { disks: disks.devices, node, hasBooted, start: disks.start, trigger: sysrqTrigger },
      {
        problem: (disk, text) => log.error({ event: 'disk.failed', disk }, `${disk}: ${text}`),
        remark: (disk, text) => log.info({ event: 'disk.message', disk }, `${disk}: ${text}`),
        leave: (from) => settings.leave(`${from} says so, on a disk`),
        dying: (reason) => {
          later.doom = reason;
          if (later.self !== undefined) later.self.#dying(reason);
        },
        died: (error) => settings.fail(`a thread that watches a disk has died: ${error.message}`),
      },
    );
    const self = new SelfFencing(settings, watch);
    later.self = self;
    if (watch.refusal !== undefined) throw new SystoleError('refused', watch.refusal);
    if (later.doom !== undefined) throw new SystoleError('refused', later.doom);
    return self;
  }

  /** Arms the watchdog; from here on it is fed for as long as the node may live. */
  async begin(node: FeederParts['node'], isQuorumHeldNow: () => boolean): Promise<void> {
    const { watchdog: path, watchdogS, disks, log } = this.#settings;
    const wantedS = this.#disks?.watchdogS ?? watchdogS;
    if (path !== undefined) {
      const watchdog = await Watchdog.open(path, wantedS);
      this.#watchdog = watchdog;
      const countdown =
        watchdog.countdownS === undefined ? 'its driver does not tell when' : `${watchdog.countdownS} s`;
      log.info({ event: 'watchdog.armed', device: path }, `the watchdog is armed: ${countdown}`);
    }
    const countdownS = this.#watchdog?.countdownS ?? wantedS ?? unknownCountdownS;
    this.#feeder = new Feeder({
      ...(this.#watchdog === undefined ? {} : { watchdog: this.#watchdog }),
      countdownS,
      ...(this.#disks === undefined ? {} : { disks: this.#disks }),
      node,
      isQuorumHeldNow,
      nowMs: monotonicMs,
      die: (reason) => {
        log.fatal({ event: 'node.reset' }, `${reason}: this machine goes down`);
        const problem = die(disks?.timeoutAction ?? 'reset');
        this.#dying(problem === undefined ? reason : `${reason}; ${problem}`);
      },
      problem: (error) => log.error({ event: 'watchdog.failed', err: error }, 'could not feed the watchdog'),
    });
    if (this.#isDoomed) this.#feeder.doom();
    // Until it is noted, messages prove nothing; nobody has to wait for that.
    void this.#note(countdownS);
  }

  /** Tells those who write messages what stands behind this watcher. */
  async #note(countdownS: number): Promise<void> {
    if (this.#disks === undefined) return;
    const { log } = this.#settings;
    const isArmed = this.#watchdog?.countdownS !== undefined;
    // A look that began just before the message counts for so long; then nothing feeds, and the countdown runs out.
    const reachS = this.#disks.watchdogS ?? defaultDiskTimes.watchdogS;
    const isNoted = await this.#disks.note({ isArmed, deathS: reachS + countdownS }, noteWithinMs);
    if (!isArmed) {
      const text = 'no watchdog, or one whose countdown is unknown: messages on the disks prove nothing of this node';
      log.warn({ event: 'disk.unarmed' }, text);
    } else if (!isNoted) {
      log.warn({ event: 'disk.unnoted' }, 'too few disks could be written: messages on them prove nothing yet');
    }
  }

  #dying(reason: string): void {
    this.#isDoomed = true;
    this.#feeder?.doom();
    this.#settings.fail(reason);
  }

  report(): SelfFencingReport {
    const { watchdog } = this.#settings;
    const countdownS = this.#watchdog?.countdownS;
    return {
      ...(watchdog === undefined
        ? {}
        : { watchdog: { device: watchdog, ...(countdownS === undefined ? {} : { countdownS }) } }),
      disks: this.#disks?.report() ?? [],
    };
  }

  /** First the disks hear that nothing stands behind this watcher any more, then nothing does. */
  async end(hasLeftInOrder: boolean): Promise<void> {
    if (hasLeftInOrder) await this.#disks?.note({ isArmed: false, deathS: 0 }, noteWithinMs);
    this.#feeder?.stop(hasLeftInOrder);
    await this.#disks?.close();
  }
}

/** The machine is told to reset by its peers, who will wait for its silence. */
export function resetSelf(reason: string, log: Logger): void {
  log.fatal({ event: 'node.reset' }, `resetting this machine: ${reason}`);
  const problem = die('reset');
  if (problem !== undefined) {
    log.fatal({ event: 'node.reset' }, `${problem}; the watchdog must do it`);
  }
  process.exit(70); // without its feeder the watchdog bites
}

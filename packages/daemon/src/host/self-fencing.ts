/**
 * What makes this node die when it must and cannot say so: its watchdog, its disks, and who feeds the one and watches the
 * others. `docs/fencing.md` says what an operator has to set up.
 */
import process from 'node:process';
import type { SelfFencingReport } from '@systole/api';
import { SystoleError } from '@systole/kernel';
import type { WatcherNote } from '@systole/stonith';
import type { DiskSettings } from '../configuration.ts';
import { die, sysrqTrigger } from './death.ts';
import { type LeftNote, NotesLeft, type NoteStore } from './disk/notes-left.ts';
import { cureFor, takeBack } from './disk/take-back.ts';
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
  /** Keeps which disks bear a note of this node. */
  readonly store: NoteStore;
  /** Absent: the machine's own. */
  readonly openWatchdog?: (path: string, wantedS?: number) => Promise<Pick<Watchdog, 'countdownS' | 'feed' | 'disarm'>>;
  /** Where death is written to; absent: the kernel's. */
  readonly trigger?: string;
  readonly log: Logger;
  /** Leave the cluster in order: a message on a disk says so. */
  readonly leave: (reason: string) => void;
  /** Stop without leaving: this machine is to go down. */
  readonly fail: (reason: string) => void;
}

export class SelfFencing {
  readonly #settings: SelfFencingSettings;
  readonly #disks: DiskWatch | undefined;
  readonly #notes: NotesLeft;
  /** What a former life left on disks that this one watches. */
  readonly #inherited: readonly LeftNote[];
  #watchdog: Pick<Watchdog, 'countdownS' | 'feed' | 'disarm'> | undefined;
  #feeder: Feeder | undefined;
  #doom: string | undefined;

  private constructor(settings: SelfFencingSettings, notes: NotesLeft, disks: DiskWatch | undefined) {
    this.#settings = settings;
    this.#notes = notes;
    this.#inherited = notes.notes;
    this.#disks = disks;
  }

  /** Looks at the disks. @throws SystoleError if a message there keeps this node from starting. */
  static async prepare(settings: SelfFencingSettings): Promise<SelfFencing> {
    const { disks, node, hasBooted, log, trigger = sysrqTrigger } = settings;
    const notes = await NotesLeft.load(settings.store);
    await takeBack({
      notes,
      node,
      watched: disks?.devices ?? [],
      hasBooted,
      start: disks?.start ?? 'always',
      die: (how) => die(how, trigger),
      log,
    });
    if (disks === undefined) return new SelfFencing(settings, notes, undefined);
    const inherited = notes.notes;
    const former = inherited.length === 0 ? {} : { formerReachS: Math.min(...inherited.map(({ reachS }) => reachS)) };
    const later: { self?: SelfFencing; doom?: string } = {};
    const watch = await DiskWatch.start(
      { disks: disks.devices, notes, ...former, node, hasBooted, start: disks.start, trigger },
      {
        problem: (disk, text) => log.error({ event: 'disk.failed', disk }, `${disk}: ${text}`),
        ready: (disk, uuid) => {
          // Seen late: at the start it could not be read.
          const other = exchanged(inherited, disk, uuid);
          if (other !== undefined) settings.leave(other);
        },
        remark: (disk, text) => log.info({ event: 'disk.message', disk }, `${disk}: ${text}`),
        leave: (from) => settings.leave(`${from} says so, on a disk`),
        dying: (reason) => {
          later.doom = reason;
          if (later.self !== undefined) later.self.#dying(reason);
        },
        died: (error) => settings.fail(`a thread that watches a disk has died: ${error.message}`),
      },
    );
    const self = new SelfFencing(settings, notes, watch);
    later.self = self;
    const refusal = watch.refusal ?? later.doom ?? self.#exchanged();
    if (refusal !== undefined) {
      await watch.close();
      throw new SystoleError('refused', refusal);
    }
    return self;
  }

  #exchanged(): string | undefined {
    for (const { disk } of this.#inherited) {
      const uuid = this.#disks?.uuidOf(disk);
      const reason = uuid === undefined ? undefined : exchanged(this.#inherited, disk, uuid);
      if (reason !== undefined) return reason;
    }
    return undefined;
  }

  /**
   * Arms the watchdog; from here on it is fed for as long as the node may live.
   * @throws SystoleError if a disk says more of this node than is true, and that cannot be changed.
   */
  async begin(node: FeederParts['node'], isQuorumHeldNow: () => boolean): Promise<void> {
    const { watchdog: path, watchdogS, disks, log } = this.#settings;
    const wantedS = this.#disks?.watchdogS ?? watchdogS;
    if (path !== undefined) {
      const watchdog = await this.#openWatchdog(path, wantedS);
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
        const problem = die(disks?.timeoutAction ?? 'reset', this.#settings.trigger);
        this.#dying(problem === undefined ? reason : `${reason}; ${problem}`);
      },
      problem: (error) => log.error({ event: 'watchdog.failed', err: error }, 'could not feed the watchdog'),
    });
    if (this.#doom !== undefined) this.#feeder.doom();
    if (this.#disks === undefined) return;
    // A look that began just before the message counts for so long; then nothing feeds, and the countdown runs out.
    const deathS = this.#disks.reachS + countdownS;
    const note = { isArmed: this.#watchdog?.countdownS !== undefined, deathS };
    // Until it is noted, messages prove nothing; nobody has to wait for that.
    void this.#note(this.#disks, note);
    const problem = (await this.#untrue(this.#disks, note)) ?? this.#doom;
    if (problem === undefined) return;
    // After a boot nothing has run here yet, so that this machine need not go down for it.
    this.#feeder.stop(this.#settings.hasBooted && this.#doom === undefined);
    await this.#disks.close();
    throw new SystoleError('refused', problem);
  }

  #openWatchdog(
    path: string,
    wantedS: number | undefined,
  ): ReturnType<NonNullable<SelfFencingSettings['openWatchdog']>> {
    const { openWatchdog } = this.#settings;
    return openWatchdog === undefined ? Watchdog.open(path, wantedS) : openWatchdog(path, wantedS);
  }

  /** Tells those who write messages what stands behind this watcher. */
  async #note(disks: DiskWatch, note: WatcherNote): Promise<void> {
    const { log } = this.#settings;
    const isNoted = await disks.note(note, noteWithinMs);
    if (!note.isArmed) {
      const text = 'no watchdog, or one whose countdown is unknown: messages on the disks prove nothing of this node';
      log.warn({ event: 'disk.unarmed' }, text);
    } else if (!isNoted) {
      log.warn({ event: 'disk.unnoted' }, 'too few disks could be written: messages on them prove nothing yet');
    }
  }

  /** What a former life promised, and this one does not keep, must be gone from the disks before the node joins. */
  async #untrue(disks: DiskWatch, note: WatcherNote): Promise<string | undefined> {
    const untrue = this.#inherited.filter(({ deathS }) => !note.isArmed || note.deathS > deathS);
    const left = await disks.unnoted(
      untrue.map(({ disk }) => disk),
      noteWithinMs,
    );
    const [disk] = left;
    if (disk !== undefined) {
      return (
        `${left.join(' and ')} may still say what a former life of this node noted, that a watchdog resets it in time; that is ` +
        `no longer so, and the note cannot be replaced. ${cureFor(disk)}; or give the node back its watchdog`
      );
    }
    return this.#exchanged();
  }

  #dying(reason: string): void {
    this.#doom ??= reason;
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
    if (hasLeftInOrder && this.#disks !== undefined) {
      await this.#disks.note({ isArmed: false, deathS: 0 }, noteWithinMs);
      // One that cannot be written now keeps its note, and the next start will ask for it.
      const left = await this.#disks.unnoted(
        this.#notes.notes.map(({ disk }) => disk),
        noteWithinMs,
      );
      for (const disk of left) {
        const text = `${disk} keeps the note that a watchdog stands behind this node, until it can be written at a start`;
        this.#settings.log.warn({ event: 'disk.unnoted', disk }, text);
      }
    }
    this.#feeder?.stop(hasLeftInOrder);
    await this.#disks?.close();
  }
}

/** Why this node must not go on with what stands at the place of a disk that bears its note, if that is another disk. */
function exchanged(inherited: readonly LeftNote[], disk: string, uuid: string): string | undefined {
  if (!inherited.some((left) => left.disk === disk && left.uuid !== uuid)) return undefined;
  return (
    `another disk stands at ${disk} than the one on which a former life of this node noted its watchdog, or it was made ` +
    `anew; a message on the old one would count, and nobody would read it. ${cureFor('the old one')}`
  );
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

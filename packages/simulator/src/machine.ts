/**
 * A machine: power, clocks, a disk, and the processes that its daemon started.
 *
 * What outlives what: the daemon's death leaves processes and services; the loss of power leaves only the disk. While
 * the machine is paused (a frozen virtual machine, a starved host) nothing on it happens, and what was due happens on
 * waking. Its monotonic clock runs up to 200 ppm fast or slow; its wall clock can be set wrong.
 */
import type { ProcessEnded, StartProcess } from '@systole/kernel';
import { epoch } from '@systole/kernel';
import { agentDescription, type Agents } from './agents.ts';
import type { Agenda } from './agenda.ts';
import { between } from './draw.ts';
import type { Disk } from './disk.ts';
import { type FenceDevices, fenceDescription, parseFenceInput } from './fence-devices.ts';

/** 2026-01-01, so that histories have plausible dates. */
export const WALL_ORIGIN = 1_767_225_600_000;

/** Further ahead than any run: a node that has stopped asks to be woken then. */
const NEVER_MS = 1e12;

export type Power = 'on' | 'off' | 'booting';

interface Process {
  readonly id: string;
  readonly startedAt: number;
  readonly interrupt: () => void;
  readonly ignoresTerm: boolean;
  over: boolean;
  finish: (outcome: ProcessEnded['outcome'], stdout: string, stderr: string) => void;
}

export interface MachineParts {
  readonly id: number;
  readonly name: string;
  readonly seed: number;
  readonly agenda: Agenda;
  readonly disk: Disk;
  readonly agents: Agents;
  readonly fence: FenceDevices;
}

export class Machine {
  readonly id: number;
  readonly name: string;
  readonly disk: Disk;
  readonly #seed: number;
  readonly #agenda: Agenda;
  readonly #agents: Agents;
  readonly #fence: FenceDevices;
  readonly #processes = new Map<string, Process>();
  readonly #whenAwake: (() => void)[] = [];
  #bootedAt = 0;
  #pausedUntil = 0;
  /** Parts per million by which the monotonic clock is fast. */
  #ppm = 0;
  #wallStep = 0;
  power: Power = 'off';
  /** Counts boots; part of what a daemon compares to know that it has rebooted. */
  boots = 0;

  constructor({ id, name, seed, agenda, disk, agents, fence }: MachineParts) {
    this.id = id;
    this.name = name;
    this.disk = disk;
    this.#seed = seed;
    this.#agenda = agenda;
    this.#agents = agents;
    this.#fence = fence;
  }

  // --- clocks -----------------------------------------------------------------------------------------------------

  /** Milliseconds since its last boot by its own clock; 1000 at boot, so that zero is never now. */
  monotonic(): number {
    const since = this.#agenda.now - this.#bootedAt;
    return 1000 + since + Math.floor((since * this.#ppm) / 1_000_000);
  }

  wall(): number {
    return WALL_ORIGIN + this.#agenda.now + this.#wallStep;
  }

  /** The first true time at which the monotonic clock shows at least `at`; infinite for what is years away. */
  trueTime(at: number): number {
    if (at > NEVER_MS) return Infinity;
    const since = at - 1000;
    let time = this.#bootedAt + Math.floor(since / (1 + this.#ppm / 1_000_000));
    while (1000 + (time - this.#bootedAt) + Math.floor(((time - this.#bootedAt) * this.#ppm) / 1_000_000) < at)
      time += 1;
    return time;
  }

  stepWallClock(byMs: number): void {
    this.#wallStep += byMs;
  }

  /** Somebody sets it right. */
  setWallClock(): void {
    this.#wallStep = 0;
  }

  /** Takes effect at the next boot, so that no clock jumps. */
  nextPpm = 0;

  /** Versions of the wire protocol that its program speaks from the next start of the daemon on; absent: as shipped. */
  protocol: { readonly min: number; readonly max: number } | undefined;

  /** The machine is starved: each turn of its daemon comes up to so many milliseconds late. */
  lagMs = 0;

  // --- power and pauses -------------------------------------------------------------------------------------------

  boot(): void {
    this.power = 'on';
    this.boots += 1;
    this.#bootedAt = this.#agenda.now;
    this.#ppm = this.nextPpm;
    this.#pausedUntil = 0;
  }

  powerOff(): void {
    this.power = 'off';
    this.#whenAwake.length = 0;
    this.disk.abandon();
    for (const process of this.#processes.values()) process.over = true;
    this.#processes.clear();
  }

  pause(durationMs: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, this.#agenda.now + durationMs);
    const boots = this.boots;
    this.#agenda.at(this.#pausedUntil, () => {
      if (this.boots === boots && this.power === 'on' && !this.isPaused)
        for (const run of this.#whenAwake.splice(0)) run();
    });
  }

  get isPaused(): boolean {
    return this.#pausedUntil > this.#agenda.now;
  }

  resume(): void {
    this.#pausedUntil = this.#agenda.now;
    for (const run of this.#whenAwake.splice(0)) run();
  }

  /** Runs it now, or in order when the machine wakes up. */
  whenAwake(run: () => void): void {
    if (this.isPaused) this.#whenAwake.push(run);
    else run();
  }

  // --- processes --------------------------------------------------------------------------------------------------

  /** Ids of processes that are still running, whoever started them. */
  get processes(): readonly string[] {
    return [...this.#processes.keys()];
  }

  /** Starts what the daemon asked for. `ended` is called unless the machine loses its power first. */
  start(effect: StartProcess, ended: (result: ProcessEnded) => void): void {
    const startedAt = this.#agenda.now;
    const startedWall = epoch(this.wall());
    const path = effect.argv[0] ?? '';
    const finish: Process['finish'] = (outcome, stdout, stderr) => {
      if (process.over) return;
      process.over = true;
      this.#processes.delete(effect.id);
      ended({
        type: 'processEnded',
        id: effect.id,
        outcome,
        stdout,
        stderr,
        startedAt: startedWall,
        durationMs: this.#agenda.now - startedAt,
      });
    };
    const isFence = path.includes('/fence');
    const operation = effect.argv[1] ?? '';
    const instance = effect.environment['OCF_RESOURCE_INSTANCE'] ?? '';
    const course = isFence || operation === 'meta-data' ? undefined : this.#agents.begin(this.id, instance, operation);
    const process: Process = {
      id: effect.id,
      startedAt,
      interrupt: course?.interrupt ?? ((): void => undefined),
      ignoresTerm: course?.ignoresTerm ?? false,
      over: false,
      finish,
    };
    this.#processes.set(effect.id, process);
    const later = (delay: number, run: () => void): void =>
      this.#agenda.after(delay, () => {
        if (!process.over) this.whenAwake(() => (process.over ? undefined : run()));
      });
    if (isFence) {
      const input = parseFenceInput(effect.stdin);
      if (input.action === 'metadata') later(10, () => finish({ type: 'exited', code: 0 }, fenceDescription, ''));
      else {
        const answer = this.#fence.run(this.id, input);
        if (answer.durationMs !== undefined) {
          later(answer.durationMs, () => {
            const { code, stdout, stderr } = answer.end();
            finish({ type: 'exited', code }, stdout, stderr);
          });
        }
      }
    } else if (course === undefined) {
      later(between(5, 20, this.#seed, 'describe', this.id), () =>
        finish({ type: 'exited', code: 0 }, agentDescription, ''),
      );
    } else if (course.durationMs !== undefined) {
      later(course.durationMs, () => {
        const { code, reason } = course.end();
        finish({ type: 'exited', code }, '', reason);
      });
    }
    later(effect.timeoutMs, () => {
      if (!process.ignoresTerm) this.#end(process, { type: 'timedOut' });
      else later(effect.killAfterMs, () => this.#end(process, { type: 'timedOut' }));
    });
  }

  kill(id: string, signal: 'SIGTERM' | 'SIGKILL'): void {
    const process = this.#processes.get(id);
    if (process === undefined || (signal === 'SIGTERM' && process.ignoresTerm)) return;
    this.#agenda.after(1, () => {
      if (!process.over) this.whenAwake(() => this.#end(process, { type: 'signalled', signal }));
    });
  }

  #end(process: Process, outcome: ProcessEnded['outcome']): void {
    if (process.over) return;
    process.interrupt();
    process.finish(outcome, '', 'ended from outside');
  }
}

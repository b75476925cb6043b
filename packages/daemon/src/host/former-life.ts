/**
 * What the next life of this daemon needs until the machine boots: records of resources, and which agents are at work.
 * Kept in the run folder, which the system empties at boot; nothing is flushed, since only our own death is feared.
 *
 * An agent is recognised by its process id together with its start time, which no later process with the same id has.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { epoch, type ProcessEnded } from '@systole/kernel';
import type { SavedResource } from '@systole/lrm';

interface Process {
  readonly id: string;
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: clock ticks since boot. */
  readonly startTicks: string;
}

/** How often a survivor that was killed is looked for. */
const lookEveryMs = 10;

export class FormerLife {
  readonly #resources: string;
  readonly #processes: string;
  readonly #survivors = new Map<string, Process>();
  readonly #known = new Map<string, string>();
  #count = 0;

  /** @throws if the folder cannot be made. */
  constructor(run: string) {
    this.#resources = join(run, 'resources');
    this.#processes = join(run, 'processes');
    mkdirSync(this.#resources, { recursive: true, mode: 0o700 });
    mkdirSync(this.#processes, { recursive: true, mode: 0o700 });
  }

  /** What a former life left. Records that cannot be read are reported, and forgotten: their resources will be probed. */
  read(): {
    readonly resources: readonly SavedResource[];
    readonly survivors: readonly string[];
    readonly problems: readonly string[];
  } {
    const problems: string[] = [];
    const resources = readAll<SavedResource>(this.#resources, problems).map(({ content }) => content);
    for (const { content, path } of readAll<Process>(this.#processes, problems)) {
      const isAlive = startTicks(content.pid) === content.startTicks;
      if (isAlive) this.#survivors.set(content.id, content);
      rmSync(path, { force: true });
    }
    return { resources, survivors: [...this.#survivors.keys()], problems };
  }

  /** @throws where the run folder is full. */
  saveResource(resource: string, saved: SavedResource | undefined): void {
    const path = join(this.#resources, `${encodeURIComponent(resource)}.json`);
    if (saved === undefined) rmSync(path, { force: true });
    else replace(path, JSON.stringify(saved));
  }

  /** An agent is at work. */
  processStarted(id: string, pid: number): void {
    const ticks = startTicks(pid);
    if (ticks === undefined) return; // it is over already
    this.#count += 1;
    const path = join(this.#processes, `${process.pid}-${this.#count}.json`);
    this.#known.set(id, path);
    replace(path, JSON.stringify({ id, pid, startTicks: ticks } satisfies Process));
  }

  processEnded(id: string): void {
    const path = this.#known.get(id);
    if (path !== undefined) rmSync(path, { force: true });
    this.#known.delete(id);
  }

  isSurvivor(id: string): boolean {
    return this.#survivors.has(id);
  }

  /** Signals a survivor's group and tells when it is gone. */
  killSurvivor(id: string, signal: NodeJS.Signals, ended: (result: ProcessEnded) => void): void {
    const survivor = this.#survivors.get(id);
    if (survivor === undefined) return;
    try {
      process.kill(-survivor.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
    const startedAt = epoch(Date.now());
    const look = (): void => {
      if (isRunning(survivor)) {
        setTimeout(look, lookEveryMs);
        return;
      }
      this.#survivors.delete(id);
      ended({
        type: 'processEnded',
        id,
        outcome: { type: 'signalled', signal },
        stdout: '',
        stderr: '',
        startedAt,
        durationMs: Date.now() - startedAt,
      });
    };
    look();
  }
}

/** Alive and not merely waiting to be reaped by whoever adopted it. */
const isRunning = ({ pid, startTicks: ticks }: Process): boolean => {
  const stat = statOf(pid);
  return stat !== undefined && stat.ticks === ticks && stat.state !== 'Z' && stat.state !== 'X';
};

const startTicks = (pid: number): string | undefined => statOf(pid)?.ticks;

function statOf(pid: number): { readonly state: string; readonly ticks: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name in parentheses may hold anything; what follows the last one does not.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', ticks: fields[19] ?? '' };
  } catch {
    return undefined; // no such process
  }
}

function replace(path: string, content: string): void {
  writeFileSync(`${path}.new`, content, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

function readAll<T>(folder: string, problems: string[]): readonly { readonly content: T; readonly path: string }[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .flatMap((name) => {
      const path = join(folder, name);
      try {
        return [{ content: JSON.parse(readFileSync(path, 'utf8')) as T, path }];
      } catch (error) {
        problems.push(`${path}: ${(error as Error).message}`);
        rmSync(path, { force: true });
        return [];
      }
    });
}

/**
 * Runs agents. Each is the leader of a process group of its own, so that it can be ended with all its children; it gets
 * only the environment it was given; its output is read to the end but only a bounded part is kept.
 *
 * A run is over when the agent has exited, not when its pipes are closed: services that an agent starts often keep
 * them open for as long as they run. What is readable then is taken, and the pipes are closed. Survivors of the group
 * are left alone after a normal exit, since they are the service.
 */
import type { Readable } from 'node:stream';
import { epoch, type KillProcess, type ProcessEnded, type StartProcess } from '@systole/kernel';
import { BoundedText } from './bounded-text.ts';
import { Alarm } from './clock.ts';
import { type Launch, launchByFork, type ProgramEnd } from './launch.ts';

/** After an exit, so long the last output may take to arrive from pipes that a background process holds open. */
const drainMs = 20;

/** Agents expect the administrator's programs, and a locale that does not change what tools print. */
const basicEnvironment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' } as const;

interface Running {
  readonly pid: number;
  hasTimedOut: boolean;
}

export class ProcessRunner {
  readonly #ended: (result: ProcessEnded) => void;
  readonly #pathBefore: string;
  readonly #launch: Launch;
  readonly #running = new Map<string, Running>();

  /** `helpersFolder`, if given, comes first on the agents' PATH: the helper programs that they call. */
  constructor(ended: (result: ProcessEnded) => void, helpersFolder?: string, launch: Launch = launchByFork) {
    this.#launch = launch;
    this.#ended = ended;
    this.#pathBefore = helpersFolder === undefined ? '' : `${helpersFolder}:`;
  }

  get runningCount(): number {
    return this.#running.size;
  }

  /** The process id of a running agent. */
  pidOf(id: string): number | undefined {
    return this.#running.get(id)?.pid;
  }

  start(effect: StartProcess): void {
    const [program = '', ...rest] = effect.argv;
    const startedAt = epoch(Date.now());
    const begin = performance.now();
    const stdout = new BoundedText(effect.outputLimitBytes);
    const stderr = new BoundedText(effect.outputLimitBytes);

    const finish = (outcome: ProcessEnded['outcome']): void => {
      this.#running.delete(effect.id);
      this.#ended({
        type: 'processEnded',
        id: effect.id,
        outcome,
        stdout: stdout.toString(),
        stderr: stderr.toString(),
        startedAt,
        durationMs: Math.round(performance.now() - begin),
      });
    };

    let ended: (end: ProgramEnd) => void = () => undefined;
    const child = this.#launch(
      {
        path: program,
        arguments: rest,
        environment: {
          ...basicEnvironment,
          ...effect.environment,
          PATH: this.#pathBefore + (effect.environment['PATH'] ?? basicEnvironment.PATH),
        },
        isTold: effect.stdin !== '',
        ...(effect.workingDirectory === undefined ? {} : { workingDirectory: effect.workingDirectory }),
      },
      (end) => ended(end),
    );
    const { pid } = child;
    if (pid === undefined) {
      ended = finish;
      return;
    }

    const running: Running = { pid, hasTimedOut: false };
    this.#running.set(effect.id, running);
    child.stdout?.on('data', (chunk: Buffer) => stdout.add(chunk));
    child.stderr?.on('data', (chunk: Buffer) => stderr.add(chunk));
    child.stdin?.on('error', () => undefined); // an agent need not read what it is told
    child.stdin?.end(effect.stdin);
    const drained = Promise.all([closed(child.stdout), closed(child.stderr)]);

    const killTimer = new Alarm(() => signalGroup(pid, 'SIGKILL'));
    const deadline = new Alarm(() => {
      running.hasTimedOut = true;
      signalGroup(pid, 'SIGTERM');
      killTimer.set(effect.killAfterMs);
    });
    deadline.set(effect.timeoutMs);

    ended = (end) => {
      deadline.clear();
      killTimer.clear();
      // A group that was told to end may have members that did not listen; they must not outlive the verdict.
      if (running.hasTimedOut) signalGroup(pid, 'SIGKILL');
      const outcome: ProcessEnded['outcome'] = running.hasTimedOut ? { type: 'timedOut' } : end;
      let isTold = false;
      const tell = (): void => {
        if (isTold) return;
        isTold = true;
        clearTimeout(patience);
        child.stdout?.destroy();
        child.stderr?.destroy();
        finish(outcome);
      };
      // A daemon that was kept busy finds the timer over before it has looked at the pipes: they come first.
      const patience = setTimeout(() => setImmediate(tell), drainMs);
      void drained.then(tell);
    };
  }

  kill(effect: KillProcess): void {
    const running = this.#running.get(effect.id);
    if (running !== undefined) signalGroup(running.pid, effect.signal);
  }
}

function closed(stream: Readable | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (stream === undefined) resolve();
    stream?.once('close', () => resolve());
    stream?.on('error', () => undefined); // what was read until then is what there is
  });
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it has just ended
  }
}

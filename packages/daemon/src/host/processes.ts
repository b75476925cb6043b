/**
 * Runs agents. Each is the leader of a process group of its own, so that it can be ended with all its children; it gets
 * only the environment it was given; its output is read to the end but only a bounded part is kept.
 *
 * A run is over when the agent has exited, not when its pipes are closed: services that an agent starts often keep
 * them open for as long as they run. What is readable then is taken, and the pipes are closed. Survivors of the group
 * are left alone after a normal exit, since they are the service.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { epoch, type KillProcess, type ProcessEnded, type StartProcess } from '@systole/kernel';
import { BoundedText } from './bounded-text.ts';

/** After an exit, so long the last output may take to arrive from pipes that a background process holds open. */
const drainMs = 20;

/** Agents expect the administrator's programs, and a locale that does not change what tools print. */
const basicEnvironment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' } as const;

interface Running {
  readonly child: ChildProcess;
  hasTimedOut: boolean;
}

export class ProcessRunner {
  readonly #ended: (result: ProcessEnded) => void;
  readonly #pathBefore: string;
  readonly #running = new Map<string, Running>();

  /** `helpersFolder`, if given, comes first on the agents' PATH: the helper programs that they call. */
  constructor(ended: (result: ProcessEnded) => void, helpersFolder?: string) {
    this.#ended = ended;
    this.#pathBefore = helpersFolder === undefined ? '' : `${helpersFolder}:`;
  }

  get runningCount(): number {
    return this.#running.size;
  }

  /** The process id of a running agent. */
  pidOf(id: string): number | undefined {
    return this.#running.get(id)?.child.pid;
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

    let child: ChildProcess;
    try {
      child = spawn(program, rest, {
        detached: true,
        env: {
          ...basicEnvironment,
          ...effect.environment,
          PATH: this.#pathBefore + (effect.environment['PATH'] ?? basicEnvironment.PATH),
        },
        stdio: [effect.stdin === '' ? 'ignore' : 'pipe', 'pipe', 'pipe'],
        ...(effect.workingDirectory === undefined ? {} : { cwd: effect.workingDirectory }),
      });
    } catch (error) {
      // Arguments that no system call could take, such as a NUL in a parameter.
      const { code, message } = error as NodeJS.ErrnoException;
      queueMicrotask(() => finish({ type: 'notStarted', code: code ?? 'EINVAL', message }));
      return;
    }

    const running: Running = { child, hasTimedOut: false };
    this.#running.set(effect.id, running);
    child.stdout?.on('data', (chunk: Buffer) => stdout.add(chunk));
    child.stderr?.on('data', (chunk: Buffer) => stderr.add(chunk));
    child.stdin?.on('error', () => undefined); // an agent need not read what it is told
    child.stdin?.end(effect.stdin);

    let killTimer: NodeJS.Timeout | undefined;
    const deadline = setTimeout(() => {
      running.hasTimedOut = true;
      signalGroup(child, 'SIGTERM');
      killTimer = setTimeout(() => signalGroup(child, 'SIGKILL'), effect.killAfterMs);
    }, effect.timeoutMs);
    const stopTimers = (): void => {
      clearTimeout(deadline);
      clearTimeout(killTimer);
    };

    child.once('error', (error: NodeJS.ErrnoException) => {
      if (child.pid !== undefined) return; // a signal or a write failed, the agent itself runs on
      stopTimers();
      finish({ type: 'notStarted', code: error.code ?? 'UNKNOWN', message: error.message });
    });
    child.once('exit', (code, signal) => {
      stopTimers();
      // A group that was told to end may have members that did not listen; they must not outlive the verdict.
      if (running.hasTimedOut) signalGroup(child, 'SIGKILL');
      const outcome: ProcessEnded['outcome'] = running.hasTimedOut
        ? { type: 'timedOut' }
        : signal === null
          ? { type: 'exited', code: code ?? 0 }
          : { type: 'signalled', signal };
      const drained = setTimeout(() => {
        child.removeListener('close', closed);
        child.stdout?.destroy();
        child.stderr?.destroy();
        finish(outcome);
      }, drainMs);
      const closed = (): void => {
        clearTimeout(drained);
        finish(outcome);
      };
      child.once('close', closed);
    });
  }

  kill(effect: KillProcess): void {
    const running = this.#running.get(effect.id);
    if (running !== undefined) signalGroup(running.child, effect.signal);
  }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it has just ended
  }
}

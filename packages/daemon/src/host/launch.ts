/**
 * Starts one program as the leader of a session of its own, with pipes to it, and says how it ended.
 *
 * Two ways. Node's own (`launchByFork`) copies the page tables of the whole daemon before the new program replaces the
 * copy: 18 ms at 200 MB on a quiet machine, and all that time nothing else of the daemon can run that touches new memory,
 * the thread of the heartbeats included. `launch-native.ts` borrows the daemon's memory instead (posix_spawn): 1 ms whatever
 * its size. Each failover starts two programs one after the other, and each monitor one.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { ProcessEnded } from '@systole/kernel';

export interface Program {
  readonly path: string;
  readonly arguments: readonly string[];
  /** All of it: nothing is inherited. */
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory?: string;
  /** Otherwise it reads from /dev/null. */
  readonly isTold: boolean;
}

/** How it ended by itself, or that it never began. */
export type ProgramEnd = Exclude<ProcessEnded['outcome'], { readonly type: 'timedOut' }>;

export interface Launched {
  /** Undefined: it did not start, which is told to whoever waits for its end. */
  readonly pid: number | undefined;
  readonly stdin: Writable | undefined;
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
}

/** Its end is told once, and never before the call returns; output may still be in the pipes then. */
export type Launch = (program: Program, ended: (end: ProgramEnd) => void) => Launched;

export const launchByFork: Launch = (program, ended) => {
  let child: ChildProcess;
  try {
    child = spawn(program.path, program.arguments, {
      detached: true,
      env: program.environment,
      stdio: [program.isTold ? 'pipe' : 'ignore', 'pipe', 'pipe'],
      ...(program.workingDirectory === undefined ? {} : { cwd: program.workingDirectory }),
    });
  } catch (error) {
    // Arguments that no system call could take, such as a NUL in a parameter.
    const { code, message } = error as NodeJS.ErrnoException;
    return notStarted(ended, code ?? 'EINVAL', message);
  }
  child.once('error', (error: NodeJS.ErrnoException) => {
    if (child.pid !== undefined) return; // a signal or a write failed, the program itself runs on
    ended({ type: 'notStarted', code: error.code ?? 'UNKNOWN', message: error.message });
  });
  child.once('exit', (code, signal) =>
    ended(signal === null ? { type: 'exited', code: code ?? 0 } : { type: 'signalled', signal }),
  );
  return {
    pid: child.pid,
    stdin: child.stdin ?? undefined,
    stdout: child.stdout ?? undefined,
    stderr: child.stderr ?? undefined,
  };
};

export function notStarted(ended: (end: ProgramEnd) => void, code: string, message: string): Launched {
  queueMicrotask(() => ended({ type: 'notStarted', code, message }));
  return { pid: undefined, stdin: undefined, stdout: undefined, stderr: undefined };
}

/** The surface every package that acts offers, and what a host must offer to run it. */
import type { Epoch, Instant } from './brand.ts';

/** A part of a node that decides: it takes one input in and answers with everything it wants done. */
export interface Subsystem<Input, Effect> {
  /** Never waits, never touches the world, never throws for bad input. The order of the effects is a promise. */
  step(input: Input, now: Instant): readonly Effect[];
}

/** Where randomness comes from: seeded in tests and in the simulator. */
export interface Random {
  /** A whole number from 0 up to, but not including, `below`. `below` from 1 to 2^32. */
  integer(below: number): number;
  /** `length` random bytes. */
  bytes(length: number): Uint8Array;
}

/** Asks the host for a timer; when it expires the subsystem gets an input with that id. A running one is replaced. */
export interface StartTimer {
  readonly type: 'startTimer';
  readonly id: string;
  readonly delayMs: number;
}

/** Takes a timer back; unknown ids are ignored. */
export interface StopTimer {
  readonly type: 'stopTimer';
  readonly id: string;
}

export interface TimerExpired {
  readonly type: 'timerExpired';
  readonly id: string;
}

/** Asks the host to run a program in its own process group. */
export interface StartProcess {
  readonly type: 'startProcess';
  /** Chosen by the subsystem, unique while the process lives; comes back in `ProcessEnded`. */
  readonly id: string;
  /** The program's path, then its arguments. No shell is involved. */
  readonly argv: readonly string[];
  /** The whole environment; nothing is inherited except what the host adds to PATH. */
  readonly environment: Readonly<Record<string, string>>;
  /** Written to standard input, which is then closed. Empty: standard input is /dev/null. */
  readonly stdin: string;
  /** After so long the group gets SIGTERM, and `killAfterMs` later SIGKILL. */
  readonly timeoutMs: number;
  readonly killAfterMs: number;
  /** Each stream keeps so much of its beginning and as much of its end; the rest is read and dropped. */
  readonly outputLimitBytes: number;
  readonly workingDirectory?: string;
}

/** Asks the host to signal a process's whole group. Unknown ids are ignored. */
export interface KillProcess {
  readonly type: 'killProcess';
  readonly id: string;
  readonly signal: 'SIGTERM' | 'SIGKILL';
}

export interface ProcessEnded {
  readonly type: 'processEnded';
  readonly id: string;
  readonly outcome:
    | { readonly type: 'exited'; readonly code: number }
    | { readonly type: 'signalled'; readonly signal: string }
    | { readonly type: 'timedOut' }
    /** It never ran: ENOENT, EACCES, … */
    | { readonly type: 'notStarted'; readonly code: string; readonly message: string };
  readonly stdout: string;
  readonly stderr: string;
  /** Wall clock at its start, for history. */
  readonly startedAt: Epoch;
  readonly durationMs: number;
}

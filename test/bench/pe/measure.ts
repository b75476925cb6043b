/** What a decision costs, in milliseconds of CPU: ours in this process and as a process, and Pacemaker's. */
import { type Cib, importCib } from '@systole/cib';
import { schedule } from '@systole/pe';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { root } from '../../support/repository.ts';

/** When the clusters of the generators are looked at. */
export const at = Date.UTC(2026, 6, 1);

/** CPU of all threads, garbage collection included. */
const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

export function timed<T>(work: () => T): readonly [T, number] {
  const before = cpuMs();
  const result = work();
  return [result, cpuMs() - before];
}

export interface Cost {
  readonly importMs: number;
  readonly firstMs: number;
  /** Of the runs after the first: the middle one, and the least disturbed by whatever else ran on the machine. */
  readonly warmMs: number;
  readonly leastMs: number;
  readonly actions: number;
}

export function readCib(file: string): Cib {
  const imported = importCib(readFileSync(file, 'utf8'));
  if (!imported.ok) throw new Error(`${file}: ${imported.error.message}`);
  return imported.value.cib;
}

export function ours(file: string, runs: number): Cost {
  const [cib, importMs] = timed(() => readCib(file));
  const times: number[] = [];
  let actions = 0;
  for (let run = 0; run <= runs; run += 1) {
    const [decision, ms] = timed(() => schedule(cib, { now: at }));
    actions = decision.transition.actions.length;
    times.push(ms);
  }
  const warm = times.slice(1);
  return {
    importMs,
    firstMs: times[0] ?? Number.NaN,
    warmMs: median(warm),
    leastMs: Math.min(...warm),
    actions,
  };
}

/** So many runs are not too few for a mean, and so much time is enough. */
const RUNS_MIN = 4;
const ENOUGH_MS = 400;

/** The mean of many runs, so that garbage collection counts as often as it comes: for comparing sizes. */
export function meanMs(file: string): number {
  const cib = readCib(file);
  schedule(cib, { now: at });
  let runs = 0;
  let total = 0;
  while (runs < RUNS_MIN || total < ENOUGH_MS) {
    total += timed(() => schedule(cib, { now: at }))[1];
    runs += 1;
  }
  return total / runs;
}

export type Measured = number | 'too long' | undefined;

/** What bash says of a program that was ended for using more CPU than it may. */
const ENDED_BY_LIMIT = 128 + constants.signals.SIGXCPU;

/** User and system CPU of a command; `too long` if it was ended after `limitS` of them, undefined if it failed. */
export function processMs(command: readonly string[], limitS = 120): Measured {
  const script = `ulimit -S -t ${limitS}; TIMEFORMAT='%U %S'; time "$@" >/dev/null 2>&1`;
  const { stderr, status } = spawnSync('bash', ['-c', script, 'bash', ...command], { encoding: 'utf8' });
  if (status === ENDED_BY_LIMIT) return 'too long';
  const match = /([\d.]+) ([\d.]+)\s*$/.exec(stderr);
  return status === 0 && match !== null ? (Number(match[1]) + Number(match[2])) * 1000 : undefined;
}

export const hasPeer = spawnSync('crm_simulate', ['--version']).status === 0;

export const peerVersion = (): string =>
  hasPeer
    ? (spawnSync('crm_simulate', ['--version'], { encoding: 'utf8' }).stdout.split('\n')[0] ?? '')
    : 'not installed';

const built = join(root, 'dist/bin/systole');

/** The commands that decide for one file: from the sources, and bundled, where `npm run build` has been run. */
export const commands = {
  sources: (file: string) => [process.execPath, join(root, 'packages/cli/bin/systole.js'), ...simulation(file)],
  built: (file: string) => (existsSync(built) ? [process.execPath, built, ...simulation(file)] : undefined),
  peer: (file: string) => ['crm_simulate', '-R', '-Q', '-x', file, '-G', '/dev/null'],
};

const simulation = (file: string): readonly string[] => ['simulate', '--format', 'json', '--xml', file];

/** Pacemaker's cost of one more decision about each file of a folder, and of a process that makes one. */
export function peerOf(folder: string, repeats: number, limitS: number): { scheduleMs: Measured; processMs: Measured } {
  const run = (count: number): Measured =>
    processMs(['crm_simulate', '--profile', folder, '--repeat', String(count)], limitS);
  const once = run(1);
  if (typeof once !== 'number') return { scheduleMs: once, processMs: once };
  const more = run(1 + repeats);
  return { scheduleMs: typeof more === 'number' ? Math.max(0, more - once) / repeats : more, processMs: once };
}

/** The same for one file. */
export function peerOfFile(file: string, repeats: number, limitS: number): ReturnType<typeof peerOf> {
  const own = mkdtempSync(join(tmpdir(), 'systole-bench-peer-'));
  try {
    cpSync(file, join(own, 'cib.xml'));
    return peerOf(own, repeats, limitS);
  } finally {
    rmSync(own, { recursive: true });
  }
}

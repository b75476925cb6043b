/** The trials, each a function of a cluster that is whole; they leave it whole. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { sleep, until } from '../../lab/command.ts';
import type { Cluster } from './cluster.ts';
import type { Order } from './member.ts';

const VIEW_MAX_MS = 60_000;

export const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? Number.NaN;

/** One message after the other from a member that is neither coordinator nor sequencer, in milliseconds. */
export async function latencies(cluster: Cluster, count: number, service?: 'safe'): Promise<readonly number[]> {
  const order: Order = { count, bytes: 64, window: 1, ...(service === undefined ? {} : { service }) };
  return (await cluster.member(3).carryOut(order)).latencies;
}

/** Messages a second with so many under way. */
export async function throughput(cluster: Cluster, count: number, bytes: number, window: number): Promise<number> {
  return count / ((await cluster.member(3).carryOut({ count, bytes, window })).ms / 1000);
}

/** When both that stay were told a view of two. */
async function agreedAt(cluster: Cluster, since: number): Promise<number> {
  const stay = [cluster.member(1), cluster.member(3)];
  return until(
    'the loss is agreed',
    () => {
      const times = stay.map((member) => member.saw(2, since));
      return times.every((time) => time !== undefined) ? Math.max(...times) : undefined;
    },
    VIEW_MAX_MS,
    5,
  );
}

export interface Coming {
  /** From the loss or the wish to leave until it is agreed among the others. */
  readonly goneMs: number;
  /** From the start of its program until all are members again. */
  readonly backMs: number;
}

/** A member's plug is pulled, or it leaves in order; then it comes back. */
export async function comeAndGo(cluster: Cluster, how: 'crash' | 'leave'): Promise<Coming> {
  let at = Date.now();
  if (how === 'crash') await cluster.machine(2).powerOff();
  else at = cluster.leave(2);
  const goneMs = (await agreedAt(cluster, at)) - at;
  await cluster.machine(2).powerOff();
  cluster.readmit(2);
  const startedAt = await cluster.boot(2);
  await cluster.whole();
  const back = cluster.members.map((member) => member.saw(3, startedAt) ?? Number.NaN);
  return { goneMs, backMs: Math.max(...back) - startedAt };
}

/** Memberships told in so long while the machine is busy. None of them is true. */
export async function falseChanges(
  clusters: readonly Cluster[],
  loops: number,
  forMs: number,
): Promise<readonly number[]> {
  const busy: ChildProcess[] = Array.from({ length: loops }, () =>
    spawn('setpriv', ['--pdeathsig', 'KILL', 'sh', '-c', 'while :; do :; done'], { stdio: 'ignore' }),
  );
  try {
    const since = Date.now();
    await sleep(forMs);
    return clusters.map((cluster) => cluster.changes(since).count);
  } finally {
    await Promise.all(
      busy.map(async (loop) => {
        const ended = once(loop, 'exit');
        loop.kill('SIGKILL');
        await ended;
      }),
    );
    await sleep(500);
  }
}

export interface PairCut {
  readonly count: number;
  readonly lastMs: number;
}

/** One pair of the three cannot hear each other: memberships formed, and when the last one was. */
export async function pairCut(cluster: Cluster, forMs: number): Promise<PairCut> {
  const since = Date.now();
  try {
    await cluster.network.block('n2', 'n3');
    await cluster.network.block('n3', 'n2');
    await sleep(forMs);
    return cluster.changes(since);
  } finally {
    await cluster.network.unblock();
    await cluster.whole();
  }
}

/** Share of a core that one member takes while nothing happens, its client included. */
export async function idle(clusters: readonly Cluster[], forMs: number): Promise<readonly number[]> {
  const spent = (): readonly number[] =>
    clusters.map((cluster) => cluster.processes(3).reduce((sum, { cpuMs }) => sum + cpuMs, 0));
  const before = spent();
  const began = process.hrtime.bigint();
  await sleep(forMs);
  const tookMs = Number(process.hrtime.bigint() - began) / 1e6;
  return spent().map((after, index) => (after - (before[index] ?? 0)) / tookMs);
}

/** `node: RR`, for the honest comparison. */
export const scheduling = (cluster: Cluster): string =>
  cluster
    .processes(3)
    .map(({ name, classes }) => `${name} ${classes.toSorted().join('+')}`)
    .join(', ');

/**
 * What agreed messages and membership cost: `npm run bench -- messaging [--quick] [--alone]`, root.
 *
 * Three members in namespaces on one bridge, real sockets, encryption on: our engine, and an installed corosync with its
 * process groups (CPG) and its default timing. Both clusters are there all the time, and each trial alternates between
 * them, so that what else the machine does hits both; medians are told. All members share this machine's cores: the
 * ratios say more than the figures. A trial that fails is told as such, and the next one goes on.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { Cluster } from './messaging/cluster.ts';
import { corosync, hasCorosync, systole } from './messaging/systems.ts';
import {
  type Coming,
  comeAndGo,
  falseChanges,
  idle,
  latencies,
  pairCut,
  quantile,
  scheduling,
  throughput,
} from './messaging/trials.ts';

interface Row {
  readonly id: string;
  readonly what: string;
  readonly target: string;
  /** One for each cluster; NaN where it failed. */
  readonly values: readonly number[];
}

const median = (values: readonly number[]): number => quantile(values, 0.5);
const digits = (value: number): string =>
  Number.isNaN(value) ? 'failed' : value < 10 ? value.toFixed(2) : value.toFixed(0);

class Table {
  readonly #clusters: readonly Cluster[];
  readonly #rows: Row[] = [];

  constructor(clusters: readonly Cluster[]) {
    this.#clusters = clusters;
  }

  /** Notes figures and shows them at once: a run that is interrupted has told what it knows. */
  add(id: string, what: string, target: string, values: readonly number[]): void {
    this.#rows.push({ id, what, target, values });
    const [mine = Number.NaN, theirs] = values;
    const ratio = theirs === undefined || Number.isNaN(mine / theirs) ? '' : (mine / theirs).toFixed(2);
    console.log(
      [
        id.padEnd(4),
        what.padEnd(42),
        digits(mine).padStart(9),
        (theirs === undefined ? '-' : digits(theirs)).padStart(9),
        ratio.padStart(7),
        `  ${target}`,
      ].join(' '),
    );
  }

  head(): void {
    const head = ['', 'figure', 'systole', this.#clusters[1]?.system.name ?? 'no peer', 'ratio', '  target'];
    console.log(
      [
        head[0]?.padEnd(4),
        head[1]?.padEnd(42),
        head[2]?.padStart(9),
        head[3]?.padStart(9),
        head[4]?.padStart(7),
        head[5],
      ].join(' '),
    );
  }

  /** `measure` for each cluster in turn, `rounds` times; the samples of each. */
  async samples<T>(rounds: number, measure: (cluster: Cluster, round: number) => Promise<T>): Promise<readonly T[][]> {
    const samples: T[][] = this.#clusters.map(() => []);
    for (let round = 0; round < rounds; round += 1) {
      for (const [index, cluster] of this.#clusters.entries()) {
        try {
          samples[index]?.push(await measure(cluster, round));
        } catch (error) {
          console.log(`     (${cluster.system.name}: ${(error as Error).message.split('\n')[0]})`);
          await cluster.whole();
        }
      }
    }
    return samples;
  }
}

/** How much of everything. */
const sizes = {
  whole: {
    rounds: 3,
    crashes: 5,
    latency: 2000,
    small: 20_000,
    middle: 5000,
    large: 200,
    busyMs: 30_000,
    cutMs: 20_000,
    idleMs: 10_000,
  },
  quick: {
    rounds: 1,
    crashes: 1,
    latency: 500,
    small: 5000,
    middle: 1500,
    large: 50,
    busyMs: 6000,
    cutMs: 10_000,
    idleMs: 5000,
  },
} as const;

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { quick: { type: 'boolean', default: false }, alone: { type: 'boolean', default: false } },
  });
  const size = values.quick ? sizes.quick : sizes.whole;
  const folder = await mkdtemp(join(os.tmpdir(), 'systole-bench-'));
  const clusters: Cluster[] = [];
  const load = (): string =>
    os
      .loadavg()
      .map((each) => each.toFixed(1))
      .join(' ');
  try {
    clusters.push(await Cluster.open(systole));
    if (!values.alone && hasCorosync()) clusters.push(await Cluster.open(await corosync(folder)));
    console.log(
      `${new Date().toISOString()}  Linux ${os.release()}, ${os.cpus().length} cores, Node ${process.version}, load ${load()}`,
    );
    for (const cluster of clusters) console.log(`scheduling of ${cluster.system.name}: ${scheduling(cluster)}`);
    const table = new Table(clusters);
    table.head();
    await messages(table, clusters, size);
    await membership(table, clusters, size);
    const shares = await idle(clusters, size.idleMs);
    table.add(
      'B9',
      'idle, % of a core, engine and client',
      '≤ 0.3',
      shares.map((share) => share * 100),
    );
    for (const loops of [0, 16, 64]) {
      const counts = await falseChanges(clusters, loops, size.busyMs);
      table.add('B6', `false changes, ${loops} busy loops, ${size.busyMs / 1000} s`, '0', counts);
      for (const cluster of clusters) await cluster.whole();
    }
    console.log(`load at the end ${load()}; B10: npm run bench -- simulator`);
  } finally {
    for (const cluster of clusters) await cluster[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  }
}

async function messages(
  table: Table,
  clusters: readonly Cluster[],
  size: (typeof sizes)['whole' | 'quick'],
): Promise<void> {
  await table.samples(1, (cluster) => latencies(cluster, 200)); // warms up
  const agreed = await table.samples(size.rounds, (cluster) => latencies(cluster, size.latency));
  table.add(
    'B3',
    'agreed message, 64 B, p50 ms',
    '≤ 0.45',
    agreed.map((one) => median(one.map(median))),
  );
  table.add(
    'B3',
    'agreed message, 64 B, p99 ms',
    '≤ 2.5',
    agreed.map((one) => median(one.map((all) => quantile(all, 0.99)))),
  );
  // Process groups know no such promise.
  const safe: number[] = [];
  const [mine] = clusters;
  if (mine !== undefined)
    for (let round = 0; round < size.rounds; round += 1)
      safe.push(median(await latencies(mine, size.latency / 4, 'safe')));
  table.add('B3', 'safe message, 64 B, p50 ms', '≤ 1.2', [median(safe)]);
  const small = await table.samples(size.rounds, (cluster) => throughput(cluster, size.small, 64, 64));
  table.add('B4', '64 B, 64 under way, /s', '≥ 25 000', small.map(median));
  const middle = await table.samples(size.rounds, (cluster) => throughput(cluster, size.middle, 1024, 64));
  table.add('B5', '1 KiB, 64 under way, /s', '≥ 8000', middle.map(median));
  const large = await table.samples(size.rounds, (cluster) => throughput(cluster, size.large, 65_536, 16));
  table.add(
    'B5',
    '64 KiB, 16 under way, MB/s',
    '≥ 15',
    large.map((one) => (median(one) * 65_536) / 1e6),
  );
}

async function membership(
  table: Table,
  clusters: readonly Cluster[],
  size: (typeof sizes)['whole' | 'quick'],
): Promise<void> {
  // A loss costs the peer eight seconds each: three of them are enough to see that they are alike.
  const few = (round: number, cluster: Cluster): boolean => round < 3 || cluster.system.name === 'systole';
  const comings = async (how: 'crash' | 'leave'): Promise<readonly Coming[][]> => {
    const samples = await table.samples(size.crashes, async (cluster, round) =>
      few(round, cluster) ? [await comeAndGo(cluster, how)] : [],
    );
    return samples.map((one) => one.flat());
  };
  const crashes = await comings('crash');
  table.add(
    'B1',
    'crash → agreed by the others, p50 ms',
    '≤ 360',
    crashes.map((one) => median(one.map(({ goneMs }) => goneMs))),
  );
  table.add(
    'B1',
    'crash → agreed by the others, worst ms',
    '≤ 450',
    crashes.map((one) => Math.max(...one.map(({ goneMs }) => goneMs))),
  );
  const leaves = await comings('leave');
  table.add(
    'B2',
    'leave in order → agreed, p50 ms',
    '≤ 25',
    leaves.map((one) => median(one.map(({ goneMs }) => goneMs))),
  );
  const back = [...crashes.keys()].map((index) => [...(crashes[index] ?? []), ...(leaves[index] ?? [])]);
  table.add(
    'B8',
    'program started → all members, p50 ms',
    '≤ 800',
    back.map((one) => median(one.map(({ backMs }) => backMs))),
  );
  const cuts = await table.samples(1, (cluster) => pairCut(cluster, size.cutMs));
  table.add(
    'B7',
    `one pair cut ${size.cutMs / 1000} s: memberships in all`,
    '≤ 3',
    cuts.map(([cut]) => cut?.count ?? Number.NaN),
  );
  table.add(
    'B7',
    'one pair cut: the last one after ms',
    '≤ 1500',
    cuts.map(([cut]) => cut?.lastMs ?? Number.NaN),
  );
  await Promise.all(clusters.map((cluster) => cluster.whole()));
}

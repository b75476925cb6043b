/**
 * What a decision costs: `npm run bench -- pe [--set quick|goal] [--cases web:16x1000:node-failed,…] [--runs N]`.
 *
 * For each generated cluster: CPU milliseconds to import its XML, and to schedule it (parsed input → transition), the
 * first time and when warm; the same as a process; and, where an installed `crm_simulate` is, its cost on the same file,
 * as ratios. CPU time of this process, garbage collection included, because the machine is shared.
 *
 * The inputs come from ../shared/bench/pe/gen-cib.mjs; what Pacemaker costs elsewhere is in PEERS.md beside it.
 */
import { importCib } from '@systole/cib';
import { schedule } from '@systole/pe';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { root, shared } from '../support/repository.ts';

interface Case {
  readonly profile: string;
  readonly nodes: number;
  readonly resources: number;
  readonly state: string;
}

/** `goal`: the aims of the issue, with the CPU seconds that they allow. */
const sets: Readonly<Record<string, readonly string[]>> = {
  quick: ['plain:16x100:fresh', 'clones:16x100:node-failed', 'web:16x100:node-failed', 'diamond:3x36:fresh'],
  goal: [
    'web:16x1000:node-failed',
    'plain:32x1000:fresh',
    'clones:64x500:node-failed',
    'chain:16x1000:fresh',
    'diamond:3x44:fresh',
  ],
  /** For the exponents of growth: doubled resources, doubled nodes. */
  growth: [
    'web:16x250:node-failed',
    'web:16x500:node-failed',
    'web:16x1000:node-failed',
    'web:32x500:node-failed',
    'web:64x500:node-failed',
  ],
};

const generator = join(shared, 'bench/pe/gen-cib.mjs');
const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

function readCase(text: string): Case {
  const match = /^([a-z-]+):(\d+)x(\d+):([a-z-]+)$/.exec(text);
  if (match === null) throw new Error(`"${text}" is no case; write PROFILE:NODESxRESOURCES:STATE`);
  const [, profile = '', nodes, resources, state = ''] = match;
  return { profile, nodes: Number(nodes), resources: Number(resources), state };
}

function generate(folder: string, { profile, nodes, resources, state }: Case): string {
  const file = join(folder, `${profile}-${nodes}x${resources}-${state}.xml`);
  if (!existsSync(file)) {
    const numbers = ['--nodes', String(nodes), '--resources', String(resources)];
    execFileSync(process.execPath, [generator, '--profile', profile, ...numbers, '--state', state, '--out', file]);
  }
  return file;
}

interface Cost {
  readonly importMs: number;
  readonly firstMs: number;
  readonly warmMs: number;
  readonly actions: number;
}

function ours(file: string, runs: number): Cost {
  const text = readFileSync(file, 'utf8');
  const start = cpuMs();
  const imported = importCib(text);
  const importMs = cpuMs() - start;
  if (!imported.ok) throw new Error(`${file}: ${imported.error.message}`);
  const times: number[] = [];
  let actions = 0;
  for (let run = 0; run <= runs; run += 1) {
    const before = cpuMs();
    ({ length: actions } = schedule(imported.value.cib, { now: Date.UTC(2026, 6, 1) }).transition.actions);
    times.push(cpuMs() - before);
  }
  return { importMs, firstMs: times[0] ?? Number.NaN, warmMs: median(times.slice(1)), actions };
}

/** User and system CPU of a command, in milliseconds; undefined if it failed. */
function processMs(command: string): number | undefined {
  const script = `TIMEFORMAT='%U %S'; time { ${command} >/dev/null 2>&1; }`;
  const { stderr, status } = spawnSync('bash', ['-c', script], { encoding: 'utf8', timeout: 300_000 });
  const match = /([\d.]+) ([\d.]+)\s*$/.exec(stderr);
  return status === 0 && match !== null ? (Number(match[1]) + Number(match[2])) * 1000 : undefined;
}

/** The peer's cost of one more schedule, and of a whole process. */
function peer(folder: string, file: string): { readonly scheduleMs: number; readonly processMs: number } | undefined {
  const own = mkdtempSync(join(folder, 'peer-'));
  cpSync(file, join(own, 'cib.xml'));
  const once = processMs(`crm_simulate --profile ${own} --repeat 1`);
  const more = processMs(`crm_simulate --profile ${own} --repeat 3`);
  if (once === undefined || more === undefined) return undefined;
  return { scheduleMs: (more - once) / 2, processMs: once };
}

const round = (value: number | undefined): string =>
  value === undefined ? '-' : value < 10 ? value.toFixed(1) : value.toFixed(0);
const ratio = (peerMs: number | undefined, ownMs: number | undefined): string =>
  peerMs === undefined || ownMs === undefined ? '-' : `${(peerMs / ownMs).toFixed(1)}×`;

/** By how much cost grows with `size`: 1 is proportional. */
const exponent = (a: number, b: number, sizeA: number, sizeB: number): string =>
  (Math.log(b / a) / Math.log(sizeB / sizeA)).toFixed(2);

export function run(args: readonly string[]): void {
  const { values } = parseArgs({
    args: [...args],
    options: {
      set: { type: 'string', default: 'quick' },
      cases: { type: 'string' },
      runs: { type: 'string', default: '5' },
      alone: { type: 'boolean', default: false },
    },
  });
  if (!existsSync(generator)) {
    console.log('../shared/bench/pe is not here: no generated clusters, nothing to measure');
    return;
  }
  const names = values.cases?.split(',') ?? sets[values.set] ?? [];
  const folder = join(tmpdir(), 'systole-bench-pe');
  mkdirSync(folder, { recursive: true });
  const hasPeer = !values.alone && spawnSync('crm_simulate', ['--version']).status === 0;
  const systole = `${process.execPath} ${join(root, 'packages/cli/bin/systole.js')} simulate --format json --xml`;
  const warm = new Map<string, number>();
  const rows = [
    ['case', 'actions', 'import', 'first', 'warm', 'process', 'peer', 'peer process', 'ratio', 'process ratio'],
  ];
  for (const name of names) {
    const file = generate(folder, readCase(name));
    const own = ours(file, Number(values.runs));
    const ownProcess = values.alone ? undefined : processMs(`${systole} ${file}`);
    const other = hasPeer ? peer(folder, file) : undefined;
    warm.set(name, own.warmMs);
    rows.push([
      name,
      String(own.actions),
      round(own.importMs),
      round(own.firstMs),
      round(own.warmMs),
      round(ownProcess),
      round(other?.scheduleMs),
      round(other?.processMs),
      ratio(other?.scheduleMs, own.warmMs),
      ratio(other?.processMs, ownProcess),
    ]);
  }
  const widths = rows[0]?.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0))) ?? [];
  console.log('CPU milliseconds');
  for (const row of rows)
    console.log(
      row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  '),
    );
  for (const line of growth(warm)) console.log(line);
}

/** Between each two cases that differ in one size only. */
function growth(warm: ReadonlyMap<string, number>): readonly string[] {
  const all = [...warm].map(([name, ms]) => ({ ...readCase(name), name, ms }));
  return all.flatMap((a) =>
    all.flatMap((b) => {
      if (a.profile !== b.profile || a.state !== b.state) return [];
      if (a.nodes === b.nodes && b.resources === a.resources * 2) {
        return [
          `growth in resources, ${a.name} → ${b.resources}: exponent ${exponent(a.ms, b.ms, a.resources, b.resources)}`,
        ];
      }
      return a.resources === b.resources && b.nodes === a.nodes * 2
        ? [`growth in nodes, ${a.name} → ${b.nodes}: exponent ${exponent(a.ms, b.ms, a.nodes, b.nodes)}`]
        : [];
    }),
  );
}

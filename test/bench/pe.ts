/**
 * What a decision costs: `npm run bench -- pe [--quick] [--cases web:16x1000:node-failed,…] [--alone] [--runs N]`.
 *
 * In CPU milliseconds, garbage collection included, because the machine may be shared, and in a thread with the heap that
 * the daemon gives its policy engine:
 *   - the aims, each beside what it took;
 *   - every profile of the generator: parsed input → transition, and a whole process, beside an installed
 *     `crm_simulate` on the same file (`peer`), as ratios;
 *   - how the cost grows: t ~ size^exponent, in resources and in nodes;
 *   - the scheduler suite, all of it in one process;
 *   - starting the program, from its sources and built.
 *
 * It takes about three minutes, `--quick` some forty seconds. `--alone` leaves Pacemaker out.
 */
import { schedule } from '@systole/pe';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { policyHeap } from '../../packages/daemon/src/host/policy.ts';
import { shared } from '../support/repository.ts';
import { type Case, fileFor, hasGenerator, nameOf, readCase } from './pe/cases.ts';
import {
  at,
  commands,
  hasPeer,
  type Measured,
  meanMs,
  median,
  ours,
  peerOf,
  peerOfFile,
  peerVersion,
  processMs,
  readCib,
  timed,
} from './pe/measure.ts';
import { figure, print, ratio } from './pe/table.ts';

interface Plan {
  readonly folder: string;
  readonly runs: number;
  readonly isQuick: boolean;
  readonly withPeer: boolean;
}

/** The aims of the policy engine's speed: warm CPU, parsed input → transition. */
const aims: readonly { readonly name: string; readonly maxMs: number }[] = [
  { name: 'web:16x1000:node-failed', maxMs: 250 },
  { name: 'plain:32x1000:fresh', maxMs: 600 },
  { name: 'clones:64x500:node-failed', maxMs: 1000 },
  { name: 'one-chain:16x1000:fresh', maxMs: 200 },
  { name: 'diamond:3x44:fresh', maxMs: 10 },
];

/** After these seconds of CPU Pacemaker is not waited for any longer: for some of the aims it would need minutes. */
const PEER_MAX_S = 10;

const profiles = ['plain', 'groups', 'clones', 'promotable', 'web', 'chain', 'sap-like'];
const states = ['fresh', 'node-failed'];

/** Cost must not grow faster than this with the number of resources and of nodes. */
const EXPONENT_MAX = { resources: 1.1, nodes: 1.2 };

export async function run(args: readonly string[]): Promise<void> {
  const worker = new Worker(new URL(import.meta.url), { workerData: { args }, resourceLimits: policyHeap });
  await new Promise<void>((resolve, reject) => {
    worker.once('error', reject);
    worker.once('exit', () => resolve());
  });
}

function measure(args: readonly string[]): void {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      cases: { type: 'string' },
      runs: { type: 'string', default: '5' },
      alone: { type: 'boolean', default: false },
    },
  });
  const folder = mkdtempSync(join(tmpdir(), 'systole-bench-pe-'));
  const plan: Plan = {
    folder,
    runs: Number(values.runs),
    isQuick: values.quick,
    withPeer: hasPeer && !values.alone,
  };
  try {
    describeConditions(plan);
    if (values.cases === undefined) everything(plan);
    else compare(plan, 'the cases asked for', values.cases.split(',').map(readCase));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function everything(plan: Plan): void {
  const resources = plan.isQuick ? 100 : 200;
  measureAims(plan);
  compare(
    plan,
    `every profile on 16 nodes with ${resources} resources, CPU ms`,
    profiles.flatMap((profile) => states.map((state): Case => ({ profile, nodes: 16, resources, state }))),
  );
  measureGrowth(plan);
  measureSuite(plan);
  measureStart(plan);
}

function describeConditions({ withPeer }: Plan): void {
  const load = loadavg().map((value) => value.toFixed(1));
  console.log(`${new Date().toISOString()}, Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? '?'}`);
  console.log(`load ${load.join(' ')}; peer: ${withPeer ? peerVersion() : 'not measured'}`);
  if (!hasGenerator) console.log('../shared/bench/pe is not here: fewer profiles, and only clusters that come up');
}

function measureAims(plan: Plan): void {
  const rows = aims.flatMap(({ name, maxMs }) => {
    const file = fileFor(plan.folder, readCase(name));
    if (file === undefined) return [];
    const own = ours(file, plan.isQuick ? 3 : plan.runs);
    const other = plan.withPeer && !plan.isQuick ? processMs(commands.peer(file), PEER_MAX_S) : undefined;
    const verdict = own.warmMs <= maxMs ? 'met' : own.leastMs <= maxMs ? 'met at best' : 'MISSED';
    const cells = [own.importMs, own.firstMs, own.leastMs, own.warmMs, maxMs].map((value) => figure(value));
    return [[name, String(own.actions), ...cells, verdict, figure(other)]];
  });
  const heads = ['aim', 'actions', 'import', 'first', 'least', 'warm', 'at most', '', 'peer process'];
  print(`the aims, CPU ms; the peer is given ${PEER_MAX_S} s`, heads, rows);
}

function compare(plan: Plan, title: string, cases: readonly Case[]): void {
  const rows = cases.flatMap((one) => {
    const file = fileFor(plan.folder, one);
    if (file === undefined) return [];
    const own = ours(file, plan.runs);
    const ownProcess = processMs(commands.built(file) ?? commands.sources(file));
    const other = plan.withPeer ? peerOfFile(file, 2, PEER_MAX_S) : undefined;
    return [
      [
        nameOf(one),
        String(own.actions),
        figure(own.importMs),
        figure(own.firstMs),
        figure(own.warmMs),
        figure(other?.scheduleMs),
        ratio(other?.scheduleMs, own.warmMs),
        figure(ownProcess),
        figure(other?.processMs),
        ratio(other?.processMs, ownProcess),
      ],
    ];
  });
  const heads = ['case', 'actions', 'import', 'first', 'warm', 'peer', 'ratio', 'process', 'peer', 'ratio'];
  print(title, heads, rows);
}

function measureGrowth(plan: Plan): void {
  const sizes = plan.isQuick
    ? { few: 500, many: 1000, low: 16, high: 64 }
    : { few: 500, many: 2000, low: 16, high: 64 };
  const { few, many, low, high } = sizes;
  const mean = (one: Case): number | undefined => {
    const file = fileFor(plan.folder, one);
    return file === undefined ? undefined : meanMs(file);
  };
  const rows = profiles.flatMap((profile) =>
    states.flatMap((state) => {
      const a = mean({ profile, state, nodes: 16, resources: few });
      const b = mean({ profile, state, nodes: 16, resources: many });
      const c = mean({ profile, state, nodes: low, resources: 200 });
      const d = mean({ profile, state, nodes: high, resources: 200 });
      if (a === undefined || b === undefined || c === undefined || d === undefined) return [];
      const inResources = exponent(a, b, few, many);
      const inNodes = exponent(c, d, low, high);
      const isOver = inResources > EXPONENT_MAX.resources || inNodes > EXPONENT_MAX.nodes;
      const numbers = [figure(a), figure(b), inResources.toFixed(2), figure(c), figure(d), inNodes.toFixed(2)];
      return [[`${profile}:${state}`, ...numbers, isOver ? 'OVER' : '']];
    }),
  );
  print(
    `growth, mean CPU ms: at most ${EXPONENT_MAX.resources} in resources, ${EXPONENT_MAX.nodes} in nodes` +
      ` (web and sap-like bring fence devices with each node, so that resources grow with nodes)`,
    ['profile', `16x${few}`, `16x${many}`, 'exponent', `${low}x200`, `${high}x200`, 'exponent', ''],
    rows,
  );
}

/** By how much cost grows with size: 1 is proportional. */
const exponent = (a: number, b: number, sizeA: number, sizeB: number): number =>
  Math.log(b / a) / Math.log(sizeB / sizeA);

function measureSuite(plan: Plan): void {
  const folder = join(shared, 'scheduler-suite/xml');
  if (!existsSync(folder)) {
    console.log('\n../shared/scheduler-suite is not here: the suite is not measured');
    return;
  }
  const files = readdirSync(folder).filter((file) => file.endsWith('.xml'));
  const [cibs, importMs] = timed(() => files.map((file) => readCib(join(folder, file))));
  const passes = Array.from({ length: 4 }, () => timed(() => cibs.forEach((cib) => schedule(cib, { now: at })))[1]);
  const warmMs = median(passes.slice(1));
  const other = plan.withPeer && !plan.isQuick ? peerOf(folder, 2, 60) : undefined;
  print(
    `the scheduler suite, ${files.length} situations in one process, CPU ms; at most 1400 warm`,
    ['import', 'first', 'warm', 'peer', 'ratio'],
    [
      [
        figure(importMs),
        figure(passes[0]),
        figure(warmMs),
        figure(other?.scheduleMs),
        ratio(other?.scheduleMs, warmMs),
      ],
    ],
  );
}

/** A small cluster, so that nearly all of it is starting. */
function measureStart(plan: Plan): void {
  const file = fileFor(plan.folder, { profile: 'plain', nodes: 3, resources: 10, state: 'fresh' });
  if (file === undefined) return;
  const middle = (command: readonly string[] | undefined): Measured => {
    if (command === undefined) return undefined;
    const times = Array.from({ length: 7 }, () => processMs(command)).filter((ms) => typeof ms === 'number');
    return times.length === 0 ? undefined : median(times);
  };
  print(
    'simulate 10 resources on 3 nodes as a process, CPU ms; at most 500 from sources, 200 built',
    ['sources', 'built', 'peer', 'node alone'],
    [
      [
        figure(middle(commands.sources(file))),
        figure(middle(commands.built(file))),
        figure(plan.withPeer ? middle(commands.peer(file)) : undefined),
        figure(middle([process.execPath, '-e', '0'])),
      ],
    ],
  );
}

if (!isMainThread) measure((workerData as { readonly args: readonly string[] }).args);

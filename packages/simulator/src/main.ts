/**
 * `npm run sim`: whole clusters in one process, under a seed.
 *
 *   --seed 7             one run: its transcript and its fingerprint; the same seed gives the same bytes
 *   --seeds 200          so many seeds, from --first on (a time's own otherwise); stops at the first broken law
 *   --minutes 5          new seeds for so long            --soak   new seeds without end; both keep a shrunk plan of each
 *                        new kind of broken law in sim-failures/ and go on
 *   --from 11 --to 12    only this part of the transcript, in seconds
 *   --jobs 2             for --seeds: so many processes share them (default: one a core from 40 seeds on)
 *   --long               longer fault phases and larger clusters (what --soak and --minutes do by themselves)
 *   --plan FILE          runs a saved plan; --no-shrink  leaves a failing plan as it is
 *
 * A broken law prints the seed, the law, the shrunk plan and the end of the transcript; the exit code is then 1.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { describePlan, kindOf, looked } from './failure.ts';
import type { Plan } from './plan.ts';
import { planFor, type PlanLimits, quickLimits, soakLimits } from './planning.ts';
import { run, type RunResult } from './run.ts';
import { shipped } from './subject.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    first: { type: 'string' },
    jobs: { type: 'string' },
    minutes: { type: 'string' },
    soak: { type: 'boolean', default: false },
    long: { type: 'boolean', default: false },
    from: { type: 'string' },
    to: { type: 'string' },
    plan: { type: 'string' },
    'no-shrink': { type: 'boolean', default: false },
    quiet: { type: 'boolean', default: false },
    'keep-going': { type: 'boolean', default: false },
  },
});

const limits: PlanLimits = values.long || values.soak ? soakLimits : quickLimits;
/** Longest time spent on making a failing plan smaller. */
const SHRINK_MAX_MS = 60_000;

/** Where plans that broke a law are kept; a fixed one moves to `test/simulation/scenarios`. */
const FOLDER = 'sim-failures';

const say = (text: string): void => void process.stdout.write(`${text}\n`);

if (values.plan !== undefined) process.exitCode = one(JSON.parse(readFileSync(values.plan, 'utf8')) as Plan);
else if (values.seed !== undefined) process.exitCode = one(planFor(number(values.seed), limits));
else if (jobs() > 1) process.exitCode = await shared(jobs());
else process.exitCode = many();

/** One run, told. */
function one(plan: Plan): number {
  say(describePlan(plan));
  const result = run(plan, shipped);
  const [from, to] = [Number(values.from ?? 0) * 1000, Number(values.to ?? Infinity) * 1000];
  if (!values.quiet) for (const line of result.transcript.lines(from, to)) say(line);
  say(`fingerprint ${result.fingerprint}   ${(result.virtualMs / 1000).toFixed(1)} virtual s, ${result.events} events`);
  if (result.violation === undefined) return 0;
  report(result);
  return 1;
}

/** How many processes share the seeds. */
function jobs(): number {
  if (values.jobs !== undefined) return number(values.jobs);
  const isWorthIt = !values.soak && values.minutes === undefined && number(values.seeds ?? '20') >= 40;
  return isWorthIt ? Math.min(8, availableParallelism()) : 1;
}

/** Each process runs a range of its own and tells its result; one broken law breaks all. */
async function shared(processes: number): Promise<number> {
  const [count, first] = [number(values.seeds ?? '20'), number(values.first ?? '1')];
  const size = Math.ceil(count / processes);
  const rest = process.argv.slice(2).filter((word, index, words) => {
    const isOf = (text: string | undefined): boolean => /^--(?:seeds|first|jobs)$/.test(text ?? '');
    return !isOf(word) && !isOf(words[index - 1]) && !/^--(?:seeds|first|jobs)=/.test(word);
  });
  const ranges = Array.from(
    { length: processes },
    (_, index) => [first + index * size, Math.min(size, count - index * size)] as const,
  );
  const codes = await Promise.all(
    ranges
      .filter(([, seeds]) => seeds > 0)
      .map(([from, seeds]) => {
        const words = [import.meta.filename, '--first', String(from), '--seeds', String(seeds), '--jobs', '1', ...rest];
        const child = spawn(process.execPath, words, { stdio: 'inherit' });
        return new Promise<number>((resolve) => {
          child.on('exit', (code) => resolve(code ?? 1));
        });
      }),
  );
  return Math.max(...codes);
}

/** Many seeds. The first broken law ends it, unless told to go on; without an end, each new kind of it is told. */
function many(): number {
  const began = Date.now();
  const endless = values.soak || values.minutes !== undefined;
  const until = values.minutes === undefined ? Infinity : began + Number(values.minutes) * 60_000;
  const count = endless ? Infinity : number(values.seeds ?? '20');
  const first = values.first === undefined ? (endless ? began % 1_000_000_000 : 1) : number(values.first);
  let nodeMs = 0;
  let clusterMs = 0;
  let ran = 0;
  let broken = 0;
  const known = new Set<string>();
  const progress = (): string => {
    const seconds = ((Date.now() - began) / 1000).toFixed(1);
    const { user, system } = process.cpuUsage();
    const speed = clusterMs / 3_600_000 / ((user + system) / 60e6);
    return `${ran} seeds from ${first}, ${broken} with a broken law; ${(nodeMs / 3_600_000).toFixed(2)} node-hours in ${seconds} s, ${speed.toFixed(2)} cluster-hours per core-minute`;
  };
  for (let seed = first; ran < count && Date.now() < until; seed += 1) {
    const result = run(planFor(seed, limits), shipped);
    ran += 1;
    nodeMs += result.virtualMs * result.plan.settings.nodes;
    clusterMs += result.virtualMs;
    if (result.violation !== undefined) {
      broken += 1;
      const kind = kindOf(result.violation);
      if (values['keep-going'] || (endless && known.has(kind)))
        say(
          `seed ${seed}: ${result.violation.law} at ${result.violation.at / 1000} s: ${result.violation.text.split('\n')[0]}`,
        );
      else report(result);
      known.add(kind);
      if (!endless && !values['keep-going']) break;
    }
    if ((endless || values['keep-going']) && ran % 100 === 0) say(progress());
  }
  say(progress());
  return broken === 0 ? 0 : 1;
}

/** Tells a broken law, and keeps its smallest plan. */
function report(result: RunResult): void {
  const began = Date.now();
  const failure = looked(result, {
    subject: shipped,
    mayShrink: !values['no-shrink'],
    isLate: () => Date.now() - began > SHRINK_MAX_MS,
  });
  for (const line of failure.lines) say(line);
  mkdirSync(FOLDER, { recursive: true });
  const file = `${FOLDER}/${failure.law}-${result.plan.seed}.json`;
  writeFileSync(file, `${JSON.stringify(failure.plan, undefined, 2)}\n`);
  const long = limits === soakLimits ? ' --long' : '';
  say(`again: npm run sim -- --seed ${result.plan.seed}${long}    shrunk: npm run sim -- --plan ${file}`);
}

function number(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  say(`"${text}" is not a whole number`);
  process.exit(64);
}

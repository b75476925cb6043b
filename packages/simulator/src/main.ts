/**
 * `npm run sim`: whole clusters in one process, under a seed.
 *
 *   --seed 7             one run: its transcript and its fingerprint; the same seed gives the same bytes
 *   --seeds 200          so many seeds, from --first on (a time's own otherwise); stops at the first broken law
 *   --minutes 5          new seeds for so long            --soak   new seeds without end
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
import { describeFault, type Plan } from './plan.ts';
import { planFor, type PlanLimits, quickLimits, soakLimits } from './planning.ts';
import { run, type RunResult } from './run.ts';
import { shrink } from './shrink.ts';
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

/** Many seeds; the first broken law ends it unless told to go on. */
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
      if (values['keep-going'])
        say(
          `seed ${seed}: ${result.violation.law} at ${result.violation.at / 1000} s: ${result.violation.text.split('\n')[0]}`,
        );
      else {
        report(result);
        break;
      }
    }
    if (endless && ran % 100 === 0) say(progress());
  }
  say(progress());
  return broken === 0 ? 0 : 1;
}

/** What a person needs to look into it: seed, law, shrunk plan, how to run it again. */
function report({ plan, violation, transcript }: RunResult): void {
  if (violation === undefined) return;
  say(`\nseed ${plan.seed}: law ${violation.law} broken at ${violation.at / 1000} s\n  ${violation.text}`);
  let smallest = plan;
  if (!values['no-shrink']) {
    const shrinkUntil = Date.now() + SHRINK_MAX_MS;
    smallest = shrink(plan, (candidate) => run(candidate, shipped).violation?.law === violation.law, {
      runsMax: 150,
      isLate: () => Date.now() > shrinkUntil,
    });
    say(`shrunk from ${plan.entries.length} to ${smallest.entries.length} faults`);
  }
  const small = run(smallest, shipped);
  say(describePlan(smallest));
  const end = small.violation?.at ?? 0;
  const lines =
    small.violation === undefined
      ? transcript.lines(violation.at - 5000, violation.at)
      : small.transcript.lines(end - 8000, end);
  for (const line of lines.slice(-120)) say(line);
  const folder = 'sim-failures';
  mkdirSync(folder, { recursive: true });
  const file = `${folder}/${violation.law}-${plan.seed}.json`;
  writeFileSync(file, `${JSON.stringify(smallest, undefined, 2)}\n`);
  say(`again: npm run sim -- --seed ${plan.seed}    shrunk: npm run sim -- --plan ${file}`);
}

function describePlan({ seed, settings, faultsMs, entries }: Plan): string {
  const { nodes, links, quorum, fencing, noQuorumPolicy, resources } = settings;
  const head = `seed ${seed}: ${nodes} nodes, ${links} links, quorum ${quorum}, fencing ${fencing ? 'on' : 'off'}, no-quorum-policy ${noQuorumPolicy}, ${resources.map(({ id }) => id).join(' ')}; faults for ${faultsMs / 1000} s`;
  return [head, ...entries.map(({ at, fault }) => `  +${(at / 1000).toFixed(3)}s ${describeFault(fault)}`)].join('\n');
}

function number(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  say(`"${text}" is not a whole number`);
  process.exit(64);
}

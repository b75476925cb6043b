/**
 * `node packages/messaging/test/fuzz/guided.ts [SECONDS [TARGET]]`: searches for programs that reach code which none
 * before has reached, and keeps them in `corpus.json`, which `corpus.test.ts` runs each time.
 *
 * V8 tells which blocks ran (`Profiler.takePreciseCoverage`, no instrumentation and no package); a program that makes a
 * function run along another set of blocks than ever before is kept and varied further. A program that throws ends the
 * search, shortened, on standard output.
 *
 * Rejected: jazzer.js. It needs a native addon, instruments CommonJS only, and its last release does not know Node 24.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { join } from 'node:path';
import { seededRandom } from '@systole/kernel';
import { targets, type Target } from './targets.ts';

const corpusFile = join(import.meta.dirname, 'corpus.json');
/** More would make the corpus a burden; the programs found first reach most. */
const keptMax = 60;
const programMax = 200;

type Corpus = Record<string, string[]>;

class Coverage {
  readonly #session = new Session();
  readonly #seen = new Set<string>();
  readonly #covers: RegExp;

  constructor(covers: RegExp) {
    this.#covers = covers;
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: false, detailed: true });
  }

  /** How many functions went along a set of blocks that is new since the last time. */
  news(): number {
    let found = 0;
    // The session answers before `post` returns: it is of this thread.
    this.#session.post('Profiler.takePreciseCoverage', (_error, { result }) => {
      for (const { url, functions } of result) {
        if (!this.#covers.test(url)) continue;
        for (const { ranges } of functions) {
          if (ranges[0]?.count === 0) continue;
          const path = ranges.map(({ startOffset, count }) => `${startOffset}${count === 0 ? '-' : '+'}`).join();
          const key = `${url}:${path}`;
          if (!this.#seen.has(key)) found += 1;
          this.#seen.add(key);
        }
      }
    });
    return found;
  }
}

const random = seededRandom(Number(process.env['SYSTOLE_FUZZ_SEED'] ?? 1));

function varied(program: Uint8Array, others: readonly Uint8Array[]): Uint8Array {
  const bytes = [...program];
  const changes = 1 + random.integer(6);
  for (let change = 0; change < changes; change++) {
    const at = random.integer(bytes.length + 1);
    const other = others[random.integer(others.length)] ?? program;
    const from = random.integer(other.length + 1);
    const part = [...other.subarray(from, from + 1 + random.integer(16))];
    const kind = random.integer(5);
    if (kind === 0) bytes[at] = random.integer(256);
    else if (kind === 1) bytes.splice(at, 0, random.integer(256));
    else if (kind === 2) bytes.splice(at, 1 + random.integer(8));
    else if (kind === 3) bytes.splice(at, 0, ...part);
    else bytes.splice(at, part.length, ...part);
  }
  return Uint8Array.from(bytes.slice(0, programMax), (byte) => byte & 255);
}

/** What is wrong with the program, if anything. */
function failure(target: Target, program: Uint8Array): string | undefined {
  try {
    target.run(program);
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

function shortened(target: Target, program: Uint8Array): Uint8Array {
  let shortest = program;
  for (let at = 0; at < shortest.length;) {
    const without = Uint8Array.from([...shortest.subarray(0, at), ...shortest.subarray(at + 1)]);
    if (failure(target, without) === undefined) at += 1;
    else shortest = without;
  }
  return shortest;
}

const hex = (program: Uint8Array): string => Buffer.from(program).toString('hex');
const [seconds = '20', only] = process.argv.slice(2);
const corpus = JSON.parse(readFileSync(corpusFile, 'utf8')) as Corpus;
const chosen = Object.entries(targets).filter(([name]) => only === undefined || name === only);

for (const [name, target] of chosen) {
  const coverage = new Coverage(target.covers);
  const kept: Uint8Array[] = [];
  const consider = (program: Uint8Array): void => {
    const wrong = failure(target, program);
    if (wrong !== undefined) {
      console.log(`${name}: ${hex(shortened(target, program))}\n${wrong}`);
      process.exit(1);
    }
    if (coverage.news() > 0) kept.push(program);
  };
  for (const program of target.seeds()) consider(program);
  for (const text of corpus[name] ?? []) consider(new Uint8Array(Buffer.from(text, 'hex')));
  const end = performance.now() + (Number(seconds) * 1000) / chosen.length;
  let runs = 0;
  for (; performance.now() < end; runs++) consider(varied(kept[random.integer(kept.length)] as Uint8Array, kept));
  corpus[name] = kept.slice(0, keptMax).map(hex);
  console.log(`${name}: ${runs} programs, ${kept.length} of them reached something new`);
}
writeFileSync(corpusFile, `${JSON.stringify(corpus, undefined, 2)}\n`);

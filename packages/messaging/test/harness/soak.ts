/**
 * `node packages/messaging/test/harness/soak.ts FROM COUNT [FAILURES]`: runs seeds, prints what broke and a summary.
 * Ends with status 1 as soon as so many seeds (15) have failed.
 */
import { chaos } from './chaos.ts';

const [from = 1, count = 100, failuresMax = 15] = process.argv.slice(2).map(Number);
let failures = 0;
let deliveries = 0;
let installations = 0;
let steps = 0;
const settled: number[] = [];
const started = performance.now();
for (let seed = from; seed < from + count && failures < failuresMax; seed++) {
  try {
    const result = chaos(seed);
    deliveries += result.deliveries;
    installations += result.installations;
    steps += result.steps;
    settled.push(result.settledMs);
    if (settled.length % 250 === 0) console.log(`${settled.length} passed, up to seed ${seed}`);
  } catch (error) {
    failures += 1;
    const [first, second = '', third = ''] = error instanceof Error ? (error.stack ?? '').split('\n') : [String(error)];
    console.log(`seed ${seed}: ${first} ${second.trim()} ${third.trim()}`);
  }
}
settled.sort((a, b) => a - b);
const seconds = (performance.now() - started) / 1000;
console.log(
  `${settled.length} passed, ${failures} failed, ${deliveries} deliveries, ${installations} installations, ` +
    `${steps} steps, settled max ${settled.at(-1)} ms, ${seconds.toFixed(1)} s`,
);
process.exitCode = failures > 0 ? 1 : 0;

/** `node packages/messaging/test/harness/soak.ts FROM COUNT`: runs seeds and prints what broke, with a summary. */
import { chaos } from './chaos.ts';

const [from, count] = process.argv.slice(2).map(Number);
let failures = 0;
let deliveries = 0;
let installations = 0;
let steps = 0;
const settled: number[] = [];
const started = performance.now();
for (let seed = from ?? 1; seed < (from ?? 1) + (count ?? 100); seed++) {
  try {
    const result = chaos(seed);
    deliveries += result.deliveries;
    installations += result.installations;
    steps += result.steps;
    settled.push(result.settledMs);
  } catch (error) {
    failures += 1;
    console.log(
      `seed ${seed}: ${error instanceof Error ? (error.stack ?? '').split('\n').slice(0, 3).join(' ') : String(error)}`,
    );
    if (failures >= 15) break;
  }
}
settled.sort((a, b) => a - b);
const seconds = (performance.now() - started) / 1000;
console.log(
  `${settled.length} passed, ${failures} failed, ${deliveries} deliveries, ${installations} installations, ` +
    `${steps} steps, settled max ${settled.at(-1)} ms, ${seconds.toFixed(1)} s`,
);

/**
 * How fast the simulator is: `npm run bench -- simulator [--seeds 6] [--minutes 2]`.
 *
 * Cluster-hours per core-minute of the whole stack, on what its target is stated for: five nodes, twenty resources, a
 * fault about every two seconds. CPU time of this process after a warm-up, garbage collection included, because the
 * machine is shared. The fingerprints tell whether an optimisation has changed what happens.
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { type Plan, planFor, primitivesOf, run as simulate, shipped } from '@systole/simulator';

const NODES = 5;
const RESOURCES = 20;
/** "About every two seconds": seeds draw their mean gap from a wider range. */
const GAP_MS = { least: 1300, most: 2800 };

/** Plans of the given shape, from the first seeds that draw it. Beside the seed's own resources there are plain ones. */
function* plans(faultsMs: number): Generator<Plan> {
  for (let seed = 1; ; seed += 1) {
    const plan = planFor(seed, { faultsMs, nodesMax: NODES });
    const gap = plan.faultsMs / plan.entries.length;
    if (plan.settings.nodes !== NODES || gap < GAP_MS.least || gap > GAP_MS.most) continue;
    const { resources } = plan.settings;
    const missing = Math.max(0, RESOURCES - primitivesOf(resources).length);
    const more = Array.from({ length: missing }, (_, index) => ({
      id: `more${index}`,
      kind: 'primitive' as const,
      members: [],
      stickiness: 1,
      migrationThreshold: 3,
    }));
    yield { ...plan, settings: { ...plan.settings, resources: [...resources, ...more], isSealed: false } };
  }
}

const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

export function run(args: readonly string[]): void {
  const { values } = parseArgs({
    args: [...args],
    options: { seeds: { type: 'string', default: '6' }, minutes: { type: 'string', default: '2' } },
  });
  const count = Number(values.seeds);
  let [hours, seconds, done] = [0, 0, 0];
  console.log(`${NODES} nodes, ${RESOURCES} resources, a fault about every 2 s; the first seed warms up`);
  for (const plan of plans(Number(values.minutes) * 60_000)) {
    const before = cpuSeconds();
    const { virtualMs, events, fingerprint, violation } = simulate(plan, shipped);
    const took = cpuSeconds() - before;
    const figures = `${(virtualMs / 1000).toFixed(0)} virtual s in ${took.toFixed(2)} CPU s, ${events} events`;
    console.log(`seed ${plan.seed}: ${figures}, ${fingerprint}${violation === undefined ? '' : `  ${violation.law}`}`);
    if (done > 0) {
      hours += virtualMs / 3_600_000;
      seconds += took;
    }
    done += 1;
    if (done > count) break;
  }
  console.log(`${(hours / (seconds / 60)).toFixed(2)} cluster-hours per core-minute`);
}

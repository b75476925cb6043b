/** How long each of the first stages takes for CIBs: node packages/pe/test/support/time-placement.ts FILE … (milliseconds of CPU). */
import { readFileSync } from 'node:fs';
import { importCib } from '@systole/cib';
import { assign } from '../../src/assign/place.ts';
import { readConstraints } from '../../src/constraints/read.ts';
import { readSituation } from '../../src/status/read.ts';

const now = Date.UTC(2026, 6, 1);

function timed<T>(work: () => T): readonly [T, number] {
  const before = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(before);
  return [result, Math.round((user + system) / 1000)];
}

for (const path of process.argv.slice(2)) {
  const imported = importCib(readFileSync(path, 'utf8'));
  if (!imported.ok) throw new Error(imported.error.message);
  const runs = [1, 2, 3].map(() => {
    const [situation, read] = timed(() => readSituation(imported.value.cib, now));
    const [constraints, resolve] = timed(() => readConstraints(situation));
    const [placement, place] = timed(() => assign(situation, constraints));
    return { read, resolve, place, rows: placement.scores.length };
  });
  const line = runs.map(({ read, resolve, place }) => `${read}+${resolve}+${place}`).join('  ');
  console.log(`${path.replace(/.*\//, '').padEnd(40)} ${line}   ${runs[0]?.rows} rows`);
}

/**
 * Compares placement alone with the scheduler suite's scores (its level C), case by case:
 *
 *   node packages/pe/test/support/suite-scores.ts                 the number of cases that agree, and the others' names
 *   node packages/pe/test/support/suite-scores.ts NAME [NAME …]   the rows in which these cases differ
 *
 * Quicker than the suite's own scorer, because nothing behind placement is run.
 */
import { readFileSync } from 'node:fs';
import { importCib } from '@systole/cib';
import { assign } from '../../src/assign/place.ts';
import type { ScoreRow } from '../../src/assign/placement.ts';
import { readConstraints } from '../../src/constraints/read.ts';
import { readSituation } from '../../src/status/read.ts';

const suite = new URL('../../../../../shared/scheduler-suite/', import.meta.url);

interface Case {
  readonly name: string;
  readonly at: string;
}

const readJson = (path: string): unknown => JSON.parse(readFileSync(new URL(path, suite), 'utf8'));
const { cases } = readJson('cases.json') as { readonly cases: readonly Case[] };
const wanted = process.argv.slice(2);
const textOf = (row: ScoreRow): string => `${row.stage} ${row.rsc} ${row.node ?? '-'} ${row.score}`;

function difference(a: readonly string[], b: readonly string[]): readonly string[] {
  const left = new Map<string, number>();
  for (const each of b) left.set(each, (left.get(each) ?? 0) + 1);
  return a.filter((each) => {
    const count = left.get(each) ?? 0;
    if (count > 0) left.set(each, count - 1);
    return count === 0;
  });
}

let agreeing = 0;
const differing: string[] = [];
for (const { name, at } of cases) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  try {
    const imported = importCib(readFileSync(new URL(`xml/${name}.xml`, suite), 'utf8'));
    if (!imported.ok) throw new Error(imported.error.message);
    const situation = readSituation(imported.value.cib, Date.parse(at));
    const { scores } = assign(situation, readConstraints(situation));
    const expected = readJson(`expected/${name}.json`) as {
      readonly scores: readonly (ScoreRow & { node: string | null })[];
    };
    const mine = scores.map(textOf);
    const theirs = expected.scores.map((row) => textOf(row.node === null ? { ...row, node: '-' } : row));
    const [extra, missing] = [difference(mine, theirs), difference(theirs, mine)];
    if (extra.length + missing.length === 0) agreeing += 1;
    else differing.push(`${name} +${extra.length} -${missing.length}`);
    if (wanted.length > 0) {
      for (const row of missing) console.log(`  - ${row}`);
      for (const row of extra) console.log(`  + ${row}`);
    }
  } catch (error) {
    differing.push(
      `${name} ${error instanceof Error ? (wanted.length > 0 ? error.stack : error.message) : String(error)}`,
    );
  }
}
console.log(`${agreeing} agree, ${differing.length} differ`);
for (const line of differing) console.log(`  ${line}`);

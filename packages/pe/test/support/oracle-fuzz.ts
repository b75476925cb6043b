/**
 * Compares scores and places with an installed Pacemaker (`crm_simulate`) on random clusters:
 *
 *   node packages/pe/test/support/oracle-fuzz.ts [FIRST_SEED [COUNT [DIRECTORY]]]
 *
 * CRM_SIMULATE names another program than the one on the path. A difference is printed with its seed; the CIB is left in DIRECTORY (/tmp/pe-fuzz). Debian's Pacemaker 2.1.5 is older
 * than the behaviour we follow, so a difference is a question, not a verdict.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { formatScore, importCib } from '@systole/cib';
import { schedule } from '../../src/schedule.ts';
import { randomCib } from './random-cib.ts';

const [first = '1', count = '100', directory = '/tmp/pe-fuzz'] = process.argv.slice(2);
mkdirSync(directory, { recursive: true });
const at = '2026-07-01T00:00:00Z';

/** Rows as `crm_simulate -s` prints them: `pcmk__primitive_assign: p1 allocation score on n1: 0`. */
function oracleRows(path: string): readonly string[] {
  const text = execFileSync(
    process.env['CRM_SIMULATE'] ?? 'crm_simulate',
    ['-x', path, '-s', '-R', '-Q', '-t', at, '-G', '/dev/null'],
    {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  return text.split('\n').flatMap((line) => {
    const placed = /^pcmk__(\w+)_(?:assign|allocate): (\S+) (?:allocation|assignment) score on (\S+): (\S+)/.exec(line);
    if (placed !== null) return [`${placed[1]} ${placed[2]} ${placed[3]} ${placed[4]}`];
    const promotion = /^(\S+) promotion score (?:on (\S+)|\(inactive\)): (\S+)/.exec(line);
    return promotion === null ? [] : [`promotion ${promotion[1]} ${promotion[2] ?? 'none'} ${promotion[3]}`];
  });
}

function ourRows(text: string): readonly string[] {
  const imported = importCib(text);
  if (!imported.ok) throw new Error(imported.error.message);
  const { placement } = schedule(imported.value.cib, { now: Date.parse(at) });
  return placement.scores.map((row) => `${row.stage} ${row.rsc} ${row.node ?? 'none'} ${formatScore(row.score)}`);
}

function without(a: readonly string[], b: readonly string[]): readonly string[] {
  const left = new Map<string, number>();
  for (const each of b) left.set(each, (left.get(each) ?? 0) + 1);
  return a.filter((each) => {
    const present = left.get(each) ?? 0;
    left.set(each, present - 1);
    return present <= 0;
  });
}

let different = 0;
for (let seed = Number(first); seed < Number(first) + Number(count); seed += 1) {
  const text = randomCib(seed);
  const path = `${directory}/${seed}.xml`;
  writeFileSync(path, text);
  try {
    const [mine, theirs] = [ourRows(text), oracleRows(path)];
    const [extra, missing] = [without(mine, theirs), without(theirs, mine)];
    if (extra.length + missing.length === 0) continue;
    different += 1;
    console.log(`${seed}: -${missing.length} +${extra.length}  - ${missing[0] ?? ''}  + ${extra[0] ?? ''}`);
  } catch (error) {
    different += 1;
    console.log(`${seed}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`);
  }
}
console.log(`${different} of ${count} differ`);

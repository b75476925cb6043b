/**
 * The policy engine against Pacemaker's own regression suite: 600 situations, in this process. What must hold is
 * recorded here as a floor for each level; it may only rise.
 */
import { importCib } from '@systole/cib';
import { schedule, simulate, simulateResult, timeFor } from '@systole/pe';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import process from 'node:process';
import { describe, expect, it } from 'vitest';
import { shared, sharedMissing } from '../support/repository.ts';

const suite = join(shared, 'scheduler-suite');
const missing = sharedMissing('scheduler-suite/cases.json');

/** Cases that must pass at each level, of 600. */
const floors = { U: 600, A: 600, B: 600, C: 600, S: 600, 'S+': 600, T: 599, D: 600 } as const;

interface Case {
  readonly name: string;
  readonly at: string;
}

const readCases = (): readonly Case[] =>
  (JSON.parse(readFileSync(join(suite, 'cases.json'), 'utf8')) as { readonly cases: readonly Case[] }).cases;

function resultOf({ name, at }: Case): unknown {
  const imported = importCib(readFileSync(join(suite, 'xml', `${name}.xml`), 'utf8'));
  if (!imported.ok) return { name, error: imported.error.message };
  const { cib } = imported.value;
  const { decision, before, after } = simulate(cib, { now: timeFor(cib, Date.parse(at), 0), mayBeMasked: true });
  return { name, result: simulateResult(decision, before, after) };
}

describe.skipIf(missing !== undefined)(
  `Pacemaker's 600 situations${missing === undefined ? '' : ` (${missing})`}`,
  () => {
    it('are decided as Pacemaker decides them', () => {
      const folder = mkdtempSync(join(tmpdir(), 'systole-suite-'));
      const answers = join(folder, 'answers.jsonl');
      writeFileSync(
        answers,
        readCases()
          .map((one) => JSON.stringify(resultOf(one)))
          .join('\n'),
      );
      // The scorer asks a program; this one answers from what was computed here.
      const replay = join(folder, 'replay.mjs');
      writeFileSync(
        replay,
        `import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
const answers = new Map(readFileSync(${JSON.stringify(answers)}, 'utf8').split('\\n').map((line) => [JSON.parse(line).name, line]));
for await (const line of createInterface({ input: process.stdin })) process.stdout.write(answers.get(JSON.parse(line).name) + '\\n');
`,
      );
      const report = join(folder, 'report.json');
      execFileSync(
        process.execPath,
        [join(suite, 'score.mjs'), '--batch', `${process.execPath} ${replay}`, '--json', report],
        {
          stdio: 'ignore',
        },
      );
      const { pass } = JSON.parse(readFileSync(report, 'utf8')) as { readonly pass: Readonly<Record<string, number>> };
      for (const [level, floor] of Object.entries(floors)) {
        expect(pass[level] ?? 0, `cases that pass level ${level}`).toBeGreaterThanOrEqual(floor);
      }
    });

    it('get the same answer twice, to the byte', () => {
      for (const { name, at } of readCases().filter((_, index) => index % 20 === 0)) {
        const imported = importCib(readFileSync(join(suite, 'xml', `${name}.xml`), 'utf8'));
        if (!imported.ok) throw new Error(`${name}: ${imported.error.message}`);
        const decide = (): string => JSON.stringify(schedule(imported.value.cib, { now: Date.parse(at) }).transition);
        expect(decide(), name).toBe(decide());
      }
    });
  },
);

/** The cases of ../shared/cli-suite, run in this process. */
import { existsSync, readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { exportCib, importCib } from '@systole/cib';
import { describe, expect, test } from 'vitest';
import {
  formatProblem,
  LanguageProblem,
  LanguageProblems,
  printConfiguration,
  Session,
} from '../src/language/index.ts';

const suiteFolder = join(import.meta.dirname, '../../../../shared/cli-suite');

/** Where we differ from the reference on purpose. */
const explained = new Map([
  ['cases/rename-in-set:to-xml', 'a rename is followed by tags; the reference leaves them naming nothing'],
]);

interface Check {
  readonly id: string;
  readonly kind: string;
  readonly beyond: boolean;
}
interface Scorer {
  loadSuite(folder: string): { suiteDir?: string }[];
  checksOf(one: object): Check[];
  runCheck(check: Check, run: (kind: string, given: Given) => Answer): Promise<string[]>;
}
interface Given {
  readonly input?: string;
  readonly base?: string;
  readonly xml?: string;
  readonly dir: string;
}
interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const cibOf = (path: string) => {
  const result = importCib(readFileSync(path, 'utf8'));
  if (!result.ok) throw new LanguageProblem(result.error.message);
  return result.value.cib;
};

function run(kind: string, { input = '', base = '', xml = '', dir }: Given): Answer {
  try {
    if (kind === 'show') return { code: 0, stdout: printConfiguration(cibOf(xml).configuration), stderr: '' };
    const cib = cibOf(base);
    const session = new Session(cib.configuration, {
      readFile: (path) => readFileSync(join(dir, path), 'utf8'),
      runFilter: (program, text) => spawnSync('/bin/sh', ['-c', program], { input: text, encoding: 'utf8' }).stdout,
    });
    session.run(readFileSync(input, 'utf8'), input);
    return { code: 0, stdout: exportCib({ ...cib, configuration: session.draft.finish() }), stderr: '' };
  } catch (error) {
    if (error instanceof LanguageProblem) return { code: 1, stdout: '', stderr: formatProblem(error) };
    if (error instanceof LanguageProblems)
      return { code: 1, stdout: '', stderr: error.problems.map(formatProblem).join('\n') };
    throw error;
  }
}

describe.skipIf(!existsSync(suiteFolder))('the suite of crm text (needs ../shared)', async () => {
  if (!existsSync(suiteFolder)) return;
  const scorer = (await import(pathToFileURL(join(suiteFolder, 'score.mjs')).href)) as Scorer;
  const checks = scorer.loadSuite(suiteFolder).flatMap((one) => {
    one.suiteDir = suiteFolder;
    return scorer.checksOf(one);
  });

  test.each(['to-xml', 'error', 'show', 'roundtrip'])(
    '%s: every case, but for those that are explained',
    { timeout: 60_000 },
    async (kind) => {
      const failed: string[] = [];
      for (const check of checks.filter((each) => each.kind === kind && !each.beyond)) {
        const differences = await scorer.runCheck(check, run);
        if (differences.length > 0 && !explained.has(check.id)) failed.push(`${check.id}: ${differences.join('; ')}`);
      }
      expect(failed).toEqual([]);
    },
  );
});

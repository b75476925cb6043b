/**
 * `node packages/messaging/test/mutants/run.ts [PART OF A NAME]`: makes each mutant in a copy of the package and runs
 * what must kill it. Prints one line a mutant; ends with status 1 if one survives.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Mutant, mutants } from './mutants.ts';

const packageRoot = join(import.meta.dirname, '../..');
const modules = join(packageRoot, '../../node_modules');

function copyOf(mutant: Mutant): string {
  const root = mkdtempSync(join(tmpdir(), 'systole-mutant-'));
  for (const folder of ['src', 'test', 'package.json'])
    cpSync(join(packageRoot, folder), join(root, folder), { recursive: true });
  symlinkSync(modules, join(root, 'node_modules'));
  const path = join(root, 'src', mutant.file);
  const source = readFileSync(path, 'utf8');
  const parts = source.split(mutant.find);
  if (parts.length !== 2)
    throw new Error(`"${mutant.name}": its text stands ${parts.length - 1} times in ${mutant.file}`);
  writeFileSync(path, parts.join(mutant.replace));
  return root;
}

/** What was wrong with the mutant, or undefined if it survived. */
function verdict(mutant: Mutant, root: string): string | undefined {
  const { killedBy } = mutant;
  const command =
    'seeds' in killedBy
      ? [join(root, 'test/harness/soak.ts'), '1', String(killedBy.seeds), '1']
      : [
          join(modules, 'vitest/vitest.mjs'),
          'run',
          '--root',
          root,
          '--reporter=dot',
          killedBy.test,
          '-t',
          killedBy.name,
        ];
  const { status, stdout, signal } = spawnSync(process.execPath, command, {
    encoding: 'utf8',
    timeout: 180_000,
    cwd: root,
  });
  if (signal !== null) return `it hangs (${signal})`;
  if ('test' in killedBy && !/\d+ (passed|failed)/.test(stdout))
    throw new Error(`"${mutant.name}": no test of this name ran`);
  if (status === 0) return undefined;
  const line = stdout.split('\n').find((text) => /LawBroken|AssertionError|Error:/.test(text)) ?? '';
  return (
    line
      .replace(/\s+at .*$/, '')
      .trim()
      .slice(0, 110) || `status ${status}: ${stdout.slice(-200)}`
  );
}

const wanted = process.argv[2] ?? '';
let survivors = 0;
for (const mutant of mutants.filter(({ name }) => name.includes(wanted))) {
  const root = copyOf(mutant);
  const started = performance.now();
  const killed = verdict(mutant, root);
  if (killed === undefined) survivors += 1;
  console.log(
    `${killed === undefined ? 'SURVIVED' : 'killed  '} ${mutant.name} (${Math.round(performance.now() - started)} ms)  ${killed ?? ''}`,
  );
  rmSync(root, { recursive: true, force: true });
}
console.log(survivors === 0 ? 'every mutant is caught' : `${survivors} survived`);
process.exitCode = survivors === 0 ? 0 : 1;

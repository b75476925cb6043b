/**
 * `node test/simulation/broken/run.ts [PART OF A NAME]`: makes each variant in a copy of the packages and runs seeds until
 * a law breaks. Prints a line a variant; ends with status 1 if one survives.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Variant, variants } from './variants.ts';

const root = join(import.meta.dirname, '../../..');
const FIRST_SEED = 100_001;

/** Sources with one text replaced; dependencies are those of the workspace. */
function copyOf({ name, file, find, replace }: Variant): string {
  const copy = mkdtempSync(join(tmpdir(), 'systole-variant-'));
  for (const each of readdirSync(join(root, 'packages')))
    for (const part of ['src', 'package.json'])
      cpSync(join(root, 'packages', each, part), join(copy, 'packages', each, part), { recursive: true });
  cpSync(join(root, 'package.json'), join(copy, 'package.json'));
  mkdirSync(join(copy, 'node_modules/@systole'), { recursive: true });
  for (const each of readdirSync(join(root, 'node_modules')))
    if (each !== '@systole') symlinkSync(join(root, 'node_modules', each), join(copy, 'node_modules', each));
  for (const each of readdirSync(join(copy, 'packages')))
    symlinkSync(join(copy, 'packages', each), join(copy, 'node_modules/@systole', each));
  const path = join(copy, 'packages', file);
  const parts = readFileSync(path, 'utf8').split(find);
  if (parts.length !== 2) throw new Error(`"${name}": its text stands ${parts.length - 1} times in ${file}`);
  writeFileSync(path, parts.join(replace));
  return copy;
}

/** How a law broke, and after how many seeds; undefined if none did. */
function caught({ seeds }: Variant, copy: string): { readonly took: number; readonly law: string } | undefined {
  const words = ['--first', String(FIRST_SEED), '--seeds', String(seeds), '--jobs', '1', '--no-shrink'];
  const { status, stdout } = spawnSync(process.execPath, [join(copy, 'packages/simulator/src/main.ts'), ...words], {
    encoding: 'utf8',
    cwd: copy,
    maxBuffer: 1e8,
  });
  if (status === 0) return undefined;
  const [, seed, law] = /^seed (\d+): law (\S+) broken/m.exec(stdout) ?? [];
  if (seed === undefined || law === undefined) throw new Error(stdout.slice(-2000));
  return { took: Number(seed) - FIRST_SEED + 1, law };
}

let survivors = 0;
for (const variant of variants.filter(({ name }) => name.includes(process.argv[2] ?? ''))) {
  const copy = copyOf(variant);
  try {
    const result = caught(variant, copy);
    if (result === undefined) survivors += 1;
    const outcome =
      result === undefined ? `SURVIVES ${variant.seeds} seeds` : `caught by ${result.law} after ${result.took} seeds`;
    process.stdout.write(`${variant.name}: ${outcome}\n`);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}
process.exitCode = survivors === 0 ? 0 : 1;

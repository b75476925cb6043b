/** `npm run bench -- NAME [options]`: one benchmark of this folder; without a name, their names. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

const [name, ...args] = process.argv.slice(2);
const known = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.ts') && file !== 'main.ts')
  .map((file) => file.slice(0, -3));

if (name === undefined || !known.includes(name)) {
  console.log(`npm run bench -- NAME [options]\n  names: ${known.join(', ')}`);
  process.exitCode = name === undefined ? 0 : 2;
} else {
  const { run } = (await import(join(import.meta.dirname, `${name}.ts`))) as {
    readonly run: (args: readonly string[]) => void | Promise<void>;
  };
  await run(args);
}

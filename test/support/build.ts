import { join } from 'node:path';
import { run } from '../lab/command.ts';
import { root } from './repository.ts';

/** Bundles the programs into dist/, as `npm run build` does. @returns the folder of those that a user starts. */
export async function buildPrograms(): Promise<string> {
  await run([join(root, 'node_modules', '.bin', 'rolldown'), '-c', join(root, 'rolldown.config.ts')]);
  return join(root, 'dist', 'bin');
}

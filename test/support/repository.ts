/** Where things are in the checkout, for tests that look at the project itself or at the data beside it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..', '..');

/** Conformance data and rigs that other people made; absent outside the founders' workshop. */
export const shared = join(root, '..', 'shared');

/** Why tests that need `../shared/NAME` are skipped, or undefined if it is there. */
export const sharedMissing = (name: string): string | undefined =>
  existsSync(join(shared, name)) ? undefined : `../shared/${name} is not here`;

/** Paths of all files below `folder` (relative to the root) whose name ends with one of `endings`. */
export function filesBelow(folder: string, endings: readonly string[]): readonly string[] {
  const start = join(root, folder);
  if (!existsSync(start)) return [];
  return readdirSync(start, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && endings.some((ending) => entry.name.endsWith(ending)))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter((path) => !path.includes('node_modules'))
    .toSorted();
}

export const read = (path: string): string => readFileSync(join(root, path), 'utf8');

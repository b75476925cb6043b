/** Files and folders whose names begin with what was typed. */
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

export function filesBeginning(last: string): readonly string[] {
  const folder = last.endsWith('/') ? last : dirname(last);
  const prefix = last.includes('/') ? (last.endsWith('/') ? last : `${dirname(last)}/`) : '';
  try {
    return readdirSync(folder)
      .filter((name) => name.startsWith(last.endsWith('/') ? '' : basename(last)))
      .map((name) => `${prefix}${name}${statSync(join(folder, name)).isDirectory() ? '/' : ''}`);
  } catch {
    // A folder that cannot be read has nothing to offer.
    return [];
  }
}

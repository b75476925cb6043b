/** A new folder whose files can stand for disks: its file system can be read past all caches (O_DIRECT). */
import { closeSync, constants, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export function diskFolder(name: string): string {
  // A tmpfs of an older kernel cannot; the checkout's own file system can.
  for (const place of [tmpdir(), '/var/tmp', import.meta.dirname]) {
    const folder = mkdtempSync(join(place, `systole-${name}-`));
    const probe = join(folder, 'probe');
    writeFileSync(probe, '');
    try {
      closeSync(openSync(probe, constants.O_RDWR | constants.O_DIRECT));
      rmSync(probe);
      return folder;
    } catch {
      rmSync(folder, { recursive: true });
    }
  }
  throw new Error('no file system here lets files be read past its cache');
}

/** An empty disk of a megabyte. */
export function newDiskFile(folder: string, name: string): string {
  const path = join(folder, name);
  writeFileSync(path, '');
  truncateSync(path, 1024 * 1024);
  return path;
}

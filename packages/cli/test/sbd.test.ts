/** `systole sbd` on disks that are files, without a daemon. */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { diskFolder, newDiskFile } from '../../../test/support/disk-folder.ts';

const program = fileURLToPath(new URL('../bin/systole.js', import.meta.url));
const folder = diskFolder('sbd');
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const file = join(folder, 'systole.yaml');
const disk = newDiskFile(folder, 'disk');
writeFileSync(
  file,
  '# by hand\ncluster: trial\nnode: n1\nlinks:\n  - { address: 127.0.0.1, multicast: 239.255.77.9 }\n',
);

function systole(...words: readonly string[]): { readonly code: number | null; readonly text: string } {
  const options = ['--config', file, '--socket', join(folder, 'none')];
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...options, ...words], { encoding: 'utf8' });
  return { code: status, text: `${stdout}${stderr}` };
}

test(
  'a disk gets slots and a place in the node’s file, and nothing is overwritten unasked',
  { timeout: 60_000 },
  () => {
    expect(systole('sbd', 'device', 'add', disk).text).toContain('Nobody is there to ask');
    expect(systole('--force', 'sbd', 'device', 'add', disk, 'watchdog-timeout=3')).toMatchObject({ code: 0 });
    expect(systole('sbd', 'device', 'add', disk).text).toContain('has slots already');
    expect(systole('sbd', 'status').text).toContain(`disk ${disk}: watchdog 3 s, msgwait 6 s`);
    expect(systole('sbd', 'message', 'n1', 'test')).toMatchObject({ code: 1 });
    expect(systole('sbd', 'configure', 'watchdog-device=/dev/watchdog', 'start=clean')).toMatchObject({ code: 0 });
    expect(systole('sbd', 'configure', 'colour=blue').text).toContain('there is no setting "colour"');
    expect(systole('sbd').text).toContain('watchdog: /dev/watchdog, not armed');
    const text = readFileSync(file, 'utf8');
    expect(text).toContain('# by hand');
    expect(text).toContain('start: clean');
    expect(systole('sbd', 'device', 'remove', '/dev/other').text).toContain('is not one of');
    expect(systole('sbd', 'device', 'remove', disk)).toMatchObject({ code: 0 });
    expect(readFileSync(file, 'utf8')).not.toContain('disks');
    expect(systole('--force', 'sbd', 'purge')).toMatchObject({ code: 0 });
    expect(readFileSync(file, 'utf8')).not.toContain('watchdog');
  },
);

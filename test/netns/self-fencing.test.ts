import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run, tryRun } from '../lab/command.ts';
import { type Guest, startGuest } from '../lab/guest/guest.ts';
import { root } from '../support/repository.ts';
import { notHere } from './cluster.ts';

const missing = ['/usr/bin/linux.uml', '/usr/sbin/sbd'].find((path) => !existsSync(path));
const reason = notHere ?? (missing === undefined ? undefined : `${missing} is not installed`);

const minutes = 60_000;
/** As the guest sets it. */
const countdownMs = 2000;
/** softdog and the guest's clock are coarse, and the machine may be busy. */
const slackMs = 6000;

let folder = '';
/** The guest's disk. Programs outside have it as a loop device, past all caches. */
let disk = '';
let loop = '';

beforeAll(async () => {
  if (reason !== undefined) return;
  folder = mkdtempSync(join(tmpdir(), 'systole-self-fencing-'));
  disk = join(folder, 'disk');
  closeSync(openSync(disk, 'w'));
  truncateSync(disk, 1024 * 1024);
  loop = (await run(['losetup', '-f', '--show', '--direct-io=on', disk])).trim();
});
afterAll(() => {
  if (loop !== '') spawnSync('losetup', ['-d', loop]);
  if (folder !== '') rmSync(folder, { recursive: true, force: true });
});

const program = 'test/netns/guest/self-fencing.ts';

const scene = (name: string, ...disks: readonly string[]): Guest =>
  startGuest([program, name], { seconds: 150, ...(disks[0] === undefined ? {} : { disk: disks[0] }) });

/** How long the guest lives on, at most `limitMs`. */
async function livesOn(guest: Guest, limitMs: number): Promise<number> {
  const begin = performance.now();
  const code = await Promise.race([
    guest.ended,
    new Promise<'alive'>((resolve) => setTimeout(() => resolve('alive'), limitMs)),
  ]);
  expect(code, `after ${limitMs} ms`).toBe(125);
  return performance.now() - begin;
}

async function fenceDisk(action: string, watcher: 'known' | 'assumed' = 'known') {
  const input = `action=${action}\nplug=n1\ndevices=${loop}\nwatcher=${watcher}\n`;
  const environment = { ...process.env, SYSTOLE_NODE: process.execPath };
  return tryRun([join(root, 'packages', 'stonith', 'agents', 'fence_disk')], { input, environment });
}

describe.skipIf(reason !== undefined)('a machine with a real watchdog', () => {
  test(
    'lives while its daemon does, and after it has left in order; and resets when its daemon stands still',
    async () => {
      await using guest = scene('stopped');
      await guest.found('alive for three countdowns');
      expect(await guest.found('exit status')).toBe(0);
      await guest.found('alive for two countdowns after it has left');
      await guest.found('stops');
      expect(await livesOn(guest, countdownMs + slackMs)).toBeGreaterThan(countdownMs - 1500);
    },
    3 * minutes,
  );

  test(
    'resets when it has lost quorum and cannot stop what it runs',
    async () => {
      await using guest = scene('unquorate');
      await guest.found('alive with quorum');
      await guest.found('alone');
      // Losing the others takes half a second; then nothing is fed any more.
      await livesOn(guest, 1000 + countdownMs + slackMs);
    },
    3 * minutes,
  );

  test(
    'reads what the program sbd writes to its disk, and dies of a message; that is proof for who wrote it',
    async () => {
      await run(['sbd', '-d', loop, '-1', '2', '-4', '4', 'create']);
      expect((await fenceDisk('off')).code).toBe(1); // it has no slot
      await using guest = scene('watches', disk);
      await guest.found('watches');
      await run(['sbd', '-d', loop, '-n', 'host', 'message', 'n1', 'test']);
      expect(await run(['sbd', '-d', loop, 'list'])).toMatch(/n1\tclear\t$/m);
      expect((await fenceDisk('status')).code).toBe(0);
      const begin = performance.now();
      const fencing = fenceDisk('reboot');
      const lived = await livesOn(guest, 5000 + slackMs);
      const { code, stderr } = await fencing;
      expect({ code, stderr }).toMatchObject({ code: 0 });
      // The claim comes after the death, and not before the time that it may take.
      expect(performance.now() - begin).toBeGreaterThan(Math.max(lived, 4000));
      expect((await fenceDisk('status')).code).toBe(2);
    },
    3 * minutes,
  );

  test(
    'whose disk the program sbd watches dies of our message, which proves nothing unless the watcher is vouched for',
    async () => {
      await run(['sbd', '-d', loop, '-1', '2', '-4', '4', 'create']);
      // Taking a slot takes as long as its watchdog's time, and then it would give up.
      await run(['sbd', '-d', loop, 'allocate', 'n1']);
      await using guest = scene('sbd', disk);
      await guest.found('watches');
      const [{ code, stderr }] = await Promise.all([fenceDisk('reboot', 'assumed'), livesOn(guest, 5000 + slackMs)]);
      expect({ code, stderr }).toMatchObject({ code: 0 });
      expect((await fenceDisk('off')).stderr).toContain('may live on');
    },
    3 * minutes,
  );
});

/** Our own fence agents and others, put through their contract; and one that lies, to see that it is noticed. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Finding, locateAgent } from '@systole/ra';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../../test/lab/command.ts';
import { diskFolder, newDiskFile } from '../../../test/support/disk-folder.ts';
import { ownPlaces } from '../../../test/support/executor.ts';
import { root } from '../../../test/support/repository.ts';
import { runCommand } from '../../../test/support/run-command.ts';
import { checkFenceAgent, type FenceDevice } from '../src/index.ts';

let folder = '';
let server: Server;
const power = new Map([['alpha', true]]);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'systole-fence-'));
  server = createServer((socket) => {
    socket.once('data', (data) => {
      const [verb = '', node = ''] = data.toString().trim().split(' ');
      socket.end(`${answer(verb, node)}\n`);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(join(folder, 'power.sock'), resolve);
  });
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Has the daemon's program do something with a disk. */
const errand = async (disk: string, what: object): Promise<void> => {
  const program = join(root, 'packages', 'daemon', 'src', 'host', 'disk', 'errand-process.ts');
  await run([process.execPath, program, disk, JSON.stringify(what)]);
};

function answer(verb: string, node: string): string {
  if (verb === 'monitor') return 'ok';
  if (!power.has(node)) return 'error no such host';
  if (verb === 'status') return power.get(node) === true ? 'ok on' : 'ok off';
  power.set(node, verb !== 'off');
  return 'ok';
}

async function findings(
  agent: string,
  parameters: Readonly<Record<string, string>>,
  target = 'alpha',
  folders: readonly string[] = [],
): Promise<readonly Finding[]> {
  const own = ownPlaces();
  const places = { ...own, fence: [...folders, ...own.fence], node: process.execPath };
  const device: FenceDevice = {
    id: 'power',
    agent: { class: 'stonith', type: agent },
    parameters,
    meta: {},
    isAllowedHere: true,
  };
  const located = locateAgent(device.agent, places, (paths) => paths.find((path) => existsSync(path)));
  if (located === undefined) throw new Error(`${agent} is not installed`);
  return Array.fromAsync(checkFenceAgent({ device, located, places, target, timeoutMs: 20_000, run: runCommand }));
}

const broken = (all: readonly Finding[]): readonly string[] =>
  all.filter(({ verdict }) => verdict === 'broken').map(({ check, text }) => `${check}: ${text}`);

describe('fence agents keep their contract', () => {
  test('fence_netns, against a power switch', async () => {
    const all = await findings('fence_netns', { socket: join(folder, 'power.sock') });
    expect(all.filter(({ verdict }) => verdict !== 'kept')).toEqual([]);
    expect(all.length).toBeGreaterThanOrEqual(14);
    expect(power.get('alpha')).toBe(true);
  });

  test('fence_netns succeeds in nothing where nobody answers', async () => {
    const all = await findings('fence_netns', { socket: join(folder, 'nobody.sock') });
    const deeds = all.filter(({ check }) => /^(?:off|on|reboot)/.test(check) && !check.includes('not exist'));
    expect(deeds.every(({ verdict }) => verdict === 'broken')).toBe(true);
  });

  test(
    'fence_disk, on a disk whose node reads nothing: its messages are taken back again',
    { timeout: 120_000 },
    async () => {
      const disks = diskFolder('fence-disk');
      const disk = newDiskFile(disks, 'disk');
      try {
        const times = { watchdogS: 1, allocateS: 0, loopS: 1, msgwaitS: 1 };
        await errand(disk, { type: 'create', times, uuid: '0f'.repeat(16) });
        await errand(disk, { type: 'allocate', node: 'alpha' });
        expect(broken(await findings('fence_disk', { devices: disk, watcher: 'assumed' }))).toEqual([]);
      } finally {
        rmSync(disks, { recursive: true });
      }
    },
  );

  const installed = existsSync('/usr/sbin/fence_dummy');

  test.skipIf(!installed)('fence_dummy of the package fence-agents', { timeout: 60_000 }, async () => {
    const all = await findings('fence_dummy', { type: 'file', status_file: join(folder, 'status'), plug: '1' }, '1');
    // It has one plug and does not care which is named.
    expect(broken(all).filter((text) => !text.startsWith('off of a plug that does not exist'))).toEqual([]);
  });
});

describe('an agent that lies is found out', () => {
  test('by what it says itself a moment later', async () => {
    const agents = join(folder, 'agents');
    mkdirSync(agents, { recursive: true });
    const path = join(agents, 'fence_liar');
    writeFileSync(
      path,
      `#!/bin/sh
while read -r line; do case $line in action=*) action=\${line#action=} ;; esac; done
case $action in
metadata) echo '<resource-agent name="fence_liar" shortdesc="x"><parameters><parameter name="plug"><content type="string"/></parameter></parameters><actions><action name="off"/><action name="on"/><action name="status"/><action name="monitor"/></actions></resource-agent>' ;;
esac
exit 0
`,
    );
    chmodSync(path, 0o755);
    const found = broken(await findings('fence_liar', {}, 'alpha', [agents]));
    expect(found).toContain(
      'off of a plug that does not exist: it claims success: a node of that name would be taken for dead',
    );
    expect(found).toContain(
      'status after off: off claims success, but status says on: what ran there would be started twice',
    );
  });
});

describe('fence_manual', () => {
  test('waits for a person, and does not take an older word for today’s', async () => {
    const confirmed = join(folder, 'confirmed');
    mkdirSync(confirmed);
    writeFileSync(join(confirmed, 'alpha'), '');
    const places = ownPlaces();
    const command = {
      argv: [join(places.fence[0] ?? '', 'fence_manual')],
      environment: { PATH: process.env['PATH'] ?? '' },
      stdin: `action=off\nplug=alpha\ndirectory=${confirmed}\n`,
    };
    expect((await runCommand(command, 1500)).outcome).toEqual({ type: 'timedOut' });
    const waiting = runCommand(command, 10_000);
    setTimeout(() => writeFileSync(join(confirmed, 'alpha'), ''), 500);
    expect((await waiting).outcome).toEqual({ type: 'exited', code: 0 });
  });
});

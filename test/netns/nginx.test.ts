import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { until } from '../lab/command.ts';
import { notHere, openCluster } from './cluster.ts';

const nginx = `
primitive www lsb:nginx op monitor interval=1s timeout=10s
rsc_defaults resource-stickiness=100 migration-threshold=3
property fencing-enabled=false
`;

const reason = notHere ?? (existsSync('/etc/init.d/nginx') ? undefined : "Debian's nginx is not installed");

describe.skipIf(reason !== undefined)("Debian's nginx, through its own init script", () => {
  test('is restarted where it is when it dies, and moves once it has died as often as the threshold says', async () => {
    await using cluster = await openCluster(nginx);
    const first = await cluster.runsOn('www');
    const machine = cluster.lab.machine(first);
    const master = async (): Promise<string> => (await machine.tryRun(['cat', '/run/nginx.pid'])).stdout.trim();

    for (const failure of [1, 2]) {
      const before = await master();
      expect(before).not.toBe('');
      await machine.run('pkill', '-9', '-x', 'nginx');
      await until(`nginx is restarted after failure ${failure}`, async () => {
        const after = await master();
        return after !== '' && after !== before && (await machine.tryRun(['kill', '-0', after])).code === 0;
      });
      expect(await cluster.runsOn('www')).toBe(first);
    }

    await machine.run('pkill', '-9', '-x', 'nginx');
    const second = await cluster.runsOn('www', 'n1', first);
    expect((await cluster.lab.machine(second).tryRun(['pgrep', '-x', 'nginx'])).code).toBe(0);
    expect((await machine.tryRun(['pgrep', '-x', 'nginx'])).code).toBe(1);
  });
});

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { until } from '../lab/command.ts';
import { example } from '../lab/example.ts';
import { Machine } from '../lab/namespaces.ts';
import { longestOutage } from '../lab/outage.ts';
import { root } from '../support/repository.ts';
import { notHere, openCluster } from './cluster.ts';

const missing = ['/usr/sbin/haproxy', '/etc/init.d/haproxy'].find((path) => !existsSync(path));
const reason = notHere ?? (missing === undefined ? undefined : `${missing} is not installed`);

const proxy = `
global
  stats socket /run/haproxy.sock mode 600
defaults
  mode http
  timeout connect 1s
  timeout client 10s
  timeout server 10s
  option redispatch
  retries 2
frontend pages
  bind :8080
  default_backend servers
backend servers
  balance roundrobin
  server app1 10.77.0.31:8080 check inter 500
  server app2 10.77.0.32:8080 check inter 500
`;

describe.skipIf(reason !== undefined)('HAProxy on every node and the address on one, as in examples/haproxy', () => {
  test('answers through another node when a proxy, a node in order, or a node without power goes', async () => {
    const apps = [new Machine('app1'), new Machine('app2')];
    let configuration = '';
    await using cluster = await openCluster(await example('haproxy/haproxy.crm'), {
      prepare: 'mkdir -p /run/haproxy &&',
      beforeDaemons: async (lab) => {
        configuration = await lab.file('haproxy.cfg', proxy);
        for (const [index, app] of apps.entries()) {
          await app.boot();
          await lab.network.connect(app, `10.77.0.${31 + index}/24`);
          app.start([process.execPath, join(root, 'test', 'lab', 'real-server.ts'), '8080'], () => undefined);
        }
        // Debian's configuration file, for each machine alone.
        for (const machine of lab.machines.values()) {
          await machine.run('mount', '--bind', configuration, '/etc/haproxy/haproxy.cfg');
        }
      },
    });
    try {
      const { lab } = cluster;
      const first = await cluster.runsOn('address');
      const answers = await cluster.probe();
      const answeredSince = (since: number): Promise<true> =>
        until(
          'both servers answer',
          () => {
            const names = new Set(answers.filter(({ asked }) => asked > since).map(({ from }) => from));
            return names.has('app1') && names.has('app2');
          },
          20_000,
        );
      await answeredSince(0);

      // The proxy dies: it is started again where it is.
      const killed = Date.now();
      await lab.machine(first).run('pkill', '-KILL', '-x', 'haproxy');
      await until(
        'the proxy is started again',
        async () => (await lab.machine(first).tryRun(['pgrep', '-x', 'haproxy'])).code === 0,
        30_000,
      );
      await answeredSince(Date.now());
      expect(longestOutage(answers, killed)?.durationMs).toBeGreaterThan(0);

      // In order: only the address moves, to a proxy that runs already.
      const now = await cluster.runsOn('address');
      await lab.systole(now, 'node', 'standby', now);
      const second = await cluster.runsOn('address', now, now);
      await answeredSince(Date.now());
      await lab.systole(second, 'node', 'online', now);
      await lab.settled([second]);

      await lab.powerOff(second);
      const third = await cluster.runsOn('address', now, second);
      expect(third).not.toBe(second);
      await answeredSince(Date.now());
      expect(cluster.watch.overlaps()).toEqual([]);
    } finally {
      for (const app of apps) await app.powerOff();
    }
  }, 180_000);
});

import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { until } from '../lab/command.ts';
import { example } from '../lab/example.ts';
import { notHere, openCluster } from './cluster.ts';

const missing = [
  '/etc/init.d/nginx',
  '/usr/bin/redis-server',
  '/usr/bin/redis-cli',
  '/usr/lib/ocf/resource.d/heartbeat/redis',
].find((path) => !existsSync(path));
const reason = notHere ?? (missing === undefined ? undefined : `${missing} is not installed`);

const nodes = ['n1', 'n2'] as const;
const web = '10.77.0.101';
const cache = '10.77.0.102';

/** Each machine has a disk of its own for the cache, and a configuration that lets others ask it. */
const prepare = [
  'mount -t tmpfs tmpfs /var/lib/redis',
  String.raw`printf 'bind 0.0.0.0\nprotected-mode no\ndir /var/lib/redis\n' >/run/redis.conf`,
  'mount --bind /run/redis.conf /etc/redis/redis.conf',
  'chown redis /var/lib/redis',
  'mkdir -p /run/redis',
  'chown redis /run/redis',
  '',
].join(' && ');

describe.skipIf(reason !== undefined)('two services that cross over two nodes, as in examples/crossed-pair', () => {
  test('are apart while both nodes are there, together on the one that is left, and apart again', async () => {
    // The clock decides whether services go home by themselves; this is about where they go.
    const text = (await example('crossed-pair/crossed.crm')).replace(/^rsc_defaults .*\n/gmu, '');
    await using cluster = await openCluster(`${text}rsc_defaults resource-stickiness=0\n`, {
      nodes,
      quorum: { two_node: true },
      prepare,
    });
    const { lab } = cluster;
    const page = async (): Promise<boolean> =>
      (await lab.client.tryRun(['curl', '-s', '-m', '1', '-o', '/dev/null', `http://${web}/`])).code === 0;
    const redis = async (...words: readonly string[]): Promise<string> =>
      (await lab.client.tryRun(['timeout', '2', 'redis-cli', '-h', cache, ...words])).stdout.trim();
    const serve = async (): Promise<void> => {
      await until('the web server answers', page, 20_000);
      await until('the cache answers', async () => (await redis('PING')) === 'PONG', 20_000);
    };
    const places = async (ask: string): Promise<readonly string[]> => [
      await cluster.runsOn('web-server', ask),
      await cluster.runsOn('cache-server', ask),
    ];

    expect(await places('n1')).toEqual(['n2', 'n1']);
    await serve();

    await lab.powerOff('n2');
    await cluster.runsOn('web-server', 'n1', 'n2');
    expect(await places('n1')).toEqual(['n1', 'n1']);
    await serve();

    // The power switch has switched it on again, and the web server goes home.
    await until('n2 is a member again', async () => (await lab.status('n2'))?.quorate === true, 60_000, 200);
    await cluster.runsOn('web-server', 'n1', 'n1');
    expect(await places('n1')).toEqual(['n2', 'n1']);
    await serve();

    await lab.systole('n2', 'node', 'standby', 'n1');
    await cluster.runsOn('cache-server', 'n2', 'n1');
    expect(await places('n2')).toEqual(['n2', 'n2']);
    await serve();
  }, 180_000);
});

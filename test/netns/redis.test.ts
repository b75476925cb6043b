import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { until } from '../lab/command.ts';
import { example } from '../lab/example.ts';
import { address, notHere, openCluster } from './cluster.ts';

const missing = ['/usr/bin/redis-server', '/usr/bin/redis-cli', '/usr/lib/ocf/resource.d/heartbeat/redis'].find(
  (path) => !existsSync(path),
);
const reason = notHere ?? (missing === undefined ? undefined : `${missing} is not installed`);

/** Each machine has a disk of its own, and knows the others by name. */
const prepare = [
  'mount -t tmpfs tmpfs /var/lib/redis',
  'mkdir -p /run/redis /run/etc',
  'chown redis /var/lib/redis /run/redis',
  String.raw`printf 'bind 0.0.0.0\nprotected-mode no\ndir /var/lib/redis\nrepl-diskless-sync yes\nrepl-diskless-sync-delay 0\n' >/run/etc/redis.conf`,
  String.raw`printf '127.0.0.1 localhost\n10.77.0.1 n1\n10.77.0.2 n2\n10.77.0.3 n3\n' >/run/etc/hosts`,
  'mount --bind /run/etc/redis.conf /etc/redis/redis.conf',
  'mount --bind /run/etc/hosts /etc/hosts',
  '',
].join(' && ');

describe.skipIf(reason !== undefined)('Redis with a primary and followers, as in examples/redis', () => {
  test('keeps what its followers had when a follower is promoted, in order and after a loss of power, and the former primary follows', async () => {
    await using cluster = await openCluster(await example('redis/redis.crm'), { prepare });
    const { lab } = cluster;
    const redis = async (...words: readonly string[]): Promise<string> =>
      (await lab.client.tryRun(['timeout', '3', 'redis-cli', '-h', address, ...words])).stdout.trim();
    /** Written, and had by so many followers. */
    const write = async (key: string, followers: number): Promise<void> => {
      await until('the primary answers', async () => (await redis('PING')) === 'PONG', 30_000);
      await until(
        'followers are there',
        async () => (await redis('INFO', 'replication')).includes(`connected_slaves:${followers}`),
        30_000,
      );
      expect(await redis('SET', key, `value of ${key}`)).toBe('OK');
      expect(Number(await redis('WAIT', String(followers), '2000'))).toBeGreaterThanOrEqual(followers);
    };

    const first = await cluster.runsOn('address');
    await write('one', 2);
    await lab.systole(first, 'node', 'standby', first);
    const second = await cluster.runsOn('address', first, first);
    await until('the primary answers', async () => (await redis('PING')) === 'PONG', 30_000);
    expect(await redis('GET', 'one')).toBe('value of one');
    await lab.systole(second, 'node', 'online', first);
    await lab.settled(['n1', 'n2', 'n3']);
    await write('two', 2);

    // Its disk is a new one when it comes back: what it has then is what it was given by the others.
    await lab.powerOff(second);
    const third = await cluster.runsOn('address', first, second);
    await until('the primary answers', async () => (await redis('PING')) === 'PONG', 30_000);
    expect([await redis('GET', 'one'), await redis('GET', 'two')]).toEqual(['value of one', 'value of two']);
    await cluster.boot(second);
    await lab.settled(['n1', 'n2', 'n3']);
    expect(await cluster.runsOn('address', second)).toBe(third);
    await write('three', 2);
    expect(cluster.watch.overlaps()).toEqual([]);
  }, 400_000);
});

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { until } from '../lab/command.ts';
import { example } from '../lab/example.ts';
import { makeSharedDisk } from '../lab/shared-disk.ts';
import { root } from '../support/repository.ts';
import { address, notHere, openCluster } from './cluster.ts';

const missing = [
  '/usr/bin/ganesha.nfsd',
  '/usr/bin/nfs-cp',
  '/usr/lib/ocf/resource.d/heartbeat/anything',
  '/sbin/mkfs.ext4',
].find((path) => !existsSync(path));
const reason = notHere ?? (missing === undefined ? undefined : `${missing} is not installed`);

describe.skipIf(reason !== undefined)('an NFS server on a shared disk, as in examples/nfs', () => {
  test('has the files that were written when it moves, in order or after a loss of power', async () => {
    await using disk = await makeSharedDisk('mkdir data .ganesha && chmod 777 data');
    const configuration = await example('nfs/ganesha.crm', {
      'device=/dev/disk/by-label/export': `device=${disk.image} options=loop`,
      'directory=/srv/export': 'directory=/run/export',
    });
    const server = await readFile(join(root, 'examples', 'nfs', 'ganesha.conf'), 'utf8');
    await using cluster = await openCluster(configuration, {
      nodes: ['n1', 'n2'],
      quorum: { two_node: true },
      prepare: 'mkdir -p /run/export /run/ganesha && mount --bind /run/ganesha /etc/ganesha &&',
      beforeDaemons: async (lab) => {
        const file = await lab.file('ganesha.conf', server.replaceAll('/srv/export', '/run/export'));
        for (const machine of lab.machines.values()) await machine.run('cp', file, '/run/ganesha/ganesha.conf');
      },
    });
    const { lab } = cluster;
    const url = (name: string): string => `nfs://${address}/data/${name}?version=4&uid=0&gid=0`;
    const write = async (name: string): Promise<void> => {
      const local = await lab.file(name, `this is ${name}\n`);
      // A server that has just taken over lets nobody open anything new until clients had time to ask for what was theirs.
      await until(
        `${name} is written`,
        async () => (await lab.client.tryRun(['timeout', '5', 'nfs-cp', local, url(name)])).code === 0,
        60_000,
        500,
      );
    };
    const read = async (name: string): Promise<string> =>
      until(
        `${name} is read`,
        async () => {
          const { code, stdout } = await lab.client.tryRun(['timeout', '5', 'nfs-cat', url(name)]);
          return code === 0 && stdout !== '' ? stdout : undefined;
        },
        60_000,
        500,
      );

    const first = await cluster.runsOn('address');
    const second = first === 'n1' ? 'n2' : 'n1';
    await write('one');
    await lab.systole(first, 'node', 'standby', first);
    await cluster.runsOn('address', second, first);
    expect(await read('one')).toBe('this is one\n');
    await write('two');
    await lab.systole(second, 'node', 'online', first);
    await lab.settled([second]);

    await lab.powerOff(second);
    await cluster.runsOn('address', first, second);
    expect(await read('two')).toBe('this is two\n');
    await write('three');
    expect(lab.power.log.some(({ node }) => node === second)).toBe(true);
    expect(cluster.watch.overlaps()).toEqual([]);
  }, 240_000);
});

import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { run, until } from '../lab/command.ts';
import { root } from '../support/repository.ts';
import { notHere, openCluster } from './cluster.ts';

const service = `
primitive power stonith:fence_netns params socket=POWER pcmk_reboot_action=off op monitor interval=60s
primitive address ocf:systole:vip params ip=10.77.0.100 cidr_netmask=24 nic=eth0 op monitor interval=2s timeout=10s
rsc_defaults resource-stickiness=100
property fencing-enabled=true
`;

describe.skipIf(notHere !== undefined)('two nodes and a disk that both share', () => {
  test('go on when one of them is lost, for the disk gives its vote to the other', async () => {
    const systoled = join(root, 'node_modules', '.bin', 'systoled');
    await using cluster = await openCluster(service, {
      nodes: ['n1', 'n2'],
      quorum: { device: { disk: '../witness' } },
      beforeDaemons: async (lab) => {
        await truncate(await lab.file('witness', ''), 4 * 1024 * 1024);
        await lab.file('make.yaml', '');
        const links = [{ address: '127.0.0.1', multicast: '239.255.77.1' }];
        const quorum = { device: { disk: 'witness' } };
        const path = join(lab.folder, 'make.yaml');
        await writeFile(path, JSON.stringify({ cluster: 'lab', node: 'n1', nodes: ['n1', 'n2'], links, quorum }));
        await run([systoled, '--config', path, '--make-witness']);
      },
    });
    const first = await cluster.runsOn('address');
    const survivor = first === 'n1' ? 'n2' : 'n1';
    await until('somebody holds the vote', () =>
      cluster.lab.log.some(({ event, msg }) => event === 'quorum.device' && msg.includes('is held for view')),
    );
    await cluster.lab.powerOff(first);
    expect(await cluster.runsOn('address', survivor, first)).toBe(survivor);
    expect(cluster.watch.overlaps()).toEqual([]);
    expect((await cluster.status(survivor)).quorate).toBe(true);
  });
});

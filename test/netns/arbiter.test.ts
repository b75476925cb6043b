import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { run, sleep, until } from '../lab/command.ts';
import { Machine } from '../lab/namespaces.ts';
import { root } from '../support/repository.ts';
import { notHere, openCluster } from './cluster.ts';

const binaries = join(root, 'node_modules', '.bin');
const service = `
primitive power stonith:fence_netns params socket=POWER pcmk_reboot_action=off op monitor interval=60s
primitive address ocf:systole:vip params ip=10.77.0.100 cidr_netmask=24 nic=eth0 op monitor interval=2s timeout=10s
rsc_defaults resource-stickiness=100
property fencing-enabled=true
`;

describe.skipIf(notHere !== undefined)('two nodes and an arbiter on a third site', () => {
  test('go on when one of them is lost, for the arbiter gives its vote to the other', async () => {
    const arbiter = new Machine('arbiter');
    await using cluster = await openCluster(service, {
      nodes: ['n1', 'n2'],
      quorum: { device: { arbiter: ['10.77.0.240'] } },
      beforeDaemons: async (lab) => {
        await arbiter.boot();
        await lab.network.connect(arbiter, '10.77.0.240/24');
        const derive = [
          join(binaries, 'systole-arbiter'),
          'derive',
          '--cluster',
          'lab',
          '--key',
          join(lab.folder, 'key'),
        ];
        const key = await lab.file('arbiter.key', await run(derive));
        await run(['chmod', '600', key]);
        const configuration = join(lab.folder, 'arbiter.yaml');
        const state = join(lab.folder, 'arbiter');
        await writeFile(
          configuration,
          JSON.stringify({ state, address: '10.77.0.240', clusters: [{ name: 'lab', key }] }),
        );
        arbiter.start([join(binaries, 'systole-arbiter'), '--config', configuration], () => undefined);
      },
    });
    try {
      const first = await cluster.runsOn('address');
      const survivor = first === 'n1' ? 'n2' : 'n1';
      await sleep(3000); // the arbiter has heard both
      await cluster.lab.powerOff(first);
      expect(await cluster.runsOn('address', survivor, first)).toBe(survivor);
      expect(cluster.watch.overlaps()).toEqual([]);

      // Without the arbiter as well, one of two is no majority any more.
      await arbiter.powerOff();
      await until('quorum is lost', async () => (await cluster.lab.status(survivor))?.quorate === false, 30_000);
    } finally {
      await arbiter.powerOff();
    }
  });
});

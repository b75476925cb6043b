import { describe, expect, test } from 'vitest';
import { sleep, until } from '../lab/command.ts';
import { notHere, openCluster, web } from './cluster.ts';

const withoutFencing = `
primitive address ocf:systole:vip params ip=10.77.0.100 cidr_netmask=24 nic=eth0 op monitor interval=2s timeout=10s
rsc_defaults resource-stickiness=100
property fencing-enabled=false
`;

describe.skipIf(notHere !== undefined)('a cluster whose network breaks', () => {
  test('fences the node that is cut off before its services start elsewhere', async () => {
    await using cluster = await openCluster(web);
    const first = await cluster.runsOn('www');
    await cluster.lab.network.cut(first);
    const survivor = ['n1', 'n2', 'n3'].find((node) => node !== first) ?? '';
    const second = await cluster.runsOn('www', survivor, first);
    expect(cluster.lab.power.log.some((entry) => entry.node === first && entry.command !== 'status')).toBe(true);
    expect(cluster.watch.holds.at(-1)?.node).toBe(second);
    expect(cluster.watch.overlaps()).toEqual([]);
  });

  test('without quorum stops what runs, and takes part again when the network is mended', async () => {
    await using cluster = await openCluster(withoutFencing);
    const first = await cluster.runsOn('address');
    await cluster.lab.network.cut(first);
    await until('the minority has let go of the address', () => !cluster.watch.holders().includes(first), 20_000);
    const status = await cluster.lab.status(first);
    expect(status?.quorate).toBe(false);
    await cluster.lab.network.mend(first);
    await cluster.lab.settled(['n1', 'n2', 'n3']);
    expect(cluster.watch.holders()).toHaveLength(1);
  });

  test('is not disturbed by one deaf direction for long: one side is left out, and nothing runs twice', async () => {
    await using cluster = await openCluster(web);
    const first = await cluster.runsOn('www');
    const [a = '', b = ''] = ['n1', 'n2', 'n3'].filter((node) => node !== first);
    await cluster.lab.network.block(a, b);
    await sleep(3000);
    await cluster.lab.network.unblock();
    await until(
      'the service runs and all nodes that are on are members',
      async () => {
        for (const node of ['n1', 'n2', 'n3']) if (!cluster.lab.machine(node).isOn) await cluster.boot(node);
        const status = await cluster.lab.status(first);
        return status?.transition.state === 'idle' && status.nodes.every((node) => node.state === 'online');
      },
      60_000,
      500,
    );
    expect(cluster.watch.overlaps()).toEqual([]);
  });
});

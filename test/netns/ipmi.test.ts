import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { boardPassword, boardUser, ManagementBoards } from '../lab/management-boards.ts';
import { notHere, openCluster } from './cluster.ts';

const needed = ['/usr/bin/ipmi_sim', '/usr/bin/ipmitool', '/usr/sbin/fence_ipmilan', '/usr/bin/nc'];
const missing = needed.find((path) => !existsSync(path));
const reason = notHere ?? (missing === undefined ? undefined : `${missing} is not installed`);

const service = `
primitive address ocf:systole:vip params ip=10.77.0.100 cidr_netmask=24 nic=eth0 op monitor interval=5s timeout=10s
rsc_defaults resource-stickiness=100
property fencing-enabled=false
`;

describe.skipIf(reason !== undefined)('the unmodified fence_ipmilan', () => {
  test('cuts the power of a lost node through its management board before its address moves', async () => {
    await using cluster = await openCluster(service);
    const { lab } = cluster;
    const boards = new ManagementBoards(lab);
    await boards.open();
    try {
      const nodes = [...lab.machines.keys()];
      const devices = nodes.map(
        (node) =>
          `primitive power-${node} stonith:fence_ipmilan params ip=${boards.address(node)} username=${boardUser} ` +
          `password=${boardPassword} lanplus=1 cipher=3 power_wait=0 pcmk_host_list=${node} pcmk_reboot_action=off ` +
          'op monitor interval=60s timeout=30s',
      );
      const file = await lab.file('devices.crm', [...devices, 'property fencing-enabled=true', ''].join('\n'));
      await lab.systole('n1', 'configure', 'load', 'update', file);
      for (const node of nodes) await cluster.runsOn(`power-${node}`);
      const first = await cluster.runsOn('address');

      await lab.network.cut(first);
      const survivor = nodes.find((node) => node !== first) ?? '';
      await cluster.runsOn('address', survivor, first);
      expect(lab.machine(first).isOn).toBe(false);
      expect(lab.power.log.some(({ node, command }) => node === first && command === 'off')).toBe(true);
      expect(cluster.watch.overlaps()).toEqual([]);
    } finally {
      await boards.close();
    }
  });
});

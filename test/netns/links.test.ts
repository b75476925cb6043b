import { describe, expect, test } from 'vitest';
import { Lab } from '../lab/cluster.ts';
import { sleep, until } from '../lab/command.ts';
import { notHere } from './cluster.ts';

const nodes = ['n1', 'n2', 'n3'];

interface Messaging {
  readonly view: { readonly tag: { readonly number: number }; readonly members: readonly unknown[] };
}

const viewOf = async (lab: Lab, node: string): Promise<Messaging['view']> =>
  (await lab.ask<Messaging>(node, 'GET', '/v1/messaging')).view;

describe.skipIf(notHere !== undefined)('the link of a node', () => {
  test('may be missing when the daemon starts, and may go and come back', async () => {
    const lab = await Lab.open({ nodes });
    try {
      await lab.machine('n3').run('ip', 'address', 'del', '10.77.0.3/24', 'dev', 'eth0');
      await Promise.all(nodes.map((node) => lab.startDaemon(node)));
      await lab.settled(['n1', 'n2']);
      await until('n3 waits for its address', () =>
        lab.log.some((line) => line.node === 'n3' && line.msg.includes('10.77.0.3 is not on this machine')),
      );
      await lab.machine('n3').run('ip', 'address', 'add', '10.77.0.3/24', 'dev', 'eth0');
      await lab.settled(nodes);

      for (const how of ['address', 'interface'] as const) {
        const change = (isThere: boolean): Promise<unknown> =>
          how === 'address'
            ? lab.machine('n3').run('ip', 'address', isThere ? 'add' : 'del', '10.77.0.3/24', 'dev', 'eth0')
            : lab.machine('n3').run('ip', 'link', 'set', 'eth0', isThere ? 'up' : 'down');
        await change(false);
        await until('n3 is left out', async () => (await viewOf(lab, 'n1')).members.length === 2, 15_000);
        await sleep(1500);
        await change(true);
        await until('n3 is a member again', async () => (await viewOf(lab, 'n1')).members.length === 3, 30_000);
      }
      expect(lab.log.some((line) => line.event === 'linkDown' && line.node === 'n3')).toBe(true);
    } finally {
      await lab.close();
    }
  });
});

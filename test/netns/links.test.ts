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

  test('is added, and another removed, in a running cluster: no view changes; what cannot work is refused whole', async () => {
    const lab = await Lab.open({ nodes });
    const view = async (): Promise<number> => (await viewOf(lab, 'n1')).tag.number;
    const addresses = nodes.map((node, index) => `${node}=10.88.0.${index + 1}`);
    try {
      await Promise.all(nodes.map((node) => lab.startDaemon(node)));
      await lab.settled(nodes);
      const before = await view();

      const missing = await lab.trySystole('n1', ['net', 'link', 'add', ...addresses]);
      expect(missing.code).toBe(1);
      expect(missing.stderr).toContain('n2: 10.88.0.2 is no address of this machine');

      for (const [index, node] of nodes.entries())
        await lab.machine(node).run('ip', 'address', 'add', `10.88.0.${index + 1}/24`, 'dev', 'eth0');
      const drop = 'chain in { type filter hook input priority 0; ip daddr 10.88.0.3 drop; }';
      await lab.machine('n3').run('nft', `table ip deaf { ${drop}; }`);
      const deaf = await lab.trySystole('n1', ['net', 'link', 'add', ...addresses]);
      expect(deaf.stderr).toContain('does not answer over link 1');
      await until(
        'link 1 is taken back',
        async () => !(await lab.systole('n1', 'net', 'link', 'show')).includes('link 1'),
      );
      await lab.machine('n3').run('nft', 'delete table ip deaf');

      await lab.systole('n1', 'net', 'link', 'add', ...addresses, 'priority=20');
      expect(await lab.systole('n2', 'net', 'link', 'show', '1')).toContain('link 1: up to all peers');
      await lab.systole('n2', 'net', 'link', 'remove', '0');
      const last = await lab.trySystole('n3', ['net', 'link', 'remove', '1']);
      expect(last.stderr).toContain('only one');
      await lab.systole('n3', 'net', 'set', 'timing.suspect', '500ms');
      expect((await lab.systole('n1', 'net', 'get', 'timing.suspect')).trim()).toBe('500');
      expect(await view()).toBe(before);

      // The files say it too: a node that starts again comes back over the new link.
      await lab.signalDaemon('n2', 'SIGKILL');
      lab.restartDaemon('n2');
      await lab.settled(nodes);
    } finally {
      await lab.close();
    }
  });
});

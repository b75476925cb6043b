import { describe, expect, test } from 'vitest';
import { sleep, until } from '../lab/command.ts';
import { notHere, openCluster, web } from './cluster.ts';

const others = (node: string): readonly string[] => ['n1', 'n2', 'n3'].filter((name) => name !== node);

describe.skipIf(notHere !== undefined)('a daemon in trouble', () => {
  test('that hangs is fenced before its services start elsewhere', async () => {
    await using cluster = await openCluster(web);
    const first = await cluster.runsOn('www');
    await cluster.lab.signalDaemon(first, 'STOP');
    const [survivor = ''] = others(first);
    await cluster.runsOn('www', survivor, first);
    expect(cluster.lab.power.log.some((entry) => entry.node === first && entry.command !== 'status')).toBe(true);
    expect(cluster.watch.overlaps()).toEqual([]);
  });

  test('that is killed leaves its services running: they are fenced away or taken over, never started twice', async () => {
    await using cluster = await openCluster(web);
    const first = await cluster.runsOn('www');
    await cluster.lab.signalDaemon(first, 'KILL');
    await cluster.lab.daemon(first).ended;
    await cluster.lab.startDaemon(first); // as its unit file would
    const [survivor = ''] = others(first);
    await until(
      'the service runs and the cluster is idle',
      async () => {
        if (!cluster.lab.machine(first).isOn) await cluster.boot(first);
        return cluster.runsOn('www', survivor);
      },
      90_000,
    );
    await sleep(2000);
    expect(cluster.watch.overlaps()).toEqual([]);
    expect(cluster.watch.holders()).toHaveLength(1);
  });
});

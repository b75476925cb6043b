import { describe, expect, test } from 'vitest';
import { sleep, until } from '../lab/command.ts';
import { longestOutage } from '../lab/outage.ts';
import { address, notHere, openCluster, web } from './cluster.ts';

const others = (node: string): readonly string[] => ['n1', 'n2', 'n3'].filter((name) => name !== node);

describe.skipIf(notHere !== undefined)('a service on three machines', () => {
  test('survives the loss of its machine: it is fenced, the address moves, and the client learns the new one', async () => {
    await using cluster = await openCluster(web);
    const first = await cluster.runsOn('www');
    expect(first).toBe('n1');
    const answers = await cluster.probe();
    const neighbour = async (): Promise<string> => cluster.lab.client.run('ip', 'neigh', 'show', address);
    const before = /lladdr (\S+)/u.exec(await neighbour())?.[1];

    const fault = Date.now();
    await cluster.lab.powerOff(first);
    const [survivor = ''] = others(first);
    const second = await cluster.runsOn('www', survivor, first);
    await until(
      'the client is answered',
      () => answers.some((one) => one.asked > fault && one.from === second),
      10_000,
    );

    expect(cluster.lab.power.log.some((entry) => entry.node === first && entry.at >= fault)).toBe(true);
    expect(/lladdr (\S+)/u.exec(await neighbour())?.[1]).not.toBe(before);
    await sleep(300);
    const outage = longestOutage(answers, fault);
    expect(outage?.durationMs).toBeGreaterThan(0);
    expect(cluster.watch.overlaps()).toEqual([]);

    // It comes back, and the service stays: stickiness is more than the preference.
    await cluster.boot(first);
    await cluster.lab.settled(['n1', 'n2', 'n3']);
    expect(await cluster.runsOn('www', survivor)).toBe(second);
  });

  test('moves at once and in order when its node goes to standby, and may come back', async () => {
    await using cluster = await openCluster(web);
    const first = await cluster.runsOn('www');
    const answers = await cluster.probe();
    const since = Date.now();
    await cluster.lab.systole(first, '--wait=30', 'node', 'standby', first);
    const second = await cluster.runsOn('www', first, first);
    await until(
      'the client is answered',
      () => answers.some((one) => one.asked > since && one.from === second),
      10_000,
    );
    expect(cluster.lab.power.log.filter((entry) => entry.command !== 'status')).toEqual([]);
    expect(cluster.watch.overlaps()).toEqual([]);
    await cluster.lab.systole(first, '--wait=30', 'node', 'online', first);
    expect(await cluster.runsOn('www')).toBe(second);
  });

  test('is left alone when the daemon leaves in order: its resources move first', async () => {
    await using cluster = await openCluster(web);
    const first = await cluster.runsOn('www');
    const daemon = cluster.lab.daemon(first);
    await cluster.lab.signalDaemon(first, 'TERM');
    expect(await daemon.ended).toEqual({ code: 0, signal: null });
    const [survivor = ''] = others(first);
    await cluster.runsOn('www', survivor, first);
    expect(cluster.lab.power.log.filter((entry) => entry.command !== 'status')).toEqual([]);
    expect(cluster.watch.overlaps()).toEqual([]);
  });
});

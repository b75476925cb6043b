import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import os from 'node:os';
import { describe, expect, test } from 'vitest';
import { sleep, until } from '../lab/command.ts';
import { notHere, openCluster, type TestCluster, web } from './cluster.ts';

/** How long the machine is kept busy; a node that is suspected falsely is so within its first second. */
const BUSY_MS = 20_000;

async function withBusyLoops(count: number, forMs: number): Promise<void> {
  const loops: ChildProcess[] = Array.from({ length: count }, () =>
    spawn('setpriv', ['--pdeathsig', 'KILL', 'sh', '-c', 'while :; do :; done'], { stdio: 'ignore' }),
  );
  await sleep(forMs);
  await Promise.all(
    loops.map(async (loop) => {
      const ended = once(loop, 'exit');
      loop.kill('SIGKILL');
      await ended;
    }),
  );
}

/** Views that were made since, on any node. */
const viewsSince = ({ lab }: TestCluster, since: number): readonly string[] =>
  lab.log.filter(({ event, time }) => event === 'node.lost' && time >= since).map(({ node, msg }) => `${node}: ${msg}`);

const fenced = ({ lab }: TestCluster): readonly string[] =>
  lab.power.log.filter(({ command }) => command !== 'status').map(({ node }) => node);

describe.skipIf(notHere !== undefined)('a healthy cluster', () => {
  test('expels nobody while every core runs two busy loops', async () => {
    await using cluster = await openCluster(web);
    const before = await cluster.runsOn('www');
    const since = Date.now();
    await withBusyLoops(2 * os.availableParallelism(), BUSY_MS);
    expect(viewsSince(cluster, since)).toEqual([]);
    expect(fenced(cluster)).toEqual([]);
    expect(await cluster.runsOn('www')).toBe(before);
  });

  test.for([0.05, 0.2])('expels nobody while %d of all datagrams are lost', async (share) => {
    await using cluster = await openCluster(web);
    const before = await cluster.runsOn('www');
    const since = Date.now();
    await cluster.lab.network.lose(share);
    await sleep(BUSY_MS);
    await cluster.lab.network.unblock();
    expect(viewsSince(cluster, since)).toEqual([]);
    expect(fenced(cluster)).toEqual([]);
    expect(await cluster.runsOn('www')).toBe(before);
  });

  test('goes on working under loss: a change is accepted', async () => {
    await using cluster = await openCluster(web);
    await cluster.runsOn('www');
    await cluster.lab.network.lose(0.2);
    await cluster.lab.systole('n2', 'configure', 'property', 'batch-limit=7');
    await until('all nodes know it', async () => {
      const shown = await Promise.all(['n1', 'n2', 'n3'].map((node) => cluster.lab.systole(node, 'configure', 'show')));
      return shown.every((text) => text.includes('batch-limit=7'));
    });
  });
});

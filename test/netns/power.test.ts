import { describe, expect, test } from 'vitest';
import { notHere, openCluster, web } from './cluster.ts';

const nodes = ['n1', 'n2', 'n3'];

describe.skipIf(notHere !== undefined)('a cluster', () => {
  test('keeps every acknowledged change over a cut of all power', async () => {
    await using cluster = await openCluster(web);
    await cluster.runsOn('www');
    await cluster.lab.systole('n2', 'configure', 'property', 'cluster-recheck-interval=7min');
    await Promise.all(nodes.map((node) => cluster.lab.powerOff(node)));
    for (const node of nodes) await cluster.boot(node);
    await cluster.lab.settled(nodes);
    expect(await cluster.lab.systole('n3', 'configure', 'show')).toContain('cluster-recheck-interval=7min');
    await cluster.runsOn('www');
    expect(cluster.watch.overlaps()).toEqual([]);
  });

  test('takes in a fourth node that learns the configuration from the others', async () => {
    await using cluster = await openCluster(web);
    await cluster.runsOn('www');
    await cluster.lab.addMachine('n4');
    await cluster.lab.systole('n1', 'configure', 'node', 'n4');
    await cluster.lab.startDaemon('n4');
    const status = await cluster.lab.settled([...nodes, 'n4']);
    expect(status.nodes.map((node) => node.name).toSorted()).toEqual([...nodes, 'n4']);
    expect(await cluster.lab.systole('n4', 'configure', 'show')).toContain('group web address www');
  });
});

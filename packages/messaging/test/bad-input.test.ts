/** What others on the same wire can do to a cluster: strangers, neighbours with the same names, thieves of datagrams. */
import { describe, expect, test } from 'vitest';
import { cryptoSeal } from '../src/seal-crypto.ts';
import { aKey, aLink, Cluster } from './harness/cluster.ts';
import { membersAt, settledCluster } from './harness/settled.ts';

const counters = (cluster: Cluster, id: number): Readonly<Record<string, number>> =>
  cluster.machine(id).engine?.status(cluster.now as never).counters ?? {};

const viewsOf = (cluster: Cluster): readonly number[] => [1, 2, 3].map((id) => cluster.machine(id).views.length);

/** Lets both run side by side; every datagram of one also arrives at the nodes of the other. */
function sideBySide(one: Cluster, other: Cluster, ms: number): void {
  const heard: [Uint8Array[], Uint8Array[]] = [[], []];
  for (const [index, cluster] of [one, other].entries()) {
    cluster.filter = (_from, to, _link, _via, bytes) => {
      if (to === 1 || to === 2) heard[index === 0 ? 1 : 0].push(bytes);
      return true;
    };
  }
  for (let at = 0; at < ms; at += 10) {
    one.run(10);
    other.run(10);
    for (const [index, cluster] of [one, other].entries())
      for (const bytes of heard[index === 0 ? 0 : 1].splice(0))
        for (const id of [1, 2, 3]) cluster.arrive(1 + (bytes.length % 3), id, 0, 'multicast', bytes);
  }
}

describe('two clusters on one group', () => {
  test.for([
    ['with other names and one key', { clusterName: 'other' }, 'datagramsOtherCluster'],
    ['with one name and other keys', { keys: [{ ...aKey(1), key: new Uint8Array(32).fill(77) }] }, 'unauthenticated'],
    ['with one name and keys of other numbers', { keys: [aKey(9)] }, 'datagramsUnknownKey'],
  ] as const)('%s do not disturb each other', ([, configuration, counter]) => {
    const one = settledCluster({ nodes: 3, seal: cryptoSeal });
    const other = new Cluster({ nodes: 3, seed: 2, seal: cryptoSeal, configuration });
    for (const id of [1, 2, 3]) other.start(id);
    other.run(2000);
    const before = [viewsOf(one), viewsOf(other)];
    sideBySide(one, other, 2000);
    one.submit(2, 'safe');
    other.submit(3, 'safe');
    sideBySide(one, other, 500);
    expect([viewsOf(one), viewsOf(other)]).toEqual(before);
    expect(membersAt(one, 1)).toHaveLength(3);
    expect(one.machine(1).deliveries).toHaveLength(1);
    expect(other.machine(1).deliveries).toHaveLength(1);
    expect(counters(one, 3)[counter]).toBeGreaterThan(50);
  });

  test('a node that is in both, under one number, is a member of each', () => {
    // The same machine runs two daemons: their datagrams come from one address.
    const one = settledCluster({ nodes: 3 });
    const other = settledCluster({ nodes: 3, configuration: { clusterName: 'other' } });
    sideBySide(one, other, 1500);
    expect(membersAt(one, 3)).toHaveLength(3);
    expect(membersAt(other, 3)).toHaveLength(3);
    expect(counters(one, 1)['duplicateNode'] ?? 0).toBe(0);
  });
});

describe('a thief on the wire', () => {
  test('who holds back every fifth datagram and plays it from his own address changes no view and loses no message', () => {
    const others = (self: number) =>
      [1, 2, 3].filter((id) => id !== self).map((node) => ({ node, address: { host: `node${node}`, port: 5400 } }));
    const cluster = settledCluster({ nodes: 3, links: [aLink(0, { mode: 'unicast', peers: others(0) })] });
    const before = viewsOf(cluster);
    let count = 0;
    cluster.filter = (_from, to, link, via, bytes) => {
      count += 1;
      if (count % 5 !== 0) return true;
      // From node 9's address: authentic and new, so believed; but what is sent there is lost until the node speaks again.
      cluster.at(cluster.now + 5, () => cluster.arrive(9, to, link, via, bytes));
      return false;
    };
    for (let message = 0; message < 20; message++) {
      cluster.submit(1 + (message % 3), 'safe');
      cluster.run(100);
    }
    cluster.run(500);
    expect(viewsOf(cluster)).toEqual(before);
    for (const id of [1, 2, 3]) expect(cluster.machine(id).deliveries).toHaveLength(20);
  });

  test('who plays everything twice is counted, and heard once', () => {
    const cluster = settledCluster({ nodes: 3 });
    const before = viewsOf(cluster);
    cluster.filter = (from, to, link, via, bytes) => {
      cluster.at(cluster.now + 30, () => cluster.arrive(from, to, link, via, bytes));
      return true;
    };
    cluster.submit(2, 'agreed');
    cluster.run(2000);
    expect(viewsOf(cluster)).toEqual(before);
    expect(cluster.machine(3).deliveries).toHaveLength(1);
    expect(counters(cluster, 3)['replayed']).toBeGreaterThan(30);
  });
});

import { describe, expect, test } from 'vitest';
import { aLink, type Cluster } from './harness/cluster.ts';
import { changesSince, settledCluster } from './harness/settled.ts';
import { framesIn } from './harness/wire-tap.ts';

const twoLinks = [aLink(0), aLink(1)];
const coordinatorOf = (cluster: Cluster): number => cluster.machine(1).view?.members[0]?.node ?? 0;

function cutLink(cluster: Cluster, link: number): void {
  for (const a of cluster.machines.keys())
    for (const b of cluster.machines.keys()) if (a !== b) cluster.cut(a, b, link);
}

describe('two links', () => {
  test('the loss of one changes no view, and delays no message by more than 35 ms', () => {
    const cluster = settledCluster({ nodes: 3, links: twoLinks });
    const since = cluster.now;
    const sentAt = new Map<number, number>();
    let worst = 0;
    cluster.watch = (machine, effect) => {
      if (effect.type !== 'accepted') return;
      worst = Math.max(worst, cluster.now - (sentAt.get(effect.handle) ?? 0));
      expect(machine.active).toBe(true);
    };
    for (let turn = 0; turn < 400; turn++) {
      sentAt.set(cluster.submit(1 + (turn % 3)), cluster.now);
      if (turn === 100) cutLink(cluster, 0);
      cluster.run(3);
    }
    cluster.run(500);
    expect(changesSince(cluster, since)).toBe(0);
    expect(worst).toBeLessThanOrEqual(35);
    for (const id of [1, 2, 3]) expect(cluster.machine(id).deliveries).toHaveLength(400);
    cluster.finish();
  });

  test('one that flaps five times a second changes no view', () => {
    const cluster = settledCluster({ nodes: 3, links: twoLinks });
    const since = cluster.now;
    for (let turn = 0; turn < 100; turn++) {
      if (turn % 2 === 0) cutLink(cluster, 0);
      else cluster.heal();
      cluster.submit(1 + (turn % 3));
      cluster.run(100);
    }
    cluster.run(500);
    expect(changesSince(cluster, since)).toBe(0);
    expect(cluster.machine(1).deliveries).toHaveLength(100);
    cluster.finish();
  });

  test('different broken links for different pairs change no view: every pair has a path', () => {
    const cluster = settledCluster({ nodes: 3, links: twoLinks });
    const since = cluster.now;
    cluster.cutBoth(1, 2, 0);
    cluster.cutBoth(2, 3, 1);
    cluster.run(2000);
    for (let turn = 0; turn < 30; turn++) {
      cluster.submit(1 + (turn % 3), 'safe');
      cluster.run(5);
    }
    cluster.run(1000);
    expect(changesSince(cluster, since)).toBe(0);
    for (const id of [1, 2, 3]) expect(cluster.machine(id).deliveries).toHaveLength(30);
    cluster.finish();
  });

  test('passive sends data on the best link only, active on both, and duplicates are invisible', () => {
    for (const [linkMode, links] of [
      ['passive', [0]],
      ['active', [0, 1]],
      ['rotate', [0, 1]],
    ] as const) {
      const cluster = settledCluster({ nodes: 3, links: twoLinks, linkMode });
      const used = new Set<number>();
      cluster.filter = (_from, _to, link, _via, bytes) => {
        if (framesIn(bytes).some(({ type }) => type === 'ordered')) used.add(link);
        return true;
      };
      for (let turn = 0; turn < 20; turn++) {
        cluster.submit(coordinatorOf(cluster));
        cluster.run(3);
      }
      cluster.run(100);
      expect(
        [...used].toSorted((a, b) => a - b),
        linkMode,
      ).toEqual(links);
      for (const id of [1, 2, 3]) expect(cluster.machine(id).deliveries).toHaveLength(20);
      cluster.finish();
    }
  });

  test('an interface that vanishes and returns is used again', () => {
    const cluster = settledCluster({ nodes: 3, links: twoLinks });
    const since = cluster.now;
    for (const machine of cluster.machines.values())
      cluster.input(machine, { type: 'linkChanged', link: 0, up: false, mtu: 1500 });
    cluster.run(1000);
    const links = () =>
      cluster
        .machine(1)
        .engine?.status(cluster.now as never)
        .peers[0]?.links.map(({ up }) => up);
    expect(links()).toEqual([false, true]);
    for (const machine of cluster.machines.values())
      cluster.input(machine, { type: 'linkChanged', link: 0, up: true, mtu: 1500 });
    cluster.run(1000);
    expect(links()).toEqual([true, true]);
    expect(changesSince(cluster, since)).toBe(0);
  });

  test('three failed sends take a link out of the choice for data for a second', () => {
    const cluster = settledCluster({ nodes: 2, links: twoLinks });
    const coordinator = coordinatorOf(cluster);
    const used: number[] = [];
    cluster.filter = (from, _to, link, _via, bytes) => {
      if (from === coordinator && framesIn(bytes).some(({ type }) => type === 'ordered')) used.push(link);
      return true;
    };
    for (let failure = 0; failure < 3; failure++) {
      cluster.input(cluster.machine(coordinator), { type: 'sendFailed', link: 0, code: 'ENETUNREACH' });
    }
    cluster.submit(coordinator);
    cluster.run(100);
    expect(used).toEqual([1]);
    expect(cluster.machine(coordinator).reports.some(({ event }) => event === 'linkFailing')).toBe(true);
  });
});

describe('eight links', () => {
  test('may be lost one after the other, down to any one, without a change of view', () => {
    const links = Array.from({ length: 8 }, (_, id) => aLink(id));
    const cluster = settledCluster({ nodes: 3, links });
    const before = changesSince(cluster, 0);
    for (const lost of [0, 7, 3, 1, 6, 4, 2]) {
      cutLink(cluster, lost);
      cluster.submit(2, 'safe');
      cluster.run(1000);
    }
    expect(changesSince(cluster, 0)).toEqual(before);
    expect(cluster.machine(3).deliveries).toHaveLength(7);
    const up = cluster
      .machine(1)
      .engine?.status(cluster.now as never)
      .peers[0]?.links.filter((link) => link.up);
    expect(up?.map(({ link }) => link)).toEqual([5]);
  });
});

describe('multicast and unicast', () => {
  test('nodes with unicast links and known addresses find each other', () => {
    const peers = [1, 2, 3].map((node) => ({ node, address: { host: `node${node}`, port: 5400 } }));
    const cluster = settledCluster({ nodes: 3, links: [aLink(0, { mode: 'unicast', peers })] });
    const ways = new Set<string>();
    cluster.filter = (_from, _to, _link, via) => {
      ways.add(via);
      return true;
    };
    cluster.submit(2);
    cluster.run(200);
    expect([...ways]).toEqual(['unicast']);
    expect(cluster.machine(3).deliveries).toHaveLength(1);
    cluster.finish();
  });

  test('a node that restarts elsewhere is found again, also without multicast', () => {
    const ports = new Map([1, 2, 3].map((node) => [node, 5400]));
    const peers = [1, 2].map((node) => ({ node, address: { host: `node${node}`, port: 5400 } }));
    const cluster = settledCluster({
      nodes: 3,
      links: [aLink(0, { mode: 'unicast', peers })],
      portOf: (id) => ports.get(id) ?? 0,
    });
    cluster.crash(3);
    cluster.run(1000);
    ports.set(3, 6000);
    cluster.start(3);
    expect(cluster.runUntil(() => cluster.isSettled(), 3000)).toBeDefined();
    cluster.finish();
  });

  test('a peer whose multicast stops arriving is served by unicast within four seconds, without a view change if unicast holds', () => {
    const cluster = settledCluster({ nodes: 3, links: [aLink(0, { mode: 'auto' })] });
    cluster.run(2500);
    let isLost = true;
    cluster.filter = (_from, to, _link, via) => !(isLost && to === 3 && via === 'multicast');
    cluster.run(9000);
    const path = (): string | undefined =>
      cluster.machine(1).engine?.status(cluster.now as never).peers[1]?.links[0]?.path;
    expect(path()).toBe('unicast');
    expect(cluster.isSettled()).toBe(true);
    expect(cluster.machine(1).reports.some(({ event }) => event === 'multicastLost')).toBe(true);
    const since = cluster.now;
    cluster.submit(1);
    cluster.submit(3);
    cluster.run(300);
    expect(cluster.machine(3).deliveries.slice(-2)).toHaveLength(2);
    isLost = false;
    cluster.run(1000);
    expect(path()).toBe('multicast');
    expect(changesSince(cluster, since)).toBe(0);
    cluster.finish();
  });
});

describe('packet size', () => {
  test('a path that swallows packets above 1300 bytes is served with smaller ones', () => {
    const cluster = settledCluster({ nodes: 2 });
    cluster.run(2000);
    cluster.filter = (_from, _to, _link, _via, bytes) => bytes.length + 28 <= 1300;
    cluster.run(35_000);
    expect(cluster.machine(1).reports.some(({ event }) => event === 'pathSwallowsLargePackets')).toBe(true);
    cluster.submit(1, 'safe', 50_000);
    cluster.submit(2, 'safe', 50_000);
    cluster.run(1500);
    for (const id of [1, 2]) expect(cluster.machine(id).deliveries).toHaveLength(2);
    cluster.finish();
  });

  test('a path that begins to swallow them under load is found out before anybody is put out of the view', () => {
    const cluster = settledCluster({ nodes: 3 });
    cluster.run(2000);
    const before = cluster.machine(1).view?.tag.number;
    cluster.filter = (_from, _to, _link, _via, bytes) => bytes.length + 28 <= 1300;
    for (const id of [1, 2, 3]) cluster.submit(id, 'safe', 50_000);
    cluster.run(2000);
    for (const id of [1, 2, 3]) expect(cluster.machine(id).deliveries).toHaveLength(3);
    expect(cluster.machine(1).view?.tag.number).toBe(before);
    cluster.finish();
  });

  test('no datagram of data is larger than the link takes', () => {
    const cluster = settledCluster({ nodes: 3, links: [aLink(0, { mtu: 1400 })] });
    let largest = 0;
    cluster.filter = (_from, _to, _link, _via, bytes) => {
      largest = Math.max(largest, bytes.length + 28);
      return true;
    };
    for (let turn = 0; turn < 20; turn++) cluster.submit(1 + (turn % 3), 'agreed', 30_000);
    cluster.run(1000);
    expect(largest).toBeLessThanOrEqual(1400);
    expect(cluster.machine(1).deliveries).toHaveLength(20);
  });
});

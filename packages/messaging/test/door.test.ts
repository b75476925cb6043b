/** What gets in, what does not, and what it costs: keys, replays, former lives, versions. */
import { describe, expect, test } from 'vitest';
import { identitySeal } from '../src/seal.ts';
import { cryptoSeal } from '../src/seal-crypto.ts';
import { aKey, type Cluster } from './harness/cluster.ts';
import { PuppetTheatre } from './harness/puppets.ts';
import { changesSince, membersAt, settledCluster } from './harness/settled.ts';

const counters = (cluster: Cluster, id: number): Readonly<Record<string, number>> =>
  cluster.machine(id).engine?.status(cluster.now as never).counters ?? {};

const theatreCounters = (theatre: PuppetTheatre): Readonly<Record<string, number>> =>
  theatre.engine.status(theatre.now as never).counters;

describe('refusals', () => {
  test('each kind is counted by its reason, and changes nothing', () => {
    const theatre = new PuppetTheatre([1, 2, 3]);
    theatre.run(300);
    const good = (): Uint8Array => theatre.datagram(2, [theatre.heartbeatOf(2)]);
    const changed = (at: number, value: number): Uint8Array => {
      const bytes = good();
      bytes[at] = value;
      return bytes;
    };
    const replayed = good();
    theatre.arrive(2, replayed);
    const before = theatreCounters(theatre);
    const peers = JSON.stringify(theatre.engine.status(theatre.now as never).peers);
    const cases: readonly (readonly [string, Uint8Array])[] = [
      ['datagramsShort', good().subarray(0, 63)],
      ['datagramsForeign', changed(0, 1)],
      ['datagramsVersion', changed(2, 9)],
      ['datagramsReserved', changed(13, 1)],
      ['datagramsOtherCluster', changed(4, 0)],
      ['datagramsUnknownNode', changed(11, 77)],
      ['datagramsUnknownLink', changed(12, 5)],
      ['datagramsUnknownKey', changed(9, 66)],
      ['datagramsOwn', changed(11, 1)],
      ['replayed', replayed],
      ['unauthenticated', changed(50, 255)],
    ];
    for (const [, bytes] of cases) theatre.arrive(2, bytes);
    const after = theatreCounters(theatre);
    for (const [name] of cases) expect((after[name] ?? 0) - (before[name] ?? 0), name).toBe(1);
    expect(JSON.stringify(theatre.engine.status(theatre.now as never).peers)).toBe(peers);
  });

  test('a flood of made-up sessions costs at most twenty derivations a second', () => {
    let derived = 0;
    const theatre = new PuppetTheatre([1, 2]);
    theatre.run(200);
    const cipher = identitySeal.cipher;
    const bytes = theatre.datagram(2, [theatre.heartbeatOf(2)]);
    try {
      (identitySeal as { cipher: typeof cipher }).cipher = (...parameters) => {
        derived += 1;
        return cipher(...parameters);
      };
      for (let index = 0; index < 500; index++) {
        bytes[16] = index % 256;
        bytes[17] = index >> 8;
        theatre.arrive(2, bytes);
      }
    } finally {
      (identitySeal as { cipher: typeof cipher }).cipher = cipher;
    }
    expect(derived).toBeLessThanOrEqual(20);
    expect(theatreCounters(theatre)['sessionFlood']).toBeGreaterThanOrEqual(480);
  });

  test('a wrong key is refused and seen', () => {
    const cluster = settledCluster({ nodes: 3, seal: cryptoSeal });
    cluster.crash(3);
    cluster.run(800);
    cluster.machine(3).configuration = {
      ...cluster.machine(3).configuration,
      keys: [{ ...aKey(1), key: new Uint8Array(32).fill(99) }],
    };
    cluster.start(3);
    cluster.run(1000);
    expect(membersAt(cluster, 3)).toEqual([3]);
    expect(counters(cluster, 1)['unauthenticated']).toBeGreaterThan(0);
  });
});

describe('replays', () => {
  test('the recorded traffic of a dead node, played to a restarted one, never makes an edge', () => {
    const cluster = settledCluster({ nodes: 3 });
    const record: Uint8Array[] = [];
    cluster.filter = (from, to, _link, _via, bytes) => {
      if (from === 3 && to === 1) record.push(bytes);
      return true;
    };
    cluster.run(3000);
    cluster.filter = undefined;
    cluster.crash(3);
    cluster.run(1000);
    cluster.crash(1);
    cluster.run(20);
    cluster.start(1);
    const start = cluster.now;
    record.forEach((bytes, index) =>
      cluster.at(start + 20 + index * 15, () => cluster.arrive(3, 1, 0, 'multicast', bytes)),
    );
    for (let sample = 0; sample < 20; sample++) {
      cluster.run(30);
      expect(cluster.machine(1).engine?.status(cluster.now as never).peers[1]?.heard).toBe(false);
    }
    cluster.run(2400);
    for (const { view } of cluster.machine(1).views.filter(({ at }) => at > start)) {
      expect(view.members.map(({ node }) => node)).not.toContain(3);
    }
    expect(cluster.machine(1).engine?.status(cluster.now as never).peers[1]?.heard).toBe(false);
    expect(membersAt(cluster, 1)).toEqual([1, 2]);
  });

  test('the recorded traffic of a dead node, played to those who heard it, keeps it alive no longer', () => {
    const cluster = settledCluster({ nodes: 3 });
    const record: Uint8Array[] = [];
    cluster.filter = (from, _to, _link, _via, bytes) => {
      if (from === 3) record.push(bytes);
      return true;
    };
    cluster.run(1000);
    cluster.crash(3);
    for (let round = 0; round < 40; round++) {
      for (const bytes of record)
        cluster.at(cluster.now + round * 25, () => cluster.arrive(3, 1 + (round % 2), 0, 'multicast', bytes));
    }
    cluster.run(450);
    expect(membersAt(cluster, 1)).toEqual([1, 2]);
  });
});

describe('former lives', () => {
  test('a datagram of an earlier incarnation is refused and answered with what must be exceeded', () => {
    const theatre = new PuppetTheatre([1, 2]);
    theatre.run(300);
    const puppet = theatre.puppet(2);
    const old = { ...puppet };
    puppet.incarnation += 10;
    puppet.session = [2, 2];
    theatre.run(300);
    theatre.take();
    theatre.puppets.set(2, { ...old, session: [2, 3], counter: 0 });
    theatre.send(2, theatre.heartbeatOf(2));
    expect(theatre.takeOf('staleIncarnation')).toMatchObject([{ mustExceed: puppet.incarnation }]);
    expect(theatreCounters(theatre)['staleIncarnation']).toBe(1);
  });

  test('a node whose clock and disk went back restarts above what its peers remember', () => {
    const cluster = settledCluster({ nodes: 3 });
    cluster.crash(3);
    cluster.machine(3).saved = undefined;
    const now = cluster.now;
    cluster.run(1000);
    cluster.now = now - 200_000; // its clock is read at start
    cluster.start(3);
    cluster.now = now + 1000;
    cluster.run(9000);
    expect(membersAt(cluster, 1)).toEqual([1, 2, 3]);
    cluster.finish();
  });

  test('the session before stays valid for five seconds, an older one does not', () => {
    const theatre = new PuppetTheatre([1, 2]);
    theatre.run(300);
    const puppet = theatre.puppet(2);
    const first = { ...puppet };
    puppet.session = [2, 2];
    puppet.sessionNumber = 2;
    puppet.counter = 0;
    theatre.run(300);
    const before = theatreCounters(theatre)['staleSession'] ?? 0;
    theatre.puppets.set(2, { ...first, counter: 5000, beats: puppet.beats });
    theatre.send(2, theatre.heartbeatOf(2));
    expect(theatreCounters(theatre)['staleSession']).toBe(before);
    theatre.puppets.set(2, puppet);
    theatre.run(5100);
    theatre.puppets.set(2, { ...first, counter: 6000, beats: puppet.beats });
    theatre.send(2, theatre.heartbeatOf(2));
    expect(theatreCounters(theatre)['staleSession']).toBe(before + 1);
  });
});

describe('two machines of one id', () => {
  test('the one that came later stops and says so; the first stays, or is soon back', () => {
    const cluster = settledCluster({ nodes: 3 });
    cluster.run(5000);
    // Node 4 of the harness is a second machine that is configured as node 3.
    const intruder = cluster.addMachine(4, { ...cluster.machine(3).configuration });
    cluster.start(4);
    cluster.run(4500);
    expect(intruder.stopped).toBe('duplicateNode');
    cluster.run(20_000); // its departures may have been enough for damping
    expect(membersAt(cluster, 1)).toEqual([1, 2, 3]);
    expect(cluster.machine(3).engine).toBeDefined();
    expect(cluster.machine(3).generation).toBeLessThanOrEqual(3);
  });

  test('a quick restart is not taken for a second machine', () => {
    const cluster = settledCluster({ nodes: 3, delayMs: [0, 20], duplicate: 0.3 });
    cluster.filter = (from, to, _link, _via, bytes) => {
      if (from === 3) cluster.at(cluster.now + 15, () => cluster.arrive(3, 3, 0, 'multicast', bytes)); // looped back late
      return from !== to;
    };
    cluster.crash(3);
    cluster.start(3);
    cluster.run(4000);
    expect(cluster.isSettled()).toBe(true);
    expect(cluster.machine(3).stopped).toBeUndefined();
  });
});

describe('keys', () => {
  test('rotate without a pause, in three phases, with messages under way', () => {
    const cluster = settledCluster({ nodes: 3, seal: cryptoSeal });
    const since = cluster.now;
    const give = (id: number, keys: ReturnType<typeof aKey>[]): void => {
      const machine = cluster.machine(id);
      machine.configuration = { ...machine.configuration, keys };
      cluster.input(machine, { type: 'reconfigure', configuration: machine.configuration });
    };
    const phases = [[aKey(1), aKey(2, false)], [aKey(1, false), aKey(2)], [aKey(2)]];
    let sent = 0;
    for (const keys of phases) {
      for (const id of [1, 2, 3]) {
        give(id, keys);
        for (let turn = 0; turn < 10; turn++, sent++) {
          cluster.submit(1 + (turn % 3), 'safe');
          cluster.run(5);
        }
      }
    }
    cluster.run(1000);
    expect(changesSince(cluster, since)).toBe(0);
    for (const id of [1, 2, 3]) expect(cluster.machine(id).deliveries).toHaveLength(sent);
    expect(counters(cluster, 1)['datagramsUnknownKey']).toBe(0);
    cluster.finish();
  });

  test('no nonce comes twice: over links, nodes and new sessions', () => {
    const seen = new Set<string>();
    const cluster = settledCluster({ nodes: 3, seal: cryptoSeal });
    cluster.filter = (from, _to, _link, _via, bytes) => {
      if (!(from === 1)) return true;
      seen.add(Buffer.from(bytes.subarray(8, 32)).toString('hex') + Buffer.from(bytes.subarray(-16)).toString('hex'));
      return true;
    };
    for (let turn = 0; turn < 200; turn++) {
      cluster.submit(1);
      cluster.run(2);
    }
    const nonces = new Set([...seen].map((entry) => entry.slice(0, 4) + entry.slice(16, 48)));
    expect(nonces.size).toBe(seen.size);
  });
});

describe('versions', () => {
  test('a view speaks the highest protocol that all of it know, and rises when the last one is upgraded', () => {
    const cluster = settledCluster({ nodes: 3, configuration: { protocol: { min: 1, max: 2 } } });
    expect(cluster.machine(1).view?.protocol).toBe(2);
    const restart = (max: number): void => {
      cluster.crash(3);
      cluster.run(900);
      cluster.machine(3).configuration = { ...cluster.machine(3).configuration, protocol: { min: 1, max } };
      cluster.start(3);
      expect(cluster.runUntil(() => cluster.isSettled(), 3000)).toBeDefined();
    };
    restart(1);
    expect(cluster.machine(1).view?.protocol).toBe(1);
    restart(2);
    expect(cluster.machine(1).view?.protocol).toBe(2);
  });

  test('a node that shares no protocol with the others stays alone', () => {
    const cluster = settledCluster({ nodes: 3, configuration: { protocol: { min: 2, max: 3 } } });
    cluster.crash(3);
    cluster.run(900);
    cluster.machine(3).configuration = { ...cluster.machine(3).configuration, protocol: { min: 1, max: 1 } };
    cluster.start(3);
    cluster.run(3000);
    expect(membersAt(cluster, 3)).toEqual([3]);
    expect(membersAt(cluster, 1)).toEqual([1, 2]);
  });
});

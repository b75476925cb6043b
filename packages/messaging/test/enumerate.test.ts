/**
 * Every single loss and every crash point of one change of view among three nodes, enumerated: random faults reach
 * these corners seldom.
 */
import { describe, expect, test } from 'vitest';
import type { Frame } from '../src/frames.ts';
import type { Cluster } from './harness/cluster.ts';
import { settledCluster } from './harness/settled.ts';
import { framesIn, rewrite } from './harness/wire-tap.ts';

const changeFrames = new Set<Frame['type']>([
  'proposal',
  'promise',
  'refusal',
  'recoveryPlan',
  'recovered',
  'installation',
  'installed',
  'activation',
]);

/** Four nodes under load; one crashes, the other three change their view. Some entries are known to few. */
function changing(seed: number): Cluster {
  const cluster = settledCluster({ nodes: 4, seed });
  const coordinator = cluster.machine(1).view?.members[0]?.node ?? 1;
  const victim = coordinator === 4 ? 3 : 4;
  for (let turn = 0; turn < 6; turn++) {
    cluster.submit(1 + (turn % 4), turn % 2 === 0 ? 'agreed' : 'safe');
    cluster.run(1);
  }
  cluster.crash(victim);
  return cluster;
}

function expectSettledSoon(cluster: Cluster, what: string): void {
  expect(
    cluster.runUntil(() => cluster.isSettled(), 6000),
    what,
  ).toBeDefined();
  cluster.run(300);
  cluster.finish();
}

describe('one change of view', () => {
  test('survives the loss of any one of its datagrams to any one node', () => {
    let total = 1;
    for (let lost = 0; lost < total; lost++) {
      const cluster = changing(3);
      let count = 0;
      cluster.filter = (_from, _to, _link, _via, bytes) => {
        if (!framesIn(bytes).some(({ type }) => changeFrames.has(type))) return true;
        count += 1;
        return count - 1 !== lost;
      };
      expectSettledSoon(cluster, `datagram ${lost}`);
      if (lost === 0) total = Math.min(count, 80);
    }
    expect(total).toBeGreaterThan(8);
  });

  test('survives the loss of all frames of any one type to any one node for 200 ms', () => {
    for (const type of changeFrames) {
      for (const deaf of [1, 2, 3]) {
        const cluster = changing(5);
        let until = Infinity;
        cluster.filter = (_from, to, _link, _via, bytes) => {
          if (to !== deaf || !framesIn(bytes).some((frame) => frame.type === type)) return true;
          if (until === Infinity) until = cluster.now + 200;
          return cluster.now >= until ? true : rewrite(bytes, (frame) => frame.type !== type);
        };
        expectSettledSoon(cluster, `${type} to ${deaf}`);
      }
    }
  });

  test.for(['initiator', 'participant'] as const)(
    'survives the crash of an %s right after any one datagram it sends',
    (who) => {
      let total = 1;
      for (let point = 0; point < total; point++) {
        const cluster = changing(7);
        let initiator = 0;
        let count = 0;
        cluster.filter = (from, _to, _link, _via, bytes) => {
          const frames = framesIn(bytes).filter(({ type }) => changeFrames.has(type));
          if (frames.length === 0) return true;
          if (initiator === 0 && frames.some(({ type }) => type === 'proposal')) initiator = from;
          if (who === 'initiator' ? from !== initiator : from === initiator) return true;
          count += 1;
          if (count - 1 === point) {
            cluster.at(cluster.now, () => cluster.crash(from));
            cluster.at(cluster.now + 800, () => cluster.start(from));
          }
          return true;
        };
        expectSettledSoon(cluster, `${who} after ${point}`);
        if (point === 0) total = 12;
      }
    },
  );

  test('a cascade: a node lost in each phase of the change that the previous loss caused', () => {
    for (const phase of changeFrames) {
      const cluster = settledCluster({ nodes: 6, seed: 11 });
      cluster.submit(1, 'safe');
      cluster.submit(2);
      cluster.crash(6);
      let next = 5;
      cluster.filter = (_from, _to, _link, _via, bytes) => {
        if (next > 3 && framesIn(bytes).some(({ type }) => type === phase)) {
          const victim = next;
          next -= 1;
          cluster.at(cluster.now, () => cluster.crash(victim));
        }
        return true;
      };
      expectSettledSoon(cluster, phase);
    }
  });

  test('two and three initiators at once settle in one view', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const cluster = settledCluster({ nodes: 6, seed, delayMs: [0, 30] });
      cluster.partition([1, 2], [3, 4], [5, 6]);
      cluster.run(1500);
      cluster.heal();
      cluster.run(seed * 7);
      cluster.crash(1);
      expectSettledSoon(cluster, `seed ${seed}`);
    }
  });
});

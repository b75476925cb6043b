/**
 * One seeded run of random faults over a cluster under load, then quiet: after it all nodes must share one active view.
 * Which kinds of faults a seed has at all is drawn first (swarm testing): a run with everything hides what a run with
 * one thing shows.
 */
import { type Instant, seededRandom } from '@systole/kernel';
import { cryptoSeal } from '../../src/seal-crypto.ts';
import type { NodeId, Service } from '../../src/surface.ts';
import { aLink, Cluster, type ClusterOptions } from './cluster.ts';
import { LawBroken } from './laws.ts';

export interface ChaosResult {
  readonly seed: number;
  readonly deliveries: number;
  readonly installations: number;
  readonly steps: number;
  /** Milliseconds from the end of the faults to one active view; undefined: not within the limit. */
  readonly settledMs: number;
}

/** Some hundred datagrams of all times, for an attacker to play again. */
function record(cluster: Cluster): readonly { from: NodeId; to: NodeId; bytes: Uint8Array }[] {
  const recorded: { from: NodeId; to: NodeId; bytes: Uint8Array }[] = [];
  let count = 0;
  cluster.filter = (from, to, _link, _via, bytes) => {
    count += 1;
    if (count % 37 === 0) recorded[(count / 37 - 1) % 300] = { from, to, bytes };
    return true;
  };
  return recorded;
}

/** What an engine keeps stays within its bounds, always. */
function checkBounds(cluster: Cluster): void {
  for (const { id, engine, pausedUntil } of cluster.up) {
    if (engine === undefined || pausedUntil >= 0) continue;
    const { order } = engine.status(cluster.now as Instant);
    const slack = 1.5 * 1024 * 1024;
    if (
      order.logEntries > 2 * 2048 + 64 ||
      order.logBytes > 4 * 1024 * 1024 + slack ||
      order.pendingBytes > 8 * 1024 * 1024 + slack
    ) {
      throw new LawBroken(`bounds: node ${id} keeps ${JSON.stringify(order)}`);
    }
  }
  cluster.at(cluster.now + 250, () => checkBounds(cluster));
}

export function chaos(seed: number, faultMs = 12_000, more: Partial<ClusterOptions> = {}): ChaosResult {
  const random = seededRandom(seed * 7919 + 13);
  const chance = (percent: number): boolean => random.integer(100) < percent;
  const nodes = more.nodes ?? [2, 3, 3, 3, 4, 5, 5, 6][random.integer(8)] ?? 3;
  const loss = chance(50) ? random.integer(20) / 100 : 0;
  const cluster = new Cluster({
    seed,
    loss,
    duplicate: chance(30) ? 0.1 : 0,
    delayMs: chance(30) ? [0, 20] : chance(50) ? [0, 3] : [0, 1],
    ...(chance(5) ? { seal: cryptoSeal } : {}),
    ...(chance(25) ? { links: [aLink(0, { mode: chance(50) ? 'auto' : 'multicast' }), aLink(1)] } : {}),
    ...(chance(25) ? { linkMode: chance(50) ? 'active' : 'rotate' } : {}),
    ...more,
    nodes,
  });
  const faults = (
    [
      'crash',
      'pause',
      'cut',
      'oneWay',
      'partition',
      'isolate',
      'leave',
      'lossBurst',
      'restartFast',
      'linkCut',
      'replay',
      'disk',
    ] as const
  ).filter(() => chance(45));
  const meanGap = [150, 400, 1000, 2500][random.integer(4)] ?? 400;
  const loadGap = [3, 10, 40, 200][random.integer(4)] ?? 10;
  const services: readonly Service[] = chance(50) ? ['agreed', 'safe', 'durable'] : ['agreed'];
  const anyNode = (): number => 1 + random.integer(nodes);

  const recorded = record(cluster);
  checkBounds(cluster);

  for (let id = 1; id <= nodes; id++) cluster.at(random.integer(400), () => cluster.start(id));
  for (let at = 300; at < faultMs; at += 1 + random.integer(2 * loadGap)) {
    const [id, service] = [anyNode(), services[random.integer(services.length)] as Service];
    const size = chance(5) ? random.integer(6000) : 0;
    cluster.at(at, () => cluster.submit(id, service, size));
  }
  for (let at = 800; at < faultMs && faults.length > 0; at += 1 + random.integer(2 * meanGap)) {
    const fault = faults[random.integer(faults.length)];
    const [a, b, duration] = [anyNode(), anyNode(), 20 + random.integer(random.integer(3) === 0 ? 4000 : 600)];
    const sides: [number[], number[]] = [[], []];
    for (let id = 1; id <= nodes; id++) (sides[random.integer(2)] as number[]).push(id);
    cluster.at(at, () => {
      const restart = (): void => cluster.start(a);
      if (fault === 'crash' || fault === 'restartFast') {
        cluster.crash(a);
        cluster.at(cluster.now + (fault === 'crash' ? duration : random.integer(30)), restart);
      } else if (fault === 'replay') {
        for (const [index, { from, to, bytes }] of recorded.entries()) {
          if (index % 7 === duration % 7)
            cluster.at(cluster.now + index, () => cluster.arrive(from, to, 0, 'multicast', bytes));
        }
      } else if (fault === 'disk') {
        cluster.machine(a).diskWorks = false;
        cluster.at(cluster.now + duration, () => {
          cluster.machine(a).diskWorks = true;
        });
      } else if (fault === 'pause') cluster.pause(a, duration);
      else if (fault === 'leave') {
        const machine = cluster.machine(a);
        if (machine.engine !== undefined && machine.pausedUntil < 0)
          cluster.input(machine, { type: 'leave', reason: 'test' });
        cluster.at(cluster.now + 600 + duration, restart);
      } else if (fault === 'lossBurst') {
        cluster.loss = 0.4;
        cluster.at(cluster.now + duration, () => {
          cluster.loss = loss;
        });
      } else {
        if (fault === 'partition') cluster.partition(...sides);
        else if (fault === 'isolate')
          cluster.partition(
            [a],
            [...cluster.machines.keys()].filter((id) => id !== a),
          );
        else if (fault === 'linkCut') {
          for (const x of cluster.machines.keys())
            for (const y of cluster.machines.keys()) if (x !== y) cluster.cut(x, y, duration % 2);
        } else if (fault === 'cut') cluster.cutBoth(a, b);
        else cluster.cut(a, b);
        cluster.at(cluster.now + duration, () => cluster.heal());
      }
    });
  }
  // Damping would keep whatever failed thrice out for most of the run, and so most of the changes from happening.
  if (chance(75)) {
    for (let at = 1000; at < faultMs; at += 100) {
      cluster.at(at, () => {
        for (const machine of cluster.up) {
          if (machine.pausedUntil >= 0) continue;
          for (const other of cluster.machines.keys()) cluster.input(machine, { type: 'readmit', node: other });
        }
      });
    }
  }
  cluster.run(faultMs);
  // Quiet: everything is healed and on.
  cluster.heal();
  cluster.loss = 0;
  cluster.duplicate = 0;
  for (const machine of cluster.machines.values()) machine.diskWorks = true;
  cluster.delayMs = [0, 1];
  cluster.run(5000);
  for (const id of cluster.machines.keys()) {
    const machine = cluster.machine(id);
    if (machine.engine === undefined) cluster.start(id);
    else cluster.input(machine, { type: 'readmit', node: 0 });
    for (const other of cluster.machines.keys()) {
      cluster.input(machine, { type: 'readmit', node: other });
    }
  }
  const settledMs = cluster.runUntil(() => cluster.isSettled(), 4000);
  if (settledMs === undefined) {
    const views = cluster.up.map(
      ({ id, view, active, quorum }) =>
        `${id}: ${view?.members.map(({ node }) => node).toString()} ${active ? 'active' : ''} ${quorum}`,
    );
    throw new LawBroken(`G10: not settled 4 s after the faults stopped; ${views.join(' | ')}`);
  }
  const before = cluster.laws.installations;
  cluster.run(1000);
  if (cluster.laws.installations !== before) throw new LawBroken('G10: views still change without faults');
  cluster.finish();
  const { deliveries, installations } = cluster.laws;
  return { seed, deliveries, installations, steps: cluster.steps, settledMs };
}

/**
 * One seeded run of random faults over a cluster under load, then quiet: after it all nodes must share one active view.
 * Which kinds of faults a seed has at all is drawn first (swarm testing): a run with everything hides what a run with
 * one thing shows.
 */
import { seededRandom } from '@systole/kernel';
import type { Service } from '../../src/surface.ts';
import { Cluster, type ClusterOptions } from './cluster.ts';
import { LawBroken } from './laws.ts';

export interface ChaosResult {
  readonly seed: number;
  readonly deliveries: number;
  readonly installations: number;
  readonly steps: number;
  /** Milliseconds from the end of the faults to one active view; undefined: not within the limit. */
  readonly settledMs: number;
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
    ...more,
    nodes,
  });
  const faults = (
    ['crash', 'pause', 'cut', 'oneWay', 'partition', 'isolate', 'leave', 'lossBurst', 'restartFast'] as const
  ).filter(() => chance(45));
  const meanGap = [150, 400, 1000, 2500][random.integer(4)] ?? 400;
  const loadGap = [3, 10, 40, 200][random.integer(4)] ?? 10;
  const services: readonly Service[] = chance(50) ? ['agreed', 'safe', 'durable'] : ['agreed'];
  const anyNode = (): number => 1 + random.integer(nodes);

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
        else if (fault === 'cut') cluster.cutBoth(a, b);
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

/** Clusters that have come to rest in one view, and what changed since. */
import { Cluster, type ClusterOptions } from './cluster.ts';

export function settledCluster(options: ClusterOptions): Cluster {
  const cluster = new Cluster(options).startAll();
  if (cluster.runUntil(() => cluster.isSettled(), 6000) === undefined) throw new Error('the cluster did not settle');
  cluster.run(300);
  return cluster;
}

/** Views installed by all nodes together since `at`. */
export function changesSince(cluster: Cluster, at: number): number {
  return [...cluster.machines.values()].reduce(
    (sum, { views }) => sum + views.filter((entry) => entry.at > at).length,
    0,
  );
}

export const membersAt = (cluster: Cluster, id: number): number[] =>
  (cluster.machine(id).view?.members ?? []).map(({ node }) => node).toSorted((a, b) => a - b);

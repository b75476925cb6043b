/** Cluster options with their types, defaults and older names. */

export type NoQuorumPolicy = 'stop' | 'freeze' | 'ignore' | 'demote' | 'fence';
export type PlacementStrategy = 'default' | 'utilization' | 'minimal' | 'balanced';
export type HealthStrategy = 'none' | 'migrate-on-red' | 'only-green' | 'progressive' | 'custom';

export interface Options {
  /** All options as configured, by their present names; for what is not typed here. */
  readonly raw: ReadonlyMap<string, string>;
  readonly isFencingEnabled: boolean;
  /** A fence device is configured, or a watchdog is there. Fencing enabled without one makes everything unmanaged. */
  readonly hasFencing: boolean;
  /** Some resource or device asks for unfencing. */
  readonly hasUnfencing: boolean;
  readonly fencingAction: 'reboot' | 'off';
  /** As configured, for the graph: `60s`. */
  readonly fencingTimeout: string;
  readonly fencingTimeoutMs: number;
  readonly hasConcurrentFencing: boolean;
  readonly priorityFencingDelayMs: number;
  readonly isStartupFencing: boolean;
  readonly fencesRemoteWithoutQuorum: boolean;
  /** After so long a node that joined the membership and not the cluster is fenced; 0: never. */
  readonly nodePendingTimeoutMs: number;
  readonly isSymmetric: boolean;
  readonly isMaintenance: boolean;
  readonly stopsAll: boolean;
  readonly stopsRemoved: boolean;
  readonly cancelsRemoved: boolean;
  readonly isStartFailureFatal: boolean;
  readonly probes: boolean;
  readonly noQuorumPolicy: NoQuorumPolicy;
  readonly placementStrategy: PlacementStrategy;
  readonly healthStrategy: HealthStrategy;
  readonly healthBase: number;
  readonly healthScores: { readonly red: number; readonly yellow: number; readonly green: number };
  readonly hasShutdownLock: boolean;
  /** 0: locks do not expire. */
  readonly shutdownLockLimitMs: number;
  /** As configured, for the graph. */
  readonly clusterDelay: string;
  readonly clusterDelayMs: number;
  readonly batchLimit: number;
  /** -1: no limit. */
  readonly migrationLimit: number;
}

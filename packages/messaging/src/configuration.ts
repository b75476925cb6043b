/**
 * What an engine is told about its cluster. Three timers are the operator's; everything else is derived from them.
 */
import { invariant } from '@systole/kernel';
import type { Address, NodeId } from './surface.ts';

export interface Configuration {
  readonly clusterName: string;
  readonly self: NodeId;
  /** Grows with every change of the configuration; nodes of another revision are not merged. 0 … 2^32 − 1. */
  readonly revision: number;
  /** All nodes of the cluster, this one included. Datagrams of others are dropped. */
  readonly nodes: readonly NodeId[];
  /** Exactly one is primary: sealed with; all are accepted. */
  readonly keys: readonly ClusterKey[];
  /** 1 … 8. */
  readonly links: readonly LinkConfiguration[];
  readonly linkMode: LinkMode;
  readonly timing: Timing;
  /** Largest message in bytes, ≤ 16 MiB. */
  readonly messageBytesMax: number;
  /** Protocols this node speaks; both ends included. */
  readonly protocol: { readonly min: number; readonly max: number };
}

/** `passive`: the best link carries the data. `active`: every link does. `rotate`: one after the other. */
export type LinkMode = 'passive' | 'active' | 'rotate';

export interface ClusterKey {
  /** 0 … 65535. */
  readonly id: number;
  /** 32 bytes. */
  readonly key: Uint8Array;
  readonly primary: boolean;
}

export interface LinkConfiguration {
  /** 0 … 7, unique. */
  readonly id: number;
  /** `auto`: multicast, with unicast to each peer that multicast does not reach. */
  readonly mode: 'auto' | 'multicast' | 'unicast';
  /** Higher is used first. */
  readonly priority: number;
  /** Bytes of an IP packet. */
  readonly mtu: number;
  readonly family: 4 | 6;
  /** Unicast addresses known beforehand; others are learned from authenticated datagrams. */
  readonly peers?: readonly { readonly node: NodeId; readonly address: Address }[];
}

/** Milliseconds. `lan`: 50, 350, 2000. `wan`: 200, 1500, 6000. */
export interface Timing {
  readonly heartbeatMs: number;
  /** Floor of the silence limit. */
  readonly suspectMs: number;
  /** Its ceiling. */
  readonly suspectMaxMs: number;
}

export const timingProfiles = {
  lan: { heartbeatMs: 50, suspectMs: 350, suspectMaxMs: 2000 },
  wan: { heartbeatMs: 200, suspectMs: 1500, suspectMaxMs: 6000 },
} as const satisfies Record<string, Timing>;

export const protocolRange = { min: 1, max: 1 } as const;

/** Every other timer of the protocol, by its name in the specification, from the operator's three. Milliseconds. */
export interface DerivedTiming extends Timing {
  /** Between two evaluations of the membership when nothing asks for an earlier one. */
  readonly evaluateMs: number;
  /** T_fresh: how old an echo may be for hearing to count as mutual. */
  readonly freshMs: number;
  /** T_partial: how long a path fault may settle before somebody is left out for it. */
  readonly partialMs: number;
  /** T_merge: how long a merge waits for more to come. */
  readonly mergeMs: number;
  /** T_join: how long a starting node waits for others before it is a cluster of its own. */
  readonly joinMs: number;
  /** T_take: after so long the next in rank initiates in the leader's place. */
  readonly takeMs: number;
  readonly attemptRetryMs: number;
  /** T_phase: an initiator gives a phase up. */
  readonly phaseMs: number;
  /** T_flush: a participant stops waiting for its initiator. */
  readonly flushMs: number;
  /** T_lease. */
  readonly leaseMs: number;
  /** A gap between two steps longer than this is a pause of this node. */
  readonly pauseMs: number;
}

export function derivedTiming(timing: Timing): DerivedTiming {
  const h = timing.heartbeatMs;
  return {
    ...timing,
    evaluateMs: 20,
    freshMs: 12 * h,
    partialMs: 6 * h,
    mergeMs: 5 * h,
    joinMs: 6 * h,
    takeMs: 3 * h,
    attemptRetryMs: Math.floor(h / 2),
    phaseMs: 20 * h,
    flushMs: 30 * h,
    leaseMs: 2 * timing.suspectMs,
    pauseMs: 3 * Math.max(20, Math.floor(h / 2)),
  };
}

/** @throws InvariantError where a configuration breaks a rule that its schema should have caught. */
export function checkConfiguration(configuration: Configuration): void {
  const { nodes, self, links, keys, timing } = configuration;
  invariant(nodes.includes(self), 'this node is not in the node list');
  invariant(new Set(nodes).size === nodes.length, 'a node is listed twice');
  invariant(nodes.length <= 32, 'more than 32 nodes');
  invariant(
    nodes.every((node) => Number.isInteger(node) && node >= 1 && node <= 65535),
    'a node id is outside 1 … 65535',
  );
  invariant(links.length >= 1 && links.length <= 8, 'there must be 1 to 8 links');
  invariant(new Set(links.map(({ id }) => id)).size === links.length, 'a link is listed twice');
  invariant(
    links.every(({ id }) => Number.isInteger(id) && id >= 0 && id <= 7),
    'a link id is outside 0 … 7',
  );
  invariant(keys.filter(({ primary }) => primary).length === 1, 'exactly one key must be primary');
  invariant(
    timing.heartbeatMs >= 10 && timing.suspectMs >= 3 * timing.heartbeatMs && timing.suspectMaxMs >= timing.suspectMs,
    'timing: heartbeat ≥ 10 ms, suspect ≥ 3 heartbeats, suspect_max ≥ suspect',
  );
}

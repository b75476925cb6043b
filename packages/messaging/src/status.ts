/** The picture of an engine for `systole messaging status` and metrics. */
import { type Core, never } from './core.ts';
import type { Links } from './links.ts';
import type { Membership } from './membership.ts';
import type { Peer, PeerLink, Peers } from './peers.ts';
import type { Standing } from './standing.ts';
import type { EngineStatus, PeerLinkStatus, PeerStatus } from './surface.ts';
import { noView } from './view-tag.ts';

export interface StatusFacts {
  readonly stallMs: number;
  readonly wallOffset: number | undefined;
  readonly phase: 'new' | 'starting' | 'running' | 'left';
}

const round3 = (value: number): number => Math.round(value * 1000) / 1000;

export function statusOf(
  core: Core,
  peers: Peers,
  links: Links,
  membership: Membership,
  standing: Standing,
  facts: StatusFacts,
): EngineStatus {
  const { order } = membership;
  const { entries, bytes } = order.origin.pending;
  return {
    node: core.self,
    incarnation: core.incarnation,
    mode: facts.phase === 'left' ? 'left' : facts.phase === 'running' ? membership.mode : 'starting',
    view: membership.view,
    active: membership.active,
    quorum: standing.state,
    deviceLeaseMs: standing.deviceLeaseMs(),
    memory: standing.memory,
    highestNumber: membership.highestNumber,
    peers: peers.all.map((peer) => peerStatus(core, peers, membership, peer, facts)),
    links: links.status(),
    order: {
      received: order.log.received,
      highest: order.log.highest,
      delivered: order.delivered,
      stable: order.stable,
      durable: order.durable,
      logEntries: order.log.size,
      logBytes: order.log.bytes,
      pendingEntries: entries,
      pendingBytes: bytes,
    },
    stallMs: facts.stallMs,
    counters: core.counters.snapshot(),
  };
}

function peerStatus(core: Core, peers: Peers, membership: Membership, peer: Peer, facts: StatusFacts): PeerStatus {
  const heldOut = membership.heldOutMs(peer.node);
  const skew =
    peer.wallOffset === undefined || facts.wallOffset === undefined
      ? {}
      : { clockSkewMs: peer.wallOffset - facts.wallOffset };
  return {
    node: peer.node,
    incarnation: peer.incarnation,
    protocol: { min: peer.protocolMin, max: peer.protocolMax },
    configurationRevision: peer.revision,
    heard: peers.isHeard(peer),
    hearsMe: peers.hearsMe(peer),
    ...(peer.lastHeard === never ? {} : { silenceMs: peers.silence(peer) }),
    limitMs: peers.limit(peer),
    stallMs: peer.heartbeat?.stallMs ?? 0,
    view: peer.heartbeat?.view ?? noView,
    ...skew,
    ...(heldOut === 0 ? {} : { dampedMs: heldOut }),
    links: core.configuration.links.map(({ id, mode }): PeerLinkStatus => {
      const link = peer.links[id] as PeerLink;
      const last = Math.max(link.lastMulticast, link.lastUnicast);
      return {
        link: id,
        up: link.up,
        path: mode === 'unicast' || link.fallback ? 'unicast' : 'multicast',
        ...(link.rtt === undefined ? {} : { rttMs: round3(link.rtt) }),
        loss: round3(link.loss),
        ...(last === never ? {} : { lastHeardMs: core.now - last }),
      };
    }),
  };
}

/** Builds this node's heartbeat: what it is, what it holds, and whom it hears. */
import type { Core } from './core.ts';
import type { Echo, HeartbeatFrame } from './frames.ts';
import type { Links } from './links.ts';
import type { Membership } from './membership.ts';
import type { Peers } from './peers.ts';
import type { Standing } from './standing.ts';

export interface HeartbeatFacts {
  readonly stallMs: number;
  readonly applicationStalled: boolean;
  /** 0: unknown. */
  readonly wall: number;
}

export function heartbeatOf(
  core: Core,
  peers: Peers,
  links: Links,
  membership: Membership,
  standing: Standing,
  facts: HeartbeatFacts,
): HeartbeatFrame {
  const { view, order, active } = membership;
  const { base, lineage } = standing.memory;
  const echoes: Echo[] = [];
  for (const peer of peers.all) {
    if (peer.incarnation === 0 || core.now - peer.arrivedAt > core.timing.suspectMaxMs) continue;
    echoes.push({
      node: peer.node,
      incarnation: peer.incarnation,
      number: peer.arrivedNumber,
      silenceMs: Math.min(65535, peers.silence(peer)),
      heard: peers.isHeard(peer),
      ...links.arrivals(peer),
    });
  }
  return {
    type: 'heartbeat',
    number: core.nextHeartbeat(),
    state: membership.mode,
    active,
    quorate: standing.isViewQuorate,
    leaving: membership.isLeaving,
    diskFailed: order.diskFailed,
    applicationStalled: facts.applicationStalled,
    promised: membership.isPromised,
    view: view.tag,
    members: view.members.map(({ node }) => node),
    highestNumber: membership.highestNumber,
    received: order.acknowledged,
    highest: order.log.highest,
    stable: order.stable,
    durable: order.durable,
    ownDurable: order.ownDurable,
    stallMs: facts.stallMs,
    generation: base.generation,
    revision: base.revision,
    lineage,
    deviceLeaseMs: standing.deviceLeaseMs(),
    wall: facts.wall,
    echoes,
  };
}

/**
 * What this node knows of each other node: its life (incarnation, sessions), when it was heard, what it says it hears.
 *
 * A session is proven once a heartbeat in it has echoed a heartbeat of ours that was sent no earlier than the moment
 * the session was first seen. Recorded traffic cannot do that, so it never makes a dead node look alive; and as the
 * echo must keep advancing, a peer that has gone deaf is recognised as well. The echo is the challenge: no extra frames.
 */
import { type Core, never } from './core.ts';
import type { HeartbeatFrame } from './frames.ts';
import { sessionsPerPeer } from './limits.ts';
import type { ReplayWindow } from './replay-window.ts';
import type { SessionCipher } from './seal.ts';
import type { Address, NodeId } from './surface.ts';

export interface Session {
  readonly keyId: number;
  readonly high: number;
  readonly low: number;
  readonly cipher: SessionCipher;
  readonly window: ReplayWindow;
  readonly incarnation: number;
  readonly number: number;
  /** Own heartbeat number when it was first seen. */
  readonly firstSeen: number;
  proven: boolean;
  /** When a newer session of the same incarnation appeared; it stays valid five seconds longer. */
  supersededAt: number;
}

/** One peer on one link. */
export interface PeerLink {
  address: Address | undefined;
  /** When a datagram last came from there. */
  addressHeard: number;
  /** It reports hearing us on this link, and we hear it there. */
  up: boolean;
  echoes: number;
  lastMulticast: number;
  lastUnicast: number;
  /** When it last reported having heard our multicast, our unicast. */
  multicastEchoed: number;
  unicastEchoed: number;
  /** Multicast does not reach it: send unicast. */
  fallback: boolean;
  fallbackSince: number;
  /** Newest heartbeat number that came on this link, and the share of those missing. */
  newest: number;
  loss: number;
  rtt: number | undefined;
  probesLost: number;
  probeSentAt: number;
  /** Until then probes follow each other quickly: data do not arrive, and heartbeats do. */
  doubtedUntil: number;
  reduced: boolean;
  reducedAt: number;
}

const newPeerLink = (): PeerLink => ({
  address: undefined,
  addressHeard: never,
  up: false,
  echoes: 0,
  lastMulticast: never,
  lastUnicast: never,
  multicastEchoed: never,
  unicastEchoed: never,
  fallback: false,
  fallbackSince: never,
  newest: 0,
  loss: 0,
  rtt: undefined,
  probesLost: 0,
  probeSentAt: never,
  doubtedUntil: never,
  reduced: false,
  reducedAt: never,
});

/** Heartbeats missing in a row beyond this are an outage, not loss. */
const outage = 8;

export class Peer {
  readonly node: NodeId;
  /** 0: never met. */
  incarnation = 0;
  sessions: Session[] = [];
  /** Highest session number of this incarnation. */
  sessionNumber = 0;
  protocolMin = 0;
  protocolMax = 0;
  revision = 0;
  proven = false;
  lastHeard = never;
  /** The newest heartbeat of a proven session. */
  heartbeat: HeartbeatFrame | undefined;
  heartbeatAt = never;
  /** Newest heartbeat number that arrived in any session of this incarnation, and when: what we echo. */
  arrivedNumber = 0;
  arrivedAt = never;
  /** When the newest of our heartbeats that it echoed was sent. */
  echoedSentAt = never;
  /** Its latest heartbeat lists us as heard. */
  listsMe = false;
  /** Send time of our newest heartbeat that it echoed while in our present view, active and not promised. */
  confirmedAt = never;
  /** Nodes it said it cannot hear, until a heartbeat of it newer than the given number. */
  readonly cannotHear = new Map<NodeId, number>();
  readonly links: PeerLink[];
  /** Wall clock of the peer minus monotonic clock of ours, at its latest heartbeat. */
  wallOffset: number | undefined;
  lastStaleReply = never;
  unknownKeyAt = never;
  derivations = 0;
  derivationsSince = never;
  readonly #retired: (readonly [high: number, low: number])[] = [];

  constructor(node: NodeId) {
    this.node = node;
    this.links = Array.from({ length: 8 }, newPeerLink);
  }

  /** A session of an earlier life: refused from now on without the cost of its key. */
  retire([high, low]: readonly [number, number]): void {
    this.#retired.push([high, low]);
    if (this.#retired.length > sessionsPerPeer) this.#retired.shift();
  }

  isRetired([high, low]: readonly [number, number]): boolean {
    return this.#retired.some((session) => session[0] === high && session[1] === low);
  }

  /** Another life of the node: nothing of the old one remains, addresses apart. */
  restart(incarnation: number): void {
    this.incarnation = incarnation;
    for (const { high, low } of this.sessions) this.retire([high, low]);
    this.sessions = [];
    this.sessionNumber = 0;
    this.proven = false;
    this.lastHeard = never;
    this.heartbeat = undefined;
    this.heartbeatAt = never;
    this.arrivedNumber = 0;
    this.arrivedAt = never;
    this.echoedSentAt = never;
    this.listsMe = false;
    this.confirmedAt = never;
    this.cannotHear.clear();
    this.wallOffset = undefined;
    for (const link of this.links) {
      link.newest = 0;
      link.up = false;
      link.echoes = 0;
    }
  }

  /** Notes heartbeat `number` on a link: gaps in the numbers are the link's loss, smoothed over some 200. */
  countOn(link: PeerLink, number: number): void {
    if (number <= link.newest) return;
    const missing = number - link.newest - 1;
    if (link.newest > 0 && missing <= outage) {
      for (let lost = 0; lost < missing; lost++) link.loss += (1 - link.loss) / 200;
      link.loss -= link.loss / 200;
    }
    link.newest = number;
  }
}

export class Peers {
  readonly #core: Core;
  #list: Peer[] = [];
  #byNode = new Map<NodeId, Peer>();

  constructor(core: Core) {
    this.#core = core;
    this.configure();
  }

  /** Follows the node list; peers that stay keep what is known of them. */
  configure(): void {
    const others = this.#core.nodes.filter((node) => node !== this.#core.self);
    this.#list = others.map((node) => this.#byNode.get(node) ?? new Peer(node));
    this.#byNode = new Map(this.#list.map((peer) => [peer.node, peer]));
    for (const { id, peers } of this.#core.configuration.links) {
      for (const { node, address } of peers ?? []) {
        const link = this.#byNode.get(node)?.links[id];
        if (link !== undefined) link.address ??= address;
      }
    }
  }

  /** In ascending order of node. */
  get all(): readonly Peer[] {
    return this.#list;
  }

  get(node: NodeId): Peer | undefined {
    return this.#byNode.get(node);
  }

  /**
   * How long this peer may be silent before it is suspected: the floor, more if it announced stalls of its own (they
   * come again), more if its best link loses so much that the floor would be reached by bad luck once in 10^7.
   */
  limit(peer: Peer): number {
    const { suspectMs, suspectMaxMs, heartbeatMs } = this.#core.timing;
    const stall = peer.heartbeat?.stallMs ?? 0;
    let limit = suspectMs;
    if (stall > 0) limit = Math.max(limit, 2 * stall + 2 * heartbeatMs);
    let loss = 1;
    for (const { id } of this.#core.configuration.links) {
      const link = peer.links[id] as PeerLink;
      if (link.newest > 0 && link.loss < loss) loss = link.loss;
    }
    if (loss > 0.02 && loss < 1) {
      const inARow = Math.ceil(Math.log(1e-7) / Math.log(Math.min(loss, 0.9)));
      limit = Math.max(limit, (inARow + 1) * heartbeatMs);
    }
    return Math.min(limit, suspectMaxMs);
  }

  silence(peer: Peer): number {
    return this.#core.now - peer.lastHeard;
  }

  isHeard(peer: Peer): boolean {
    return peer.proven && this.#core.now - peer.lastHeard <= this.limit(peer);
  }

  /** It lists us as heard, and what it echoed is recent. */
  hearsMe(peer: Peer): boolean {
    return peer.listsMe && this.#core.now - peer.echoedSentAt <= this.#core.timing.freshMs;
  }

  isMutual(peer: Peer): boolean {
    return this.isHeard(peer) && this.hearsMe(peer);
  }

  /** Whether this node, in this incarnation, is heard; true for ourselves. */
  hears(node: NodeId, incarnation: number): boolean {
    if (node === this.#core.self) return incarnation === this.#core.incarnation;
    const peer = this.#byNode.get(node);
    return peer !== undefined && peer.incarnation === incarnation && this.isHeard(peer);
  }
}

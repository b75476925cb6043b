/**
 * Which paths there are to each peer, which of them work, and so where a frame goes.
 *
 * A peer is up on a link while each of the two reports hearing the other there. A node counts as heard if any link
 * brings something of it, so losing a link never changes the membership; it only changes where data are sent:
 * - `passive`: the best link on which all other members are up, else each member on its own best link;
 * - `active`: every link; receivers drop what they have;
 * - `rotate`: one good link after the other.
 * Heartbeats and frames of a change of view go on all links whatever their state.
 *
 * What has to be repeated (submissions, answers to gap reports, tails) goes on all links: so a link that died a moment
 * ago costs one repetition, not a detection time.
 *
 * In mode `auto` heartbeats also go to each peer by unicast once a second, and with each heartbeat as soon as its last
 * echoes lack our multicast: so a switch that forgets the group costs no view. A peer that reports our unicast but for
 * three seconds no multicast is served by unicast from then on, until it reports multicast again.
 */
import type { LinkConfiguration } from './configuration.ts';
import { type Core, never } from './core.ts';
import type { Echo } from './frames.ts';
import { datagramOverhead } from './limits.ts';
import type { Peer, PeerLink, Peers } from './peers.ts';
import type { Address, NodeId } from './surface.ts';

/** One datagram's way out. */
export interface Target {
  readonly link: number;
  readonly to: Address | 'multicast';
}

const multicastLostMs = 3000;
const multicastRetryMs = 10_000;
const rejoinMs = 30_000;
/** What is sent on a link whose path swallows larger packets. */
const reducedMtu = 1200;
const probeMs = 30_000;
const reducedRetryMs = 600_000;
/** So many times within so long the same node asked for data that were sent to it. */
const askedTimes = 4;
const askedWithinMs = 500;
/** Then its paths are in doubt for so long, and probed so often. */
const doubtMs = 1000;
const doubtProbeMs = 40;
const failuresToDown = 3;
const failedHoldMs = 1000;

interface LinkState {
  configuration: LinkConfiguration;
  /** The host says the interface is there. */
  up: boolean;
  mtu: number;
  failures: number;
  failuresTotal: number;
  failedAt: number;
  multicastAt: number;
  rejoinAt: number;
}

export class Links {
  readonly #core: Core;
  readonly #peers: Peers;
  #states: LinkState[] = [];
  /** When each node last asked again. */
  readonly #asked = new Map<NodeId, readonly number[]>();
  #doubtedUntil = never;
  #turn = 0;

  constructor(core: Core, peers: Peers) {
    this.#core = core;
    this.#peers = peers;
    this.configure();
  }

  configure(): void {
    const before = new Map(this.#states.map((state) => [state.configuration.id, state]));
    this.#states = this.#core.configuration.links
      .toSorted((a, b) => b.priority - a.priority || a.id - b.id)
      .map((configuration) => {
        const known = before.get(configuration.id);
        if (known !== undefined) return { ...known, configuration, mtu: Math.min(known.mtu, configuration.mtu) };
        return {
          configuration,
          up: true,
          mtu: configuration.mtu,
          failures: 0,
          failuresTotal: 0,
          failedAt: never,
          multicastAt: never,
          rejoinAt: never,
        };
      });
  }

  status(): { link: number; up: boolean; mtu: number; sendFailures: number }[] {
    return this.#states
      .map((state) => ({
        link: state.configuration.id,
        up: this.#usable(state),
        mtu: state.mtu,
        sendFailures: state.failuresTotal,
      }))
      .toSorted((a, b) => a.link - b.link);
  }

  changed(link: number, up: boolean, mtu: number): void {
    const state = this.#states.find(({ configuration }) => configuration.id === link);
    if (state === undefined) return;
    if (state.up !== up) this.#core.report(up ? 'linkUp' : 'linkDown', { link });
    state.up = up;
    state.mtu = Math.min(mtu, state.configuration.mtu);
    if (up) state.failures = 0;
  }

  sendFailed(link: number, code: string): void {
    const state = this.#states.find(({ configuration }) => configuration.id === link);
    if (state === undefined) return;
    this.#core.counters.add('sendFailures');
    state.failures += 1;
    state.failuresTotal += 1;
    state.failedAt = this.#core.now;
    if (state.failures === failuresToDown) this.#core.report('linkFailing', { link, code });
  }

  /** Three failed sends in a row take a link out of the choice for data; it is tried again after a second. */
  #usable(state: LinkState): boolean {
    if (!state.up) return false;
    if (state.failures < failuresToDown) return true;
    return this.#core.now - state.failedAt >= failedHoldMs;
  }

  /** A heartbeat of `peer` came on link `id`, and says what of ours arrived there. */
  heard(peer: Peer, id: number, number: number): void {
    const link = peer.links[id] as PeerLink;
    peer.countOn(link, number);
  }

  /** The peer's newest echo of us: per link, what of ours it hears. */
  echoed(peer: Peer, echo: Echo): void {
    const { now } = this.#core;
    for (const { configuration } of this.#states) {
      const link = peer.links[configuration.id] as PeerLink;
      const bit = 1 << configuration.id;
      if ((echo.multicastLinks & bit) !== 0) link.multicastEchoed = now;
      if ((echo.unicastLinks & bit) !== 0) {
        link.unicastEchoed = now;
        if (link.multicastEchoed === never) link.multicastEchoed = now; // its three seconds begin
      }
      if (((echo.multicastLinks | echo.unicastLinks) & bit) === 0) continue;
      link.echoes += 1;
      if (link.echoes >= 2 && !link.up && this.#recent(link)) {
        link.up = true;
        this.#core.report('peerLinkUp', { peer: peer.node, link: configuration.id });
      }
    }
  }

  #recent(link: PeerLink): boolean {
    const { now, timing } = this.#core;
    return (
      now - Math.max(link.lastMulticast, link.lastUnicast) <= timing.suspectMs &&
      now - Math.max(link.multicastEchoed, link.unicastEchoed) <= timing.suspectMs
    );
  }

  /** Bits of the links on which `peer`'s multicast or unicast arrived lately. */
  arrivals(peer: Peer): { multicastLinks: number; unicastLinks: number } {
    const { now, timing } = this.#core;
    let multicastLinks = 0;
    let unicastLinks = 0;
    for (const { configuration } of this.#states) {
      const link = peer.links[configuration.id] as PeerLink;
      if (now - link.lastMulticast <= 2.5 * timing.heartbeatMs) multicastLinks |= 1 << configuration.id;
      if (now - link.lastUnicast <= timing.suspectMs) unicastLinks |= 1 << configuration.id;
    }
    return { multicastLinks, unicastLinks };
  }

  /** Once a heartbeat: which links went down, which peers lost multicast. */
  review(): void {
    const { now } = this.#core;
    for (const state of this.#states) {
      const { id, mode } = state.configuration;
      let lost = false;
      for (const peer of this.#peers.all) {
        const link = peer.links[id] as PeerLink;
        if (link.up && !this.#recent(link)) {
          link.up = false;
          link.echoes = 0;
          this.#core.report('peerLinkDown', { peer: peer.node, link: id });
        }
        if (mode !== 'auto') continue;
        if (link.fallback && now - link.multicastEchoed <= this.#core.timing.suspectMs) {
          link.fallback = false;
          this.#core.report('multicastBack', { peer: peer.node, link: id });
        } else if (!link.fallback && link.multicastEchoed !== never) {
          if (now - link.multicastEchoed > multicastLostMs && now - link.unicastEchoed < multicastLostMs / 2) {
            link.fallback = true;
            link.fallbackSince = now;
            this.#core.report('multicastLost', { peer: peer.node, link: id });
          }
        }
        lost ||= link.fallback;
      }
      if (lost && now - state.rejoinAt >= rejoinMs) {
        state.rejoinAt = now;
        this.#core.emit({ type: 'rejoinGroup', link: id });
      }
    }
  }

  /** Bytes of frames that fit a datagram on every link. */
  budget(): number {
    let budget = 60_000;
    for (const { configuration, mtu } of this.#states) {
      const reduced = this.#peers.all.some((peer) => (peer.links[configuration.id] as PeerLink).reduced);
      const packet = reduced ? Math.min(reducedMtu, mtu) : mtu;
      budget = Math.min(budget, packet - (configuration.family === 4 ? 28 : 48) - datagramOverhead);
    }
    return Math.max(budget, 256);
  }

  /** Ways to every node on every link; `byUnicastToo`: also by unicast where multicast is the rule. */
  toAll(byUnicastToo: boolean): Target[] {
    const targets: Target[] = [];
    for (const state of this.#states) {
      if (!state.up) continue;
      this.#toPeers(state, this.#peers.all, byUnicastToo, targets);
    }
    return targets;
  }

  #toPeers(state: LinkState, peers: readonly Peer[], byUnicastToo: boolean, targets: Target[]): void {
    const { id, mode } = state.configuration;
    const byUnicast = (peer: Peer): boolean => mode === 'unicast' || (peer.links[id] as PeerLink).fallback;
    if (mode !== 'unicast') {
      const retry = this.#core.now - state.multicastAt >= multicastRetryMs;
      if (peers.length === 0 || retry || !peers.every(byUnicast)) {
        targets.push({ link: id, to: 'multicast' });
        state.multicastAt = this.#core.now;
      }
    }
    for (const peer of peers) {
      const { address } = peer.links[id] as PeerLink;
      if (address === undefined) continue;
      if (byUnicast(peer) || (mode === 'auto' && (byUnicastToo || this.#isDoubtful(peer.links[id] as PeerLink)))) {
        targets.push({ link: id, to: address });
      }
    }
  }

  /** It has told lately that our multicast does not arrive: until that is certain, heartbeats go both ways. */
  #isDoubtful({ multicastEchoed }: PeerLink): boolean {
    const { now, timing } = this.#core;
    return multicastEchoed !== never && now - multicastEchoed > 2 * timing.heartbeatMs;
  }

  #toPeer(state: LinkState, peer: Peer): Target | undefined {
    const { id, mode } = state.configuration;
    const { address } = peer.links[id] as PeerLink;
    if (address !== undefined) return { link: id, to: address };
    return mode === 'unicast' ? undefined : { link: id, to: 'multicast' };
  }

  #isUp(state: LinkState, peer: Peer): boolean {
    if (!this.#usable(state)) return false;
    return this.#states.length === 1 || (peer.links[state.configuration.id] as PeerLink).up;
  }

  /** Ways for data to these nodes. */
  toMembers(nodes: readonly NodeId[]): Target[] {
    const peers = nodes.flatMap((node) => this.#peers.get(node) ?? []);
    if (peers.length === 0) return [];
    const targets: Target[] = [];
    const { linkMode } = this.#core.configuration;
    if (linkMode === 'active') {
      for (const state of this.#states) {
        if (this.#usable(state)) this.#toPeers(state, peers, false, targets);
      }
      return targets;
    }
    const good = this.#states.filter((state) => peers.every((peer) => this.#isUp(state, peer)));
    this.#turn += 1;
    const chosen = linkMode === 'rotate' ? good[this.#turn % Math.max(1, good.length)] : good[0];
    if (chosen !== undefined) this.#toPeers(chosen, peers, false, targets);
    else for (const peer of peers) targets.push(...this.toNode(peer.node));
    return targets;
  }

  /** All ways for data to these nodes: for what is repeated. */
  toMembersEverywhere(nodes: readonly NodeId[]): Target[] {
    const peers = nodes.flatMap((node) => this.#peers.get(node) ?? []);
    const targets: Target[] = [];
    if (peers.length === 0) return targets;
    for (const state of this.#states) if (state.up) this.#toPeers(state, peers, false, targets);
    return targets;
  }

  /** The best way for data to one node; every way while none is known to work. */
  toNode(node: NodeId): Target[] {
    const peer = this.#peers.get(node);
    if (peer === undefined) return [];
    const good = this.#states.filter((state) => this.#isUp(state, peer));
    if (good.length === 0) return this.toNodeEverywhere(node);
    const { linkMode } = this.#core.configuration;
    this.#turn += 1;
    const chosen = linkMode === 'rotate' ? good[this.#turn % good.length] : good[0];
    const states = linkMode === 'active' ? good : [chosen as LinkState];
    return states.flatMap((state) => this.#toPeer(state, peer) ?? []);
  }

  /** Every way to one node. */
  toNodeEverywhere(node: NodeId): Target[] {
    const peer = this.#peers.get(node);
    if (peer === undefined) return [];
    return this.#states.flatMap((state) => (state.up ? (this.#toPeer(state, peer) ?? []) : []));
  }

  /**
   * What was sent to the node was asked for again: once is loss, again and again may be a path that swallows large
   * packets. That is found out now, not with the next probe in half a minute (simulator, seed 20210).
   */
  askedAgain(node: NodeId): void {
    const { now } = this.#core;
    const recent = (this.#asked.get(node) ?? []).filter((at) => now - at < askedWithinMs);
    this.#asked.set(node, [...recent, now].slice(-askedTimes));
    if (recent.length + 1 < askedTimes) return;
    for (const link of this.#peers.get(node)?.links ?? []) {
      if (link.doubtedUntil > now || link.reduced) continue;
      link.doubtedUntil = now + doubtMs;
      link.probeSentAt = never;
    }
    this.#doubtedUntil = now + doubtMs;
  }

  /** Some path is in doubt: probes are due more often than each second. */
  get isInDoubt(): boolean {
    return this.#doubtedUntil > this.#core.now;
  }

  /** The peers and links on which a probe of the full size is due; the caller sends them. */
  probesDue(): { peer: Peer; link: number; size: number }[] {
    const { now } = this.#core;
    const due: { peer: Peer; link: number; size: number }[] = [];
    for (const { configuration, mtu } of this.#states) {
      const { id, family } = configuration;
      const size = mtu - (family === 4 ? 28 : 48) - datagramOverhead;
      if (mtu <= reducedMtu) continue;
      for (const peer of this.#peers.all) {
        const link = peer.links[id] as PeerLink;
        if (!link.up) continue;
        const unanswered = link.probesLost > 0;
        const isDoubted = link.doubtedUntil > now;
        const quickMs = Math.max(doubtProbeMs, 2 * (link.rtt ?? 0));
        const wait = link.reduced ? reducedRetryMs : isDoubted ? quickMs : unanswered ? 200 : probeMs;
        if (now - link.probeSentAt < wait) continue;
        if (unanswered && link.probesLost >= 3 && !link.reduced) {
          link.reduced = true;
          link.reducedAt = now;
          this.#core.report('pathSwallowsLargePackets', { peer: peer.node, link: id, size, reducedTo: reducedMtu });
          continue;
        }
        link.probesLost += 1;
        link.probeSentAt = now;
        due.push({ peer, link: id, size });
      }
    }
    return due;
  }

  probeAnswered(peer: Peer, id: number): void {
    const link = peer.links[id] as PeerLink;
    link.probesLost = 0;
    if (link.reduced) {
      link.reduced = false;
      this.#core.report('pathTakesLargePackets', { peer: peer.node, link: id });
    }
  }

  pongArrived(peer: Peer, id: number, rttMs: number): void {
    const link = peer.links[id] as PeerLink;
    link.rtt = link.rtt === undefined ? rttMs : link.rtt + (rttMs - link.rtt) / 8;
  }
}

/**
 * The way of a datagram in: cheap tests first, the seal next, belief last. Everything refused is counted by reason.
 * Nothing unauthenticated costs more than one derivation of a key, and those are rationed per claimed sender.
 */
import { decodeFrames } from './decode.ts';
import { type Core, forever } from './core.ts';
import type { Duplicates } from './duplicates.ts';
import type { Frame } from './frames.ts';
import { derivationsPerSecond, sessionsPerPeer } from './limits.ts';
import { type Header, prefixBytes, readHeader, readPrefix } from './packet.ts';
import type { Peer, PeerLink, Peers, Session } from './peers.ts';
import { ReplayWindow } from './replay-window.ts';
import type { Address, EngineInput } from './surface.ts';

export interface Admitted {
  readonly peer: Peer;
  readonly session: Session;
  readonly link: PeerLink;
  readonly linkId: number;
  readonly flags: number;
  readonly frames: readonly Frame[];
  /** The peer is another incarnation than the one known so far. */
  readonly restarted: boolean;
  /** A session never seen before. */
  readonly isNew: boolean;
}

/** An old session stays valid so long after a newer one of the same incarnation appeared. */
const overlapMs = 5000;

const staleReplyMs = 1000;
/** Heartbeats of a peer that may be missing before it is believed to have moved. */
const addressHeartbeats = 3;
/** What an unknown key tells is worth a line of the log so often; anybody can send such datagrams. */
const unknownKeyAgainMs = 60_000;

type Datagram = Extract<EngineInput, { type: 'datagram' }>;

export class Door {
  readonly #core: Core;
  readonly #peers: Peers;
  readonly #answerStale: (peer: Peer, linkId: number, to: Address) => void;
  readonly #duplicates: Duplicates;
  #tag: number;
  #tagFor: string;

  constructor(
    core: Core,
    peers: Peers,
    answerStale: (peer: Peer, linkId: number, to: Address) => void,
    duplicates: Duplicates,
  ) {
    this.#core = core;
    this.#peers = peers;
    this.#answerStale = answerStale;
    this.#duplicates = duplicates;
    this.#tagFor = core.configuration.clusterName;
    this.#tag = core.seal.clusterTag(this.#tagFor);
  }

  admit(datagram: Datagram): Admitted | undefined {
    const { counters } = this.#core;
    const header = this.#header(datagram);
    if (header === undefined) return undefined;
    const peer = this.#peers.get(header.sender) as Peer;
    const known = this.#known(peer, header);
    if (known !== undefined && !known.window.isFresh(header.counter)) {
      counters.add('replayed');
      return undefined;
    }
    if (known === undefined && peer.isRetired(header.session)) {
      this.#stale(peer, header, datagram.from);
      return undefined;
    }
    const cipher = known?.cipher ?? this.#derive(peer, header);
    if (cipher === undefined) return undefined;
    const plain = cipher.open(datagram.bytes, header.counter);
    if (plain === undefined || plain.length < prefixBytes) {
      counters.add('unauthenticated');
      return undefined;
    }

    const prefix = readPrefix(plain);
    if (prefix.incarnation < peer.incarnation) {
      peer.retire(header.session);
      this.#stale(peer, header, datagram.from);
      return undefined;
    }
    const frames = decodeFrames(plain, prefixBytes);
    if (frames === undefined) {
      counters.add('malformed');
      return undefined;
    }
    const restarted = prefix.incarnation > peer.incarnation;
    if (restarted) {
      peer.restart(prefix.incarnation);
      counters.add('restartsSeen');
    }
    const session = known ?? this.#remember(peer, header, cipher, prefix.sessionNumber);
    if (session === undefined) return undefined;
    if (session.supersededAt + overlapMs < this.#core.now) {
      counters.add('staleSession');
      return undefined;
    }
    session.window.mark(header.counter);
    if (known === undefined) this.#noteKey(peer, header.keyId);
    peer.protocolMin = prefix.protocolMin;
    peer.protocolMax = prefix.protocolMax;
    peer.revision = prefix.configurationRevision;

    const link = peer.links[header.link] as PeerLink;
    if (datagram.via === 'multicast') link.lastMulticast = this.#core.now;
    else link.lastUnicast = this.#core.now;
    if (session.proven || restarted || link.address === undefined) this.#noteAddress(link, datagram.from, restarted);
    counters.add('datagramsReceived');
    counters.add('bytesReceived', datagram.bytes.length);
    return {
      peer,
      session,
      link,
      linkId: header.link,
      flags: prefix.flags,
      frames,
      restarted,
      isNew: known === undefined,
    };
  }

  /**
   * Where a peer is. A datagram that was recorded, or held back, and is played from elsewhere must not draw our unicast
   * there: an address is left only when nothing has come from it for some heartbeats. A new life may have moved at once.
   */
  #noteAddress(link: PeerLink, from: Address, restarted: boolean): void {
    const { now, timing } = this.#core;
    const isKnown = link.address?.host === from.host && link.address.port === from.port;
    if (!isKnown && !restarted && now - link.addressHeard < addressHeartbeats * timing.heartbeatMs) return;
    if (!isKnown) link.address = from;
    link.addressHeard = now;
  }

  #header({ bytes, from }: Datagram): Header | undefined {
    const { counters, configuration, self } = this.#core;
    const header = readHeader(bytes);
    if (typeof header === 'string') {
      const counter = {
        short: 'datagramsShort',
        foreign: 'datagramsForeign',
        version: 'datagramsVersion',
        reserved: 'datagramsReserved',
      } as const;
      counters.add(counter[header]);
      return undefined;
    }
    if (configuration.clusterName !== this.#tagFor) {
      this.#tagFor = configuration.clusterName;
      this.#tag = this.#core.seal.clusterTag(this.#tagFor);
    }
    if (header.clusterTag !== this.#tag) counters.add('datagramsOtherCluster');
    else if (header.sender === self) {
      counters.add('datagramsOwn');
      this.#duplicates.consider(header, bytes, from);
    } else if (this.#peers.get(header.sender) === undefined) counters.add('datagramsUnknownNode');
    else if (!configuration.links.some(({ id }) => id === header.link)) counters.add('datagramsUnknownLink');
    else return header;
    return undefined;
  }

  /** A session of a life that is over. Whoever still lives it is told, where it sends from. */
  #stale(peer: Peer, header: Header, from: Address): void {
    this.#core.counters.add('staleIncarnation');
    if (this.#core.now - peer.lastStaleReply < staleReplyMs) return;
    peer.lastStaleReply = this.#core.now;
    this.#answerStale(peer, header.link, from);
  }

  #known(peer: Peer, { session: [high, low], keyId }: Header): Session | undefined {
    return peer.sessions.find((session) => session.low === low && session.high === high && session.keyId === keyId);
  }

  /** Nobody without the key may make us derive more than a few keys a second. */
  #derive(peer: Peer, header: Header): Session['cipher'] | undefined {
    const { counters, configuration, now, seal } = this.#core;
    const key = configuration.keys.find(({ id }) => id === header.keyId);
    if (key === undefined) {
      counters.add('datagramsUnknownKey');
      this.#noteUnknownKey(peer, header.keyId);
      return undefined;
    }
    if (now - peer.derivationsSince >= 1000) {
      peer.derivationsSince = now;
      peer.derivations = 0;
    }
    peer.derivations += 1;
    if (peer.derivations > derivationsPerSecond) {
      counters.add('sessionFlood');
      return undefined;
    }
    return seal.cipher(key, configuration.clusterName, header.sender, header.session);
  }

  #noteKey(peer: Peer, keyId: number): void {
    const isPrimary = this.#core.configuration.keys.some(({ id, primary }) => primary && id === keyId);
    if (!isPrimary) this.#core.emit({ type: 'keyInUse', keyId, node: peer.node });
  }

  /** A peer that is not heard and a key that is not here: most likely one of the two has missed a change of the key. */
  #noteUnknownKey(peer: Peer, keyId: number): void {
    const { now, configuration } = this.#core;
    if (this.#peers.isHeard(peer) || now - peer.unknownKeyAt < unknownKeyAgainMs) return;
    peer.unknownKeyAt = now;
    this.#core.report('unknownKey', { node: peer.node, keyId, known: configuration.keys.map(({ id }) => id) });
  }

  #remember(peer: Peer, header: Header, cipher: Session['cipher'], number: number): Session | undefined {
    if (number < peer.sessionNumber) {
      this.#core.counters.add('staleSession');
      return undefined;
    }
    if (number > peer.sessionNumber) {
      for (const old of peer.sessions) if (old.supersededAt === forever) old.supersededAt = this.#core.now;
      peer.sessionNumber = number;
    }
    const session: Session = {
      keyId: header.keyId,
      high: header.session[0],
      low: header.session[1],
      cipher,
      window: new ReplayWindow(),
      incarnation: peer.incarnation,
      number,
      firstSeen: this.#core.heartbeatNumber,
      // A later session of a life that has been proven needs no proof of its own: so a new key or salt makes no pause.
      proven: peer.proven,
      supersededAt: forever,
    };
    peer.sessions.push(session);
    if (peer.sessions.length > sessionsPerPeer) peer.sessions.shift();
    return session;
  }

  /** Keys that are no longer listed open nothing any more. */
  forgetKeys(): void {
    const ids = new Set(this.#core.configuration.keys.map(({ id }) => id));
    for (const peer of this.#peers.all) {
      peer.sessions = peer.sessions.filter(({ keyId }) => ids.has(keyId));
      if (!peer.sessions.some(({ proven }) => proven)) peer.lastHeard = Math.min(peer.lastHeard, this.#core.now);
    }
  }
}

/**
 * Notices another machine that runs under this node's id: a copied disk, or a slip in the configuration.
 *
 * Its datagrams are authentic, of another session and another life. That alone would also be true of recorded ones; but
 * a live node's heartbeats echo the peers' newest heartbeats, as we hear them ourselves, and no recording can. To be safe
 * from our own former life, whose last datagrams may still be under way after a quick restart, the proof has to be
 * repeated two seconds later.
 *
 * The one that was there first stays; the later one (its incarnation is higher) stops. Otherwise the two would take
 * turns being put out by everybody.
 */
import { decodeFrames } from './decode.ts';
import { type Core, never } from './core.ts';
import type { HeartbeatFrame } from './frames.ts';
import type { Outbox } from './outbox.ts';
import { type Header, prefixBytes, readPrefix } from './packet.ts';
import type { Peers } from './peers.ts';
import type { Address } from './surface.ts';

const considerEachMs = 200;
const apartMs = 2000;
const forgetMs = 30_000;
const reportAgainMs = 10_000;
/** An echo is live if it is at most so many heartbeats behind what we heard ourselves. */
const liveWithin = 20;

export class Duplicates {
  readonly #core: Core;
  readonly #peers: Peers;
  readonly #outbox: Outbox;
  readonly #found: (isOlder: boolean, from: Address) => void;
  #consideredAt = never;
  #firstProofAt = never;
  #reportedAt = never;

  constructor(core: Core, peers: Peers, outbox: Outbox, found: (isOlder: boolean, from: Address) => void) {
    this.#core = core;
    this.#peers = peers;
    this.#outbox = outbox;
    this.#found = found;
  }

  /** A datagram of the cluster in this node's name. At most five a second are looked into: each costs a key. */
  consider(header: Header, bytes: Uint8Array, from: Address): void {
    const { now, configuration, counters, incarnation, seal, self } = this.#core;
    if (this.#outbox.isOwnSession(header.session) || now - this.#consideredAt < considerEachMs) return;
    this.#consideredAt = now;
    const key = configuration.keys.find(({ id }) => id === header.keyId);
    if (key === undefined) return;
    const plain = seal.cipher(key, configuration.clusterName, self, header.session).open(bytes, header.counter);
    if (plain === undefined || plain.length < prefixBytes) return;
    const theirs = readPrefix(plain).incarnation;
    const frames = decodeFrames(plain, prefixBytes) ?? [];
    const isLive = frames.some((frame) => frame.type === 'heartbeat' && this.#isLive(frame));
    if (!isLive || theirs === incarnation) return;
    counters.add('duplicateNode');
    if (now - this.#firstProofAt > forgetMs) this.#firstProofAt = now;
    if (now - this.#firstProofAt < apartMs) return;
    if (now - this.#reportedAt >= reportAgainMs) {
      this.#reportedAt = now;
      this.#core.report('duplicateNode', { from: from.host, port: from.port, incarnation: theirs });
    }
    this.#found(theirs < incarnation, from);
  }

  #isLive({ echoes }: HeartbeatFrame): boolean {
    return echoes.some((echo) => {
      const peer = this.#peers.get(echo.node);
      if (peer === undefined || peer.arrivedNumber === 0 || peer.incarnation !== echo.incarnation) return false;
      return echo.number >= peer.arrivedNumber - liveWithin;
    });
  }
}

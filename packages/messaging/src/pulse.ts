/**
 * When this node's heartbeats leave: at their interval, at once when there is news, and not at all when it is hung above.
 *
 * In an active view the members keep step with the coordinator: its heartbeat is answered by one's own, if that is due
 * before long. All heartbeats of a round then arrive close together, and wake each node twice instead of once a member.
 * Nobody answers an answer, so no path, however long, makes the pulse quicker.
 */
import { type Core, forever, never } from './core.ts';
import { heartbeatOf } from './heartbeat.ts';
import type { Links } from './links.ts';
import type { Membership } from './membership.ts';
import type { Outbox } from './outbox.ts';
import type { Peers } from './peers.ts';
import type { Standing } from './standing.ts';
import type { NodeId } from './surface.ts';

/** Two heartbeats are at least so far apart, however many reasons there are to send one at once. */
const heartbeatGapMs = 5;
/** In step with the coordinator, one's own timer leaves it so much of the interval to come first. */
const stepShare = 10;
/** To every peer also by unicast, so that it can tell which of the two ways works. */
const byUnicastMs = 1000;
/** Heartbeats in close sequence that tell of a leave: one may be lost. */
const leavingBeats = 3;
const applicationStalledMs = 1000;
const applicationHangMs = 10_000;

export class Pulse {
  readonly #core: Core;
  readonly #peers: Peers;
  readonly #links: Links;
  readonly #outbox: Outbox;
  readonly #membership: Membership;
  readonly #standing: Standing;
  #nextHeartbeat = forever;
  #lastHeartbeat = never;
  /** The heartbeat that is due answers the coordinator's. */
  #isInStep = false;
  #byUnicastAt = never;
  #heardBefore = 0;
  #leavingBeats = 0;
  #aliveAt: number | undefined;

  constructor(core: Core, peers: Peers, links: Links, outbox: Outbox, membership: Membership, standing: Standing) {
    this.#core = core;
    this.#peers = peers;
    this.#links = links;
    this.#outbox = outbox;
    this.#membership = membership;
    this.#standing = standing;
  }

  begin(): void {
    this.#nextHeartbeat = this.#core.now;
  }

  announceLeave(): void {
    this.#leavingBeats = leavingBeats;
  }

  get isAnnouncing(): boolean {
    return this.#leavingBeats > 0;
  }

  applicationLives(): void {
    this.#aliveAt = this.#core.now;
  }

  nextDeadline(): number {
    return this.#nextHeartbeat;
  }

  get isDue(): boolean {
    return this.#core.now >= this.#nextHeartbeat;
  }

  /** A heartbeat of `node` came: time for ours, if that is the coordinator, and half an interval has passed. */
  heard(node: NodeId): void {
    const { view, active, frozen } = this.#membership;
    const { now, timing } = this.#core;
    if (!active || frozen || view.members[0]?.node !== node) return;
    if (now - this.#lastHeartbeat < timing.heartbeatMs / 2) return;
    this.#isInStep = true;
    this.#nextHeartbeat = now;
  }

  /** Sends the heartbeat that is due. `wallOffset`: this node's wall clock minus its monotonic one, where known. */
  beat(stallMs: number, wallOffset: number | undefined): void {
    const { now, timing, counters } = this.#core;
    const membership = this.#membership;
    if (this.isApplicationHung) {
      membership.wantHeartbeat = false; // the peers and the watchdog shall notice
      return;
    }
    this.#noteHeardSet();
    if (membership.wantHeartbeat) {
      membership.wantHeartbeat = false;
      this.#nextHeartbeat = Math.min(this.#nextHeartbeat, this.#lastHeartbeat + heartbeatGapMs);
    }
    if (now < this.#nextHeartbeat) return;
    this.#links.review();
    const isSecond = now >= this.#byUnicastAt;
    if (isSecond) this.#byUnicastAt = now + byUnicastMs;
    const facts = {
      stallMs,
      applicationStalled: this.#aliveAt !== undefined && now - this.#aliveAt > applicationStalledMs,
      wall: wallOffset === undefined ? 0 : Math.max(0, wallOffset + now),
    };
    const frame = heartbeatOf(this.#core, this.#peers, this.#links, membership, this.#standing, facts);
    counters.add('heartbeatsSent');
    this.#outbox.toAll(frame, isSecond);
    this.#lastHeartbeat = now;
    this.#nextHeartbeat = now + timing.heartbeatMs;
    if (this.#isInStep) this.#nextHeartbeat += Math.floor(timing.heartbeatMs / stepShare);
    this.#isInStep = false;
    if (this.#leavingBeats > 0) {
      this.#leavingBeats -= 1;
      if (this.#leavingBeats > 0) this.#nextHeartbeat = now + heartbeatGapMs;
    }
  }

  /** The layers above are dead: this node falls silent, so that its peers and the watchdog notice. */
  get isApplicationHung(): boolean {
    return this.#aliveAt !== undefined && this.#core.now - this.#aliveAt > applicationHangMs;
  }

  /** A peer that is no longer heard is news for everybody. */
  #noteHeardSet(): void {
    let heard = 0;
    for (const peer of this.#peers.all) if (this.#peers.isHeard(peer)) heard += 1;
    if (heard < this.#heardBefore) this.#membership.wantHeartbeat = true;
    this.#heardBefore = heard;
  }
}

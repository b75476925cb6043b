/**
 * What a peer's heartbeat tells: that it lives and whom it hears, whether its session is proven, that it confirms us in
 * the present view, and how far its clock is from ours.
 */
import { type Core } from './core.ts';
import type { Admitted } from './door.ts';
import type { HeartbeatFrame } from './frames.ts';
import type { Links } from './links.ts';
import type { Membership } from './membership.ts';
import type { Peer } from './peers.ts';
import type { Standing } from './standing.ts';
import type { NodeId } from './surface.ts';
import { sameTag } from './view-tag.ts';

/** Clocks further apart than this are reported: services and logs need common time. The protocol does not. */
const skewReportMs = 1000;
const skewReportAgainMs = 600_000;

export class Hearing {
  readonly #core: Core;
  readonly #links: Links;
  readonly #membership: Membership;
  readonly #standing: Standing;
  /** This node's wall clock minus its monotonic one; absent until its host has told. */
  wallOffset: number | undefined;
  readonly #skewReported = new Map<NodeId, number>();

  constructor(core: Core, links: Links, membership: Membership, standing: Standing) {
    this.#core = core;
    this.#links = links;
    this.#membership = membership;
    this.#standing = standing;
  }

  /** Takes in what a heartbeat of an admitted datagram says. */
  heartbeat({ peer, session, linkId }: Admitted, frame: HeartbeatFrame): void {
    const { now, self, incarnation, counters } = this.#core;
    counters.add('heartbeatsReceived');
    this.#links.heard(peer, linkId, frame.number);
    if (frame.number > peer.arrivedNumber) {
      peer.arrivedNumber = frame.number;
      peer.arrivedAt = now;
    }
    const echo = frame.echoes.find(({ node }) => node === self);
    const echoesMe = echo !== undefined && echo.incarnation === incarnation && echo.number > 0;
    if (!session.proven) {
      if (!echoesMe || echo.number < session.firstSeen) return;
      session.proven = true;
      peer.proven = true;
      peer.lastHeard = now;
      this.#membership.touch();
    }
    if (echoesMe) this.#links.echoed(peer, echo);
    if (peer.heartbeat !== undefined && frame.number <= peer.heartbeat.number) return; // another link, or overtaken
    const before = peer.heartbeat;
    peer.heartbeat = frame;
    peer.heartbeatAt = now;
    peer.listsMe = echoesMe && echo.heard;
    if (echoesMe) {
      const sentAt = this.#core.heartbeatSentAt(echo.number);
      if (sentAt > peer.echoedSentAt) peer.echoedSentAt = sentAt;
      if (frame.active && !frame.promised && sameTag(frame.view, this.#membership.view.tag)) {
        if (sentAt > peer.confirmedAt) {
          peer.confirmedAt = sentAt;
          this.#standing.confirmed();
        }
        if (frame.deviceLeaseMs > 0) this.#standing.deviceGrantPassedOn(frame.view, sentAt + frame.deviceLeaseMs);
      }
    }
    this.#noteSkew(peer, frame.wall);
    this.#membership.heartbeat(peer, frame);
    if (before === undefined || isNews(before, frame)) this.#membership.touch();
  }

  #noteSkew(peer: Peer, wall: number): void {
    if (wall === 0 || this.wallOffset === undefined) return;
    const { now } = this.#core;
    peer.wallOffset = wall - now;
    const skewMs = peer.wallOffset - this.wallOffset;
    const reported = this.#skewReported.get(peer.node);
    if (Math.abs(skewMs) < skewReportMs) {
      if (reported !== undefined && Math.abs(skewMs) < skewReportMs / 2) {
        this.#skewReported.delete(peer.node);
        this.#core.report('clockSkewGone', { node: peer.node, skewMs });
      }
    } else if (reported === undefined || now - reported >= skewReportAgainMs) {
      this.#skewReported.set(peer.node, now);
      this.#core.report('clockSkew', { node: peer.node, skewMs });
    }
  }
}

/** Whether a heartbeat says something else than the one before, as far as the choice of members goes. */
function isNews(before: HeartbeatFrame, after: HeartbeatFrame): boolean {
  if (!sameTag(before.view, after.view) || before.active !== after.active || before.quorate !== after.quorate)
    return true;
  if (before.leaving !== after.leaving || before.echoes.length !== after.echoes.length) return true;
  return after.echoes.some((echo, index) => {
    const old = before.echoes[index];
    return (
      old === undefined || old.node !== echo.node || old.heard !== echo.heard || old.incarnation !== echo.incarnation
    );
  });
}

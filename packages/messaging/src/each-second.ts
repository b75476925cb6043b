/** What is done once a second, with a heartbeat if one leaves soon: round trips, probes of full size, changes of the base. */
import type { Instant } from '@systole/kernel';
import type { Core } from './core.ts';
import type { Links } from './links.ts';
import type { Membership } from './membership.ts';
import type { Outbox } from './outbox.ts';
import type { Peers } from './peers.ts';
import type { Standing } from './standing.ts';

const secondMs = 1000;
/** It waits so long for a heartbeat to leave with. */
const withHeartbeatMs = 100;

export class EachSecond {
  readonly #core: Core;
  readonly #peers: Peers;
  readonly #links: Links;
  readonly #outbox: Outbox;
  readonly #membership: Membership;
  readonly #standing: Standing;
  #next: number;

  constructor(core: Core, peers: Peers, links: Links, outbox: Outbox, membership: Membership, standing: Standing) {
    this.#core = core;
    this.#peers = peers;
    this.#links = links;
    this.#outbox = outbox;
    this.#membership = membership;
    this.#standing = standing;
    this.#next = core.now;
  }

  /** `isWithHeartbeat`: one leaves with this tick. */
  tick(isWithHeartbeat: boolean): void {
    const { now } = this.#core;
    if (now >= this.#next && (isWithHeartbeat || now >= this.nextDeadline())) {
      this.#next = now + secondMs;
      this.#measure();
      this.#probeSizes();
      this.#proposeBaseChange();
    }
    if (this.#links.isInDoubt) this.#probeSizes();
  }

  nextDeadline(): number {
    return this.#next + withHeartbeatMs;
  }

  #measure(): void {
    for (const peer of this.#peers.all) {
      if (!peer.proven) continue;
      for (const { id } of this.#core.configuration.links) {
        this.#outbox.onLink(id, peer.node, { type: 'ping', token: 0, sent: this.#core.now >>> 0 });
      }
    }
  }

  #probeSizes(): void {
    for (const { peer, link, size } of this.#links.probesDue()) {
      this.#outbox.onLink(link, peer.node, { type: 'sizeProbe', size });
    }
  }

  #proposeBaseChange(): void {
    const membership = this.#membership;
    const { order, active, frozen, sequencer, leftCleanly: left, view } = membership;
    if (sequencer === undefined || !active || frozen || !this.#standing.isHeld) return;
    const { memory, reports, activeSince } = this.#standing;
    const context = { view, self: this.#core.self, memory, reports, activeSince: activeSince as Instant, left };
    const body = this.#core.policy.proposeChange(context, this.#core.now as Instant);
    if (body === undefined || order.origin.pending.entries > 0) return;
    order.origin.submit('durable', body, undefined, 'baseChange', membership.fragmentBytes);
  }
}

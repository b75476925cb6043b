/** How this node leaves the cluster in order: it says so, in the order of its view and in its heartbeats, and is let go. */
import { type Core, forever } from './core.ts';
import type { Membership } from './membership.ts';
import type { Outbox } from './outbox.ts';
import type { Peers } from './peers.ts';
import type { Pulse } from './pulse.ts';

/** Nobody waits longer for the others' leave to go. */
const leaveWaitMs = 500;

export class Leaving {
  readonly #core: Core;
  readonly #peers: Peers;
  readonly #outbox: Outbox;
  readonly #membership: Membership;
  readonly #pulse: Pulse;
  #until = forever;

  constructor(core: Core, peers: Peers, outbox: Outbox, membership: Membership, pulse: Pulse) {
    this.#core = core;
    this.#peers = peers;
    this.#outbox = outbox;
    this.#membership = membership;
    this.#pulse = pulse;
  }

  begin(reason: string): void {
    const membership = this.#membership;
    if (membership.isLeaving) return;
    this.#core.report('leaving', { reason });
    membership.isLeaving = true;
    membership.leading.attempt = undefined;
    this.#until = this.#core.now + leaveWaitMs;
    if (membership.active && !membership.frozen) {
      membership.order.origin.submit('agreed', new Uint8Array(0), undefined, 'departure', membership.fragmentBytes);
    }
    membership.wantHeartbeat = true;
    this.#pulse.announceLeave();
  }

  /** Whether this node has gone: a view without it exists, or nobody is left to make one, or half a second is over. */
  hasGone(): boolean {
    const membership = this.#membership;
    if (!membership.isLeaving || (this.#pulse.isAnnouncing && this.#core.now < this.#until)) return false;
    const others = membership.view.members.filter(({ node }) => node !== this.#core.self);
    const isLetGo = this.#peers.all.some(
      ({ heartbeat, node }) =>
        heartbeat !== undefined &&
        membership.isMember(node) &&
        heartbeat.view.number > membership.view.tag.number &&
        !heartbeat.members.includes(this.#core.self),
    );
    const isLast = others.every(({ node, incarnation }) => membership.leaving.get(node) === incarnation);
    if (!isLetGo && !isLast && this.#core.now < this.#until) return false;
    this.#outbox.flush();
    membership.order.origin.end();
    this.#core.emit({ type: 'left' });
    return true;
  }

  nextDeadline(): number {
    return this.#until;
  }
}

/** Which part a frame is for, and which frames of a view's order count at all. Heartbeats are taken in by `hearing.ts`. */
import type { Core } from './core.ts';
import type { Admitted } from './door.ts';
import type { Frame } from './frames.ts';
import { gapAnswerEntries } from './limits.ts';
import type { Links } from './links.ts';
import type { Membership } from './membership.ts';
import type { Outbox } from './outbox.ts';
import type { NodeId } from './surface.ts';
import { sameTag } from './view-tag.ts';

/** Entries one recovery request is answered with. */
const recoveryEntries = 128;

export class Routing {
  readonly #core: Core;
  readonly #links: Links;
  readonly #outbox: Outbox;
  readonly #membership: Membership;

  constructor(core: Core, links: Links, outbox: Outbox, membership: Membership) {
    this.#core = core;
    this.#links = links;
    this.#outbox = outbox;
    this.#membership = membership;
  }

  /** A frame of a proven session, or of this node to itself (then nothing was admitted). */
  take(from: NodeId, incarnation: number, frame: Frame, admitted: Admitted | undefined): void {
    const membership = this.#membership;
    switch (frame.type) {
      case 'proposal':
        return membership.proposal(from, incarnation, frame);
      case 'promise':
        return membership.leading.promise(from, frame.attempt, frame.report);
      case 'refusal':
        return membership.leading.refusal(from, frame);
      case 'recoveryPlan':
        membership.participationIn(frame.attempt)?.plan(frame, membership.order);
        return;
      case 'recovered':
        return membership.leading.recovered(from, frame.attempt);
      case 'installation':
        return membership.installation(from, frame);
      case 'installed':
        return membership.leading.installed(from, frame.view);
      case 'activation':
        return membership.activation(frame.view);
      case 'submission':
      case 'ordered':
      case 'tail':
      case 'receipt':
      case 'gap':
      case 'submissionGap':
        return this.#orderFrame(from, incarnation, frame);
      case 'ping':
        if (admitted !== undefined) this.#outbox.onLink(admitted.linkId, from, { ...frame, type: 'pong' });
        return;
      case 'pong':
        if (admitted !== undefined) this.#pong(admitted, frame.sent);
        return;
      case 'sizeProbe':
        if (admitted !== undefined) this.#outbox.onLink(admitted.linkId, from, { type: 'sizeReply', size: frame.size });
        return;
      case 'sizeReply':
        if (admitted !== undefined) this.#links.probeAnswered(admitted.peer, admitted.linkId);
        return;
      case 'unreliable':
        this.#core.emit({ type: 'unreliable', from, body: frame.bytes });
        return;
      default:
        return; // heartbeats and staleIncarnation were taken before
    }
  }

  #pong({ peer, linkId }: Admitted, sent: number): void {
    const rtt = (this.#core.now - sent) >>> 0;
    if (rtt < this.#core.timing.suspectMaxMs) this.#links.pongArrived(peer, linkId, rtt);
  }

  /** Frames of a view's order: only from its members, in the life in which they are members. */
  #orderFrame(
    from: NodeId,
    incarnation: number,
    frame: Extract<Frame, { type: 'submission' | 'ordered' | 'tail' | 'receipt' | 'gap' | 'submissionGap' }>,
  ): void {
    const membership = this.#membership;
    const rank = membership.rankOf(from);
    if (!sameTag(frame.view, membership.view.tag) || membership.view.members[rank]?.incarnation !== incarnation) {
      this.#core.counters.add('misplaced');
      return;
    }
    const { frozen } = membership;
    // Only an active view has an order: whoever speaks of it proves that all have installed it.
    if ((frame.type === 'ordered' || frame.type === 'tail') && !frozen) membership.activate();
    const { order, sequencer, active } = membership;
    switch (frame.type) {
      case 'ordered':
        if (frozen) membership.participation?.recovering(frame, order);
        else order.ordered(frame);
        return;
      case 'tail':
        order.learn(frame.highest, frame.stable, frame.durable);
        if (frame.receiptWanted && active) order.wantReceipt();
        return;
      case 'gap':
        if (!active && !frozen) return;
        this.#links.askedAgain(from);
        return order.answerGap(from, frame.ranges, this.#links.budget(), frozen ? recoveryEntries : gapAnswerEntries);
      case 'submission':
        if (active && !frozen) sequencer?.submission(rank, frame.entries);
        return;
      case 'receipt':
        if (active && !frozen) sequencer?.receipt(rank, frame.received, frame.durable);
        return;
      default:
        if (active && !frozen) order.origin.gap(frame.next, this.#links.budget());
    }
  }
}

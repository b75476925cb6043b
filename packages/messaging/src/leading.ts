/** Leading an attempt at a view: begun with a number greater than any seen, carried from phase to phase, or given up. */
import { Attempt } from './attempt.ts';
import { type Core, never } from './core.ts';
import type { Departures } from './departures.ts';
import type { Evaluation } from './evaluation.ts';
import type { Frame, Identity, RefusalFrame, Report } from './frames.ts';
import type { Outbox } from './outbox.ts';
import type { Peers } from './peers.ts';
import type { NodeId, View, ViewTag } from './surface.ts';
import { sameTag, tagOf } from './view-tag.ts';

const backoff = { stale: 10, cannotHear: 50, wouldDrop: 1000, overdue: 20 } as const;

/** Where this node stands at the moment, and what it does for an attempt. */
interface Present {
  readonly view: View;
  readonly highestNumber: number;
  /** A pause of its own forbids to judge others. */
  readonly isHolding: boolean;
  /** Frames of this node to itself. */
  readonly loopback: Frame[];
  send(node: NodeId, frame: Frame): void;
  learnNumber(number: number): void;
  /** The attempt of this tag is over without a view: another one is needed. */
  gaveUp(tag: ViewTag): void;
}

export class Leading {
  readonly #core: Core;
  readonly #peers: Peers;
  readonly #outbox: Outbox;
  readonly #evaluation: Evaluation;
  readonly #departures: Departures;
  readonly #at: Present;
  attempt: Attempt | undefined;
  /** No other attempt is begun before then. */
  backoffUntil = never;

  constructor(core: Core, peers: Peers, outbox: Outbox, evaluation: Evaluation, departures: Departures, at: Present) {
    this.#core = core;
    this.#peers = peers;
    this.#outbox = outbox;
    this.#evaluation = evaluation;
    this.#departures = departures;
    this.#at = at;
  }

  /** Repeats what is owed, or gives the attempt up. */
  tend(): void {
    const { attempt } = this;
    if (attempt === undefined) return;
    const lost = attempt.owed().find(({ node, incarnation }) => this.#cannotAnswer(attempt, node, incarnation));
    if (lost !== undefined) return this.#abandon('lost', lost.node, this.#core.random.integer(10));
    if (attempt.isOverdue)
      return this.#abandon('overdue', attempt.owed()[0]?.node, backoff.overdue + this.#core.random.integer(61));
    attempt.tick();
  }

  /** It is gone, another life, leaving, or has told since the attempt began that it does not hear us. */
  #cannotAnswer(attempt: Attempt, node: NodeId, incarnation: number): boolean {
    if (node === this.#core.self) return false;
    const peer = this.#peers.get(node);
    if (peer === undefined || peer.incarnation !== incarnation || this.#evaluation.isLeaving(peer)) return true;
    if (this.#at.isHolding) return false;
    if (!this.#peers.isHeard(peer)) return true;
    return peer.heartbeatAt > attempt.startedAt && !peer.listsMe;
  }

  #abandon(why: string, node: NodeId | undefined, waitMs: number): void {
    const { attempt } = this;
    if (attempt === undefined) return;
    this.#core.counters.add('attemptsAbandoned');
    this.#core.report('attemptAbandoned', { view: attempt.tag.number, phase: attempt.phase, why, node });
    this.attempt = undefined;
    this.backoffUntil = this.#core.now + waitMs;
    this.#at.gaveUp(attempt.tag);
  }

  /** Begins an attempt at a view of these nodes. */
  initiate(nodes: readonly NodeId[], promisedNumber: number): void {
    const ranked = this.#at.view.members.map(({ node }) => node).filter((node) => nodes.includes(node));
    const ordered = [...ranked, ...nodes.filter((node) => !ranked.includes(node))];
    const members: Identity[] = ordered.map((node) => ({
      node,
      incarnation: node === this.#core.self ? this.#core.incarnation : (this.#peers.get(node)?.incarnation ?? 0),
    }));
    const number = Math.max(this.#at.highestNumber, promisedNumber, this.#at.view.tag.number) + 1;
    const tag = tagOf(number, this.#core.self, this.#core.incarnation, members);
    this.#core.counters.add('attempts');
    this.#core.report('attempt', {
      view: number,
      members: ordered,
      evidence: this.#departures.evidence(this.#at.view, nodes),
    });
    const leavers = (): readonly Identity[] => this.#departures.leavers();
    this.attempt = new Attempt(this.#core, tag, members, leavers, (node, frame) => this.#at.send(node, frame));
  }

  promise(from: NodeId, tag: ViewTag, report: Report): void {
    const { attempt } = this;
    if (attempt === undefined || !sameTag(attempt.tag, tag)) return;
    const before = attempt.phase;
    attempt.promised(from, report);
    if (before === 'proposing' && attempt.phase !== 'proposing' && !attempt.hasCommonProtocol) {
      this.#abandon('noCommonProtocol', from, backoff.wouldDrop);
    }
  }

  refusal(from: NodeId, frame: RefusalFrame): void {
    this.#at.learnNumber(frame.highestNumber);
    const { attempt } = this;
    if (attempt === undefined || !sameTag(attempt.tag, frame.attempt) || attempt.phase !== 'proposing') return;
    const random = this.#core.random.integer(51);
    if (frame.why === 'cannotHear') {
      const peer = this.#peers.get(from);
      for (const node of frame.missing) peer?.cannotHear.set(node, peer.heartbeat?.number ?? 0);
    }
    const waits = {
      stale: backoff.stale + Math.floor((random * 4) / 5),
      cannotHear: this.#core.timing.heartbeatMs + random,
      wouldDrop: backoff.wouldDrop,
      version: backoff.wouldDrop,
      configuration: backoff.wouldDrop,
    };
    this.#abandon(frame.why, from, waits[frame.why]);
  }

  recovered(from: NodeId, tag: ViewTag): void {
    if (this.attempt !== undefined && sameTag(this.attempt.tag, tag)) this.attempt.recovered(from);
  }

  installed(from: NodeId, tag: ViewTag): void {
    const { attempt } = this;
    if (attempt === undefined || !sameTag(attempt.tag, tag)) return;
    attempt.installed(from);
    if (attempt.phase !== 'done') return;
    this.attempt = undefined;
    this.#outbox.toAll({ type: 'activation', view: tag });
    this.#at.loopback.push({ type: 'activation', view: tag });
  }
}

/**
 * A node's promises: an attempt at a view, proposed by another node or by itself, is promised to or refused, and then
 * carried out when its installation comes.
 *
 * From its promise on a node is frozen: there is no way back into the old view, because the promise may already be part of
 * an installation elsewhere. Attempts are numbered, and only a strictly greater number is promised to.
 */
import type { Core } from './core.ts';
import type { Frame, InstallationFrame, ProposalFrame } from './frames.ts';
import type { Leading } from './leading.ts';
import { rangesMax } from './limits.ts';
import type { Objections } from './objections.ts';
import { Participation } from './participation.ts';
import type { Peers } from './peers.ts';
import type { PresentView } from './present-view.ts';
import type { Standing } from './standing.ts';
import type { NodeId, ViewTag } from './surface.ts';
import { sameTag, tagOf } from './view-tag.ts';

interface Promised {
  readonly tag: ViewTag;
  readonly initiator: NodeId;
}

/** Where this node stands beside its view. */
interface Situation {
  readonly isLeaving: boolean;
  /** A pause of its own forbids to judge others. */
  readonly isHolding: boolean;
  /** Members seen in a newer view without us, and the heartbeat that said so. */
  readonly movedOn: Map<NodeId, number>;
  highestNumber: number;
  send(node: NodeId, frame: Frame): void;
  touch(): void;
  /** The attempt this node took part in is over without a view: another one is needed. */
  wantAnother(): void;
}

export class Promising {
  readonly #core: Core;
  readonly #peers: Peers;
  readonly #standing: Standing;
  readonly #present: PresentView;
  readonly #leading: Leading;
  readonly #objections: Objections;
  readonly #at: Situation;
  #promised: Promised;
  participation: Participation | undefined;

  /** The first promise is to the view this node begins in, which is its own. */
  constructor(
    core: Core,
    peers: Peers,
    standing: Standing,
    present: PresentView,
    leading: Leading,
    objections: Objections,
    at: Situation,
  ) {
    this.#core = core;
    this.#peers = peers;
    this.#standing = standing;
    this.#present = present;
    this.#leading = leading;
    this.#objections = objections;
    this.#at = at;
    this.#promised = { tag: present.view.tag, initiator: core.self };
  }

  /** No number up to this one is promised to again. */
  get number(): number {
    return this.#promised.tag.number;
  }

  proposal(from: NodeId, fromIncarnation: number, frame: ProposalFrame): void {
    const { attempt: tag, members } = frame;
    const { self, incarnation } = this.#core;
    if (this.#at.isLeaving || !sameTag(tagOf(tag.number, from, fromIncarnation, members), tag)) return;
    if (!members.some((member) => member.node === self && member.incarnation === incarnation)) {
      this.#notInvited(from, tag);
      return;
    }
    if (sameTag(tag, this.#promised.tag) && from === this.#promised.initiator) {
      if (this.participation !== undefined && !this.participation.hasPlan && !this.participation.isInstalled)
        this.#promise(tag, from);
      return;
    }
    const refusal = this.#objections.to(from, frame, this.#promised.tag.number);
    if (refusal !== undefined) {
      this.#at.send(from, { type: 'refusal', attempt: tag, highestNumber: this.#at.highestNumber, ...refusal });
      return;
    }
    if (this.#leading.attempt !== undefined && !sameTag(this.#leading.attempt.tag, tag)) {
      this.#core.counters.add('attemptsAbandoned');
      this.#leading.attempt = undefined;
    }
    this.#core.counters.add('proposalsAccepted');
    this.#promised = { tag, initiator: from };
    this.#at.highestNumber = Math.max(this.#at.highestNumber, tag.number);
    this.participation = this.#partIn(tag, from, fromIncarnation);
    this.#present.order.frozen = true;
    this.#standing.freeze();
    this.#promise(tag, from);
  }

  /** A member goes on to a newer view, and not with us. */
  #notInvited(from: NodeId, tag: ViewTag): void {
    const { movedOn } = this.#at;
    if (!this.#present.isMember(from) || tag.number <= this.#present.view.tag.number || movedOn.has(from)) return;
    movedOn.set(from, this.#peers.get(from)?.heartbeat?.number ?? 0);
    this.#at.touch();
  }

  #partIn(tag: ViewTag, initiator: NodeId, incarnation: number): Participation {
    return new Participation(this.#core, tag, initiator, incarnation, (node, answer) => this.#at.send(node, answer));
  }

  #promise(tag: ViewTag, to: NodeId): void {
    const { order, active, view } = this.#present;
    const { protocol } = this.#core.configuration;
    this.#at.send(to, {
      type: 'promise',
      attempt: tag,
      report: {
        view: view.tag,
        active,
        received: order.log.received,
        ranges: order.log.beyond(rangesMax),
        stable: order.stable,
        durable: order.durable,
        protocolMin: protocol.min,
        protocolMax: protocol.max,
        features: this.#core.features,
        memory: this.#standing.memory,
      },
    });
  }

  /** The attempt this node has promised to, not yet installed, if `tag` is its. */
  participationIn(tag: ViewTag): Participation | undefined {
    const { participation } = this;
    return participation !== undefined && !participation.isInstalled && sameTag(participation.tag, tag)
      ? participation
      : undefined;
  }

  installation(from: NodeId, frame: InstallationFrame): void {
    const present = this.#present;
    if (sameTag(frame.attempt, present.view.tag)) {
      this.#at.send(from, { type: 'installed', view: present.view.tag });
      return;
    }
    // Also after this node gave the attempt up: as long as it promised to nothing newer, it may still be carried out.
    if (!present.frozen || !sameTag(frame.attempt, this.#promised.tag) || from !== this.#promised.initiator) return;
    const group = frame.groups.find(({ view }) => sameTag(view, present.view.tag));
    if (group === undefined || !group.members.includes(this.#core.self) || present.order.log.received < group.cut)
      return;
    present.install(frame, group.cut, group.members);
    this.#at.send(from, { type: 'installed', view: present.view.tag });
  }

  /** The view of the attempt promised to is installed; its activation is awaited, also where the attempt was given up. */
  installed(tag: ViewTag): void {
    const { initiator } = this.#promised;
    const incarnation =
      initiator === this.#core.self ? this.#core.incarnation : (this.#peers.get(initiator)?.incarnation ?? 0);
    this.participation ??= this.#partIn(tag, initiator, incarnation);
    this.participation.isInstalled = true;
    this.participation.since = this.#core.now;
  }

  /** Asks again for what is missing; gives the attempt up when its initiator is gone or takes too long. */
  tend(): void {
    const { participation } = this;
    if (participation === undefined) return;
    participation.tick(this.#present.order);
    if (this.#leading.attempt !== undefined) return; // the initiator's own deadlines decide
    const initiator = this.#peers.get(participation.initiator);
    const isInitiatorGone =
      participation.initiator !== this.#core.self &&
      !this.#at.isHolding &&
      (initiator === undefined ||
        initiator.incarnation !== participation.initiatorIncarnation ||
        !this.#peers.isHeard(initiator));
    if (!isInitiatorGone && !participation.isOverdue) return;
    this.participation = undefined;
    this.#at.wantAnother();
  }
}

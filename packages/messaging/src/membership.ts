/**
 * The views this node goes through: when to want another one, leading or joining an attempt at it, installing and
 * activating it.
 *
 *     joining ──► promised ──► (recovering) ──► installed ──► operational ──► promised …
 *
 * A view is active only when all its members have installed it; nothing is ordered, and nobody is quorate, before. From
 * its promise on a node is frozen: there is no way back into the old view, because the promise may already be part of
 * an installation elsewhere. Attempts are numbered, and only a strictly greater number is promised to.
 *
 * Where the protocol's rules come from, and the pitfalls behind them: DESIGN.md.
 */
import { type Core, never } from './core.ts';
import { Damping } from './damping.ts';
import { Departures } from './departures.ts';
import { Evaluation } from './evaluation.ts';
import type { Frame, HeartbeatFrame, InstallationFrame, NodeState, ProposalFrame } from './frames.ts';
import { Leading } from './leading.ts';
import { entryBytesMax, numberMax, rangesMax, sequenceCeiling } from './limits.ts';
import type { Links } from './links.ts';
import { Objections } from './objections.ts';
import { Order } from './order.ts';
import { Origin } from './origin.ts';
import type { Outbox } from './outbox.ts';
import { Participation } from './participation.ts';
import type { Peer, Peers } from './peers.ts';
import { Sequencer } from './sequencer.ts';
import type { Standing } from './standing.ts';
import type { Departure, Member, NodeId, View, ViewTag } from './surface.ts';
import { noView, sameTag, tagOf } from './view-tag.ts';

interface Promised {
  readonly tag: ViewTag;
  readonly initiator: NodeId;
}

export class Membership {
  readonly #core: Core;
  readonly #peers: Peers;
  readonly #links: Links;
  readonly #outbox: Outbox;
  readonly #standing: Standing;
  readonly #damping: Damping;
  readonly #departures: Departures;
  readonly #evaluation: Evaluation;
  readonly #objections: Objections;
  /** Frames of this node to itself: an initiator takes part in its attempt like any other member. */
  readonly loopback: Frame[] = [];
  view: View;
  active = false;
  /** The application has been shown a view. */
  isVisible = false;
  /** The tag of the last view the application saw. */
  #shown: View | undefined;
  order: Order;
  sequencer: Sequencer | undefined;
  highestNumber: number;
  #promised: Promised;
  readonly leading: Leading;
  participation: Participation | undefined;
  /** Members seen in a newer view without us, and the heartbeat that said so. */
  readonly movedOn = new Map<NodeId, number>();
  isLeaving = false;
  needChange = false;
  /** Nobody is judged before then: after a pause of our own. */
  judgeFrom = never;
  hasBacklog = false;
  /** A tick from then on evaluates; heartbeats bring one often enough. */
  #evaluateAt: number;
  /** A tick is needed then, because somebody could have fallen silent. */
  #lookAt: number;
  #dirty = true;
  readonly #joinUntil: number;
  #joinExtended = 0;
  /** A heartbeat should leave at once. */
  wantHeartbeat = true;

  constructor(core: Core, peers: Peers, links: Links, outbox: Outbox, standing: Standing, highestNumber: number) {
    this.#core = core;
    this.#peers = peers;
    this.#links = links;
    this.#outbox = outbox;
    this.#standing = standing;
    this.#damping = new Damping(core);
    this.#departures = new Departures(peers, this.#damping);
    const me = { node: core.self, incarnation: core.incarnation };
    this.highestNumber = highestNumber + 1;
    const tag = tagOf(this.highestNumber, core.self, core.incarnation, [me]);
    this.#promised = { tag, initiator: core.self };
    this.view = {
      tag,
      members: [{ ...me, previous: noView, lineage: standing.memory.lineage }],
      protocol: core.configuration.protocol.max,
      features: core.features,
    };
    this.order = this.#newOrder();
    this.#evaluation = new Evaluation(core, peers, standing, this.#damping, this);
    this.leading = new Leading(core, peers, outbox, this.#evaluation, this.#departures, this);
    this.#objections = new Objections(core, peers, standing, this.#evaluation, this);
    this.#evaluateAt = core.now;
    this.#lookAt = core.now;
    this.#joinUntil = core.now + core.timing.joinMs;
  }

  /** Nodes known to leave, by the incarnation that leaves. */
  get leaving(): Map<NodeId, number> {
    return this.#departures.leaving;
  }

  /** Nodes that left cleanly since the last view. */
  get leftCleanly(): readonly NodeId[] {
    return this.#departures.leftCleanly;
  }

  get frozen(): boolean {
    return this.order.frozen;
  }

  get mode(): NodeState {
    if (this.order.frozen) return this.participation?.hasPlan === true ? 'recovering' : 'promised';
    if (!this.isVisible) return 'joining';
    return this.active ? 'operational' : 'installed';
  }

  /** The promise is the newest thing agreed to: heartbeats say so, and no longer confirm the old view. */
  get isPromised(): boolean {
    return this.order.frozen;
  }

  #newOrder(): Order {
    const sequencer = (this.view.members[0] as Member).node;
    const origin = new Origin(this.#core, this.#outbox, this.view.tag, sequencer);
    return new Order(this.#core, this.#outbox, this.view, origin, {
      departed: (rank) => {
        const { node, incarnation } = this.view.members[rank] as Member;
        this.#departures.ordered.set(node, incarnation);
        this.markLeaving(node, incarnation);
      },
      baseChangeReceived: (body, sequence) => {
        const { order } = this;
        const memory = this.#core.policy.changeReceived(body, this.#standing.newest, this.view);
        this.#standing.change(memory, () => order.baseChangeSaved(sequence));
      },
      baseChangeDelivered: (body, transitional) => {
        if (transitional) return; // not all have it: it stays pending, and the next view finds it in the reports
        this.#standing.rebase(this.#core.policy.changeDelivered(body, this.#standing.newest, this.view));
      },
    });
  }

  send(node: NodeId, frame: Frame): void {
    if (node === this.#core.self) this.loopback.push(frame);
    else this.#outbox.toNodeEverywhere(node, frame);
  }

  rankOf(node: NodeId): number {
    return this.view.members.findIndex((member) => member.node === node);
  }

  isMember(node: NodeId): boolean {
    return this.rankOf(node) >= 0;
  }

  /** Something that membership depends on has changed: evaluate in this step. */
  touch(): void {
    this.#dirty = true;
  }

  // ------------------------------------------------------------ what heartbeats and departures tell

  markLeaving(node: NodeId, incarnation: number): void {
    if (node === this.#core.self || this.leaving.get(node) === incarnation) return;
    this.leaving.set(node, incarnation);
    this.touch();
  }

  learnNumber(number: number): void {
    if (number > this.highestNumber && number <= numberMax) this.highestNumber = number;
  }

  /** A proven peer's heartbeat. */
  heartbeat(peer: Peer, frame: HeartbeatFrame): void {
    this.learnNumber(Math.max(frame.highestNumber, frame.view.number));
    for (const [node, until] of peer.cannotHear) if (frame.number > until) peer.cannotHear.delete(node);
    if (frame.leaving) this.markLeaving(peer.node, peer.incarnation);

    const rank = this.rankOf(peer.node);
    if (rank < 0) return;
    if (sameTag(frame.view, this.view.tag)) {
      if (frame.active && !this.active) this.activate();
      if (this.active && !this.frozen) {
        this.order.learn(frame.highest, frame.stable, frame.durable);
        this.sequencer?.receipt(rank, frame.received, frame.ownDurable);
      }
      return;
    }
    const same = this.view.members[rank]?.incarnation === peer.incarnation;
    if (
      same &&
      frame.view.number > this.view.tag.number &&
      !frame.members.includes(this.#core.self) &&
      !this.movedOn.has(peer.node)
    ) {
      this.movedOn.set(peer.node, frame.number);
      this.needChange = true;
      this.touch();
    }
  }

  // ------------------------------------------------------------ evaluation

  /** My own pause of `gap`: every deadline of mine moves, every hold starts again. */
  paused(gap: number): void {
    this.leading.attempt?.shift(gap);
    if (this.participation !== undefined) this.participation.since += gap;
    this.judgeFrom = this.#core.now + this.#core.timing.heartbeatMs;
    this.#evaluation.restart();
    this.touch();
  }

  tick(): void {
    this.leading.tend();
    this.#tendParticipation();
    this.#tendJoining();
    if (this.#dirty || this.#core.now >= this.#evaluateAt) this.#evaluate();
  }

  #tendJoining(): void {
    if (this.isVisible || this.frozen || this.participation !== undefined || this.#core.now < this.#joinUntil) return;
    const isAlone = !this.#peers.all.some((peer) => this.#peers.isHeard(peer) && this.#evaluation.mayMerge(peer));
    if (!isAlone && this.#core.now < this.#joinUntil + 4 * this.#core.timing.joinMs) {
      this.#joinExtended = this.#core.now + 20;
      return;
    }
    this.#show([]);
    this.activate();
  }

  /** The attempt of this tag, led by this node, is over without a view. */
  gaveUp(tag: ViewTag): void {
    if (this.participation !== undefined && sameTag(this.participation.tag, tag)) this.participation = undefined;
    this.needChange = true;
    this.touch();
  }

  #tendParticipation(): void {
    const { participation } = this;
    if (participation === undefined) return;
    participation.tick(this.order);
    if (this.leading.attempt !== undefined) return; // the initiator's own deadlines decide
    const initiator = this.#peers.get(participation.initiator);
    const isInitiatorGone =
      participation.initiator !== this.#core.self &&
      !this.isHolding &&
      (initiator === undefined ||
        initiator.incarnation !== participation.initiatorIncarnation ||
        !this.#peers.isHeard(initiator));
    if (!isInitiatorGone && !participation.isOverdue) return;
    this.participation = undefined;
    this.needChange = true;
    this.touch();
  }

  /** After a pause of its own this node judges nobody until it has read its mail. */
  get isHolding(): boolean {
    return this.hasBacklog || this.#core.now < this.judgeFrom;
  }

  #evaluate(): void {
    this.#dirty = false;
    this.#lookAgain(this.#core.now + this.#core.timing.heartbeatMs);
    if (this.leading.attempt !== undefined || this.participation !== undefined || this.isLeaving) return;
    if (this.isHolding) return this.#lookAgain(Math.max(this.judgeFrom, this.#core.now + 10));
    if (this.#core.now < this.leading.backoffUntil) return this.#lookAgain(this.leading.backoffUntil);
    this.#considerLaggards();
    if (this.order.log.received >= sequenceCeiling) this.needChange = true;

    const wish = this.#evaluation.wish();
    if (wish.type === 'initiate') this.leading.initiate(wish.nodes, this.#promised.tag.number);
    else this.#lookAgain(wish.lookAgainAt);
  }

  #lookAgain(at: number): void {
    this.#lookAt = at;
    this.#evaluateAt = Math.min(at, this.#core.now + this.#core.timing.heartbeatMs);
  }

  #considerLaggards(): void {
    if (this.sequencer === undefined || this.frozen || !this.active) return;
    for (const node of this.sequencer.laggards()) {
      this.#damping.evict(node);
    }
  }

  // ------------------------------------------------------------ participant

  proposal(from: NodeId, fromIncarnation: number, frame: ProposalFrame): void {
    const { attempt: tag, members } = frame;
    const { self, incarnation } = this.#core;
    if (this.isLeaving || !sameTag(tagOf(tag.number, from, fromIncarnation, members), tag)) return;
    if (!members.some((member) => member.node === self && member.incarnation === incarnation)) {
      if (this.isMember(from) && tag.number > this.view.tag.number && !this.movedOn.has(from)) {
        this.movedOn.set(from, this.#peers.get(from)?.heartbeat?.number ?? 0);
        this.touch();
      }
      return;
    }
    if (sameTag(tag, this.#promised.tag) && from === this.#promised.initiator) {
      if (this.participation !== undefined && !this.participation.hasPlan && !this.participation.isInstalled)
        this.#promise(tag, from);
      return;
    }
    const refusal = this.#objections.to(from, frame, this.#promised.tag.number);
    if (refusal !== undefined) {
      this.send(from, { type: 'refusal', attempt: tag, highestNumber: this.highestNumber, ...refusal });
      return;
    }
    if (this.leading.attempt !== undefined && !sameTag(this.leading.attempt.tag, tag)) {
      this.#core.counters.add('attemptsAbandoned');
      this.leading.attempt = undefined;
    }
    this.#core.counters.add('proposalsAccepted');
    this.#promised = { tag, initiator: from };
    this.highestNumber = Math.max(this.highestNumber, tag.number);
    this.participation = new Participation(this.#core, tag, from, fromIncarnation, (node, answer) =>
      this.send(node, answer),
    );
    this.order.frozen = true;
    this.#standing.freeze();
    this.#promise(tag, from);
  }

  #promise(tag: ViewTag, to: NodeId): void {
    const { order, active } = this;
    const { protocol } = this.#core.configuration;
    this.send(to, {
      type: 'promise',
      attempt: tag,
      report: {
        view: this.view.tag,
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
    if (sameTag(frame.attempt, this.view.tag)) {
      this.send(from, { type: 'installed', view: this.view.tag });
      return;
    }
    // Also after this node gave the attempt up: as long as it promised to nothing newer, it may still be carried out.
    if (!this.frozen || !sameTag(frame.attempt, this.#promised.tag) || from !== this.#promised.initiator) return;
    const group = frame.groups.find(({ view }) => sameTag(view, this.view.tag));
    if (group === undefined || !group.members.includes(this.#core.self) || this.order.log.received < group.cut) return;
    this.#install(frame, group.cut, group.members);
    this.send(from, { type: 'installed', view: this.view.tag });
  }

  #install(frame: InstallationFrame, cut: number, survivors: readonly NodeId[]): void {
    const { order: oldOrder, view: old } = this;
    if (!this.active && cut > 0) this.#activateLate(); // its activation was lost, but ordered entries prove it
    if (this.isVisible)
      oldOrder.end(
        cut,
        survivors.toSorted((a, b) => a - b),
      );

    const members = frame.members.map((identity, index): Member => ({
      ...identity,
      previous: frame.groups.find((group) => group.members.includes(identity.node))?.view ?? noView,
      lineage: frame.memories[index]?.lineage ?? 0,
    }));
    const departed = this.#departures.between(old, members, frame.left);
    this.view = { tag: frame.attempt, members, protocol: frame.protocol, features: frame.features };
    this.#reports = frame.members.map(({ node }, index) => ({
      node,
      memory: frame.memories[index] as InstallationFrame['memories'][number],
    }));
    this.active = false;
    this.sequencer = undefined;
    this.order = this.#newOrder();
    this.needChange = false;
    this.movedOn.clear();
    for (const [node, incarnation] of this.leaving) {
      if (!members.some((member) => member.node === node && member.incarnation === incarnation)) continue;
      this.touch(); // it announced its leave while the view was made: the next one goes without it
    }
    if (this.participation === undefined) {
      const initiator = this.#promised.initiator;
      const incarnation =
        initiator === this.#core.self ? this.#core.incarnation : (this.#peers.get(initiator)?.incarnation ?? 0);
      this.participation = new Participation(this.#core, frame.attempt, initiator, incarnation, (node, answer) =>
        this.send(node, answer),
      );
    }
    this.participation.isInstalled = true;
    this.participation.since = this.#core.now;
    this.#standing.installed();
    this.#outbox.setMembers(members.map(({ node }) => node));
    this.#core.counters.add('viewsInstalled');
    this.#show(departed);
    this.wantHeartbeat = true;
  }

  #reports: readonly { node: NodeId; memory: InstallationFrame['memories'][number] }[] = [];

  #show(departed: readonly Departure[]): void {
    const before = this.#shown;
    const isKnown = ({ node, incarnation }: Member): boolean =>
      before?.members.some((member) => member.node === node && member.incarnation === incarnation) === true;
    const joined = this.view.members.filter((member) => !isKnown(member)).map(({ node }) => node);
    this.isVisible = true;
    this.#shown = this.view;
    this.#core.emit({ type: 'view', view: this.view, previous: before?.tag ?? noView, joined, departed });
  }

  readmit(node: NodeId): void {
    this.#damping.readmit(node);
    this.touch();
  }

  /** The node list may have changed: masks of before mean nothing now, and members no longer listed must go. */
  reconfigured(): void {
    this.#evaluation.restart();
    if (this.view.members.some(({ node }) => this.#core.indexOf(node) === undefined)) this.needChange = true;
    this.touch();
  }

  heldOutMs(node: NodeId): number {
    return this.#damping.heldOutMs(node);
  }

  // ------------------------------------------------------------ activation

  activation(tag: ViewTag): void {
    if (sameTag(tag, this.view.tag) && !this.active && !this.frozen) this.activate();
  }

  /** All members have installed the view, as somebody's word or deed proves. */
  activate(): void {
    if (this.active || this.frozen) return;
    this.participation = undefined;
    this.#begin();
    const reports =
      this.#reports.length > 0 ? this.#reports : [{ node: this.#core.self, memory: this.#standing.memory }];
    this.#standing.activated(this.view, reports);
    this.wantHeartbeat = true;
    this.touch();
  }

  #activateLate(): void {
    this.#begin();
    this.order.frozen = true;
  }

  #begin(): void {
    this.active = true;
    this.order.active = true;
    this.needChange = false;
    this.#damping.evictionsDone();
    if (this.order.isSequencer) {
      this.sequencer = new Sequencer(this.#core, this.#outbox, this.order, (nodes) => this.#standing.isQuorum(nodes));
    }
    this.#core.counters.add('viewsActivated');
    this.#core.emit({ type: 'viewActive', view: this.view.tag });
  }

  nextDeadline(): number {
    let next = this.#dirty ? this.#core.now : this.#lookAt;
    if (this.leading.attempt !== undefined) next = Math.min(next, this.leading.attempt.nextDeadline());
    if (this.participation !== undefined)
      next = Math.min(next, this.participation.nextDeadline(this.leading.attempt === undefined));
    if (!this.isVisible && !this.frozen && this.participation === undefined)
      next = Math.min(next, Math.max(this.#joinUntil, this.#joinExtended));
    return Math.max(next, this.#core.now);
  }

  /** Bytes of a fragment in this view. */
  get fragmentBytes(): number {
    return Math.min(entryBytesMax, this.#links.budget() - 40);
  }
}

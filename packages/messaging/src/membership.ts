/**
 * The views this node goes through: when to want another one, and what each part does for it.
 *
 *     joining ──► promised ──► (recovering) ──► installed ──► operational ──► promised …
 *
 *     evaluation.ts    whom to be with            present-view.ts    the view: installed, shown, activated
 *     leading.ts       leading an attempt         promising.ts       promising to one, and carrying it out
 *
 * Where the protocol's rules come from, and the pitfalls behind them: DESIGN.md.
 */
import { type Core, never } from './core.ts';
import { Damping } from './damping.ts';
import { Departures } from './departures.ts';
import { Evaluation } from './evaluation.ts';
import type { Frame, HeartbeatFrame, InstallationFrame, NodeState, ProposalFrame } from './frames.ts';
import { Leading } from './leading.ts';
import { numberMax, sequenceCeiling } from './limits.ts';
import type { Links } from './links.ts';
import { Objections } from './objections.ts';
import type { Order } from './order.ts';
import type { Outbox } from './outbox.ts';
import type { Participation } from './participation.ts';
import type { Peer, Peers } from './peers.ts';
import { PresentView } from './present-view.ts';
import { Promising } from './promising.ts';
import type { Sequencer } from './sequencer.ts';
import type { Standing } from './standing.ts';
import type { NodeId, View, ViewTag } from './surface.ts';
import { sameTag } from './view-tag.ts';

export class Membership {
  readonly #core: Core;
  readonly #peers: Peers;
  readonly #outbox: Outbox;
  readonly #damping: Damping;
  readonly #departures: Departures;
  readonly #evaluation: Evaluation;
  readonly #present: PresentView;
  readonly #promising: Promising;
  /** Frames of this node to itself: an initiator takes part in its attempt like any other member. */
  readonly loopback: Frame[] = [];
  highestNumber: number;
  readonly leading: Leading;
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
    this.#outbox = outbox;
    this.#damping = new Damping(core);
    this.#departures = new Departures(peers, this.#damping);
    this.highestNumber = highestNumber + 1;
    this.#present = new PresentView(
      core,
      links,
      outbox,
      standing,
      this.#damping,
      this.#departures,
      this.highestNumber,
      {
        departed: (node, incarnation) => this.markLeaving(node, incarnation),
        installed: (view) => this.#installed(view),
        begun: () => (this.needChange = false),
      },
    );
    this.#evaluation = new Evaluation(core, peers, standing, this.#damping, this);
    this.leading = new Leading(core, peers, outbox, this.#evaluation, this.#departures, this);
    const objections = new Objections(core, peers, standing, this.#evaluation, this);
    this.#promising = new Promising(core, peers, standing, this.#present, this.leading, objections, this);
    this.#evaluateAt = core.now;
    this.#lookAt = core.now;
    this.#joinUntil = core.now + core.timing.joinMs;
  }

  get view(): View {
    return this.#present.view;
  }

  get active(): boolean {
    return this.#present.active;
  }

  /** The application has been shown a view. */
  get isVisible(): boolean {
    return this.#present.isVisible;
  }

  get order(): Order {
    return this.#present.order;
  }

  get sequencer(): Sequencer | undefined {
    return this.#present.sequencer;
  }

  get participation(): Participation | undefined {
    return this.#promising.participation;
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

  send(node: NodeId, frame: Frame): void {
    if (node === this.#core.self) this.loopback.push(frame);
    else this.#outbox.toNodeEverywhere(node, frame);
  }

  rankOf(node: NodeId): number {
    return this.#present.rankOf(node);
  }

  isMember(node: NodeId): boolean {
    return this.#present.isMember(node);
  }

  /** Bytes of a fragment in this view. */
  get fragmentBytes(): number {
    return this.#present.fragmentBytes;
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
    this.#promising.tend();
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
    this.#present.show([]);
    this.activate();
  }

  /** The attempt of this tag, led by this node, is over without a view. */
  gaveUp(tag: ViewTag): void {
    const { participation } = this;
    if (participation !== undefined && sameTag(participation.tag, tag)) this.#promising.participation = undefined;
    this.wantAnother();
  }

  /** An attempt is over without a view: its promises bind, so there must be another. */
  wantAnother(): void {
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
    if (wish.type === 'initiate') this.leading.initiate(wish.nodes, this.#promising.number);
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

  // ------------------------------------------------------------ from view to view

  proposal(from: NodeId, fromIncarnation: number, frame: ProposalFrame): void {
    this.#promising.proposal(from, fromIncarnation, frame);
  }

  /** The attempt this node has promised to, not yet installed, if `tag` is its. */
  participationIn(tag: ViewTag): Participation | undefined {
    return this.#promising.participationIn(tag);
  }

  installation(from: NodeId, frame: InstallationFrame): void {
    this.#promising.installation(from, frame);
  }

  #installed({ tag, members }: View): void {
    this.needChange = false;
    this.movedOn.clear();
    for (const [node, incarnation] of this.leaving) {
      if (!members.some((member) => member.node === node && member.incarnation === incarnation)) continue;
      this.touch(); // it announced its leave while the view was made: the next one goes without it
    }
    this.#promising.installed(tag);
    this.wantHeartbeat = true;
  }

  activation(tag: ViewTag): void {
    if (sameTag(tag, this.view.tag) && !this.active && !this.frozen) this.activate();
  }

  /** All members have installed the view, as somebody's word or deed proves. */
  activate(): void {
    if (this.active || this.frozen) return;
    this.#promising.participation = undefined;
    this.#present.activate();
    this.wantHeartbeat = true;
    this.touch();
  }

  // ------------------------------------------------------------ the operator's word, and time

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

  nextDeadline(): number {
    let next = this.#dirty ? this.#core.now : this.#lookAt;
    if (this.leading.attempt !== undefined) next = Math.min(next, this.leading.attempt.nextDeadline());
    if (this.participation !== undefined)
      next = Math.min(next, this.participation.nextDeadline(this.leading.attempt === undefined));
    if (!this.isVisible && !this.frozen && this.participation === undefined)
      next = Math.min(next, Math.max(this.#joinUntil, this.#joinExtended));
    return Math.max(next, this.#core.now);
  }
}

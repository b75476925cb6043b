/**
 * Whether this node may act: the decision for the view, and the lease under it.
 *
 * The decision is the policy's, made once all members have the view, from the memories that its installation carried.
 * The lease is ours: a node is quorate only while members with enough votes have, within T_lease, echoed a heartbeat of
 * it from inside this very view, active and not promised to another. A member that promises elsewhere stops echoing so;
 * hence the old side is `uncertain` at the latest T_lease after that promise, on its own clock, and the new side knows
 * from when on it is alone: `exclusiveAfterMs`.
 *
 * What the decision asks to be remembered is on disk before `held` is said.
 */
import { type Core, forever, never } from './core.ts';
import type { Peers } from './peers.ts';
import type { Decision, QuorumMemory, QuorumReport } from './quorum-port.ts';
import type { EngineInput, QuorumState, View, ViewTag } from './surface.ts';
import { noView, sameTag } from './view-tag.ts';

/** Clocks may differ by a percent, and a margin for the steps in between. */
const exclusiveAfter = (leaseMs: number): number => Math.ceil(1.01 * leaseMs) + 50;

/**
 * A new view that may act only with the device's vote waits so long for it before it counts as lost: an arbiter hears of
 * the view at once, waits 1.5 s at most for voters that it has not heard, and says no as long as the last reports of those
 * who are gone speak for the view before. (Simulator, seed 30006: services were stopped at each failover of two nodes and
 * an arbiter, and started again.)
 */
export const deviceWaitMs = 2000;

export class Standing {
  readonly #core: Core;
  readonly #peers: Peers;
  readonly #save: (memory: QuorumMemory, done: () => void) => void;
  /** What is on disk. */
  memory: QuorumMemory;
  /** What is on its way to disk; the newest change builds on it. */
  #wanted: QuorumMemory;
  #reports: readonly QuorumReport[] = [];
  #view: View | undefined;
  #activeSince = never;
  decision: Decision | undefined;
  /** What `held` waits for to be on disk; everything saved after it contains it. */
  #awaited: QuorumMemory | undefined;
  #frozen = false;
  #state: QuorumState;
  #deviceUntil = never;
  #deviceView: ViewTag = noView;
  #deviceExclusiveMs = 0;
  #decidedWithDevice = false;
  /** The device's vote would be enough. */
  #mayBeGranted = false;
  #leaseEnds = forever;
  #isStale = true;

  constructor(core: Core, peers: Peers, memory: QuorumMemory, save: (memory: QuorumMemory, done: () => void) => void) {
    this.#core = core;
    this.#peers = peers;
    this.#save = save;
    this.memory = memory;
    this.#wanted = memory;
    this.#state = { state: 'lost', view: noView, since: core.now as QuorumState['since'], reason: 'no view is active' };
  }

  get state(): QuorumState {
    return this.#state;
  }

  get reports(): readonly QuorumReport[] {
    return this.#reports;
  }

  get activeSince(): number {
    return this.#activeSince;
  }

  get isHeld(): boolean {
    return this.#state.state === 'held';
  }

  /** The view may act by its votes; lease and disk apart. */
  get isViewQuorate(): boolean {
    return this.#view !== undefined && !this.#frozen && this.decision?.ok === true;
  }

  deviceLeaseMs(): number {
    if (this.#view === undefined || !sameTag(this.#deviceView, this.#view.tag)) return 0;
    return Math.max(0, this.#deviceUntil - this.#core.now);
  }

  get #deviceGranted(): boolean {
    return this.deviceLeaseMs() > 0;
  }

  /** Whether nodes (ascending) hold a quorum of the base: for durable entries. */
  isQuorum(nodes: readonly number[]): boolean {
    return this.#core.policy.enough(nodes, this.memory, this.#deviceGranted, this.decision);
  }

  /** Whether nodes (ascending) would, for all this node knows: for choosing whom to merge with. */
  wouldBeQuorum(nodes: readonly number[]): boolean {
    return this.#core.policy.enough(nodes, this.memory, false, undefined);
  }

  /** This node promised, or installed a view that is not active: nothing is certain. */
  freeze(): void {
    this.#frozen = true;
    this.evaluate();
  }

  /** A new view: what members confirmed of the one before counts no more. */
  installed(): void {
    for (const peer of this.#peers.all) peer.confirmedAt = never;
  }

  activated(view: View, reports: readonly QuorumReport[]): void {
    this.#view = view;
    this.#reports = reports;
    this.#activeSince = this.#core.now;
    this.#frozen = false;
    this.#decide();
  }

  #decide(): void {
    if (this.#view === undefined) return;
    this.#decidedWithDevice = this.#deviceGranted;
    const input = { view: this.#view, self: this.#core.self, reports: this.#reports, memory: this.#wanted };
    const decision = this.#core.policy.decide({ ...input, deviceGranted: this.#deviceGranted });
    this.decision = decision;
    this.#mayBeGranted = !decision.ok && this.#core.policy.decide({ ...input, deviceGranted: true }).ok;
    this.#remember(decision.memory);
    this.evaluate();
  }

  /** Saves what the decision asks to remember, if it is new; `held` waits until it is on disk. */
  #remember(memory: QuorumMemory): void {
    const text = JSON.stringify(memory);
    this.#awaited = undefined;
    if (text === JSON.stringify(this.memory)) return;
    if (text !== JSON.stringify(this.#wanted)) this.change(memory, () => undefined);
    this.#awaited = this.#wanted;
  }

  /** Makes `memory` this node's, on disk; then calls `done`. Later changes build on it, and are saved after it. */
  change(memory: QuorumMemory, done: () => void): void {
    this.#wanted = memory;
    this.#save(memory, () => {
      this.memory = memory;
      if (this.#awaited === memory) this.#awaited = undefined;
      done();
      this.evaluate();
    });
  }

  /** What the next change should build on. */
  get newest(): QuorumMemory {
    return this.#wanted;
  }

  /** The operator's word, or a base that moved on: decided again with it in place of what this node reported. */
  redecide(memory: QuorumMemory): void {
    this.change(memory, () => {
      this.#reports = this.#reports.map((report) => (report.node === this.#core.self ? { ...report, memory } : report));
      if (!this.#frozen) this.#decide();
    });
  }

  /** The base moved on by an ordered change: every member replaces it at the same place of the order. */
  rebase(memory: QuorumMemory): void {
    this.change(memory, () => undefined);
    this.#reports = this.#reports.map((report) => {
      const { pending: _settled, ...kept } = report.memory;
      const pending = memory.pending === undefined ? {} : { pending: memory.pending };
      return { node: report.node, memory: { ...kept, base: memory.base, ...pending } };
    });
    if (!this.#frozen) this.#decide();
  }

  deviceVerdict(input: Extract<EngineInput, { type: 'deviceVerdict' }>): void {
    if (input.vote === 'grant') this.deviceGrant(input.view, input.leaseUntil, input.exclusiveAfterMs);
    else if (input.vote === 'deny' && sameTag(input.view, this.#deviceView)) {
      this.#deviceUntil = never;
      this.#decide();
    }
  }

  /**
   * A member tells of its grant, but not how long those who had the vote before may still believe in it: never longer than
   * the lease that it has now, since the device waits for their silence before it gives the vote to others.
   */
  deviceGrantPassedOn(view: ViewTag, until: number): void {
    const left = this.#deviceGranted ? 0 : exclusiveAfter(Math.max(0, until - this.#core.now));
    this.deviceGrant(view, until, left);
  }

  /** A grant for the present view, from the device or passed on by a member. */
  deviceGrant(view: ViewTag, until: number, exclusiveAfterMs: number): void {
    if (this.#view === undefined || !sameTag(view, this.#view.tag) || until <= this.#core.now) return;
    const before = this.#deviceGranted;
    if (!sameTag(view, this.#deviceView)) this.#deviceExclusiveMs = 0;
    this.#deviceUntil = sameTag(view, this.#deviceView) ? Math.max(this.#deviceUntil, until) : until;
    this.#deviceView = view;
    this.#deviceExclusiveMs = Math.max(this.#deviceExclusiveMs, exclusiveAfterMs);
    if (!before) this.#decide();
  }

  /** The nodes whose confirmation is younger than the lease, ascending; notes when the next of them runs out. */
  #leaseNodes(view: View): number[] {
    const nodes: number[] = [];
    this.#leaseEnds = forever;
    for (const { node } of view.members) {
      const at = node === this.#core.self ? forever : (this.#peers.get(node)?.confirmedAt ?? never);
      if (this.#core.now - at > this.#core.timing.leaseMs) continue;
      nodes.push(node);
      if (at !== forever) this.#leaseEnds = Math.min(this.#leaseEnds, at + this.#core.timing.leaseMs + 1);
    }
    if (this.#deviceGranted) this.#leaseEnds = Math.min(this.#leaseEnds, this.#deviceUntil);
    return nodes.toSorted((a, b) => a - b);
  }

  /** A member has confirmed. What is held by older words is looked at again when they run out. */
  confirmed(): void {
    if (!this.isHeld) this.#isStale = true;
  }

  /** Brings the state up to now, if anything can have changed since the last time. */
  review(): void {
    if (this.#isStale || this.#core.now >= this.#leaseEnds) this.evaluate();
  }

  /** Brings the state up to now. */
  evaluate(): void {
    const view = this.#view;
    this.#isStale = false;
    if (view === undefined) return;
    const decision = this.decision;
    if (this.#frozen) {
      this.#leaseEnds = forever;
      const state = this.#state.state === 'lost' ? 'lost' : 'uncertain';
      return this.#become(state, view, 'the membership is changing');
    }
    if (decision === undefined) return;
    if (this.#decidedWithDevice !== this.#deviceGranted) return this.#decide();
    if (!decision.ok) {
      this.#leaseEnds = this.#deviceGranted ? this.#deviceUntil : forever;
      const waitsUntil = this.#activeSince + deviceWaitMs;
      if (this.#mayBeGranted && this.#core.now < waitsUntil) {
        this.#leaseEnds = Math.min(this.#leaseEnds, waitsUntil);
        return this.#become('uncertain', view, `${decision.reason}; waiting for the device`);
      }
      return this.#become('lost', view, decision.reason);
    }
    const nodes = this.#leaseNodes(view);
    if (!this.#core.policy.enough(nodes, this.memory, this.#deviceGranted, decision)) {
      return this.#become('uncertain', view, `${decision.reason}; waiting for the members' confirmation`);
    }
    if (this.#awaited !== undefined) return this.#become('uncertain', view, `${decision.reason}; waiting for the disk`);
    this.#become('held', view, decision.reason);
  }

  #become(state: QuorumState['state'], view: View, reason: string): void {
    const before = this.#state;
    if (before.state === state && sameTag(before.view, view.tag) && before.reason === reason) return;
    const isNews = before.state !== state || !sameTag(before.view, view.tag) || state === 'lost';
    const exclusive = this.decision?.exclusive === true && state === 'held';
    const lease = exclusiveAfter(this.#core.timing.leaseMs);
    this.#state = {
      state,
      view: view.tag,
      since: (before.state === state ? before.since : this.#core.now) as QuorumState['since'],
      ...(exclusive ? { exclusiveAfterMs: Math.max(lease, this.#deviceExclusiveMs) } : {}),
      reason,
      ...(this.decision === undefined || this.#frozen ? {} : { decision: this.decision }),
    };
    if (isNews) this.#core.emit({ type: 'quorum', state: this.#state });
  }

  nextDeadline(): number {
    return this.#leaseEnds;
  }
}

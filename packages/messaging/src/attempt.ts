/**
 * One numbered attempt at a new view, as its initiator leads it.
 *
 *     proposing ──all promised──► recovering ──all recovered──► installing ──all installed──► done (activation)
 *                     └──── nobody lacks anything ────────────────▲
 *
 * Everything that belongs to the attempt lives here and dies with it: an attempt that fails leaves no trace but the
 * promises, which a later attempt with a higher number collects again.
 */
import type { Core } from './core.ts';
import type { Frame, Group, Holder, Identity, Report } from './frames.ts';
import type { NodeId, ViewTag } from './surface.ts';
import { sameTag } from './view-tag.ts';

export type Phase = 'proposing' | 'recovering' | 'installing' | 'done';

/** How far the order of a view can be completed from what these holders have: every sequence up to it is held by one. */
export function cutOf(holders: readonly Holder[]): number {
  let cut = holders.reduce((most, { received }) => Math.max(most, received), 0);
  const ranges = holders.flatMap((holder) => holder.ranges).toSorted((a, b) => a.from - b.from);
  for (const { from, to } of ranges) {
    if (from > cut + 1) break;
    if (to > cut) cut = to;
  }
  return cut;
}

export const holds = ({ received, ranges }: Holder, sequence: number): boolean =>
  sequence <= received || ranges.some(({ from, to }) => from <= sequence && sequence <= to);

interface PlannedGroup extends Group {
  readonly holders: readonly Holder[];
}

export class Attempt {
  readonly #core: Core;
  readonly #send: (node: NodeId, frame: Frame) => void;
  readonly tag: ViewTag;
  readonly members: readonly Identity[];
  readonly startedAt: number;
  readonly #leavers: () => readonly Identity[];
  /** Who has told that it leaves, as this attempt tells it: settled once, because each member must be told the same. */
  #left: readonly Identity[] = [];
  phase: Phase = 'proposing';
  #phaseSince: number;
  #retryAt: number;
  readonly #promises = new Map<NodeId, Report>();
  #done = new Set<NodeId>();
  #groups: readonly PlannedGroup[] = [];

  constructor(
    core: Core,
    tag: ViewTag,
    members: readonly Identity[],
    leavers: () => readonly Identity[],
    send: (node: NodeId, frame: Frame) => void,
  ) {
    this.#core = core;
    this.#send = send;
    this.tag = tag;
    this.members = members;
    this.#leavers = leavers;
    this.startedAt = core.now;
    this.#phaseSince = core.now;
    this.#retryAt = core.now;
    this.#repeat();
  }

  /** My own pause is not held against anybody. */
  shift(gap: number): void {
    this.#phaseSince += gap;
  }

  /** Members that have not answered in this phase. */
  owed(): Identity[] {
    return this.members.filter(({ node }) =>
      this.phase === 'proposing' ? !this.#promises.has(node) : !this.#done.has(node),
    );
  }

  get isOverdue(): boolean {
    return this.#core.now - this.#phaseSince >= this.#core.timing.phaseMs;
  }

  promised(node: NodeId, report: Report): void {
    if (this.phase !== 'proposing' || !this.#isMember(node)) return;
    this.#promises.set(node, report);
    if (this.#promises.size < this.members.length) return;
    this.#groups = this.#plan();
    const lacking = this.#groups.flatMap(({ cut, holders }) => holders.filter(({ received }) => received < cut));
    this.#enter(lacking.length > 0 ? 'recovering' : 'installing');
    if (lacking.length > 0) {
      const lackingNodes = new Set(lacking.map((holder) => holder.node));
      for (const member of this.members) if (!lackingNodes.has(member.node)) this.#done.add(member.node);
    }
    this.#repeat();
  }

  recovered(node: NodeId): void {
    if (this.phase !== 'recovering' || !this.#isMember(node)) return;
    this.#done.add(node);
    if (this.#done.size < this.members.length) return;
    this.#enter('installing');
    this.#repeat();
  }

  installed(node: NodeId): void {
    if (this.phase !== 'installing' || !this.#isMember(node)) return;
    this.#done.add(node);
    if (this.#done.size === this.members.length) this.phase = 'done';
  }

  #isMember(node: NodeId): boolean {
    return this.members.some((member) => member.node === node);
  }

  #enter(phase: Phase): void {
    this.phase = phase;
    if (phase === 'installing') this.#left = this.#leavers();
    this.#done = new Set();
    this.#phaseSince = this.#core.now;
  }

  /** Members by the view they come from, with the cut of each. */
  #plan(): PlannedGroup[] {
    const groups: { view: ViewTag; holders: Holder[] }[] = [];
    for (const { node } of this.members) {
      const report = this.#promises.get(node) as Report;
      const group = groups.find(({ view }) => sameTag(view, report.view));
      const holder = { node, received: report.received, ranges: report.ranges };
      if (group === undefined) groups.push({ view: report.view, holders: [holder] });
      else group.holders.push(holder);
    }
    return groups.map(({ view, holders }) => ({
      view,
      members: holders.map(({ node }) => node),
      cut: cutOf(holders),
      holders,
    }));
  }

  #frame(): Frame {
    const { tag: attempt, members } = this;
    if (this.phase === 'proposing') return { type: 'proposal', attempt, members };
    if (this.phase === 'recovering') {
      const groups = this.#groups.filter(({ cut, holders }) => holders.some(({ received }) => received < cut));
      return { type: 'recoveryPlan', attempt, groups };
    }
    const reports = members.map(({ node }) => this.#promises.get(node) as Report);
    return {
      type: 'installation',
      attempt,
      members,
      groups: this.#groups.map(({ view, members: nodes, cut }) => ({ view, members: nodes, cut })),
      protocol: Math.min(...reports.map(({ protocolMax }) => protocolMax)),
      features: reports.reduce((common, { features }) => (common & features) >>> 0, 0xffffffff),
      memories: reports.map(({ memory }) => memory),
      left: this.#left,
    };
  }

  /** Whether all members can speak one protocol; known once all have promised. */
  get hasCommonProtocol(): boolean {
    const reports = [...this.#promises.values()];
    const highestMin = Math.max(...reports.map(({ protocolMin }) => protocolMin));
    return highestMin <= Math.min(...reports.map(({ protocolMax }) => protocolMax));
  }

  #repeat(): void {
    if (this.phase === 'done') return;
    const frame = this.#frame();
    for (const { node } of this.owed()) this.#send(node, frame);
    this.#retryAt = this.#core.now + this.#core.timing.attemptRetryMs;
  }

  /** Repeats to whoever has not answered. */
  tick(): void {
    if (this.#core.now >= this.#retryAt) this.#repeat();
  }

  nextDeadline(): number {
    return Math.min(this.#retryAt, this.#phaseSince + this.#core.timing.phaseMs);
  }
}

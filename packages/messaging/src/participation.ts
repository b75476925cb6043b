/**
 * A node's part in an attempt it has promised to: frozen, it fetches what it lacks up to the cut and waits for the
 * installation. Like the attempt, all of it lives here and dies with it.
 */
import { holds } from './attempt.ts';
import { type Core, forever } from './core.ts';
import type { Frame, Holder, OrderedFrame, Range, RecoveryPlanFrame } from './frames.ts';
import { rangesMax } from './limits.ts';
import type { Order } from './order.ts';
import type { NodeId, ViewTag } from './surface.ts';
import { sameTag } from './view-tag.ts';

const recoverRetryMs = 10;
/** Entries asked for at once: the answer to one request. */
const requestEntries = 128;

export class Participation {
  readonly #core: Core;
  readonly #send: (node: NodeId, frame: Frame) => void;
  readonly tag: ViewTag;
  readonly initiator: NodeId;
  readonly initiatorIncarnation: number;
  since: number;
  /** The new view is installed; its activation is awaited. */
  isInstalled = false;
  #plan: { readonly cut: number; readonly holders: readonly Holder[] } | undefined;
  #askAt = forever;
  #asks = 0;
  #askedFor = 0;

  constructor(
    core: Core,
    tag: ViewTag,
    initiator: NodeId,
    initiatorIncarnation: number,
    send: (node: NodeId, frame: Frame) => void,
  ) {
    this.#core = core;
    this.#send = send;
    this.tag = tag;
    this.initiator = initiator;
    this.initiatorIncarnation = initiatorIncarnation;
    this.since = core.now;
  }

  get hasPlan(): boolean {
    return this.#plan !== undefined;
  }

  get cut(): number {
    return this.#plan?.cut ?? -1;
  }

  /** The plan, first or repeated: answers `recovered` when there is nothing left to fetch. */
  plan(frame: RecoveryPlanFrame, order: Order): void {
    const group = frame.groups.find(({ view }) => sameTag(view, order.view.tag));
    const cut = group?.cut ?? 0;
    if (this.#plan === undefined) {
      this.#plan = { cut, holders: (group?.holders ?? []).filter(({ node }) => node !== this.#core.self) };
      this.#askAt = this.#core.now;
    }
    this.check(order);
  }

  /** An entry of the old view came in answer. */
  recovering(frame: OrderedFrame, order: Order): void {
    if (this.#plan === undefined) return;
    order.recover(frame, this.#plan.cut);
    if (order.log.received >= this.#askedFor) this.#askAt = this.#core.now; // all that was asked for: ask on
    this.check(order);
  }

  check(order: Order): void {
    if (this.#plan === undefined) return;
    if (order.log.received >= this.#plan.cut) {
      this.#askAt = forever;
      this.#send(this.initiator, { type: 'recovered', attempt: this.tag });
      return;
    }
    this.tick(order);
  }

  /** Asks a holder for what is missing; another one with each repetition. */
  tick(order: Order): void {
    if (this.#plan === undefined || this.#core.now < this.#askAt) return;
    const { cut, holders } = this.#plan;
    const first = order.log.received + 1;
    const able = holders.filter((holder) => holds(holder, first));
    this.#askAt = this.#core.now + recoverRetryMs;
    if (able.length === 0) return;
    const holder = able[(this.#asks + this.#core.self) % able.length] as Holder;
    this.#asks += 1;
    this.#askedFor = Math.min(cut, first + requestEntries - 1);
    const ranges: Range[] = order.log.missing(this.#askedFor, rangesMax);
    this.#core.counters.add('gapsReported');
    this.#send(holder.node, { type: 'gap', view: order.view.tag, ranges });
  }

  get isOverdue(): boolean {
    return this.#core.now - this.since >= this.#core.timing.flushMs;
  }

  /** `asParticipant`: while this node leads the attempt, its own deadlines as initiator decide. */
  nextDeadline(asParticipant: boolean): number {
    return asParticipant ? Math.min(this.#askAt, this.since + this.#core.timing.flushMs) : this.#askAt;
  }
}

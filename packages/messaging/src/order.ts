/**
 * The order of one view as a member follows it: stores what the sequencer ordered, asks for what is missing, delivers
 * in sequence, acknowledges.
 *
 * Delivery stops at a safe entry until all members have it (stable), at a durable one also until members with a quorum
 * of the votes have it on disk (durable); nothing ever overtakes.
 *
 * Frozen (from the promise to the next view's installation) nothing moves, on any path: not by ordered entries, not by
 * marks that heartbeats carry. Only the recovery of the promised attempt may add entries, and only up to its cut. A
 * mark learned while frozen once let a node deliver beyond the cut: virtual synchrony broken, once in 1300 seeds.
 */
import { entryHead, orderedHead } from './codec-tables.ts';
import { type Core, forever, never } from './core.ts';
import type { OrderedEntry, OrderedFrame, Range } from './frames.ts';
import { deliveriesPerStep, gapAnswerBytes, gapAnswerEntries, rangesMax } from './limits.ts';
import type { Origin } from './origin.ts';
import type { Outbox } from './outbox.ts';
import { Reassembly } from './reassembly.ts';
import type { NodeId, View } from './surface.ts';
import { type LogEntry, ViewLog } from './view-log.ts';

const gapFirstMs = 3;
const gapAgainMs = 15;
/** A receipt goes out, unasked, after so many entries. */
const receiptEntries = 64;

/** What the engine does with entries that are the protocol's own. */
export interface OrderHooks {
  /** A departure was delivered: its origin leaves. */
  readonly departed: (rank: number) => void;
  /** A change of the quorum's base was received: true while receipts must wait for it to be saved. */
  readonly baseChangeReceived: (body: Uint8Array, sequence: number) => void;
  readonly baseChangeDelivered: (body: Uint8Array, transitional: boolean) => void;
}

export class Order {
  readonly #core: Core;
  readonly #outbox: Outbox;
  readonly #hooks: OrderHooks;
  readonly view: View;
  readonly rank: number;
  readonly sequencer: NodeId;
  readonly origin: Origin;
  readonly log = new ViewLog();
  readonly #reassembly = new Reassembly();
  /** From the promise on. */
  frozen = false;
  active = false;
  delivered = 0;
  stable = 0;
  durable = 0;
  /** Durable entries not yet on this node's disk, in order. */
  #unstored: number[] = [];
  diskFailed = false;
  /** Base changes received whose memory is not saved yet: receipts stop before the first. */
  readonly #unsaved: number[] = [];
  #lastWaiting = 0;
  #gapSince = forever;
  #gapAskedAt = never;
  #gapAsks = 0;
  #receiptReceived = 0;
  #receiptDurable = 0;
  #receiptWanted = false;
  #deliveriesLeft = 0;

  constructor(core: Core, outbox: Outbox, view: View, origin: Origin, hooks: OrderHooks) {
    this.#core = core;
    this.#outbox = outbox;
    this.#hooks = hooks;
    this.view = view;
    this.rank = view.members.findIndex(({ node }) => node === core.self);
    this.sequencer = (view.members[0] as { node: NodeId }).node;
    this.origin = origin;
  }

  get isSequencer(): boolean {
    return this.rank === 0;
  }

  /** How far receipts may go: all that is held, short of a base change that is not saved. */
  get acknowledged(): number {
    const first = this.#unsaved[0];
    return first === undefined ? this.log.received : Math.min(this.log.received, first - 1);
  }

  /** Everything durable up to here is on this node's disk. */
  get ownDurable(): number {
    const first = this.#unstored[0];
    return Math.min(this.acknowledged, first === undefined ? this.log.received : first - 1);
  }

  /** The last safe or durable entry held: while delivery has not passed it, somebody waits for receipts. */
  get lastWaiting(): number {
    return this.#lastWaiting;
  }

  /** An `ordered` frame of this view while it is active and not frozen. */
  ordered(frame: OrderedFrame): void {
    if (this.isSequencer) return;
    if (this.#storeAll(frame, forever)) this.#gapAskedAt = this.#core.now - gapAgainMs + 2;
    this.learn(frame.first + frame.entries.length - 1, frame.stable, frame.durable);
  }

  /** Entries of the view while it is recovered: none beyond the cut. True when all up to it are held. */
  recover(frame: OrderedFrame, cut: number): boolean {
    this.#storeAll(frame, cut);
    return this.log.received >= cut;
  }

  /** True if it filled a gap and more is missing still: then asking again need not wait. */
  #storeAll(frame: OrderedFrame, cut: number): boolean {
    let stored = 0;
    for (let index = 0; index < frame.entries.length; index++) {
      const sequence = frame.first + index;
      if (sequence > cut) break;
      const entry = frame.entries[index] as OrderedEntry;
      if (entry.rank >= this.view.members.length) continue;
      if (this.log.store(sequence, entry)) stored += 1;
      else this.#core.counters.add('duplicateEntries');
    }
    const before = this.log.received;
    this.#advance();
    return stored > 0 && before > 0 && this.#gapAsks > 0 && this.log.highest > this.log.received;
  }

  /** The sequencer's own entry, as it orders it. */
  append(entry: OrderedEntry): number {
    const sequence = this.log.received + 1;
    this.log.store(sequence, entry);
    this.#advance();
    return sequence;
  }

  #advance(): void {
    for (;;) {
      const entry = this.log.advance();
      if (entry === undefined) break;
      const sequence = this.log.received;
      if (entry.rank === this.rank) this.origin.seen(entry.local);
      if (entry.service !== 'agreed') this.#lastWaiting = sequence;
      const joined = this.#reassembly.take(entry);
      if (joined === 'dropped') {
        entry.dropped = true;
        this.#core.counters.add('reassemblyDropped');
        continue;
      }
      entry.message = joined;
      if (joined === undefined) continue;
      if (entry.kind === 'baseChange') {
        this.#unsaved.push(sequence);
        this.#hooks.baseChangeReceived(joined, sequence);
      } else if (entry.service === 'durable') {
        this.#unstored.push(sequence);
        this.#core.emit({
          type: 'storeDurable',
          view: this.view.tag,
          sequence,
          origin: this.#originOf(entry),
          body: joined,
        });
      }
    }
    if (this.log.received >= this.log.highest) {
      this.#gapSince = forever;
      this.#gapAsks = 0;
    } else if (this.#gapSince === forever) this.#gapSince = this.#core.now;
  }

  /** The memory that a base change asked for is on disk. */
  baseChangeSaved(sequence: number): void {
    while (this.#unsaved.length > 0 && (this.#unsaved[0] as number) <= sequence) this.#unsaved.shift();
  }

  /**
   * Marks that a member of this view stated. Ignored while frozen, and by the sequencer, who knows better. No window
   * reaches further than `reach`, and nothing beyond what exists can be stable: a member that says so is wrong.
   */
  learn(highest: number, stable: number, durable: number): void {
    if (this.frozen || !this.active || this.isSequencer) return;
    if (highest > this.log.highest && highest <= this.log.reach) this.log.highest = highest;
    if (Math.max(stable, durable) > this.log.highest) return;
    if (this.log.highest > this.log.received && this.#gapSince === forever) this.#gapSince = this.#core.now;
    if (stable > this.stable) this.stable = stable;
    if (durable > this.durable) this.durable = durable;
  }

  wantReceipt(): void {
    this.#receiptWanted = true;
  }

  persisted(sequence: number, ok: boolean): void {
    if (!ok) {
      if (!this.diskFailed) this.#core.report('diskFailed', { view: this.view.tag, sequence });
      this.diskFailed = true;
      return;
    }
    const at = this.#unstored.indexOf(sequence);
    if (at >= 0) this.#unstored.splice(at, 1);
    if (this.#unstored.length === 0) this.diskFailed = false;
  }

  /** Delivers what may be delivered, at most so much a step. */
  deliver(): void {
    if (this.frozen || !this.active) return;
    this.#deliveriesLeft = deliveriesPerStep;
    this.#deliverUpTo(this.log.received, false);
    this.log.forget(Math.min(this.stable, this.delivered));
  }

  #mayDeliver(entry: LogEntry, sequence: number): boolean {
    if (entry.service === 'agreed' || !entry.last) return true;
    return sequence <= this.stable && (entry.service === 'safe' || sequence <= this.durable);
  }

  #deliverUpTo(last: number, transitional: boolean): void {
    while (this.delivered < last && this.#deliveriesLeft > 0) {
      const sequence = this.delivered + 1;
      const entry = this.log.get(sequence);
      if (entry === undefined || (!transitional && !this.#mayDeliver(entry, sequence))) break;
      this.delivered = sequence;
      if (entry.last) this.#deliverEntry(entry, sequence, transitional);
    }
  }

  #deliverEntry(entry: LogEntry, sequence: number, transitional: boolean): void {
    const handle = entry.rank === this.rank ? this.origin.delivered(entry.local) : undefined;
    if (entry.dropped) {
      if (handle !== undefined) this.#core.emit({ type: 'rejected', handle, reason: 'tooLarge' });
      return;
    }
    if (entry.message === undefined) return; // cut short by the beginning of another: cannot be from a correct origin
    if (entry.kind === 'departure') return this.#hooks.departed(entry.rank);
    if (entry.kind === 'baseChange') return this.#hooks.baseChangeDelivered(entry.message, transitional);
    this.#deliveriesLeft -= 1;
    this.#core.counters.add('messagesDelivered');
    this.#core.emit({
      type: 'deliver',
      view: this.view.tag,
      sequence,
      origin: this.#originOf(entry),
      service: entry.service,
      body: entry.message,
      transitional,
      ...(handle === undefined ? {} : { handle }),
    });
    if (handle !== undefined) this.#core.emit({ type: 'accepted', handle });
  }

  #originOf(entry: OrderedEntry): NodeId {
    return (this.view.members[entry.rank] as { node: NodeId }).node;
  }

  /** There is more to deliver than one step may. */
  get hasMore(): boolean {
    if (this.frozen || !this.active || this.delivered >= this.log.received) return false;
    const entry = this.log.get(this.delivered + 1);
    return entry !== undefined && this.#mayDeliver(entry, this.delivered + 1);
  }

  /**
   * The view's end: everything up to the cut is delivered, first what may be delivered as ever, then, told that the view
   * ends and who survives, the rest. Own messages without a place are rejected.
   */
  end(cut: number, survivors: readonly NodeId[]): void {
    this.#deliveriesLeft = forever;
    this.#deliverUpTo(cut, false);
    this.#core.emit({ type: 'viewEnding', view: this.view.tag, survivors });
    this.#deliverUpTo(cut, true);
    this.origin.end();
  }

  // ------------------------------------------------------------ gaps and receipts

  /** Asks for what is missing: the sequencer, and each third time some other member. */
  askForGaps(): void {
    if (this.frozen || !this.active || this.#gapSince === forever) return;
    const { now, self, random } = this.#core;
    const due = this.#gapAsks === 0 ? this.#gapSince + gapFirstMs : this.#gapAskedAt + gapAgainMs;
    if (now < due) return;
    const ranges = this.log.missing(this.log.highest, rangesMax);
    if (ranges.length === 0) return;
    this.#gapAsks += 1;
    this.#gapAskedAt = now;
    let target = this.sequencer;
    if (this.#gapAsks % 3 === 0 || target === self) {
      const others = this.view.members.filter(({ node }) => node !== self && node !== this.sequencer);
      const other = others[random.integer(Math.max(1, others.length))];
      if (other !== undefined) target = other.node;
    }
    if (target === self) return;
    this.#core.counters.add('gapsReported');
    this.#outbox.toNodeEverywhere(target, { type: 'gap', view: this.view.tag, ranges });
  }

  /** Answers a gap report with what is held, in frames that fit `budget`. */
  answerGap(to: NodeId, ranges: readonly Range[], budget: number, entriesMax = gapAnswerEntries): void {
    let left = entriesMax;
    let bytesLeft = gapAnswerBytes;
    for (const { from, to: last } of ranges) {
      let first = 0;
      let size = orderedHead;
      let run: OrderedEntry[] = [];
      const send = (): void => {
        if (run.length === 0) return;
        const { stable, durable } = this;
        this.#outbox.toNodeEverywhere(to, {
          type: 'ordered',
          view: this.view.tag,
          first,
          stable,
          durable,
          entries: run,
        });
        this.#core.counters.add('gapsAnswered', run.length);
        run = [];
        size = orderedHead;
      };
      const end = Math.min(last, this.log.highest);
      for (let sequence = Math.max(from, this.log.base + 1); sequence <= end; sequence++) {
        const entry = this.log.get(sequence);
        if (entry === undefined || left === 0 || bytesLeft <= 0) {
          send();
          if (left === 0 || bytesLeft <= 0) return;
          continue;
        }
        const bytes = entryHead + entry.bytes.length;
        if (run.length > 0 && size + bytes > budget) send();
        if (run.length === 0) first = sequence;
        run.push(entry);
        size += bytes;
        left -= 1;
        bytesLeft -= bytes;
      }
      send();
    }
  }

  /** A receipt to the sequencer where somebody waits for it, or much has come. Heartbeats carry the same marks. */
  sendReceipt(): void {
    if (this.frozen || !this.active || this.isSequencer) return;
    const received = this.acknowledged;
    const durable = this.ownDurable;
    const advanced = received > this.#receiptReceived || durable > this.#receiptDurable;
    const waiting = this.#lastWaiting > this.#receiptReceived || this.#lastWaiting > this.#receiptDurable;
    const due = this.#receiptWanted || (advanced && waiting) || received - this.#receiptReceived >= receiptEntries;
    if (!due) return;
    const wasAskedFor = this.#receiptWanted;
    this.#receiptWanted = false;
    this.#receiptReceived = received;
    this.#receiptDurable = durable;
    this.#core.counters.add('receiptsSent');
    const frame = { type: 'receipt', view: this.view.tag, received, durable } as const;
    if (wasAskedFor) this.#outbox.toNodeEverywhere(this.sequencer, frame);
    else this.#outbox.toNode(this.sequencer, frame);
  }

  nextDeadline(): number {
    if (this.frozen || !this.active) return forever;
    if (this.hasMore) return this.#core.now;
    if (this.#gapSince === forever) return forever;
    return this.#gapAsks === 0 ? this.#gapSince + gapFirstMs : this.#gapAskedAt + gapAgainMs;
  }
}

/**
 * A node's own messages on their way to a place in the order of the present view.
 *
 * Each message is cut into entries with consecutive local numbers and kept until it is seen ordered. Repetition is
 * go-back-N with one timer for the oldest: timers of their own for each entry gave tails of seconds under loss.
 * What has no place when the view ends is rejected to the application, never carried over: so its fate is known.
 */
import { entryHead, frameHead } from './codec-tables.ts';
import type { Core } from './core.ts';
import { forever } from './core.ts';
import type { Entry, EntryKind } from './frames.ts';
import {
  messageBytesCeiling,
  outOfOrderBytes,
  outOfOrderEntries,
  pendingBytes,
  pendingEntries,
  resendEntries,
} from './limits.ts';
import type { Outbox } from './outbox.ts';
import type { Handle, NodeId, RejectionReason, Service, ViewTag } from './surface.ts';

const rtoStart = 20;
const rtoFloor = 5;
const rtoCeiling = 200;
/** A reported gap is answered at once, but not more often than this. */
const gapAnswerMs = 2;
/** Entries and bytes under way: what the sequencer would keep out of order. */
const flightEntries = outOfOrderEntries - 64;
const flightBytes = outOfOrderBytes - 16 * 1024;

interface Waiting {
  readonly entry: Entry;
  readonly handle: Handle | undefined;
  readonly messageBytes: number;
  sentAt: number;
  repeated: boolean;
}

export class Origin {
  readonly #core: Core;
  readonly #outbox: Outbox;
  readonly #view: ViewTag;
  readonly #sequencer: NodeId;
  /** Entries without a place, oldest first; the first `#sent` of them have been sent. */
  #queue: Waiting[] = [];
  #head = 0;
  #sent = 0;
  #flightBytes = 0;
  #nextLocal = 1;
  /** Ordered, not yet delivered: local number of the last fragment → handle. */
  readonly #ordered = new Map<number, Handle>();
  #seenLocal = 0;
  #messages = 0;
  #bytes = 0;
  #wasFull = false;
  #rto = rtoStart;
  #srtt: number | undefined;
  #lastGapAnswer = -1;

  constructor(core: Core, outbox: Outbox, view: ViewTag, sequencer: NodeId) {
    this.#core = core;
    this.#outbox = outbox;
    this.#view = view;
    this.#sequencer = sequencer;
  }

  get pending(): { entries: number; bytes: number } {
    return { entries: this.#queue.length - this.#head, bytes: this.#bytes };
  }

  /** Takes a message, or says why not. */
  submit(
    service: Service,
    body: Uint8Array,
    handle: Handle | undefined,
    kind: EntryKind,
    fragmentBytes: number,
  ): RejectionReason | undefined {
    if (body.length > Math.min(this.#core.configuration.messageBytesMax, messageBytesCeiling)) return 'tooLarge';
    if (kind === 'application' && this.#messages > 0) {
      if (this.#messages >= pendingEntries || this.#bytes + body.length > pendingBytes) {
        this.#wasFull = true;
        return 'queueFull';
      }
    }
    this.#messages += 1;
    this.#bytes += body.length;
    let at = 0;
    do {
      const end = Math.min(at + fragmentBytes, body.length);
      const last = end === body.length;
      this.#queue.push({
        entry: { local: this.#nextLocal, service, kind, first: at === 0, last, bytes: body.subarray(at, end) },
        handle: last ? handle : undefined,
        messageBytes: body.length,
        sentAt: forever,
        repeated: false,
      });
      this.#nextLocal += 1;
      at = end;
    } while (at < body.length);
    return undefined;
  }

  /** The entries that may leave now: all of them new, within what the sequencer keeps. */
  takeUnsent(): Entry[] {
    const entries: Entry[] = [];
    while (this.#head + this.#sent < this.#queue.length && this.#sent < flightEntries) {
      const waiting = this.#queue[this.#head + this.#sent] as Waiting;
      if (this.#sent > 0 && this.#flightBytes + waiting.entry.bytes.length > flightBytes) break;
      waiting.sentAt = this.#core.now;
      this.#flightBytes += waiting.entry.bytes.length;
      this.#sent += 1;
      entries.push(waiting.entry);
    }
    return entries;
  }

  /** Sends what is new, and all again if the oldest has waited too long. `budget`: bytes of a datagram's frames. */
  flush(budget: number): void {
    this.#send(this.takeUnsent(), budget, false);
    const oldest = this.#queue[this.#head];
    if (this.#sent > 0 && oldest !== undefined && this.#core.now - oldest.sentAt >= this.#rto) {
      this.#rto = Math.min(rtoCeiling, Math.ceil(this.#rto * 1.5));
      this.#outbox.sentAgain(this.#sequencer);
      this.#resend(budget);
    }
  }

  /** The sequencer lacks local number `next`. */
  gap(next: number, budget: number): void {
    if (this.#core.now - this.#lastGapAnswer < gapAnswerMs) return;
    const oldest = this.#queue[this.#head];
    if (oldest === undefined || this.#sent === 0 || next < oldest.entry.local) return;
    this.#lastGapAnswer = this.#core.now;
    this.#resend(budget, next - oldest.entry.local);
  }

  #resend(budget: number, skip = 0): void {
    const entries: Entry[] = [];
    for (let index = skip; index < this.#sent && entries.length < resendEntries; index++) {
      const waiting = this.#queue[this.#head + index] as Waiting;
      waiting.sentAt = this.#core.now;
      waiting.repeated = true;
      entries.push(waiting.entry);
    }
    const oldest = this.#queue[this.#head];
    if (oldest !== undefined) oldest.sentAt = this.#core.now;
    this.#core.counters.add('submissionsRepeated', entries.length);
    this.#send(entries, budget, true);
  }

  #send(entries: readonly Entry[], budget: number, isRepetition: boolean): void {
    let start = 0;
    while (start < entries.length) {
      let size = frameHead + 12;
      let end = start;
      while (end < entries.length) {
        const next = entryHead + (entries[end] as Entry).bytes.length;
        if (end > start && size + next > budget) break;
        size += next;
        end += 1;
      }
      const frame = { type: 'submission', view: this.#view, entries: entries.slice(start, end) } as const;
      if (isRepetition) this.#outbox.toNodeEverywhere(this.#sequencer, frame);
      else this.#outbox.toNode(this.#sequencer, frame);
      start = end;
    }
  }

  /** Own entry `local` has its place. Entries are ordered in their local order, so all before it have theirs. */
  seen(local: number): void {
    if (local <= this.#seenLocal) return;
    this.#seenLocal = local;
    this.#rto =
      this.#srtt === undefined ? rtoStart : Math.min(rtoCeiling, Math.max(rtoFloor, Math.ceil(4 * this.#srtt)));
    for (;;) {
      const waiting = this.#queue[this.#head];
      if (waiting === undefined || waiting.entry.local > local) break;
      if (!waiting.repeated && waiting.sentAt !== forever) {
        const sample = this.#core.now - waiting.sentAt;
        this.#srtt = this.#srtt === undefined ? sample : this.#srtt + (sample - this.#srtt) / 8;
      }
      this.#head += 1;
      if (this.#sent > 0) {
        this.#sent -= 1;
        this.#flightBytes -= waiting.entry.bytes.length;
      }
      if (waiting.entry.last) {
        this.#messages -= 1;
        this.#bytes -= waiting.messageBytes;
        if (waiting.handle !== undefined) this.#ordered.set(waiting.entry.local, waiting.handle);
      }
    }
    // What is left of the queue has waited less than its order shows: its timer starts with this sign of life.
    const oldest = this.#queue[this.#head];
    if (oldest !== undefined && oldest.sentAt !== forever)
      oldest.sentAt = Math.max(oldest.sentAt, this.#core.now - this.#rto + 2);
    if (this.#head > 1024 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    if (this.#wasFull && this.#messages <= pendingEntries / 2 && this.#bytes <= pendingBytes / 2) {
      this.#wasFull = false;
      this.#core.emit({ type: 'drained' });
    }
  }

  /** The handle of the own message whose last fragment has this local number, once. */
  delivered(local: number): Handle | undefined {
    const handle = this.#ordered.get(local);
    this.#ordered.delete(local);
    return handle;
  }

  /** The view is over: what was not delivered never will be. */
  end(): void {
    for (const handle of this.#ordered.values()) this.#reject(handle);
    for (const { handle } of this.#queue.slice(this.#head)) if (handle !== undefined) this.#reject(handle);
    if (this.#wasFull) this.#core.emit({ type: 'drained' });
    this.#queue = [];
    this.#head = 0;
    this.#sent = 0;
    this.#ordered.clear();
  }

  #reject(handle: Handle): void {
    this.#core.counters.add('messagesRejected');
    this.#core.emit({ type: 'rejected', handle, reason: 'viewEnded' });
  }

  nextDeadline(): number {
    const oldest = this.#queue[this.#head];
    if (oldest === undefined) return forever;
    if (this.#sent === 0 || oldest.sentAt === forever) return this.#core.now;
    return oldest.sentAt + this.#rto;
  }
}

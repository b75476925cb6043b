/**
 * The coordinator's part in ordering: gives submissions their sequence, announces how far all members have the entries
 * and how far a quorum of disks has them, and reminds members of the tail.
 *
 * Fairness: origins take turns of at most 64 entries or 64 KiB, the coordinator's own messages among them; without that
 * its own traffic starved everyone else's. Window: at most 2048 entries or 4 MiB that some member lacks; then it waits.
 */
import { entryHead, orderedHead } from './codec-tables.ts';
import { type Core, forever, never } from './core.ts';
import type { Entry, OrderedEntry } from './frames.ts';
import { outOfOrderBytes, outOfOrderEntries, turnBytes, turnEntries, windowBytes, windowEntries } from './limits.ts';
import type { Order } from './order.ts';
import type { Outbox } from './outbox.ts';
import type { NodeId } from './surface.ts';

const tailDelays = [5, 15, 45] as const;
/** A submission gap is reported not more often than this. */
const submissionGapMs = 2;
/** A member that holds everyone up so long, while its heartbeats come, is put out of the view. */
export const laggardMs = 3000;

interface Intake {
  readonly node: NodeId;
  /** The local number that comes next into the queue. */
  next: number;
  readonly early: Map<number, Entry>;
  queue: Entry[];
  head: number;
  bytes: number;
  gapReportedAt: number;
}

interface Receipt {
  received: number;
  durable: number;
  /** Since when it has not advanced although it lacks something. */
  behindSince: number;
}

export class Sequencer {
  readonly #core: Core;
  readonly #outbox: Outbox;
  readonly #order: Order;
  readonly #isDurableQuorum: (nodes: readonly NodeId[]) => boolean;
  readonly #intakes: Intake[];
  readonly #receipts: Receipt[];
  #turn = 0;
  /** Sequence marks and byte marks of what not all members have: bytes up to and including each sequence. */
  #unstableBytes = 0;
  #accounted = 0;
  #announcedStable = 0;
  #announcedDurable = 0;
  #tailStep = tailDelays.length as number;
  #tailAt = forever;

  constructor(core: Core, outbox: Outbox, order: Order, isDurableQuorum: (nodes: readonly NodeId[]) => boolean) {
    this.#core = core;
    this.#outbox = outbox;
    this.#order = order;
    this.#isDurableQuorum = isDurableQuorum;
    this.#intakes = order.view.members.map(({ node }) => ({
      node,
      next: 1,
      early: new Map(),
      queue: [],
      head: 0,
      bytes: 0,
      gapReportedAt: never,
    }));
    this.#receipts = order.view.members.map(() => ({ received: 0, durable: 0, behindSince: forever }));
  }

  /** Entries an origin sent. Out of order they are kept, within bounds; beyond, dropped, and come again. */
  submission(rank: number, entries: readonly Entry[]): void {
    const intake = this.#intakes[rank] as Intake;
    for (const entry of entries) {
      if (entry.local < intake.next || entry.local >= intake.next + outOfOrderEntries) continue;
      if (intake.queue.length - intake.head >= outOfOrderEntries) break;
      if (intake.early.has(entry.local) || intake.bytes + entry.bytes.length > 2 * outOfOrderBytes) continue;
      intake.early.set(entry.local, entry);
      intake.bytes += entry.bytes.length;
      for (let next = intake.early.get(intake.next); next !== undefined; next = intake.early.get(intake.next)) {
        intake.early.delete(intake.next);
        intake.queue.push(next);
        intake.next += 1;
      }
    }
    if (intake.early.size > 0 && this.#core.now - intake.gapReportedAt >= submissionGapMs) {
      intake.gapReportedAt = this.#core.now;
      this.#outbox.toNodeEverywhere(intake.node, {
        type: 'submissionGap',
        view: this.#order.view.tag,
        next: intake.next,
      });
    }
  }

  /** A member's own account of what it has, by receipt or heartbeat. */
  receipt(rank: number, received: number, durable: number): void {
    if (Math.max(received, durable) > this.#order.log.received) return; // nobody has what does not exist
    const receipt = this.#receipts[rank] as Receipt;
    if (received > receipt.received) {
      receipt.received = received;
      receipt.behindSince = received < this.#order.log.received ? this.#core.now : forever;
    } else if (receipt.behindSince === forever && received < this.#order.log.received) {
      receipt.behindSince = this.#core.now;
    }
    if (durable > receipt.durable) receipt.durable = durable;
  }

  /** Orders what may be ordered, and announces. Once a turn of the host's loop. `budget`: bytes of a datagram's frames. */
  flush(budget: number): void {
    if (this.#order.frozen || !this.#order.active) return;
    this.#orderOwn();
    this.#mark();
    const ordered = this.#orderTurns(budget);
    if (ordered) {
      this.#mark(); // a view of one has everything at once
      this.#tailStep = 0;
      this.#tailAt = this.#core.now + tailDelays[0];
    }
    const { stable, durable, lastWaiting } = this.#order;
    const awaited =
      Math.min(stable, lastWaiting) > this.#announcedStable || Math.min(durable, lastWaiting) > this.#announcedDurable;
    if (ordered) return;
    if (awaited) this.#tail(false);
    else this.#remind();
  }

  /** Own messages come in by the same door as everyone's. */
  #orderOwn(): void {
    const entries = this.#order.origin.takeUnsent();
    if (entries.length > 0) this.submission(0, entries);
  }

  #mark(): void {
    const order = this.#order;
    this.receipt(0, order.acknowledged, order.ownDurable);
    let stable = forever;
    for (const { received } of this.#receipts) if (received < stable) stable = received;
    if (stable > order.stable) order.stable = stable;
    for (; this.#accounted < order.stable; this.#accounted++) {
      this.#unstableBytes -= order.log.get(this.#accounted + 1)?.bytes.length ?? 0;
    }
    order.durable = Math.max(order.durable, this.#durableMark());
  }

  /** The highest mark that members with a quorum of the votes have reached on disk. */
  #durableMark(): number {
    if (this.#order.lastWaiting <= this.#order.durable) return this.#order.durable;
    const marks = [...new Set(this.#receipts.map(({ durable }) => durable))].toSorted((a, b) => b - a);
    for (const mark of marks) {
      if (mark <= this.#order.durable) break;
      const nodes = this.#intakes
        .filter((_, rank) => (this.#receipts[rank] as Receipt).durable >= mark)
        .map(({ node }) => node)
        .toSorted((a, b) => a - b);
      if (this.#isDurableQuorum(nodes)) return mark;
    }
    return this.#order.durable;
  }

  #orderTurns(budget: number): boolean {
    let frame: OrderedEntry[] = [];
    let size = orderedHead;
    let first = 0;
    let any = false;
    const send = (): void => {
      if (frame.length === 0) return;
      const { stable, durable, view } = this.#order;
      this.#announcedStable = stable;
      this.#announcedDurable = durable;
      this.#outbox.toMembers({ type: 'ordered', view: view.tag, first, stable, durable, entries: frame });
      frame = [];
      size = orderedHead;
    };
    for (let idle = 0; idle < this.#intakes.length;) {
      const rank = this.#turn % this.#intakes.length;
      this.#turn += 1;
      const intake = this.#intakes[rank] as Intake;
      let entries = 0;
      let bytes = 0;
      while (intake.head < intake.queue.length && entries < turnEntries && bytes < turnBytes && this.#hasRoom()) {
        const entry = intake.queue[intake.head] as Entry;
        intake.head += 1;
        entries += 1;
        bytes += entry.bytes.length;
        intake.bytes -= entry.bytes.length;
        const takes = entryHead + entry.bytes.length;
        if (frame.length > 0 && size + takes > budget) send();
        const ordered: OrderedEntry = { ...entry, rank };
        const sequence = this.#order.append(ordered);
        if (frame.length === 0) first = sequence;
        frame.push(ordered);
        size += takes;
        this.#unstableBytes += entry.bytes.length;
        any = true;
        this.#core.counters.add('entriesOrdered');
      }
      if (intake.head === intake.queue.length) {
        intake.queue = [];
        intake.head = 0;
      }
      idle = entries > 0 ? 0 : idle + 1;
    }
    send();
    return any;
  }

  #hasRoom(): boolean {
    const { log, stable } = this.#order;
    return log.received - stable < windowEntries && this.#unstableBytes < windowBytes;
  }

  #tail(receiptWanted: boolean): void {
    const { log, stable, durable, view } = this.#order;
    this.#announcedStable = stable;
    this.#announcedDurable = durable;
    this.#core.counters.add('tailsSent');
    this.#outbox.toMembersEverywhere({
      type: 'tail',
      view: view.tag,
      highest: log.received,
      stable,
      durable,
      receiptWanted,
    });
  }

  /** The last message lost is found by this, in 5 ms, not by the next one. */
  #remind(): void {
    if (this.#core.now < this.#tailAt) return;
    if (this.#order.stable >= this.#order.log.received) {
      this.#tailAt = forever;
      return;
    }
    this.#tail(true);
    this.#tailStep += 1;
    const delay = tailDelays[this.#tailStep];
    this.#tailAt = delay === undefined ? forever : this.#core.now + delay;
  }

  /** The members that hold the window up too long. */
  laggards(): NodeId[] {
    const { stable, log } = this.#order;
    if (log.received - stable < windowEntries / 2 && this.#order.lastWaiting <= stable) return [];
    return this.#intakes.flatMap(({ node }, rank) => {
      const { received, behindSince } = this.#receipts[rank] as Receipt;
      return rank > 0 && received <= stable && this.#core.now - behindSince >= laggardMs ? [node] : [];
    });
  }

  nextDeadline(): number {
    if (this.#order.frozen || !this.#order.active) return forever;
    return this.#tailAt;
  }
}

/**
 * The vote of a shared disk: Disk Paxos with one disk, and a lease. Every node has a slot that only it writes; the first
 * member of a view goes to the disk for all, the others hear of the lease in its heartbeats.
 *
 *     look ─► promise: write a higher ballot, read all ─► accept: write the view under it, read all ─► held, renewed
 *        ▲       a higher ballot, or somebody's live lease │            a higher ballot │
 *        └────────────────────────────────────────────────┴────────────────────────────┘
 *
 * Two that ask at once: each writes before it reads, so at least one of them sees the other, and the lower ballot yields.
 *
 * A lease counts at its holder from before the write that renews it; others take it for over when that slot stood still
 * for the lease and a fifth, from after the read that showed its last change, on their own clock. So it ends at the
 * holder first, however long the writes take. A holder whose lease ran out asks anew like everybody.
 *
 * A path that hangs answers nothing; then nothing is renewed, and the vote is lost in time. Whatever is written later
 * only touches this node's own slot, with a ballot that is low by then.
 *
 * Semantics: Gafni and Lamport, "Disk Paxos" (2003); §6.9 of the messaging specification.
 */
import type { NodeId } from '../base.ts';
import type { DeviceOptions } from '../options.ts';
import { CLOCK_MARGIN, sameView, startAfterMs, type WitnessVerdict, type WitnessView } from './claim.ts';
import { decodeSlot, encodeSlot, type Slot } from './slot.ts';

export const DISK_LEASE_MS = 5000;
export const DISK_INTERVAL_MS = 1000;
/** Who yielded to a higher ballot asks again after so long, times its place: two must not meet again and again. */
const RETRY_MS = 200;

export type DiskInput =
  | WitnessView
  /** All slots, and whose each is, as the disk's header says at that moment. */
  | { readonly type: 'read'; readonly nodes: readonly NodeId[]; readonly slots: readonly Uint8Array[] }
  | { readonly type: 'written' }
  /** What was asked for last did not work. */
  | { readonly type: 'failed'; readonly problem: string }
  | { readonly type: 'tick' };

export type DiskEffect =
  | { readonly type: 'readAll' }
  /** This node's slot. */
  | { readonly type: 'write'; readonly bytes: Uint8Array }
  | WitnessVerdict;

export interface DiskWitnessOptions {
  readonly self: NodeId;
  readonly incarnation: number;
  readonly device: DeviceOptions;
}

/** What was read of another's slot, and when it had changed. */
interface Seen {
  readonly slot: Slot | 'empty' | 'torn';
  readonly text: string;
  readonly changedAt: number;
}

type Step = 'look' | 'promise' | 'accept' | 'renew';

export class DiskWitness {
  readonly #options: DiskWitnessOptions;
  readonly #seen = new Map<NodeId, Seen>();
  #own: Slot;
  /** Own slot was read once: a former life may have left a promise there. */
  #isKnown = false;
  #view: WitnessView | undefined;
  #viewSince = 0;
  #step: Step = 'look';
  /** An answer of the disk is awaited. */
  #isBusy = false;
  #began = 0;
  #now = 0;
  /** The vote is this view's until then. */
  #held: { readonly view: WitnessView; readonly until: number } | undefined;
  #lookAt = 0;
  #problem: string | undefined;
  /** Of this node's slot among the others. */
  #place = 0;

  constructor(options: DiskWitnessOptions) {
    this.#options = options;
    const { self: node, incarnation } = options;
    const nothing = { promised: 0, accepted: 0, view: { number: 0, hash: 0 }, members: [], sequence: 0 };
    this.#own = { node, incarnation, ...nothing, base: { generation: 0, revision: 0 } };
  }

  /** Undefined while an answer of the disk is awaited. */
  wakeAt(): number | undefined {
    return this.#isBusy ? undefined : this.#lookAt;
  }

  step(input: DiskInput, now: number): readonly DiskEffect[] {
    this.#now = now;
    switch (input.type) {
      case 'view':
        if (this.#view === undefined || !sameView(this.#view.view, input.view)) this.#viewSince = now;
        this.#view = input;
        this.#lookAt = Math.min(this.#lookAt, now);
        return this.#isBusy ? [] : this.#begin(now);
      case 'tick':
        return this.#isBusy || now < this.#lookAt ? [] : this.#begin(now);
      case 'written':
        if (!this.#isBusy) return [];
        return [{ type: 'readAll' }];
      case 'read':
        if (!this.#isBusy) return [];
        this.#isBusy = false;
        this.#problem = undefined;
        this.#take(input.nodes, input.slots, now);
        return this.#after(now);
      case 'failed':
        this.#isBusy = false;
        this.#problem = input.problem;
        this.#step = 'look';
        return this.#rest(now, DISK_INTERVAL_MS);
    }
  }

  /** The next walk to the disk. */
  #begin(now: number): readonly DiskEffect[] {
    this.#isBusy = true;
    this.#began = now;
    const view = this.#claimant;
    if (view === undefined || !this.#isHeldBy(view, now)) {
      this.#step = 'look';
      return [{ type: 'readAll' }];
    }
    // A promise that came to nothing is not what the vote is held under: it is made good before the next renewal.
    if (this.#own.accepted !== this.#own.promised) return this.#promise();
    this.#step = 'renew';
    return this.#write({ ...this.#own, sequence: (this.#own.sequence + 1) >>> 0 });
  }

  get #retryMs(): number {
    return RETRY_MS * (1 + this.#place);
  }

  /** The present view, if it is active and this node is the one that goes to the disk for it. */
  get #claimant(): WitnessView | undefined {
    const view = this.#view;
    return view?.active === true && view.members[0] === this.#options.self ? view : undefined;
  }

  #isHeldBy(view: WitnessView, now: number): boolean {
    return this.#held !== undefined && this.#held.until > now && sameView(this.#held.view.view, view.view);
  }

  #write(slot: Slot): readonly DiskEffect[] {
    this.#own = slot;
    return [{ type: 'write', bytes: encodeSlot(slot) }];
  }

  #take(nodes: readonly NodeId[], slots: readonly Uint8Array[], now: number): void {
    this.#place = Math.max(0, nodes.indexOf(this.#options.self));
    for (const [index, node] of nodes.entries()) {
      const bytes = slots[index];
      if (bytes === undefined) continue;
      const slot = decodeSlot(bytes);
      if (node === this.#options.self) {
        this.#takeOwn(slot, now);
        continue;
      }
      const text = slot === 'torn' ? `torn ${String(new Uint8Array(bytes).at(-1))}` : JSON.stringify(slot);
      if (this.#seen.get(node)?.text !== text) this.#seen.set(node, { slot, text, changedAt: now });
    }
  }

  /** What a former life left: its ballots bind this one, and its lease is like another's. */
  #takeOwn(slot: Slot | 'empty' | 'torn', now: number): void {
    if (this.#isKnown) return;
    this.#isKnown = true;
    if (slot === 'empty') return;
    this.#seen.set(this.#options.self, { slot, text: 'former life', changedAt: now });
    if (slot === 'torn') return;
    const { promised, accepted, view, members, base, sequence } = slot;
    this.#own = { ...this.#own, promised, accepted, view, members, base, sequence };
  }

  /** All slots have been read. */
  #after(now: number): readonly DiskEffect[] {
    const view = this.#claimant;
    if (view === undefined) {
      this.#step = 'look';
      return this.#rest(now, DISK_INTERVAL_MS);
    }
    const isBeaten = this.#highestPromise() > this.#own.promised;
    switch (this.#step) {
      case 'look':
        return this.#consider(view, now);
      case 'promise':
        if (isBeaten) return this.#rest(now, this.#retryMs);
        if (this.#liveLease() !== undefined) return this.#rest(now, DISK_INTERVAL_MS);
        return this.#accept(view, now);
      case 'accept':
        // A slot that cannot be read may hold a higher ballot, whose owner has not seen that this view takes the vote.
        if (isBeaten || (this.#isTorn && !this.#holds) || !sameView(this.#own.view, view.view))
          return this.#rest(now, this.#retryMs);
        return this.#hold(view, now);
      case 'renew':
        // Somebody asks, and has respected this lease so far. It is kept under a ballot above theirs.
        if (isBeaten) return this.#promise();
        if (!sameView(this.#own.view, view.view)) return this.#rest(now, 0);
        return this.#hold(view, now);
    }
  }

  /** Whether to ask for the vote, after a look. */
  #consider(view: WitnessView, now: number): readonly DiskEffect[] {
    const startAfter = startAfterMs(view, this.#options.device);
    if (startAfter === undefined || this.#liveLease() !== undefined) return this.#rest(now, DISK_INTERVAL_MS);
    const startAt = this.#viewSince + startAfter;
    return now < startAt ? this.#rest(now, startAt - now) : this.#promise();
  }

  #promise(): readonly DiskEffect[] {
    this.#isBusy = true;
    this.#step = 'promise';
    const round = Math.floor(Math.max(this.#own.promised, this.#highestPromise()) / 65_536) + 1;
    return this.#write({ ...this.#own, promised: round * 65_536 + this.#options.self });
  }

  #accept(view: WitnessView, now: number): readonly DiskEffect[] {
    this.#isBusy = true;
    this.#began = now;
    this.#step = 'accept';
    const { members, base } = view;
    const { generation, revision } = base;
    const { promised, sequence } = this.#own;
    const accepted = { accepted: promised, view: view.view, members, base: { generation, revision } };
    return this.#write({ ...this.#own, ...accepted, sequence: (sequence + 1) >>> 0 });
  }

  #hold(view: WitnessView, now: number): readonly DiskEffect[] {
    const before = this.#held;
    const isMoved = before !== undefined && !sameView(before.view.view, view.view);
    // Members that stayed in the view before may count on its lease until it ends.
    const left = isMoved ? Math.max(0, before.until - now) : 0;
    this.#held = { view, until: this.#began + DISK_LEASE_MS };
    const exclusiveAfterMs = left === 0 ? 0 : Math.ceil(left * CLOCK_MARGIN);
    const verdict = this.#verdict(view, 'grant', `the disk's vote is held for view ${view.view.number}`);
    this.#lookAt = this.#began + DISK_INTERVAL_MS;
    return [{ ...verdict, leaseUntil: this.#held.until, exclusiveAfterMs }];
  }

  /** Nothing more to do before `waitMs` have passed; what is known now is told. */
  #rest(now: number, waitMs: number): readonly DiskEffect[] {
    this.#step = 'look';
    this.#isBusy = false;
    this.#lookAt = now + waitMs;
    const view = this.#claimant;
    if (view === undefined || this.#isHeldBy(view, now)) return [];
    if (this.#problem !== undefined) return [this.#verdict(view, 'wait', `the disk does not answer: ${this.#problem}`)];
    const live = this.#liveLease();
    if (live === 'torn')
      return [this.#verdict(view, 'wait', 'a slot on the disk is torn; whose vote it was may still count')];
    if (live !== undefined) {
      const reason = `the disk's vote is held for view ${live.view.number} of nodes ${live.members.join(', ')}`;
      return [this.#verdict(view, 'deny', reason)];
    }
    if (startAfterMs(view, this.#options.device) === undefined)
      return [this.#verdict(view, 'deny', 'fewer than half of the votes are here')];
    return [this.#verdict(view, 'wait', 'asking for the vote of the disk')];
  }

  #verdict(view: WitnessView, vote: WitnessVerdict['vote'], reason: string): WitnessVerdict {
    return { type: 'deviceVerdict', view: view.view, vote, leaseUntil: 0, exclusiveAfterMs: 0, reason };
  }

  #highestPromise(): number {
    let highest = 0;
    for (const [node, { slot }] of this.#seen) {
      if (node !== this.#options.self && typeof slot === 'object') highest = Math.max(highest, slot.promised);
    }
    return highest;
  }

  /**
   * The lease of this life is valid now. Then the vote is nobody else's, whatever slots say: a write that came late
   * through a path that hung may look newer than it is.
   */
  get #holds(): boolean {
    return this.#held !== undefined && this.#held.until > this.#now;
  }

  /** Somebody's slot cannot be read, and has not stood like that for long enough to be nobody's. */
  get #isTorn(): boolean {
    return [...this.#seen.values()].some((seen) => seen.slot === 'torn' && !this.#isStill(seen));
  }

  #isStill({ changedAt }: Seen): boolean {
    return this.#began - changedAt >= DISK_LEASE_MS * CLOCK_MARGIN;
  }

  /** The lease of another view, or of a former life, that may still count at the beginning of this walk. */
  #liveLease(): Slot | 'torn' | undefined {
    if (this.#holds) return undefined;
    if (this.#isTorn) return 'torn';
    let newest: Seen | undefined;
    for (const seen of this.#seen.values()) {
      if (typeof seen.slot !== 'object' || seen.slot.accepted === 0) continue;
      if (newest === undefined || seen.slot.accepted > (newest.slot as Slot).accepted) newest = seen;
    }
    if (newest === undefined || this.#isStill(newest)) return undefined;
    return newest.slot as Slot;
  }
}

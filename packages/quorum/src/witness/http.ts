/**
 * The vote of an object behind HTTP: whoever writes its view into it has the vote for a lease. The server compares and
 * swaps (`If-Match` with the ETag that was read, `If-None-Match: *` for the first write), so of two that write at once one
 * is refused; nothing else is asked of it.
 *
 * A lease counts at its holder from before the write that renews it; others take it for over when the object did not
 * change for the lease and a fifth on their own clock. A write whose answer was lost may have been done: the object is
 * read again before anything else, and tells.
 *
 * Semantics: §6.9 of the messaging specification.
 */
import type { NodeId } from '../base.ts';
import type { DeviceOptions } from '../options.ts';
import { CLOCK_MARGIN, sameView, startAfterMs, type WitnessVerdict, type WitnessView } from './claim.ts';

export const HTTP_LEASE_MS = 15_000;
export const HTTP_INTERVAL_MS = 3000;

/** What the object holds. JSON. */
export interface HttpRecord {
  readonly cluster: string;
  readonly node: NodeId;
  readonly incarnation: number;
  readonly view: { readonly number: number; readonly hash: number };
  readonly members: readonly NodeId[];
  readonly base: { readonly generation: number; readonly revision: number };
  /** Grows with each renewal, so that the ETag changes. */
  readonly sequence: number;
}

export type HttpInput =
  | WitnessView
  /** What is there; `etag` undefined: nothing is. */
  | { readonly type: 'read'; readonly etag: string | undefined; readonly body: string }
  /** The write was done, and this is the object's ETag now. */
  | { readonly type: 'written'; readonly etag: string }
  /** Somebody else wrote meanwhile. */
  | { readonly type: 'changed' }
  | { readonly type: 'failed'; readonly problem: string }
  | { readonly type: 'tick' };

export type HttpEffect =
  | { readonly type: 'get' }
  /** Only if the object still has this ETag, or does not exist where it is undefined. */
  | { readonly type: 'put'; readonly ifEtag: string | undefined; readonly body: string }
  | WitnessVerdict;

export interface HttpWitnessOptions {
  readonly cluster: string;
  readonly self: NodeId;
  readonly incarnation: number;
  readonly device: DeviceOptions;
}

export class HttpWitness {
  readonly #options: HttpWitnessOptions;
  #view: WitnessView | undefined;
  #viewSince = 0;
  #isBusy = false;
  #began = 0;
  #lookAt = 0;
  #sequence = 0;
  /** The object as it was seen last, and when it had changed. */
  #seen:
    | { readonly etag: string | undefined; readonly record: HttpRecord | undefined; readonly changedAt: number }
    | undefined;
  #held: { readonly view: WitnessView; readonly until: number } | undefined;
  /** The object's ETag after our own last write. */
  #ownEtag: string | undefined;
  #problem: string | undefined;
  /** The view of the write that is under way. */
  #asked: WitnessView | undefined;

  constructor(options: HttpWitnessOptions) {
    this.#options = options;
  }

  /** Undefined while an answer is awaited. */
  wakeAt(): number | undefined {
    return this.#isBusy ? undefined : this.#lookAt;
  }

  step(input: HttpInput, now: number): readonly HttpEffect[] {
    switch (input.type) {
      case 'view':
        if (this.#view === undefined || !sameView(this.#view.view, input.view)) this.#viewSince = now;
        this.#view = input;
        this.#lookAt = Math.min(this.#lookAt, now);
        return this.#isBusy ? [] : this.#begin(now);
      case 'tick':
        return this.#isBusy || now < this.#lookAt ? [] : this.#begin(now);
      case 'read':
        return this.#isBusy ? this.#read(input.etag, input.body, now) : [];
      case 'written':
        return this.#isBusy ? this.#hold(input.etag, now) : [];
      case 'changed':
        return this.#rest(now, 0);
      case 'failed':
        this.#problem = input.problem;
        return this.#rest(now, HTTP_INTERVAL_MS);
    }
  }

  #begin(now: number): readonly HttpEffect[] {
    this.#isBusy = true;
    this.#began = now;
    const view = this.#claimant;
    const isHeld = view !== undefined && this.#isHeldBy(view, now) && this.#ownEtag !== undefined;
    return isHeld ? [this.#put(view, this.#ownEtag)] : [{ type: 'get' }];
  }

  get #claimant(): WitnessView | undefined {
    const view = this.#view;
    return view?.active === true && view.members[0] === this.#options.self ? view : undefined;
  }

  #isHeldBy(view: WitnessView, now: number): boolean {
    return this.#held !== undefined && this.#held.until > now && sameView(this.#held.view.view, view.view);
  }

  #put(view: WitnessView, ifEtag: string | undefined): HttpEffect {
    const { cluster, self: node, incarnation } = this.#options;
    this.#sequence += 1;
    const { generation, revision } = view.base;
    const record: HttpRecord = {
      cluster,
      node,
      incarnation,
      view: view.view,
      members: view.members,
      base: { generation, revision },
      sequence: this.#sequence,
    };
    this.#asked = view;
    return { type: 'put', ifEtag, body: JSON.stringify(record) };
  }

  #read(etag: string | undefined, body: string, now: number): readonly HttpEffect[] {
    this.#problem = undefined;
    const record = readRecord(body);
    if (etag !== undefined && record !== undefined && record.cluster !== this.#options.cluster) {
      this.#problem = `the object belongs to the cluster ${record.cluster}`;
      return this.#rest(now, HTTP_INTERVAL_MS);
    }
    if (this.#seen === undefined || this.#seen.etag !== etag) this.#seen = { etag, record, changedAt: now };
    const view = this.#claimant;
    const startAfter = view && startAfterMs(view, this.#options.device);
    if (view === undefined || startAfter === undefined || this.#isTaken) return this.#rest(now, HTTP_INTERVAL_MS);
    const startAt = this.#viewSince + startAfter;
    if (now < startAt) return this.#rest(now, startAt - now);
    this.#began = now;
    return [this.#put(view, etag)];
  }

  /** Somebody else's lease, or a former life's, may still count. */
  get #isTaken(): boolean {
    if (this.#seen?.etag === undefined) return false;
    const { node, incarnation } = this.#seen.record ?? {};
    if (node === this.#options.self && incarnation === this.#options.incarnation) return false;
    return this.#began - this.#seen.changedAt < HTTP_LEASE_MS * CLOCK_MARGIN;
  }

  #hold(etag: string, now: number): readonly HttpEffect[] {
    const view = this.#claimant;
    const asked = this.#asked;
    this.#ownEtag = etag;
    if (view === undefined || asked === undefined || !sameView(asked.view, view.view)) return this.#rest(now, 0);
    const before = this.#held;
    const isMoved = before !== undefined && !sameView(before.view.view, view.view);
    const left = isMoved ? Math.max(0, before.until - now) : 0;
    this.#isBusy = false;
    this.#held = { view, until: this.#began + HTTP_LEASE_MS };
    this.#lookAt = this.#began + HTTP_INTERVAL_MS;
    const verdict = this.#verdict(view, 'grant', `the witness's vote is held for view ${view.view.number}`);
    return [{ ...verdict, leaseUntil: this.#held.until, exclusiveAfterMs: Math.ceil(left * CLOCK_MARGIN) }];
  }

  #rest(now: number, waitMs: number): readonly HttpEffect[] {
    this.#isBusy = false;
    this.#ownEtag = undefined; // what is there is read before the next write
    this.#lookAt = now + waitMs;
    const view = this.#claimant;
    if (view === undefined || this.#isHeldBy(view, now)) return [];
    if (this.#problem !== undefined)
      return [this.#verdict(view, 'wait', `the witness does not answer: ${this.#problem}`)];
    if (startAfterMs(view, this.#options.device) === undefined)
      return [this.#verdict(view, 'deny', 'fewer than half of the votes are here')];
    if (!this.#isTaken) return [this.#verdict(view, 'wait', 'asking for the vote of the witness')];
    const { view: other, members } = this.#seen?.record ?? { view: { number: 0 }, members: [] };
    return [
      this.#verdict(view, 'deny', `the witness's vote is held for view ${other.number} of nodes ${members.join(', ')}`),
    ];
  }

  #verdict(view: WitnessView, vote: WitnessVerdict['vote'], reason: string): WitnessVerdict {
    return { type: 'deviceVerdict', view: view.view, vote, leaseUntil: 0, exclusiveAfterMs: 0, reason };
  }
}

/** Undefined: not written by a witness's member. It is waited out and then replaced. */
function readRecord(body: string): HttpRecord | undefined {
  try {
    const record = JSON.parse(body) as Partial<HttpRecord> | null;
    const isOne =
      typeof record?.cluster === 'string' && typeof record.node === 'number' && Array.isArray(record.members);
    return isOne && typeof record.view?.number === 'number' ? (record as HttpRecord) : undefined;
  } catch {
    return undefined;
  }
}

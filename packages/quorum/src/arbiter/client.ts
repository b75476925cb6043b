/**
 * A member's side of the arbiter: reports each 250 ms and at every change, and turns the answers into one verdict.
 *
 * With several arbiters a majority of them must grant. A lease counts from when the report was *sent*, so however long
 * the answer took, it ends here before it ends at the arbiter.
 */
import { byNumber } from '@systole/kernel';
import type { Base, NodeId } from '../base.ts';
import type { DeviceOptions } from '../options.ts';
import type { ArbiterReport, ArbiterVerdict, Heuristics, ViewName } from './messages.ts';

export type ArbiterClientInput =
  | {
      readonly type: 'view';
      readonly view: ViewName;
      readonly members: readonly NodeId[];
      readonly active: boolean;
      readonly base: Base;
      readonly lineage: number;
    }
  | { readonly type: 'heuristics'; readonly result: Heuristics }
  | { readonly type: 'verdict'; readonly arbiter: number; readonly verdict: ArbiterVerdict }
  | { readonly type: 'tick' };

export type ArbiterClientEffect =
  /** To the arbiter of this index. */
  | { readonly type: 'report'; readonly arbiter: number; readonly report: ArbiterReport }
  /** What the arbiters together say of the present view; `leaseUntil` is an instant of this node's clock. */
  | {
      readonly type: 'deviceVerdict';
      readonly view: ViewName;
      readonly vote: 'grant' | 'deny' | 'wait';
      readonly leaseUntil: number;
      readonly exclusiveAfterMs: number;
      readonly reason: string;
    };

export const REPORT_INTERVAL_MS = 250;
/** Reports whose sending time is remembered for an answer: 8 s of them. */
const SENT_MAX = 32;

export interface ArbiterClientOptions {
  readonly self: NodeId;
  readonly arbiters: number;
  readonly device: DeviceOptions;
}

export class ArbiterClient {
  readonly #options: ArbiterClientOptions;
  readonly #sentAt = new Map<number, number>();
  readonly #answers = new Map<
    number,
    { readonly verdict: ArbiterVerdict; readonly until: number; readonly exclusiveAt: number }
  >();
  #view: Extract<ArbiterClientInput, { type: 'view' }> | undefined;
  #heuristics: Heuristics = 'none';
  #number = 0;
  #reportAt = 0;

  constructor(options: ArbiterClientOptions) {
    this.#options = options;
  }

  step(input: ArbiterClientInput, now: number): readonly ArbiterClientEffect[] {
    switch (input.type) {
      case 'view':
        this.#view = input;
        this.#answers.clear();
        return this.#report(now);
      case 'heuristics': {
        const isNews = input.result !== this.#heuristics;
        this.#heuristics = input.result;
        return isNews ? this.#report(now) : [];
      }
      case 'verdict':
        return this.#take(input.arbiter, input.verdict, now);
      case 'tick':
        return now >= this.#reportAt ? this.#report(now) : [];
    }
  }

  wakeAt(): number | undefined {
    return this.#view === undefined ? undefined : this.#reportAt;
  }

  #report(now: number): readonly ArbiterClientEffect[] {
    const view = this.#view;
    if (view === undefined) return [];
    this.#reportAt = now + REPORT_INTERVAL_MS;
    this.#number += 1;
    this.#sentAt.set(this.#number, now);
    this.#sentAt.delete(this.#number - SENT_MAX);
    const { self, device, arbiters } = this.#options;
    const report: ArbiterReport = {
      node: self,
      number: this.#number,
      view: view.view,
      members: view.members.toSorted(byNumber),
      active: view.active,
      base: view.base,
      lineage: view.lineage,
      heuristics: this.#heuristics,
      algorithm: device.algorithm,
      tieBreaker: device.tieBreaker,
      keepsLineage: true,
    };
    return Array.from({ length: arbiters }, (_, arbiter) => ({ type: 'report' as const, arbiter, report }));
  }

  #take(arbiter: number, verdict: ArbiterVerdict, now: number): readonly ArbiterClientEffect[] {
    const view = this.#view;
    const sentAt = this.#sentAt.get(verdict.number);
    if (view === undefined || sentAt === undefined || arbiter < 0 || arbiter >= this.#options.arbiters) return [];
    if (verdict.view.number !== view.view.number || verdict.view.hash !== view.view.hash) return [];
    const known = this.#answers.get(arbiter);
    if (known !== undefined && known.verdict.number > verdict.number) return []; // overtaken
    const until = verdict.vote === 'grant' ? sentAt + verdict.leaseMs : sentAt;
    this.#answers.set(arbiter, { verdict, until, exclusiveAt: now + verdict.exclusiveAfterMs });
    return [this.#together(view.view, now)];
  }

  #together(view: ViewName, now: number): ArbiterClientEffect {
    const needed = Math.floor(this.#options.arbiters / 2) + 1;
    const answers = [...this.#answers.values()];
    const granted = answers
      .filter(({ verdict, until }) => verdict.vote === 'grant' && until > now)
      .toSorted((a, b) => byNumber(b.until, a.until));
    const last = granted[needed - 1];
    if (last !== undefined) {
      const exclusiveAt = Math.max(...granted.map((answer) => answer.exclusiveAt));
      const reason = last.verdict.reason;
      return {
        type: 'deviceVerdict',
        view,
        vote: 'grant',
        leaseUntil: last.until,
        exclusiveAfterMs: Math.max(0, exclusiveAt - now),
        reason,
      };
    }
    const denied = answers.filter(({ verdict }) => verdict.vote === 'deny');
    const isDenied = denied.length > this.#options.arbiters - needed;
    const reason = (isDenied ? denied : answers)[0]?.verdict.reason ?? 'no answer yet';
    return {
      type: 'deviceVerdict',
      view,
      vote: isDenied ? 'deny' : 'wait',
      leaseUntil: now,
      exclusiveAfterMs: 0,
      reason,
    };
  }
}

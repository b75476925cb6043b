/**
 * The arbiter's side for one cluster: takes reports in, gives the vote to one view at a time, as a lease.
 *
 * A grant is on disk before it is told, so a restart cannot give the vote twice. It belongs to a view, not to a node:
 * one member with a path to the arbiter passes it on to the others. The vote moves at once when every member of the
 * granted view is seen in another; when some are silent it moves with `exclusiveAfterMs`, the rest of their lease; after
 * a restart of the arbiter nobody but the same lineage gets it for one lease.
 *
 * Rejected: answering a view before every voter is accounted for (the first reporter of a split would win by speed).
 * Spec: messaging-spec §6.8.
 */
import { byNumber } from '@systole/kernel';
import type { NodeId } from '../base.ts';
import { type Candidate, rankedCandidates, viewKey } from './choose.ts';
import type { ArbiterReport, ArbiterVerdict, ViewName } from './messages.ts';

/** The last grant, kept on disk. */
export interface GrantRecord {
  readonly grantNumber: number;
  readonly view: ViewName;
  readonly members: readonly NodeId[];
}

export type ArbiterInput = { readonly type: 'report'; readonly report: ArbiterReport } | { readonly type: 'tick' };

export type ArbiterEffect =
  /** On disk before any later effect is carried out. */
  | { readonly type: 'save'; readonly record: GrantRecord }
  | { readonly type: 'verdict'; readonly to: NodeId; readonly verdict: ArbiterVerdict };

export const GRANT_LEASE_MS = 3000;
/** What the arbiter adds to a lease, so that its end is later here than at the client: 1 % of drift and 50 ms. */
export const leaseWithMargin = (leaseMs: number): number => Math.ceil(leaseMs * 1.01) + 50;
/** A node that has not reported for so long is silent: four reports. */
export const SILENT_MS = 1000;
/** Longest wait for voters that neither report nor have been silent long enough. */
export const ACCOUNT_MS = 1500;
/** Reports of nodes that have been silent for so long are forgotten. */
const FORGET_MS = 10_000;

interface Heard {
  readonly report: ArbiterReport;
  readonly at: number;
}

interface Grant extends GrantRecord {
  /** End of the lease by this clock, margin included. */
  until: number;
  /** Of the grant before it, which may still be believed in. */
  readonly othersUntil: number;
}

export class ArbiterServer {
  readonly #startedAt: number;
  readonly #heard = new Map<NodeId, Heard>();
  /** Since when each view has been reported: the wait for the others is bounded. */
  readonly #viewSince = new Map<string, number>();
  #grant: Grant | undefined;
  /** Restored from disk: how long the lease of the life before may run is not known. */
  #restored: boolean;

  constructor(saved: GrantRecord | undefined, now: number) {
    this.#startedAt = now;
    this.#restored = saved !== undefined;
    this.#grant = saved && { ...saved, until: now + leaseWithMargin(GRANT_LEASE_MS), othersUntil: now };
  }

  step(input: ArbiterInput, now: number): readonly ArbiterEffect[] {
    this.#forget(now);
    if (input.type === 'tick') return this.#decide(now, undefined);
    const { report } = input;
    const known = this.#heard.get(report.node);
    if (known !== undefined && known.report.number >= report.number && known.report.view.number > report.view.number)
      return [];
    this.#heard.set(report.node, { report, at: now });
    const key = viewKey(report.view);
    if (!this.#viewSince.has(key)) this.#viewSince.set(key, now);
    return this.#decide(now, report);
  }

  /** When a voter becomes silent or a wait ends, at the latest. */
  wakeAt(now: number): number | undefined {
    if (this.#heard.size === 0) return undefined;
    const times = [...this.#heard.values()].map(({ at }) => at + SILENT_MS);
    for (const since of this.#viewSince.values()) times.push(since + ACCOUNT_MS);
    if (this.#grant !== undefined) times.push(this.#grant.until);
    const ahead = times.filter((time) => time > now);
    return ahead.length === 0 ? undefined : Math.min(...ahead);
  }

  #decide(now: number, asking: ArbiterReport | undefined): readonly ArbiterEffect[] {
    const fresh = [...this.#heard.values()].filter(({ at }) => now - at < SILENT_MS).map(({ report }) => report);
    fresh.sort((a, b) => byNumber(a.node, b.node));
    const [best] = rankedCandidates(fresh, this.#grant?.view.number ?? 0);
    const effects: ArbiterEffect[] = [];
    if (best !== undefined) {
      const isGranted = this.#grant !== undefined && viewKey(this.#grant.view) === viewKey(best.view);
      if (isGranted && asking !== undefined && viewKey(asking.view) === viewKey(best.view)) this.#renew(now);
      const why = isGranted ? undefined : this.#mustWait(best, fresh, now);
      if (!isGranted && why === undefined) {
        effects.push({ type: 'save', record: this.#give(best, fresh, now) });
        for (const reporter of best.reporters) {
          if (reporter.node !== asking?.node)
            effects.push({ type: 'verdict', to: reporter.node, verdict: this.#answer(reporter, best, undefined, now) });
        }
      }
      if (asking !== undefined)
        effects.push({ type: 'verdict', to: asking.node, verdict: this.#answer(asking, best, why, now) });
      return effects;
    }
    if (asking === undefined) return [];
    const reason = asking.active ? 'this view has not half of the votes' : 'this view is not active yet';
    return [
      {
        type: 'verdict',
        to: asking.node,
        verdict: verdictFor(asking, asking.active ? 'deny' : 'wait', reason, this.#grant?.grantNumber ?? 0),
      },
    ];
  }

  #answer(report: ArbiterReport, best: Candidate, wait: string | undefined, now: number): ArbiterVerdict {
    const grantNumber = this.#grant?.grantNumber ?? 0;
    if (viewKey(report.view) !== viewKey(best.view)) {
      return verdictFor(
        report,
        'deny',
        `view ${best.view.number} with ${best.report.members.join(', ')} is preferred`,
        grantNumber,
      );
    }
    if (wait !== undefined) return verdictFor(report, 'wait', wait, grantNumber);
    const exclusiveAfterMs = Math.max(0, (this.#grant?.othersUntil ?? now) - now);
    return {
      ...verdictFor(report, 'grant', 'this view has the vote', grantNumber),
      leaseMs: GRANT_LEASE_MS,
      exclusiveAfterMs,
    };
  }

  /** Why the vote cannot move to `best` yet. */
  #mustWait(best: Candidate, fresh: readonly ArbiterReport[], now: number): string | undefined {
    const since = this.#viewSince.get(viewKey(best.view)) ?? now;
    const missing = best.report.base.voters.filter(
      ({ node, votes }) => votes > 0 && !this.#isAccounted(node, fresh, now),
    );
    if (missing.length > 0 && now - since < ACCOUNT_MS) {
      return `waiting for a report of node ${missing.map(({ node }) => node).join(', ')}`;
    }
    const grant = this.#grant;
    if (this.#restored && grant !== undefined && now < grant.until && best.report.lineage < grant.view.number) {
      return 'the arbiter has restarted, and a lease it gave before may still run';
    }
    const holders = fresh.filter((report) => grant !== undefined && viewKey(report.view) === viewKey(grant.view));
    if (grant !== undefined && holders.length > 0 && now < grant.until)
      return 'the view that holds the vote still reports; its lease must end';
    return undefined;
  }

  #isAccounted(node: NodeId, fresh: readonly ArbiterReport[], now: number): boolean {
    if (fresh.some((report) => report.node === node)) return true;
    const lastSign = this.#heard.get(node)?.at ?? this.#startedAt;
    return now - lastSign >= SILENT_MS;
  }

  #renew(now: number): void {
    if (this.#grant !== undefined) this.#grant.until = now + leaseWithMargin(GRANT_LEASE_MS);
  }

  #give(best: Candidate, fresh: readonly ArbiterReport[], now: number): GrantRecord {
    const before = this.#grant;
    const allSeenElsewhere =
      before === undefined ||
      before.members.every((node) =>
        fresh.some((report) => report.node === node && viewKey(report.view) !== viewKey(before.view)),
      );
    const record = { grantNumber: (before?.grantNumber ?? 0) + 1, view: best.view, members: best.report.members };
    // A vote that moves twice within a lease leaves the first holder asleep with its own (law S3, seed 1683).
    const othersUntil = Math.max(before?.othersUntil ?? now, allSeenElsewhere ? now : before.until);
    this.#grant = { ...record, until: now + leaseWithMargin(GRANT_LEASE_MS), othersUntil };
    this.#restored = false;
    return record;
  }

  #forget(now: number): void {
    for (const [node, { at }] of this.#heard) if (now - at >= FORGET_MS) this.#heard.delete(node);
    const reported = new Set([...this.#heard.values()].map(({ report }) => viewKey(report.view)));
    for (const key of this.#viewSince.keys()) if (!reported.has(key)) this.#viewSince.delete(key);
  }
}

const verdictFor = (
  report: ArbiterReport,
  vote: ArbiterVerdict['vote'],
  reason: string,
  grantNumber: number,
): ArbiterVerdict => ({
  number: report.number,
  view: report.view,
  vote,
  leaseMs: 0,
  exclusiveAfterMs: 0,
  grantNumber,
  reason,
});

/**
 * Which of the views that report to the arbiter deserves its vote. A pure function of the reports.
 *
 * `ffsplit` (fifty-fifty split) votes only where half of the votes are already there, so the cluster works without the
 * arbiter as long as it has a majority. `lastManStanding` votes for any part, so one node and the arbiter are enough.
 */
import { byCodeUnit, byNumber, inTurn } from '@systole/kernel';
import { compareBase, type NodeId, votesOf } from '../base.ts';
import type { TieBreaker } from '../options.ts';
import type { ArbiterReport, ViewName } from './messages.ts';

/** A view as its reporters tell it. */
export interface Candidate {
  readonly view: ViewName;
  readonly reporters: readonly ArbiterReport[];
  /** Any reporter's; they agree on all that is compared. */
  readonly report: ArbiterReport;
  /** Votes of the members that do not report another view. */
  readonly votes: number;
  /** Votes of all voters of its base, the device apart. */
  readonly of: number;
}

export const viewKey = ({ number, hash }: ViewName): string => `${number}/${hash}`;

/** The views that may have the vote, best first; `granted` is the number of the view last granted. */
export function rankedCandidates(reports: readonly ArbiterReport[], granted: number): readonly Candidate[] {
  return candidates(reports).filter(isEligible).toSorted(bestFirst(granted));
}

function candidates(reports: readonly ArbiterReport[]): readonly Candidate[] {
  const byView = new Map<string, ArbiterReport[]>();
  for (const report of reports) {
    const key = viewKey(report.view);
    byView.set(key, [...(byView.get(key) ?? []), report]);
  }
  const elsewhere = new Map(reports.map((report) => [report.node, viewKey(report.view)]));
  const found: Candidate[] = [];
  for (const [key, reporters] of byView) {
    const report = reporters[0];
    if (report === undefined || !reporters.every((other) => agree(report, other))) continue;
    const here = report.members.filter((node) => (elsewhere.get(node) ?? key) === key);
    const votes = here.reduce((sum, node) => sum + votesOf(report.base, node), 0);
    const of = report.base.voters.reduce((sum, voter) => sum + voter.votes, 0);
    found.push({ view: report.view, reporters, report, votes, of });
  }
  return found;
}

const agree = (a: ArbiterReport, b: ArbiterReport): boolean =>
  a.active && b.active && compareBase(a.base, b.base) === 0 && a.members.join() === b.members.join();

const isEligible = ({ votes, of, report }: Candidate): boolean =>
  votes > 0 && (report.algorithm === 'lastManStanding' || 2 * votes >= of);

function bestFirst(granted: number): (a: Candidate, b: Candidate) => number {
  const more =
    (value: (candidate: Candidate) => number) =>
    (a: Candidate, b: Candidate): number =>
      byNumber(value(b), value(a));
  return inTurn<Candidate>(
    (a, b) => compareBase(b.report.base, a.report.base),
    more(({ votes, of }) => Number(2 * votes > of)),
    more(score),
    more(({ reporters, report }) => (report.algorithm === 'ffsplit' ? reporters.length : report.members.length)),
    more(({ report }) => Number(report.keepsLineage && granted > 0 && report.lineage >= granted)),
    (a, b) => (hasTieNode(a, b) ? -1 : hasTieNode(b, a) ? 1 : 0),
    (a, b) => byCodeUnit(viewKey(a.view), viewKey(b.view)),
  );
}

const score = ({ reporters }: Candidate): number =>
  reporters.reduce((sum, { heuristics }) => sum + 1 + (heuristics === 'pass' ? 1 : heuristics === 'fail' ? -1 : 0), 0);

/** Whether the tie goes to `a`: the first listed (or lowest, highest) node of both is in it. */
function hasTieNode(a: Candidate, b: Candidate): boolean {
  const mine = a.report.members;
  const all = [...mine, ...b.report.members].toSorted(byNumber);
  const node = tieNode(a.report.tieBreaker, all);
  return node !== undefined && mine.includes(node);
}

function tieNode(setting: TieBreaker, nodes: readonly NodeId[]): NodeId | undefined {
  if (setting === 'lowest') return nodes[0];
  if (setting === 'highest') return nodes.at(-1);
  return setting.find((node) => nodes.includes(node));
}

/**
 * May this view act? A pure function of what all its members reported, so that every member comes to the same answer.
 *
 * Each member tells, when it promises to join a view, which base of voters it knows, which change of it may be under
 * way, and when it last was in a quorate view. The newest base counts. While a change of it may be under way the view
 * needs enough votes of both (the joint rule): somebody else may already act on the changed one.
 *
 * Differences from votequorum, on purpose: the tie breaker wants exactly half, never half − 1; `waiting` is set only
 * when a process starts; a changed base survives restarts. Spec: messaging-spec §6.3, §6.4.
 */
import { byNumber } from '@systole/kernel';
import {
  type Base,
  bindingPending,
  describeBase,
  newestBase,
  type NodeId,
  type PendingBase,
  totalVotes,
  votersWithVotes,
  votesOf,
} from './base.ts';
import type { QuorumOptions, TieBreaker } from './options.ts';

/** What one node contributes to the decision; it travels in its promise and in the installation. */
export interface QuorumReport {
  readonly node: NodeId;
  readonly base: Base;
  readonly pending?: PendingBase;
  /** Number of the highest view in which this node was quorate; 0 before the first. */
  readonly lineage: number;
  /** Members of that view; every voter before the first. */
  readonly lastQuorateMembers: readonly NodeId[];
  /** Started with wait_for_all, and neither saw all voters at once nor joined a quorate view since. */
  readonly waiting: boolean;
}

/** What the device says about this very view. `none`: no device configured. `silent`: no verdict in time. */
export type DeviceVerdict = 'none' | 'grant' | 'deny' | 'silent';

/** How the votes of one base count for a set of nodes. */
export interface Tally {
  readonly base: Base;
  readonly got: number;
  /** The fewest votes that suffice here; half of the total when the tie breaker helps. */
  readonly needed: number;
  readonly total: number;
  readonly enough: boolean;
  readonly by: 'majority' | 'twoNode' | 'tieBreaker' | 'none';
}

export interface Decision {
  readonly enough: boolean;
  /** What all members count against from now on. */
  readonly base: Base;
  readonly pending?: PendingBase;
  readonly tally: Tally;
  readonly pendingTally?: Tally;
  /** Enough votes, but every member still waits for all voters: `missing` have not been seen. */
  readonly waitingFor: readonly NodeId[];
  /** One sentence for status and log: the votes, the threshold, and why or why not. */
  readonly reason: string;
}

export interface DecisionInput {
  readonly members: readonly NodeId[];
  /** One from each member. */
  readonly reports: readonly QuorumReport[];
  readonly options: QuorumOptions;
  readonly device: DeviceVerdict;
  readonly nameOf?: (node: NodeId) => string;
}

/** Decides at the activation of a view. */
export function decide({ members, reports, options, device, nameOf = String }: DecisionInput): Decision {
  const base = newestBase(reports.map((report) => report.base));
  const pending = bindingPending(
    base,
    reports.map((report) => report.pending),
  );
  const tieFrom = membersOfHighestLineage(reports);
  const count = (against: Base): Tally => tally({ members, base: against, options, device, tieFrom });
  const now = count(base);
  const next = pending === undefined ? undefined : count(pending.base);
  const votesSuffice = now.enough && (next?.enough ?? true);
  const missing = votersWithVotes(base).filter((node) => !members.includes(node));
  const waitingFor = votesSuffice && reports.every((report) => report.waiting) ? missing : [];
  return {
    enough: votesSuffice && waitingFor.length === 0,
    base,
    ...(pending === undefined ? {} : { pending }),
    tally: now,
    ...(next === undefined ? {} : { pendingTally: next }),
    waitingFor,
    reason: reasonFor(now, next, waitingFor, device, nameOf),
  };
}

export interface TallyInput {
  readonly members: readonly NodeId[];
  readonly base: Base;
  readonly options: QuorumOptions;
  readonly device: DeviceVerdict;
  /**
   * The view whose members a tie breaker's list is looked up in: at activation the members of the last quorate view that
   * anybody reports; once this view is quorate its own (a stale remainder of the old view must not use the old one).
   */
  readonly tieFrom: readonly NodeId[];
}

/** Counts `members` against one base. */
export function tally({ members, base, options, device, tieFrom }: TallyInput): Tally {
  const total = totalVotes(base);
  const granted = device === 'grant' ? base.deviceVotes : 0;
  const got = members.reduce((sum, node) => sum + votesOf(base, node), granted);
  const majority = Math.floor(total / 2) + 1;
  if (options.twoNode && base.deviceVotes === 0 && votersWithVotes(base).length === 2) {
    return { base, got, needed: 1, total, enough: got >= 1, by: got >= 1 ? 'twoNode' : 'none' };
  }
  if (got >= majority) return { base, got, needed: majority, total, enough: true, by: 'majority' };
  const tieNode = tieBreakerNode(options.autoTieBreaker, base, tieFrom);
  const helped = tieNode !== undefined && members.includes(tieNode);
  if (helped && 2 * got === total) return { base, got, needed: got, total, enough: true, by: 'tieBreaker' };
  return { base, got, needed: helped && total % 2 === 0 ? total / 2 : majority, total, enough: false, by: 'none' };
}

/** The node that decides a tie in this base, if the options have one. */
export function tieBreakerNode(
  setting: TieBreaker | undefined,
  base: Base,
  tieFrom: readonly NodeId[],
): NodeId | undefined {
  if (setting === undefined) return undefined;
  const voters = votersWithVotes(base);
  if (setting === 'lowest') return voters[0];
  if (setting === 'highest') return voters.at(-1);
  return setting.find((node) => tieFrom.includes(node));
}

/** Members of the last quorate view that any of the reporters remembers. */
function membersOfHighestLineage(reports: readonly QuorumReport[]): readonly NodeId[] {
  return reports.reduce((best, report) => (report.lineage > best.lineage ? report : best)).lastQuorateMembers;
}

function reasonFor(
  now: Tally,
  next: Tally | undefined,
  waitingFor: readonly NodeId[],
  device: DeviceVerdict,
  nameOf: (node: NodeId) => string,
): string {
  const names = (nodes: readonly NodeId[]): string => nodes.toSorted(byNumber).map(nameOf).join(', ');
  const votes = `${now.got} of ${now.total} votes`;
  const deviceWords = {
    none: '',
    grant: ', the device’s vote included',
    deny: '; the device denies its vote',
    silent: '; the device has not answered',
  }[device];
  if (waitingFor.length > 0) {
    return `${votes} would do, but since its start no member has seen all voters (wait_for_all): waiting for ${names(waitingFor)}; "systole quorum proceed" ends the wait`;
  }
  if (!now.enough) return `${votes}, ${now.needed} needed${deviceWords}`;
  if (next !== undefined && !next.enough) {
    return `${votes} in the present base, but a change to ${describeBase(next.base, nameOf)} may be under way, and of that it has only ${next.got} of ${next.total}, ${next.needed} needed`;
  }
  if (now.by === 'twoNode') return `${votes}: one is enough with two_node`;
  if (now.by === 'tieBreaker') return `${votes}: exactly half, and the tie breaker is among the members`;
  return `${votes}, ${now.needed} needed${deviceWords}`;
}

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
  type NodeId,
  type PendingBase,
  totalVotes,
  votersWithVotes,
  votesOf,
} from './base.ts';
import { membersOfHighestLineage, newestBase, type QuorumMemory, type QuorumReport } from './memory.ts';
import type { QuorumOptions, TieBreaker } from './options.ts';

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

/** The votes, and what they are counted against; `ok` is all but the lease. */
export interface Verdict {
  readonly ok: boolean;
  readonly base: Base;
  readonly pending?: PendingBase;
  readonly tally: Tally;
  readonly pendingTally?: Tally;
  /** Enough votes, but every member waits for all voters, and these have not been seen. */
  readonly waitingFor: readonly NodeId[];
  /** One sentence for status and log: the votes, the threshold, and why or why not. */
  readonly reason: string;
}

export interface VerdictInput {
  readonly members: readonly NodeId[];
  /** One from each member. */
  readonly reports: readonly QuorumReport[];
  readonly options: QuorumOptions;
  readonly deviceGranted: boolean;
}

/** Decides at the activation of a view, and again when the device's answer or the base changes. */
export function decide({ members, reports, options, deviceGranted }: VerdictInput): Verdict {
  const memories = reports.map((report) => report.memory);
  const base = newestBase(memories);
  const pending = bindingPending(
    base,
    memories.map((memory) => memory.pending),
  );
  const tieFrom = membersOfHighestLineage(memories);
  const count = (against: Base): Tally => tally({ members, base: against, options, deviceGranted, tieFrom });
  const now = count(base);
  const next = pending === undefined ? undefined : count(pending.base);
  const votesSuffice = now.enough && (next?.enough ?? true);
  const missing = votersWithVotes(base).filter((node) => !members.includes(node));
  const waitingFor = votesSuffice && memories.every((memory) => memory.waiting) ? missing : [];
  return {
    ok: votesSuffice && waitingFor.length === 0,
    base,
    ...(pending === undefined ? {} : { pending }),
    tally: now,
    ...(next === undefined ? {} : { pendingTally: next }),
    waitingFor,
    reason: reasonFor(now, next, waitingFor, deviceGranted, options),
  };
}

/**
 * Whether `nodes` carry enough votes of the base and of every change of it that may have been chosen.
 *
 * For the lease, for durable entries and for choosing whom to merge with. A tie is broken by the members of the last
 * quorate view this node was in; inside a quorate view that is this view, which its memory says. (With an older one a
 * stale remainder and a new view could both break the tie: QP1 of the specification.)
 */
export function enoughVotes(
  nodes: readonly NodeId[],
  memory: QuorumMemory,
  others: readonly (PendingBase | undefined)[],
  deviceGranted: boolean,
  options: QuorumOptions,
): boolean {
  const pending = bindingPending(memory.base, [memory.pending, ...others]);
  const bases = pending === undefined ? [memory.base] : [memory.base, pending.base];
  const tieFrom = memory.lastQuorateMembers;
  return bases.every((base) => tally({ members: nodes, base, options, deviceGranted, tieFrom }).enough);
}

export interface TallyInput {
  readonly members: readonly NodeId[];
  readonly base: Base;
  readonly options: QuorumOptions;
  readonly deviceGranted: boolean;
  /** The view whose members a tie breaker's list is looked up in. */
  readonly tieFrom: readonly NodeId[];
}

/** Counts `members` against one base. */
export function tally({ members, base, options, deviceGranted, tieFrom }: TallyInput): Tally {
  const total = totalVotes(base);
  const got = members.reduce((sum, node) => sum + votesOf(base, node), deviceGranted ? base.deviceVotes : 0);
  const majority = Math.floor(total / 2) + 1;
  if (options.twoNode && base.deviceVotes === 0 && votersWithVotes(base).length === 2) {
    return { base, got, needed: 1, total, enough: got >= 1, by: got >= 1 ? 'twoNode' : 'none' };
  }
  if (got >= majority) return { base, got, needed: majority, total, enough: true, by: 'majority' };
  const tieNode = tieBreakerNode(options.autoTieBreaker, base, tieFrom);
  const helped = tieNode !== undefined && members.includes(tieNode) && total % 2 === 0;
  if (helped && 2 * got === total) return { base, got, needed: got, total, enough: true, by: 'tieBreaker' };
  return { base, got, needed: helped ? total / 2 : majority, total, enough: false, by: 'none' };
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

function reasonFor(
  now: Tally,
  next: Tally | undefined,
  waitingFor: readonly NodeId[],
  deviceGranted: boolean,
  options: QuorumOptions,
): string {
  const names = (nodes: readonly NodeId[]): string =>
    nodes
      .toSorted(byNumber)
      .map((node) => options.nameOf(node))
      .join(', ');
  const votes = `${now.got} of ${now.total} votes`;
  const ofDevice = deviceGranted ? ', with the device’s vote' : ', without the device’s vote';
  const device = now.base.deviceVotes === 0 ? '' : ofDevice;
  if (waitingFor.length > 0) {
    return `${votes} would do, but since its start no member has seen all voters (wait_for_all): waiting for ${names(waitingFor)}; "systole quorum proceed" ends the wait`;
  }
  if (!now.enough) return `${votes}, ${now.needed} needed${device}`;
  if (next !== undefined && !next.enough) {
    return `${votes} of the present base, but a change to ${describeBase(next.base, options.nameOf)} may be under way, and of that it has ${next.got} of ${next.total}, ${next.needed} needed`;
  }
  if (now.by === 'twoNode') return `${votes}: one is enough with two_node`;
  if (now.by === 'tieBreaker') return `${votes}: exactly half, and the tie breaker is among the members`;
  return `${votes}, ${now.needed} needed${device}`;
}

/** What a node remembers about quorum: on its disk across restarts, and in its promise to join another view. */
import { byNumber } from '@systole/kernel';
import {
  type Base,
  compareBase,
  initialBase,
  isPendingFor,
  type NodeId,
  type PendingBase,
  votersWithVotes,
} from './base.ts';
import { deviceVotesFor, type QuorumOptions } from './options.ts';

export interface QuorumMemory {
  readonly base: Base;
  readonly pending?: PendingBase;
  /** Number of the highest view in which this node was quorate; 0 before the first. */
  readonly lineage: number;
  /** Members of that view, ascending; every voter before the first. */
  readonly lastQuorateMembers: readonly NodeId[];
  /** Started with wait_for_all, and neither saw all voters at once nor joined a quorate view since. */
  readonly waiting: boolean;
  /** The base was forced by an operator. */
  readonly forced: boolean;
}

export interface QuorumReport {
  readonly node: NodeId;
  readonly memory: QuorumMemory;
}

/** The memory of a process that starts. What was saved counts more than the configuration, which changes it by agreement. */
export function memoryAtStart(options: QuorumOptions, saved: QuorumMemory | undefined): QuorumMemory {
  if (saved !== undefined) return { ...saved, waiting: options.waitForAll };
  const base = initialBase(options.founders, deviceVotesFor(options.founders, options));
  return { base, lineage: 0, lastQuorateMembers: votersWithVotes(base), waiting: options.waitForAll, forced: false };
}

/**
 * The newest base that these nodes know. Of equally new ones that differ (a node that has never been in a quorate view
 * starts from its configuration, which may be younger than the cluster) the base of a node that has been in one.
 */
export function newestBase(memories: readonly QuorumMemory[]): Base {
  return memories.reduce((newest, memory) => {
    const order = compareBase(memory.base, newest.base);
    return order > 0 || (order === 0 && memory.lineage > newest.lineage) ? memory : newest;
  }).base;
}

/** Members of the last quorate view that any of these nodes remembers. */
export const membersOfHighestLineage = (memories: readonly QuorumMemory[]): readonly NodeId[] =>
  memories.reduce((best, memory) => (memory.lineage > best.lineage ? memory : best)).lastQuorateMembers;

/** Moves on to a newer base that is known to be chosen; a pending change that does not follow it is settled by it. */
export function adopt(memory: QuorumMemory, base: Base): QuorumMemory {
  // A node that never was in a quorate view has its base from its configuration: any other of that age counts more.
  const isBetter = compareBase(base, memory.base) > 0 || (compareBase(base, memory.base) === 0 && memory.lineage === 0);
  if (!isBetter) return memory;
  const { pending, ...rest } = memory;
  const follows = pending !== undefined && isPendingFor(base, pending);
  return { ...rest, base, ...(follows ? { pending } : {}) };
}

/** An operator ends the wait of wait_for_all on this node. */
export const proceed = (memory: QuorumMemory): QuorumMemory => ({ ...memory, waiting: false });

/**
 * An operator makes `members` the base of a new generation, whoever is missing. The missing nodes must be fenced or
 * switched off first; when they return, the newer generation wins.
 */
export function force(memory: QuorumMemory, members: readonly NodeId[], options: QuorumOptions): QuorumMemory {
  const voters = options.voters
    .filter(({ node }) => members.includes(node))
    .toSorted((a, b) => byNumber(a.node, b.node));
  const base = {
    generation: memory.base.generation + 1,
    revision: 0,
    voters,
    deviceVotes: deviceVotesFor(voters, options),
  };
  const { lineage, lastQuorateMembers } = memory;
  return { base, lineage, lastQuorateMembers, waiting: false, forced: true };
}

/**
 * The base: the named set of voters against which a partition counts its votes, the same on every node and on disk.
 *
 * Corosync keeps a counter of expected votes in memory; which nodes it stands for is nobody's knowledge, and after a
 * restart it is the configuration's again. A named base makes last man standing, downscale, growth and a device's vote
 * one mechanism: the base changes, by agreement of a quorum of the old *and* of the new one (`change.ts`), and each
 * node remembers the newest it knows. Bases are ordered by (generation, revision); the generation rises only when an
 * operator forces quorum, the revision with each agreed change.
 */
import { byNumber, by } from '@systole/kernel';

/** A node's number as messaging knows it, from 1 to 65535. */
export type NodeId = number;

export interface Voter {
  readonly node: NodeId;
  /** From 0 (a member without a vote) to 255. */
  readonly votes: number;
}

export interface Base {
  /** How often an operator has forced quorum. */
  readonly generation: number;
  /** Agreed changes in this generation. */
  readonly revision: number;
  /** In ascending order of node, each once. */
  readonly voters: readonly Voter[];
  /** What the device (arbiter, witness) adds to the total and, where it grants, to the votes present. */
  readonly deviceVotes: number;
}

/**
 * The next base, received and saved but not yet known to be decided. Revision r + 1 is one instance of Paxos among the
 * voters of revision r, with the number of the view in which a change is proposed as its ballot.
 */
export interface PendingBase {
  readonly base: Base;
  readonly viewNumber: number;
}

/** The base that a configuration describes, before anything has happened. */
export function initialBase(voters: readonly Voter[], deviceVotes = 0): Base {
  return {
    generation: 0,
    revision: 0,
    voters: voters.toSorted(by((voter: Voter) => voter.node, byNumber)),
    deviceVotes,
  };
}

/** Below 0 when `a` is older than `b`. */
export const compareBase = (a: Base, b: Base): number => a.generation - b.generation || a.revision - b.revision;

export const votesOf = (base: Base, node: NodeId): number =>
  base.voters.find((voter) => voter.node === node)?.votes ?? 0;

/** Every vote there is in the base, the device's included. */
export const totalVotes = (base: Base): number =>
  base.voters.reduce((sum, voter) => sum + voter.votes, base.deviceVotes);

/** Nodes of the base that have a vote, in ascending order. */
export const votersWithVotes = (base: Base): readonly NodeId[] =>
  base.voters.filter((voter) => voter.votes > 0).map((voter) => voter.node);

/** Whether `pending` is a change of exactly this base, hence still undecided for someone who knows only `base`. */
export const isPendingFor = (base: Base, pending: PendingBase): boolean =>
  pending.base.generation === base.generation && pending.base.revision === base.revision + 1;

/** The pending change that binds a view: of those that follow `base`, the one with the highest view number. */
export function bindingPending(base: Base, pendings: readonly (PendingBase | undefined)[]): PendingBase | undefined {
  let binding: PendingBase | undefined;
  for (const pending of pendings) {
    if (pending === undefined || !isPendingFor(base, pending)) continue;
    if (binding === undefined || pending.viewNumber > binding.viewNumber) binding = pending;
  }
  return binding;
}

/** `base 0.2 {1, 2, 3×2} + device 1`, for status and reasons. */
export function describeBase(base: Base, nameOf: (node: NodeId) => string = String): string {
  const voters = base.voters.map(({ node, votes }) => (votes === 1 ? nameOf(node) : `${nameOf(node)}×${votes}`));
  const device = base.deviceVotes === 0 ? '' : ` + device ${base.deviceVotes}`;
  return `base ${base.generation}.${base.revision} {${voters.join(', ')}}${device}`;
}

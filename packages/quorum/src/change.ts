/**
 * Changes of the base, and which one is due.
 *
 * A change travels as an ordered entry of an active quorate view. Members store it as pending *before* they acknowledge
 * its receipt and adopt it when it is stable, so a quorum of the old and of the new base knows it before anyone counts
 * by it. A change that may have been chosen in an earlier view is proposed again before any other (Paxos: a new ballot
 * takes over the value of the highest one reported).
 */
import { byNumber } from '@systole/kernel';
import { type Base, type NodeId, totalVotes, type Voter } from './base.ts';
import { deviceVotesFor, type QuorumOptions } from './options.ts';

/** The body of a durable entry. `base` is given whole: the entry itself proves that it was chosen. */
export interface BaseChange {
  readonly base: Base;
  readonly next: Base;
}

export interface DesiredInput {
  readonly base: Base;
  readonly options: QuorumOptions;
  readonly members: readonly NodeId[];
  /** Nodes that left cleanly, or are about to, since this base. */
  readonly left: readonly NodeId[];
  /** The last-man-standing window has passed with these members. */
  readonly windowPassed: boolean;
}

export interface DesiredBase {
  readonly base: Base;
  readonly reason: string;
}

/** The base that these members should have; undefined when the present one is right. The revision is one higher. */
export function desiredBase({ base, options, members, left, windowPassed }: DesiredInput): DesiredBase | undefined {
  const reasons: string[] = [];
  const isVoter = (node: NodeId): boolean => base.voters.some((voter) => voter.node === node);
  const configured = options.voters.filter(({ node }) => isVoter(node) || members.includes(node));
  const joined = configured.filter(({ node }) => !isVoter(node));
  const removed = base.voters.filter(({ node }) => !options.voters.some((voter) => voter.node === node));
  const revoted = configured.filter(({ node, votes }) =>
    base.voters.some((voter) => voter.node === node && voter.votes !== votes),
  );
  if (joined.length > 0) reasons.push(`joined: ${listed(joined)}`);
  if (removed.length > 0) reasons.push(`no longer configured: ${listed(removed)}`);
  if (revoted.length > 0) reasons.push(`other votes: ${listed(revoted)}`);

  let voters: readonly Voter[] = configured;
  if (options.allowDownscale) {
    const kept = downscaled(voters, left, options.expectedVotes);
    if (kept.length < voters.length) reasons.push(`left: ${listed(voters.filter((voter) => !kept.includes(voter)))}`);
    voters = kept;
  }
  if (options.lastManStanding && windowPassed) {
    const standing = voters.filter(({ node }) => members.includes(node));
    const fewest = options.autoTieBreaker !== undefined || options.device !== undefined ? 1 : 2;
    if (standing.length < voters.length && standing.filter(({ votes }) => votes > 0).length >= fewest) {
      reasons.push(`last man standing: without ${listed(voters.filter((voter) => !standing.includes(voter)))}`);
      voters = standing;
    }
  }
  const deviceVotes = deviceVotesFor(voters, options);
  if (deviceVotes !== base.deviceVotes) reasons.push(`the device's votes: ${deviceVotes}`);
  if (reasons.length === 0) return undefined;
  const next = { generation: base.generation, revision: base.revision + 1, voters, deviceVotes };
  return totalVotes(next) === 0 ? undefined : { base: next, reason: reasons.join('; ') };
}

/** Takes the leavers out, in ascending order, as long as the votes do not fall below `floor`. */
function downscaled(voters: readonly Voter[], left: readonly NodeId[], floor: number): readonly Voter[] {
  let kept = voters;
  for (const node of left.toSorted(byNumber)) {
    const without = kept.filter((voter) => voter.node !== node);
    const votes = without.reduce((sum, voter) => sum + voter.votes, 0);
    if (without.length < kept.length && votes >= floor) kept = without;
  }
  return kept;
}

const listed = (voters: readonly Voter[]): string => voters.map((voter) => `node ${voter.node}`).join(', ');

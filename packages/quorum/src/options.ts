/**
 * What an operator may set about quorum, and which settings go together.
 *
 * votequorum accepts nearly every combination and disables one half of it with a line in the log. Here a combination
 * that cannot mean what was intended is refused with the reason, and everything left has one meaning.
 */
import { byNumber, fail, ok, type Result } from '@systole/kernel';
import type { NodeId, Voter } from './base.ts';

/** Which node decides when both halves have the same number of votes. A list is tried in its order. */
export type TieBreaker = 'lowest' | 'highest' | readonly NodeId[];

export interface DeviceSettings {
  readonly kind: 'arbiter' | 'disk' | 'http';
  /** Default: 1 for ffsplit, voters' votes − 1 for last_man_standing. */
  readonly votes?: number;
  /** Default ffsplit. */
  readonly algorithm?: 'ffsplit' | 'lastManStanding';
  readonly tieBreaker?: TieBreaker;
}

/** As an operator writes them; every field but the voters may be left out. */
export interface QuorumSettings {
  /** Every configured node with its votes. */
  readonly voters: readonly Voter[];
  /** The floor for `allowDownscale`; default the sum of all votes, so that nothing shrinks. */
  readonly expectedVotes?: number;
  readonly twoNode?: boolean;
  readonly waitForAll?: boolean;
  readonly autoTieBreaker?: TieBreaker | false;
  readonly lastManStanding?: boolean;
  readonly lastManStandingWindowMs?: number;
  readonly allowDownscale?: boolean;
  readonly device?: DeviceSettings;
  readonly dynamicDevice?: boolean;
  /**
   * The nodes that a cluster without a memory is founded by; default all. A node added to a running cluster is no
   * founder: it votes once the members have agreed to that, so that several added at once are no cluster of their own.
   */
  readonly founders?: readonly NodeId[];
  /** A node's name for reasons and warnings; default its number. */
  readonly nameOf?: (node: NodeId) => string;
}

export interface DeviceOptions {
  readonly kind: 'arbiter' | 'disk' | 'http';
  readonly votes: number;
  readonly algorithm: 'ffsplit' | 'lastManStanding';
  readonly tieBreaker: TieBreaker;
}

/** Settings with their defaults filled in and checked against each other. */
export interface QuorumOptions {
  readonly voters: readonly Voter[];
  readonly expectedVotes: number;
  readonly twoNode: boolean;
  readonly waitForAll: boolean;
  readonly autoTieBreaker: TieBreaker | undefined;
  readonly lastManStanding: boolean;
  readonly lastManStandingWindowMs: number;
  readonly allowDownscale: boolean;
  readonly device: DeviceOptions | undefined;
  readonly dynamicDevice: boolean;
  readonly founders: readonly Voter[];
  readonly nameOf: (node: NodeId) => string;
}

export interface CheckedOptions {
  readonly options: QuorumOptions;
  /** Allowed, but the operator should know: a sentence each. */
  readonly warnings: readonly string[];
}

export const LAST_MAN_STANDING_WINDOW_DEFAULT_MS = 10_000; // as votequorum
const VOTES_MAX = 255;

/** Fails with every reason at once, each a sentence that names the settings and what to do. */
export function quorumOptions(settings: QuorumSettings): Result<CheckedOptions, readonly string[]> {
  const options = withDefaults(settings);
  const refusals = [...invalidValues(settings, options), ...refusedCombinations(settings, options)];
  if (refusals.length > 0) return fail(refusals);
  return ok({ options, warnings: warningsAbout(settings, options) });
}

function withDefaults(settings: QuorumSettings): QuorumOptions {
  const voters = settings.voters.toSorted((a, b) => byNumber(a.node, b.node));
  const nodeVotes = voters.reduce((sum, voter) => sum + voter.votes, 0);
  const twoNode = settings.twoNode ?? false;
  const lastManStanding = settings.lastManStanding ?? false;
  const autoTieBreaker = settings.autoTieBreaker === false ? undefined : settings.autoTieBreaker;
  const algorithm = settings.device?.algorithm ?? 'ffsplit';
  const device = settings.device && {
    kind: settings.device.kind,
    algorithm,
    votes: settings.device.votes ?? (algorithm === 'ffsplit' ? 1 : Math.max(1, nodeVotes - 1)),
    tieBreaker: settings.device.tieBreaker ?? 'lowest',
  };
  return {
    voters,
    expectedVotes: settings.expectedVotes ?? nodeVotes,
    twoNode,
    waitForAll: settings.waitForAll ?? (twoNode || lastManStanding),
    autoTieBreaker,
    lastManStanding,
    lastManStandingWindowMs: settings.lastManStandingWindowMs ?? LAST_MAN_STANDING_WINDOW_DEFAULT_MS,
    allowDownscale: settings.allowDownscale ?? false,
    device,
    dynamicDevice: settings.dynamicDevice ?? (lastManStanding && device !== undefined),
    founders: voters.filter(({ node }) => settings.founders?.includes(node) ?? true),
    nameOf: settings.nameOf ?? String,
  };
}

function invalidValues(settings: QuorumSettings, options: QuorumOptions): readonly string[] {
  const problems: string[] = [];
  const nodes = options.voters.map((voter) => voter.node);
  const sum = options.voters.reduce((total, voter) => total + voter.votes, 0);
  const twice = nodes.find((node, index) => nodes.indexOf(node) !== index);
  if (twice !== undefined) problems.push(`node ${twice} is listed twice`);
  for (const { node, votes } of options.voters) {
    if (!Number.isInteger(votes) || votes < 0 || votes > VOTES_MAX) {
      problems.push(`node ${node} has ${votes} votes; a whole number from 0 to ${VOTES_MAX} is possible`);
    }
  }
  if (sum === 0) problems.push('no node has a vote, so there could never be quorum; give at least one node votes: 1');
  if (!Number.isInteger(options.expectedVotes) || options.expectedVotes < 1) {
    problems.push(`expected_votes is ${options.expectedVotes}; a whole number from 1 is possible`);
  } else if (options.expectedVotes > sum) {
    problems.push(
      `expected_votes is ${options.expectedVotes}, but the listed nodes have ${sum} votes together; list every node`,
    );
  }
  if (sum > 0 && options.founders.every(({ votes }) => votes === 0))
    problems.push('no founder of the cluster has a vote');
  for (const list of [settings.autoTieBreaker, settings.device?.tieBreaker]) {
    if (typeof list !== 'object') continue;
    const unknown = list.find((node) => !nodes.includes(node));
    if (list.length === 0) problems.push('a tie breaker list is empty; name nodes, or write lowest or highest');
    if (unknown !== undefined) problems.push(`the tie breaker names node ${unknown}, which is not in the node list`);
  }
  const deviceVotes = settings.device?.votes;
  if (deviceVotes !== undefined && (!Number.isInteger(deviceVotes) || deviceVotes < 1 || deviceVotes > VOTES_MAX)) {
    problems.push(`the device has ${deviceVotes} votes; a whole number from 1 to ${VOTES_MAX} is possible`);
  }
  return problems;
}

function refusedCombinations(settings: QuorumSettings, options: QuorumOptions): readonly string[] {
  const problems: string[] = [];
  const withVotes = options.voters.filter((voter) => voter.votes > 0);
  if (options.twoNode) {
    if (withVotes.length !== 2) {
      problems.push(
        `two_node needs exactly two nodes with votes, and there are ${withVotes.length}; turn two_node off`,
      );
    }
    if (options.autoTieBreaker !== undefined) {
      problems.push('two_node and auto_tie_breaker are two ways to break the same tie; keep one of them');
    }
    if (options.lastManStanding) {
      problems.push(
        'last_man_standing means nothing with two_node, where one vote is already enough; turn one of them off',
      );
    }
    if (options.allowDownscale) problems.push('two_node and allow_downscale exclude each other; turn one of them off');
    if (options.device !== undefined) problems.push('a quorum device replaces two_node; turn two_node off');
  }
  if (options.device !== undefined) {
    if (options.autoTieBreaker !== undefined) {
      problems.push(
        'a quorum device already breaks ties; turn auto_tie_breaker off (the device has a tie_breaker of its own)',
      );
    }
    if (options.lastManStanding && settings.dynamicDevice === false) {
      problems.push(
        'last_man_standing with a quorum device needs dynamic_device, else the shrinking base keeps the device’s votes',
      );
    }
  } else if (settings.dynamicDevice === true) {
    problems.push('dynamic_device is on, but no device is configured');
  }
  return problems;
}

function warningsAbout(settings: QuorumSettings, options: QuorumOptions): readonly string[] {
  const warnings: string[] = [];
  if (options.twoNode && settings.waitForAll === false) {
    warnings.push('two_node without wait_for_all: after a restart each node alone is quorate and will fence the other');
  }
  if (options.lastManStanding && settings.waitForAll === false) {
    warnings.push(
      'last_man_standing without wait_for_all: a node left behind may act on an old base after a restart of all',
    );
  }
  return warnings;
}

/** How many votes the device has beside these voters: none while their sum is odd, if it is dynamic. */
export function deviceVotesFor(voters: readonly Voter[], options: QuorumOptions): number {
  if (options.device === undefined) return 0;
  const sum = voters.reduce((total, voter) => total + voter.votes, 0);
  if (options.dynamicDevice && sum % 2 === 1) return 0;
  if (options.device.algorithm === 'ffsplit') return options.device.votes;
  return Math.max(1, Math.min(options.device.votes, sum - 1));
}

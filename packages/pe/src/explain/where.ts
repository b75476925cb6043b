/**
 * Why a resource will be on its node, by which score or tie-break, and why not on another; with every constraint that
 * added to a score. Tie-breaks are those of `assign/compare-nodes.ts`.
 */
import { formatScore, INFINITY } from '@systole/cib';
import type { Contribution, ContributionSource, Place } from '../assign/placement.ts';
import type { Instance, PrimitiveInstance } from '../expand/instance.ts';
import type { Options } from '../options.ts';
import type { Decision } from '../schedule.ts';
import type { Node } from '../status/node.ts';
import type { ContributionExplanation, NodeExplanation } from './explain.ts';

export function whyHere(decision: Decision, instance: PrimitiveInstance, place: Place | undefined): string {
  const chosen = place?.node;
  if (chosen === undefined) return `${instance.id} will not run: ${whyNowhere(decision, instance, place)}`;
  const score = place?.allowed[chosen.index]?.score ?? 0;
  const others = decision.situation.nodes.filter((node) => node !== chosen && isPossible(decision, place, node));
  if (others.length === 0) return `${instance.id} will run on ${chosen.name}, the only node where it can`;
  const best = Math.max(...others.map((node) => place?.allowed[node.index]?.score ?? -INFINITY));
  if (score > best) {
    return `${instance.id} will run on ${chosen.name}: its score there, ${formatScore(score)}, is the highest (next: ${formatScore(best)})`;
  }
  if (score < best) {
    return `${instance.id} will run on ${chosen.name} with score ${formatScore(score)}, because what it belongs to was placed there`;
  }
  return `${instance.id} will run on ${chosen.name}: ${whyTie(decision, instance, place, chosen, others)}`;
}

/** Equal scores: the rest of the order in `compare-nodes.ts` decides, unless it is there already. */
function whyTie(
  decision: Decision,
  instance: PrimitiveInstance,
  place: Place | undefined,
  chosen: Node,
  others: readonly Node[],
): string {
  const score = place?.allowed[chosen.index]?.score ?? 0;
  const equal = others.filter((node) => place?.allowed[node.index]?.score === score).map((node) => node.name);
  const scores = `its score, ${formatScore(score)}, is the same on ${equal.join(', ')}`;
  if (instance.activeNodes.includes(chosen)) return `${scores}; it is there already, and nothing asks it to move`;
  const criteria = tieBreaks[decision.situation.options.placementStrategy];
  return `${scores}; among equals ${criteria} wins`;
}

const tieBreaks = {
  default: 'the node with fewer resources placed on it so far, then the smaller name',
  utilization: 'the node with fewer resources placed on it so far, then the smaller name',
  balanced: 'the node with more free capacity, then with fewer resources, then the smaller name',
  minimal: 'the smaller name',
} as const satisfies Record<Options['placementStrategy'], string>;

function whyNowhere(decision: Decision, instance: PrimitiveInstance, place: Place | undefined): string {
  const { situation, placement } = decision;
  if (instance.isRemoved) return 'it is no longer configured';
  if (instance.isDisabled) return 'target-role says Stopped';
  if (situation.options.stopsAll) return 'stop-all-resources is set';
  if (place?.lock !== undefined) {
    return `it is locked to ${place.lock.node.name}, which was shut down, and waits for it (shutdown-lock)`;
  }
  const own = placement.contributions.filter((one) => isOwn(one.instance, instance) && one.score <= -INFINITY);
  const everywhere = own.find((one) => one.node === undefined && one.source.type !== 'targetRole');
  const [first] = situation.nodes;
  if (everywhere !== undefined && first !== undefined) return contributionText(everywhere.source, first);
  const available = situation.nodes.filter((node) => placement.nodes[node.index]?.isAvailable === true);
  if (available.length === 0) return 'no node is available';
  const possible = available.filter((node) => isPossible(decision, place, node));
  if (possible.length > 0) {
    const names = possible.map((node) => node.name).join(', ');
    return `${names} could run it, but what it needs (a colocated resource, a free instance, capacity) is not there`;
  }
  const bans = available.flatMap((node) => {
    const ban = own.find((one) => one.node === node);
    return ban === undefined ? [] : [`${node.name} (${contributionText(ban.source, node)})`];
  });
  const shown =
    bans.length === 0 ? '' : `: ${bans.slice(0, NODES_SHOWN).join(', ')}${bans.length > NODES_SHOWN ? ', …' : ''}`;
  return `it is allowed on none of the nodes that are available${shown}`;
}

/** Enough to see the pattern in a sentence; each node's own explanation follows. */
const NODES_SHOWN = 4;

function isPossible(decision: Decision, place: Place | undefined, node: Node): boolean {
  const allowed = place?.allowed[node.index];
  return decision.placement.nodes[node.index]?.isAvailable === true && allowed !== undefined && allowed.score >= 0;
}

export function explainNode(
  decision: Decision,
  instance: PrimitiveInstance,
  place: Place | undefined,
  node: Node,
): NodeExplanation {
  const allowed = place?.allowed[node.index];
  const isChosen = place?.node === node;
  const contributions = decision.placement.contributions
    .filter((one) => isOwn(one.instance, instance) && (one.node === undefined || one.node === node))
    .map((one) => explainContribution(one, node));
  return {
    node: node.name,
    isChosen,
    ...(allowed === undefined ? {} : { score: allowed.score }),
    sentence: nodeSentence(decision, place, node, isChosen, contributions),
    contributions,
  };
}

/** Its own, or of what it is part of: a group's preference is that of its members. */
function isOwn(of: Instance, instance: Instance): boolean {
  for (let at: Instance | undefined = instance; at !== undefined; at = at.parent) if (at === of) return true;
  return false;
}

function nodeSentence(
  decision: Decision,
  place: Place | undefined,
  node: Node,
  isChosen: boolean,
  contributions: readonly ContributionExplanation[],
): string {
  const allowed = place?.allowed[node.index];
  const state = unavailability(decision, node);
  if (isChosen) return `chosen, with score ${formatScore(allowed?.score ?? 0)}`;
  if (state !== undefined) return `not possible: ${node.name} ${state}`;
  if (allowed === undefined) {
    return decision.situation.options.isSymmetric
      ? 'not allowed there'
      : 'not allowed there: symmetric-cluster is false, and no constraint allows it';
  }
  if (allowed.score < 0) {
    const worst = contributions.filter((one) => one.score < 0).toSorted((a, b) => a.score - b.score)[0];
    return `not possible: score ${formatScore(allowed.score)}${worst === undefined ? '' : `, because ${worst.sentence}`}`;
  }
  const chosen = place?.node;
  if (chosen === undefined) return `possible, with score ${formatScore(allowed.score)}, but it will not run anywhere`;
  const best = place?.allowed[chosen.index]?.score ?? 0;
  return allowed.score < best
    ? `possible, but its score, ${formatScore(allowed.score)}, is below the ${formatScore(best)} on ${chosen.name}`
    : `possible, with the same score as on ${chosen.name}, which came first`;
}

/** Why a node takes no resources now; undefined if it does. */
function unavailability(decision: Decision, node: Node): string | undefined {
  const placed = decision.placement.nodes[node.index];
  if (placed === undefined || placed.isAvailable) return undefined;
  if (placed.isUnclean) return 'is unclean and must be fenced first';
  if (!placed.isOnline) return node.isPending ? 'has not finished joining' : 'is offline';
  if (placed.isShutdown) return 'is shutting down';
  if (node.isStandbyByFailure) return 'is in standby since an operation with on-fail=standby failed';
  if (node.isStandby) return 'is in standby';
  return node.isMaintenance ? 'is in maintenance' : 'takes no resources now';
}

function explainContribution({ score, source }: Contribution, node: Node): ContributionExplanation {
  return {
    score,
    type: source.type,
    ...('constraint' in source ? { constraint: source.constraint } : {}),
    sentence: `${score >= 0 ? '+' : ''}${formatScore(score)} ${contributionText(source, node)}`,
  };
}

function contributionText(source: ContributionSource, node: Node): string {
  switch (source.type) {
    case 'status':
      return source.reason;
    case 'location':
      return `location ${source.constraint}${source.rule === undefined ? '' : ` (rule ${source.rule})`}`;
    case 'stickiness':
      return `stickiness: it is on ${node.name} now`;
    case 'failures':
      return source.count >= INFINITY
        ? `it failed on ${node.name} in a way that counts as too often: clean it up when the cause is gone`
        : `it failed ${source.count} times on ${node.name}, and may only ${source.threshold} times (migration-threshold)`;
    case 'health':
      return `the health of ${node.name}`;
    case 'ticket':
      return `ticket ${source.ticket} is not granted (constraint ${source.constraint})`;
    case 'lock':
      return 'it is locked to the node that it was stopped on by a shutdown';
    case 'exclusiveDiscovery':
      return 'it is allowed only where resource-discovery=exclusive names it';
    case 'remote':
      return 'such a resource does not run on remote nodes';
    case 'utilization':
      return `it needs more than is left on ${node.name}`;
    case 'targetRole':
      return 'it is to be stopped (target-role, or on-fail after a failure)';
    case 'limit':
      return 'there are as many instances as there may be';
    case 'promotion':
      return `promotion score of the agent on ${node.name}`;
    case 'colocation':
      return source.direction === 'dependent'
        ? `colocation ${source.constraint} with ${source.other.id}`
        : `colocation ${source.constraint}: ${source.other.id} wants to be with it`;
  }
}

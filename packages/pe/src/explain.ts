/**
 * Why: for a resource, where it will be and with which numbers, why not on each other node, what holds it back, and why
 * each of its actions is in the transition. Values for tools; `sentence` fields are for people.
 *
 * The numbers are those that placement recorded (`schedule(cib, { explains: true })`); without them there are verdicts
 * and no contributions.
 */
import { formatScore, INFINITY } from '@systole/cib';
import { noteInWords } from './actions/reason.ts';
import type { Contribution, ContributionSource, Place } from './assign/placement.ts';
import { nodesOf } from './assign/placement.ts';
import { isProbe } from './config/operations.ts';
import type { Instance, PrimitiveInstance } from './expand/instance.ts';
import type { Decision } from './schedule.ts';
import type { Node } from './status/node.ts';
import { type Change, summarize } from './summary/summarize.ts';
import type { TransitionAction } from './transition.ts';

export interface Explanation {
  readonly resource: string;
  readonly kind: Instance['kind'];
  /** One for each primitive instance: a group has its members, a clone its instances. */
  readonly instances: readonly InstanceExplanation[];
}

export interface InstanceExplanation {
  readonly instance: string;
  readonly before: { readonly nodes: readonly string[]; readonly role: string };
  readonly after: { readonly node?: string; readonly role: string };
  /** What will happen to it; absent if nothing. */
  readonly change?: Change;
  /** Why it will be where it will be, or nowhere. */
  readonly sentence: string;
  /** What forbids to act on it, whatever placement says. */
  readonly held: readonly string[];
  readonly nodes: readonly NodeExplanation[];
  readonly actions: readonly ActionExplanation[];
}

export interface NodeExplanation {
  readonly node: string;
  readonly isChosen: boolean;
  /** Absent: not allowed there at all. */
  readonly score?: number;
  readonly sentence: string;
  readonly contributions: readonly ContributionExplanation[];
}

export interface ContributionExplanation {
  readonly score: number;
  readonly type: ContributionSource['type'];
  /** The constraint it came from, where one did. */
  readonly constraint?: string;
  readonly sentence: string;
}

export interface ActionExplanation {
  readonly key: string;
  readonly operation: string;
  readonly node?: string;
  readonly sentence: string;
  /** Keys of the actions that must be complete before: real ones only. */
  readonly waitsFor: readonly string[];
}

/** Undefined if there is no such resource (or instance). With `node`, only that node is looked at. */
export function explain(decision: Decision, resource: string, node?: string): Explanation | undefined {
  const { situation } = decision;
  const exact = situation.instanceById.get(resource);
  const subjects = exact === undefined ? (situation.instancesByConfigId.get(resource) ?? []) : [exact];
  const [first] = subjects;
  if (first === undefined) return undefined;
  const changes = new Map(summarize(decision).map((change) => [change.rsc ?? '', change]));
  const waits = waitsFor(decision);
  return {
    resource,
    kind: first.kind,
    instances: subjects
      .flatMap(primitivesIn)
      .map((instance) => explainInstance(decision, instance, changes.get(instance.id), waits, node)),
  };
}

const primitivesIn = (instance: Instance): readonly PrimitiveInstance[] =>
  instance.kind === 'primitive' ? [instance] : (instance.children as readonly Instance[]).flatMap(primitivesIn);

function explainInstance(
  decision: Decision,
  instance: PrimitiveInstance,
  change: Change | undefined,
  waits: Waits,
  only: string | undefined,
): InstanceExplanation {
  const place = decision.placement.places[instance.index];
  const nodes = decision.situation.nodes
    .filter((node) => only === undefined || node.name === only)
    .map((node) => explainNode(decision, instance, place, node));
  const role = place?.node === undefined ? 'Stopped' : place.nextRole === 'Unknown' ? 'Started' : place.nextRole;
  return {
    instance: instance.id,
    before: { nodes: instance.activeNodes.map((node) => node.name), role: instance.role },
    after: { ...(place?.node === undefined ? {} : { node: place.node.name }), role },
    ...(change === undefined ? {} : { change }),
    sentence: whyHere(decision, instance, place),
    held: whatHolds(decision, instance, place),
    nodes,
    actions: actionsOf(decision, instance, waits),
  };
}

// ---------------------------------------------------------------- here, and not there

function whyHere(decision: Decision, instance: PrimitiveInstance, place: Place | undefined): string {
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

/** Equal scores: free capacity, then fewer resources, then where it is, then the name decides. */
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
  const criteria =
    decision.situation.options.placementStrategy === 'balanced'
      ? 'the node with more free capacity, then with fewer resources, then the smaller name'
      : 'the node with fewer resources placed on it so far, then the smaller name';
  return `${scores}; among equals ${criteria} wins`;
}

function whyNowhere(decision: Decision, instance: PrimitiveInstance, place: Place | undefined): string {
  const { situation } = decision;
  if (instance.isRemoved) return 'it is no longer configured';
  if (instance.isDisabled || place?.nextRole === 'Stopped') {
    return instance.isDisabled ? 'target-role says Stopped' : 'a failure or a ticket keeps it stopped';
  }
  if (situation.options.stopsAll) return 'stop-all-resources is set';
  const possible = situation.nodes.filter((node) => isPossible(decision, place, node));
  if (possible.length > 0) {
    const names = possible.map((node) => node.name).join(', ');
    return `${names} could run it, but what it needs (a colocated resource, a free instance, capacity) is not there`;
  }
  const available = decision.placement.nodes.filter((one) => one.isAvailable);
  if (available.length === 0) return 'no node is available';
  return 'it is allowed on none of the nodes that are available';
}

function isPossible(decision: Decision, place: Place | undefined, node: Node): boolean {
  const allowed = place?.allowed[node.index];
  return decision.placement.nodes[node.index]?.isAvailable === true && allowed !== undefined && allowed.score >= 0;
}

function explainNode(
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
      return `it failed ${source.count >= INFINITY ? 'fatally' : `${source.count} times`} here, and may ${source.threshold >= INFINITY ? 'not' : `only ${source.threshold} times`} (migration-threshold)`;
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
      return 'target-role';
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

// ---------------------------------------------------------------- held back

function whatHolds(decision: Decision, instance: PrimitiveInstance, place: Place | undefined): readonly string[] {
  const { situation } = decision;
  const { options } = situation;
  const held: string[] = [];
  if (place?.isBlocked ?? instance.isBlocked) {
    held.push(
      `${instance.id} is blocked: a failure that the configuration says not to act on, or one that needs fencing. Clean it up after the cause is gone`,
    );
  } else if (instance.isMaintenance) {
    held.push(
      options.isMaintenance ? 'the cluster is in maintenance mode' : `${instance.id} or its node is in maintenance`,
    );
  } else if (!(place?.isManaged ?? instance.isManaged)) {
    held.push(`${instance.id} is not managed (is-managed=false)`);
  }
  if (options.isFencingEnabled && !options.hasFencing) {
    held.push('fencing is enabled and no fence device is configured: nothing is started or stopped');
  }
  if (!situation.hasQuorum && options.noQuorumPolicy !== 'ignore' && (instance.needsQuorum || instance.needsFencing)) {
    held.push(`there is no quorum, and no-quorum-policy is ${options.noQuorumPolicy}`);
  }
  for (const failed of situation.failedOperations) {
    if (failed.instance !== instance) continue;
    const { entry, node } = failed;
    held.push(
      `${entry.operation}${entry.intervalMs > 0 ? ` every ${entry.intervalMs / 1000}s` : ''} failed on ${node.name} with exit code ${entry.exitCode}${entry.record.exitReason === undefined || entry.record.exitReason === '' ? '' : `: ${entry.record.exitReason}`}`,
    );
  }
  return held;
}

// ---------------------------------------------------------------- actions

type Waits = (index: number) => readonly number[];

/** For each action the real ones that must be complete before it, through points in time. */
function waitsFor({ transition }: Decision): Waits {
  const direct = new Map<number, number[]>();
  for (const [first, then] of transition.orderings) {
    const before = direct.get(then);
    if (before === undefined) direct.set(then, [first]);
    else before.push(first);
  }
  return (index: number): readonly number[] => {
    const seen = new Set<number>();
    const real = new Set<number>();
    const waiting = [...(direct.get(index) ?? [])];
    for (const at of waiting) {
      if (seen.has(at)) continue;
      seen.add(at);
      if (transition.actions[at]?.kind === 'pseudo') waiting.push(...(direct.get(at) ?? []));
      else real.add(at);
    }
    return [...real].toSorted((a, b) => a - b);
  };
}

function actionsOf(decision: Decision, instance: PrimitiveInstance, waits: Waits): readonly ActionExplanation[] {
  const { transition, planned } = decision;
  const explained: ActionExplanation[] = [];
  for (const [index, action] of transition.actions.entries()) {
    if (action.kind === 'pseudo' || planned.drafts[index]?.subject?.of !== instance) continue;
    explained.push({
      key: action.key,
      operation: action.operation,
      ...(action.node === undefined ? {} : { node: action.node }),
      sentence: actionSentence(action, instance, noteInWords(planned.drafts[index]?.reason)),
      waitsFor: waits(index).map((at) => describe(transition.actions[at])),
    });
  }
  return explained;
}

const describe = (action: TransitionAction | undefined): string =>
  action === undefined ? '' : `${action.key}${action.node === undefined ? '' : ` on ${action.node}`}`;

/** Why an action is in the graph. */
function actionSentence(action: TransitionAction, instance: PrimitiveInstance, note: string | undefined): string {
  const because = note === undefined ? '' : `, because ${note}`;
  const { operation, node = 'its node', intervalMs = 0 } = action;
  if (isProbe(operation, intervalMs)) {
    return instance.probedNodes.size > 0 && instance.activeNodes.some((one) => one.name === node)
      ? `look again at the state on ${node}${because}`
      : `nobody knows whether it runs on ${node}: look before anything is started${because}`;
  }
  switch (operation) {
    case 'monitor':
      return `watch it on ${node} every ${intervalMs / 1000}s${because}`;
    case 'start':
      return `it is to run on ${node}${because}`;
    case 'stop':
      return `it must leave ${node}, or be started anew there${because}`;
    case 'promote':
      return `it is to be promoted on ${node}${because}`;
    case 'demote':
      return `it is not to stay promoted on ${node}${because}`;
    case 'migrate_to':
      return `it moves from ${action.source} to ${action.target} without being stopped${because}`;
    case 'migrate_from':
      return `${action.target} takes it over from ${action.source}${because}`;
    case 'notify':
      return `it asked to be told of changes to its clone${because}`;
    case 'cancel':
      return `this monitor does not fit its role or configuration any more${because}`;
    case 'reload-agent':
      return `its parameters have changed, and it can take them without a restart${because}`;
    case 'clear_failcount':
      return `its failures on ${node} count no longer${because}`;
    case 'delete':
    case 'lrm_delete':
      return `its history on ${node} is not needed any more${because}`;
    default:
      return `${operation} on ${node}${because}`;
  }
}

/** All nodes where a resource will be, by name: for a collective resource those of its parts. */
export const placesOf = (decision: Decision, resource: string): readonly string[] => {
  const instance = decision.situation.instanceById.get(resource);
  return instance === undefined ? [] : [...nodesOf(decision.placement, instance)].map((node) => node.name).toSorted();
};

/**
 * Why: for a resource, where it will be and with which numbers, why not on each other node, what holds it back, and why
 * each of its actions is in the transition. Values for tools; `sentence` fields are for people.
 *
 * The numbers are those that placement recorded (`schedule(cib, { explains: true })`); without them there are verdicts
 * and no contributions.
 */
import { type ContributionSource, nodesOf } from '../assign/placement.ts';
import type { Instance, PrimitiveInstance } from '../expand/instance.ts';
import type { Decision } from '../schedule.ts';
import { type Change, summarize } from '../summary/summarize.ts';
import { actionsOf, type Waits, waitsFor } from './actions.ts';
import { whatHolds } from './held.ts';
import { explainNode, whyHere } from './where.ts';

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

/** All nodes where a resource will be, by name: for a collective resource those of its parts. */
export const placesOf = (decision: Decision, resource: string): readonly string[] => {
  const instance = decision.situation.instanceById.get(resource);
  return instance === undefined ? [] : [...nodesOf(decision.placement, instance)].map((node) => node.name).toSorted();
};

/**
 * Reads colocation constraints: which resource goes with which.
 *
 * In a set with a positive score each member goes with the one before it, so that all are where the first is; with a
 * negative score each avoids all before it. Between two sets the first set depends on the second: of a sequential set
 * only the end that is nearest counts (the first of the dependent set, the last of the primary set), since the rest
 * follows within the set.
 *
 * Semantics: Pacemaker Explained, "Colocation Dependencies" and "Resource Sets".
 */
import { INFINITY, type Colocation, type ResourceSet } from '@systole/cib';
import type { Instance, InstanceRole } from '../expand/instance.ts';
import { antiColocationOrders } from './anti-colocation.ts';
import type { ColocationRule, OrderRelation } from './constraint.ts';
import { ignored, unknown, type References } from './references.ts';

/** The node attribute that makes "the same place" mean the same node. */
export const SAME_NODE = '#uname';

interface Ends {
  readonly dependent: Instance;
  readonly primary: Instance;
  readonly dependentRole?: InstanceRole | undefined;
  readonly primaryRole?: InstanceRole | undefined;
}

/** A set with its members found. */
interface Members {
  readonly set: ResourceSet;
  readonly resources: readonly Instance[];
}

export interface ColocationsRead {
  readonly colocations: readonly ColocationRule[];
  readonly orders: readonly OrderRelation[];
}

export function readColocation(constraint: Colocation, references: References): ColocationsRead {
  const colocations: ColocationRule[] = [];
  const score = constraint.score ?? 0;
  const add = (id: string, value: number, ends: Ends, nodeAttribute = SAME_NODE): void => {
    if (value === 0) return;
    colocations.push({
      id,
      dependent: ends.dependent,
      primary: ends.primary,
      dependentRole: constraintRole(ends.dependentRole),
      primaryRole: constraintRole(ends.primaryRole),
      score: value,
      nodeAttribute,
      hasInfluence: constraint.influence ?? ends.dependent.isCritical,
      isExplicit: true,
    });
  };
  const sets = setsIn(constraint, references);
  if (sets === undefined) return { colocations: [], orders: [] };
  if (sets.length > 0) {
    for (const [index, each] of sets.entries()) {
      withinSet(each, score, (id, value, ends) => add(id, value, ends));
      const previous = sets[index - 1];
      if (previous !== undefined) betweenSets(previous, each, (ends) => add(constraint.id, score, ends));
    }
  } else {
    const dependent = oneEnd(constraint, constraint.dependent, references);
    const primary = oneEnd(constraint, constraint.primary, references);
    if (dependent !== undefined && primary !== undefined) {
      const { dependentRole, primaryRole } = constraint;
      add(constraint.id, score, { dependent, primary, dependentRole, primaryRole }, constraint.nodeAttribute);
    }
  }
  const orders = colocations.filter((rule) => rule.score <= -INFINITY).flatMap(antiColocationOrders);
  return { colocations, orders };
}

/** `Started` means any role: a promoted or unpromoted instance is started too. */
const constraintRole = (role: InstanceRole | undefined): InstanceRole =>
  role === undefined || role === 'Started' ? 'Unknown' : role;

function oneEnd(constraint: Colocation, id: string | undefined, references: References): Instance | undefined {
  const found = id === undefined ? undefined : references.resource(id);
  if (found === undefined) references.messages.push(unknown(constraint.id, id ?? ''));
  return found;
}

/**
 * The constraint's sets; empty if it relates two resources. Where one of its two ends is a template or tag, both
 * become sets: the tagged resources in no order among themselves, each with the other end.
 */
function setsIn(constraint: Colocation, references: References): readonly Members[] | undefined {
  if (constraint.sets !== undefined && constraint.sets.length > 0) {
    const sets: Members[] = [];
    for (const given of constraint.sets) {
      const set = references.set(given);
      const resources = set === undefined ? undefined : references.members(set, constraint.id);
      if (set === undefined || resources === undefined) return undefined;
      sets.push({ set, resources });
    }
    return sets;
  }
  const { dependent, primary } = constraint;
  if (dependent === undefined || primary === undefined) return [];
  const first = references.lookUp(dependent);
  const second = references.lookUp(primary);
  if (first.type === 'unknown' || second.type === 'unknown') return [];
  if (first.type === 'resource' && second.type === 'resource') return [];
  if (first.type === 'several' && second.type === 'several') {
    references.messages.push(ignored(constraint.id, 'two templates or tags cannot be colocated with each other'));
    return undefined;
  }
  const asSet = (id: string, type: string, role: ResourceSet['role']): Members | undefined => {
    const sequential = type === 'resource';
    const set: ResourceSet = { id, members: [id], sequential, ...(role === undefined ? {} : { role }) };
    const resources = references.members(set, constraint.id);
    return resources === undefined ? undefined : { set, resources };
  };
  const dependentSet = asSet(dependent, first.type, constraint.dependentRole);
  const primarySet = asSet(primary, second.type, constraint.primaryRole);
  return dependentSet === undefined || primarySet === undefined ? undefined : [dependentSet, primarySet];
}

function withinSet(
  { set, resources }: Members,
  constraintScore: number,
  add: (id: string, score: number, ends: Ends) => void,
): void {
  const score = set.score ?? constraintScore;
  if (set.sequential === false || score === 0) return;
  const id = set.id ?? '';
  const roles = { dependentRole: set.role, primaryRole: set.role };
  for (const [index, resource] of resources.entries()) {
    if (score < 0) {
      for (const other of resources.slice(0, index)) {
        if (other !== resource) add(id, score, { dependent: resource, primary: other, ...roles });
      }
      continue;
    }
    const previous = resources[index - 1];
    if (previous === undefined) continue;
    const followsPrevious = set.ordering === undefined || set.ordering === 'group';
    const [dependent, primary] = followsPrevious ? [resource, previous] : [previous, resource];
    add(id, score, { dependent, primary, ...roles });
  }
}

function betweenSets(dependents: Members, primaries: Members, add: (ends: Ends) => void): void {
  const isSequential = (members: Members): boolean => members.set.sequential !== false;
  const first = isSequential(dependents) ? dependents.resources.slice(0, 1) : dependents.resources;
  const last = isSequential(primaries) ? primaries.resources.slice(-1) : primaries.resources;
  const roles = { dependentRole: dependents.set.role, primaryRole: primaries.set.role };
  for (const dependent of first) {
    for (const primary of last) add({ dependent, primary, ...roles });
  }
}

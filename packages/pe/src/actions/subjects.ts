/** Makes the action stage's view of each resource from what was read and what was placed. */
import { byNumber } from '@systole/kernel';
import { INFINITY } from '@systole/cib';
import type { Placement } from '../assign/placement.ts';
import type { ColocationRule, Constraints } from '../constraints/constraint.ts';
import { type Instance, rank, topOf } from '../expand/instance.ts';
import type { Dependent, PlanInput } from '../graph/plan.ts';
import { assignedNode, isPrimitive, primitive, type ReplicaSubject, type Subject } from '../graph/subject.ts';
import type { Situation } from '../situation.ts';
import type { Node } from '../status/node.ts';

export interface PlanOptions {
  /** See `PlanInput.mayBeMasked`. */
  readonly mayBeMasked?: boolean;
}

/** What can be filled in only once all subjects are there. */
type Growing = { -readonly [Key in keyof Subject]: Subject[Key] };

export function planInput(
  situation: Situation,
  constraints: Constraints,
  placement: Placement,
  { mayBeMasked = false }: PlanOptions,
): PlanInput {
  const subjects = subjectsOf(situation, placement);
  const of = (instance: Instance): Subject => subjects[instance.index] as Subject;
  const dependents = dependentsByPrimary([...constraints.colocations, ...placement.impliedColocations], of);
  return {
    situation,
    placement,
    mayBeMasked,
    subjects,
    roots: situation.roots.map(of),
    dependentsOf: (subject) => dependents.get(subject) ?? [],
    nodesByScore: nodesByScore(situation, placement),
  };
}

function subjectsOf(situation: Situation, placement: Placement): readonly Subject[] {
  const subjects: Growing[] = situation.instances.map((instance) => {
    const place = placement.places[instance.index];
    const subject: Omit<Growing, 'top'> & { top: Growing | undefined } = {
      of: instance,
      id: instance.id,
      kind: instance.kind,
      parent: undefined,
      children: [],
      replicas: [],
      launcher: undefined,
      launched: [],
      top: undefined,
      bundle: undefined,
      isManaged: place?.isManaged ?? instance.isManaged,
      isBlocked: place?.isBlocked ?? instance.isBlocked,
      role: rank(place?.role ?? instance.role),
      nextRole: rank(place?.nextRole ?? 'Unknown'),
      migration: instance.kind === 'primitive' ? instance.partialMigration : undefined,
      isFailed: instance.isFailed,
      mustStopIfFailed: instance.mustStopIfFailed,
      hasPendingStart: instance.kind === 'primitive' && instance.hasPendingStart,
      isReloading: false,
      isRestarting: false,
      stopsUnexpected: false,
      placesVersion: 0,
      version: 0,
      drafts: new Map(),
      assigned: place?.node,
      roleReason: undefined,
    };
    return subject as Growing; // `top` follows below
  });
  const of = (instance: Instance): Growing => subjects[instance.index] as Growing;
  for (const subject of subjects) {
    const instance = subject.of;
    subject.children = instance.children.map(of).toSorted((a, b) => byNumber(a.of.number ?? 0, b.of.number ?? 0));
    if (instance.kind === 'group' || instance.kind === 'bundle') subject.children = instance.children.map(of);
    if (instance.parent !== undefined) subject.parent = of(instance.parent);
    subject.top = of(topOf(instance, false));
    const outermost = topOf(instance, true);
    if (outermost.kind === 'bundle' && outermost !== instance) subject.bundle = of(outermost);
    if (instance.kind === 'primitive') {
      if (instance.launcher !== undefined) subject.launcher = of(instance.launcher);
      subject.launched = instance.launched.map(of);
    }
    if (instance.kind === 'bundle') {
      subject.replicas = instance.replicas.map((replica): ReplicaSubject => ({
        of: replica,
        container: of(replica.container),
        ...(replica.ip === undefined ? {} : { ip: of(replica.ip) }),
        ...(replica.remote === undefined ? {} : { remote: of(replica.remote) }),
        ...(replica.child === undefined ? {} : { child: of(replica.child) }),
        ...(replica.node === undefined ? {} : { node: replica.node }),
      }));
    }
  }
  return subjects;
}

/** Who must be with whom (INFINITY). A group's members speak for it, as far as an operator has said so. */
function dependentsByPrimary(
  colocations: readonly ColocationRule[],
  of: (instance: Instance) => Subject,
): ReadonlyMap<Subject, readonly Dependent[]> {
  const found = new Map<Subject, Dependent[]>();
  const add = (primary: Subject, dependent: Dependent): void => {
    const known = found.get(primary);
    if (known === undefined) found.set(primary, [dependent]);
    else known.push(dependent);
  };
  for (const rule of colocations) {
    if (rule.score < INFINITY) continue;
    const primary = of(rule.primary);
    const dependent: Dependent = {
      subject: of(rule.dependent),
      onPromotion: rule.primaryRole === 'Promoted',
      forPromotion: rule.dependentRole === 'Promoted',
    };
    add(primary, dependent);
    if (rule.isExplicit && primary.parent?.kind === 'group') add(primary.parent, dependent);
  }
  return found;
}

/** As placement sorts nodes: by score, then room, then how many resources are there, then the name. */
function nodesByScore(situation: Situation, placement: Placement): (subject: Subject) => readonly Node[] {
  const counts = new Map<Node, number>();
  for (const { node, instance } of placement.places) {
    if (node !== undefined && instance.kind === 'primitive') counts.set(node, (counts.get(node) ?? 0) + 1);
  }
  const strategy = situation.options.placementStrategy;
  const known: (readonly Node[] | undefined)[] = [];
  const sorted = (subject: Subject): readonly Node[] => {
    const allowed = placement.places[subject.of.index]?.allowed ?? [];
    const scoreOn = (node: Node): number =>
      placement.nodes[node.index]?.isAvailable === true ? (allowed[node.index]?.score ?? -INFINITY) : -INFINITY;
    const compare = (a: Node, b: Node): number => {
      const byScore = scoreOn(b) - scoreOn(a);
      if (byScore !== 0) return byScore;
      const room = strategy === 'balanced' ? compareRoom(placement, a, b) : 0;
      if (room !== 0) return room;
      const byCount = strategy === 'minimal' ? 0 : (counts.get(a) ?? 0) - (counts.get(b) ?? 0);
      return byCount || (a.name < b.name ? -1 : 1);
    };
    return situation.nodes.filter((node) => allowed[node.index] !== undefined).toSorted(compare);
  };
  return (subject) => (known[subject.of.index] ??= sorted(subject));
}

/** Negative if `a` has more free: counted by kinds of capacity in which one has more than the other. */
function compareRoom(placement: Placement, a: Node, b: Node): number {
  const left = placement.nodes[a.index]?.free ?? new Map<string, number>();
  const right = placement.nodes[b.index]?.free ?? new Map<string, number>();
  let balance = 0;
  for (const name of new Set([...left.keys(), ...right.keys()])) {
    balance -= Math.sign((left.get(name) ?? 0) - (right.get(name) ?? 0));
  }
  return balance;
}

/** All of it is placed on one node, as a group is. */
export const placeOf = (subject: Subject): Node | undefined =>
  isPrimitive(subject) ? subject.assigned : assignedNode(subject);

export const isConnection = (subject: Subject): boolean => isPrimitive(subject) && primitive(subject).isConnection;

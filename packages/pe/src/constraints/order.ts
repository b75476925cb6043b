/**
 * Reads order constraints: which action waits for which. A symmetrical order stands for two relations, the second
 * with both actions inverted and in the opposite direction (start A then B; stop B then A).
 *
 * A gate stands between where not all firsts are needed: `require-all=false` and `clone-min`. Its firsts count up to
 * what it requires; what comes after waits for the gate.
 *
 * Semantics: Pacemaker Explained, "Specifying the Order in which Resources Should Start/Stop" and "Resource Sets".
 */
import type { Order, OrderKind, ResourceSet } from '@systole/cib';
import type { Instance } from '../expand/instance.ts';
import type { OrderAction, OrderEffect, OrderEnd, OrderGate, OrderRelation } from './constraint.ts';
import { ignored, unknown, type References } from './references.ts';

type Symmetry = 'asymmetric' | 'symmetric' | 'inverse';

interface Members {
  readonly set: ResourceSet;
  readonly resources: readonly Instance[];
}

export interface OrdersRead {
  readonly orders: readonly OrderRelation[];
  readonly gates: readonly OrderGate[];
}

const nothing: OrdersRead = { orders: [], gates: [] };

export function readOrder(constraint: Order, references: References): OrdersRead {
  const sets = setsIn(constraint, references);
  if (sets === undefined) return nothing;
  if (sets.length === 0) return simpleOrder(constraint, references);
  const kind = kindOf(constraint) ?? 'Mandatory';
  const symmetry = symmetryOf(constraint, kind);
  const parts: OrdersRead[] = [];
  for (const [index, set] of sets.entries()) {
    parts.push({ orders: withinSet(set, kind, constraint.symmetrical), gates: [] });
    const previous = sets[index - 1];
    if (previous === undefined) continue;
    parts.push(betweenSets(constraint.id, previous, set, kind, symmetry));
    if (symmetry === 'symmetric') parts.push(betweenSets(constraint.id, set, previous, kind, 'inverse'));
  }
  return { orders: parts.flatMap((part) => part.orders), gates: parts.flatMap((part) => part.gates) };
}

const inverses: Readonly<Record<OrderAction, OrderAction>> = {
  start: 'stop',
  stop: 'start',
  promote: 'demote',
  demote: 'promote',
};

/** The kind that is written; a score of 0 is an older way to say Optional. */
function kindOf(from: {
  readonly orderKind?: OrderKind;
  readonly kind?: unknown;
  readonly score?: number;
}): OrderKind | undefined {
  if (from.orderKind !== undefined) return from.orderKind;
  if (from.score === undefined) return undefined;
  return from.score === 0 ? 'Optional' : 'Mandatory';
}

function symmetryOf(from: { readonly symmetrical?: boolean }, kind: OrderKind): Symmetry {
  if (kind === 'Serialize' || from.symmetrical === false) return 'asymmetric';
  return 'symmetric';
}

const action = (resource: Instance, name: OrderAction): OrderEnd => ({ type: 'action', resource, action: name });

/** What a relation does, by its kind, its first action and whether it is one of a pair. */
function effectsOf(kind: OrderKind, first: OrderAction, symmetry: Symmetry): readonly OrderEffect[] {
  switch (kind) {
    case 'Optional':
      return ['ordered'];
    case 'Serialize':
      return ['serialized'];
    case 'Mandatory':
      if (symmetry === 'asymmetric') return ['ordered', 'asymmetric'];
      if (symmetry === 'inverse') return ['ordered', 'thenImpliesFirst'];
      return first === 'start' || first === 'promote'
        ? ['ordered', 'firstImpliesThen', 'unrunnableFirstBlocks']
        : ['ordered', 'firstImpliesThen'];
  }
}

function simpleOrder(constraint: Order, references: References): OrdersRead {
  const first = oneEnd(constraint, constraint.first, references);
  const then = oneEnd(constraint, constraint.then, references);
  if (first === undefined || then === undefined) return nothing;
  const { id } = constraint;
  const kind = kindOf(constraint) ?? 'Mandatory';
  const symmetry = symmetryOf(constraint, kind);
  const firstAction = constraint.firstAction ?? 'start';
  const thenAction = constraint.thenAction ?? firstAction;
  const effects = effectsOf(kind, firstAction, symmetry);
  const inverse: readonly OrderRelation[] =
    symmetry === 'symmetric'
      ? [
          {
            id,
            first: action(then, inverses[thenAction]),
            then: action(first, inverses[firstAction]),
            effects: effectsOf(kind, inverses[firstAction], 'inverse'),
          },
        ]
      : [];
  const required = requiredInstances(first, constraint);
  if (required > 0) {
    const gate: OrderGate = { name: `clone-one-or-more:${id}`, required };
    return {
      orders: [
        ...first.children.map((child) => intoGate(id, child, firstAction, gate)),
        { id, first: { type: 'gate', gate }, then: action(then, thenAction), effects: blocking(effects) },
        ...inverse,
      ],
      gates: [gate],
    };
  }
  return {
    orders: [{ id, first: action(first, firstAction), then: action(then, thenAction), effects }, ...inverse],
    gates: [],
  };
}

const intoGate = (id: string, resource: Instance, name: OrderAction, gate: OrderGate): OrderRelation => ({
  id,
  first: action(resource, name),
  then: { type: 'gate', gate },
  effects: ['minRunnable', 'firstImpliesThenGraphed'],
});

const blocking = (effects: readonly OrderEffect[]): readonly OrderEffect[] =>
  effects.includes('unrunnableFirstBlocks') ? effects : [...effects, 'unrunnableFirstBlocks'];

/** How many instances of a clone must be up before what comes after; 0: all that will be. */
function requiredInstances(first: Instance, constraint: Order): number {
  if (first.kind !== 'clone') return 0;
  if (first.meta.has('clone-min')) return first.min;
  return constraint.requireAll === false ? 1 : 0;
}

function oneEnd(constraint: Order, id: string | undefined, references: References): Instance | undefined {
  if (id === undefined) {
    references.messages.push(ignored(constraint.id, 'it does not say what is first and what is then'));
    return undefined;
  }
  const found = references.resource(id);
  if (found === undefined) references.messages.push(unknown(constraint.id, id));
  return found;
}

/** The constraint's sets; a template or tag at either end makes sets of both. Empty if it relates two resources. */
function setsIn(constraint: Order, references: References): readonly Members[] | undefined {
  const sets = constraint.sets ?? [];
  const members = (given: ResourceSet): Members | undefined => {
    const set = references.set(given);
    const resources = set === undefined ? undefined : references.members(set, constraint.id);
    return set === undefined || resources === undefined ? undefined : { set, resources };
  };
  if (sets.length > 0) {
    const found = sets.map(members);
    return found.every((each) => each !== undefined) ? found : undefined;
  }
  const { first, then } = constraint;
  if (first === undefined || then === undefined) return [];
  const ends = [references.lookUp(first), references.lookUp(then)];
  if (ends.some((end) => end.type === 'unknown') || ends.every((end) => end.type === 'resource')) return [];
  const asSet = (id: string, name: OrderAction | undefined): ResourceSet => ({
    id,
    members: [id],
    ...(references.lookUp(id).type === 'several' ? { sequential: false } : {}),
    ...(name === undefined ? {} : { action: name }),
  });
  const found = [members(asSet(first, constraint.firstAction)), members(asSet(then, constraint.thenAction))];
  return found.every((each) => each !== undefined) ? found : undefined;
}

function withinSet(
  { set, resources }: Members,
  parentKind: OrderKind,
  symmetrical?: boolean,
): readonly OrderRelation[] {
  if (resources.length < 2) return [];
  const id = set.id ?? '';
  const kind = set.kind ?? parentKind;
  const symmetry = symmetryOf(symmetrical === undefined ? {} : { symmetrical }, kind);
  const name = set.action ?? 'start';
  const effects = effectsOf(kind, name, symmetry);
  const orders: OrderRelation[] = [];
  for (const [index, resource] of resources.entries()) {
    const next = resources[index + 1];
    if (kind === 'Serialize') {
      for (const later of resources.slice(index + 1)) {
        orders.push({ id, first: action(resource, name), then: action(later, name), effects });
      }
    } else if (set.sequential !== false && next !== undefined) {
      orders.push({ id, first: action(resource, name), then: action(next, name), effects });
    }
  }
  if (symmetry === 'asymmetric' || set.sequential === false) return orders;
  const inverted = inverses[name];
  for (const [index, resource] of resources.entries()) {
    const next = resources[index + 1];
    if (next === undefined) break;
    const inverse = effectsOf(kind, inverted, 'inverse');
    orders.push({ id, first: action(next, inverted), then: action(resource, inverted), effects: inverse });
  }
  return orders;
}

function betweenSets(id: string, from: Members, to: Members, kind: OrderKind, symmetry: Symmetry): OrdersRead {
  const isInverse = symmetry === 'inverse';
  const named = (set: ResourceSet): OrderAction => set.action ?? 'start';
  const firstAction = isInverse ? inverses[named(from.set)] : named(from.set);
  const thenAction = isInverse ? inverses[named(to.set)] : named(to.set);
  const effects = effectsOf(kind, firstAction, symmetry);
  const isUp = firstAction === 'start' || firstAction === 'promote';
  if (from.set.requireAll === false && isUp) {
    const gate: OrderGate = { name: `one-or-more:${from.set.id ?? ''}`, required: 1 };
    return {
      orders: [
        ...from.resources.map((resource) => intoGate(id, resource, firstAction, gate)),
        ...to.resources.map((resource): OrderRelation => ({
          id,
          first: { type: 'gate', gate },
          then: action(resource, thenAction),
          effects: blocking(effects),
        })),
      ],
      gates: [gate],
    };
  }
  // Only of a set that says so is the order within it known; else every member counts.
  const firsts = nearest(from, isInverse ? 'first' : 'last');
  const thens = nearest(to, isInverse ? 'last' : 'first');
  return {
    orders: firsts.flatMap((first) =>
      thens.map((then): OrderRelation => ({
        id,
        first: action(first, firstAction),
        then: action(then, thenAction),
        effects,
      })),
    ),
    gates: [],
  };
}

function nearest({ set, resources }: Members, end: 'first' | 'last'): readonly Instance[] {
  if (set.sequential !== true) return resources;
  return end === 'first' ? resources.slice(0, 1) : resources.slice(-1);
}

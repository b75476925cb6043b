/** Names of resources inside constraints: renaming them, taking them out. */
import { type Colocation, type Constraint, namedResources, type Order, type ResourceSet } from '@systole/cib';

/** Names `to` wherever `from` was named. In sets, what is then there twice stays once. */
export function renameIn<C extends Constraint>(constraint: C, from: string, to: string): C {
  const swap = (name: string | undefined): string | undefined => (name === from ? to : name);
  const fields: Record<string, unknown> = {};
  for (const key of ['resource', 'dependent', 'primary', 'first', 'then'] as const) {
    const name = (constraint as Partial<Record<typeof key, string>>)[key];
    if (name === from) fields[key] = swap(name);
  }
  if (constraint.sets?.some((set) => set.members.includes(from)) === true) {
    const seen = new Set<string>();
    const sets = constraint.sets.map((set) => ({
      ...set,
      members: set.members.map((name) => swap(name) ?? name).filter((name) => !seen.has(name) && seen.add(name)),
    }));
    fields['sets'] = sets.filter((set) => set.members.length > 0);
  }
  return Object.keys(fields).length === 0 ? constraint : { ...constraint, ...fields };
}

/** Without `name`; undefined if nothing sensible is left. A set of two that is left over becomes a simple constraint. */
export function removeFrom(constraint: Constraint, name: string): Constraint | undefined {
  if (constraint.sets === undefined) return namedResources(constraint).includes(name) ? undefined : constraint;
  const sets = constraint.sets
    .map((set) => ({ ...set, members: set.members.filter((member) => member !== name) }))
    .filter((set) => set.members.length > 0);
  return sensible(simplify({ ...constraint, sets }));
}

/** Undefined for a constraint that says nothing any more: nothing named, or something against itself. */
export function sensible(constraint: Constraint): Constraint | undefined {
  const names = namedResources(constraint);
  if (constraint.kind === 'location')
    return names.length > 0 || constraint.pattern !== undefined ? constraint : undefined;
  if (constraint.kind === 'ticket') return names.length > 0 ? constraint : undefined;
  return new Set(names).size > 1 ? constraint : undefined;
}

/** Sets that shrank to two members, as a constraint of two resources. */
export function simplify(constraint: Constraint): Constraint {
  const { sets } = constraint;
  if (sets === undefined || (constraint.kind !== 'colocation' && constraint.kind !== 'order')) return constraint;
  const members = sets.flatMap((set) => set.members.map((member) => ({ member, set })));
  const [a, b] = members;
  const isLoose = sets.some((set) => set.members.length > 1 && (set.sequential === false || set.requireAll === false));
  if (members.length !== 2 || a === undefined || b === undefined || isLoose) return constraint;
  const { sets: _, ...rest } = constraint;
  if (rest.kind === 'order') return simpleOrder(rest, a, b);
  // In one set the later member depends on the earlier; of two sets the earlier depends on the later.
  return sets.length === 1 ? simpleColocation(rest, b, a) : simpleColocation(rest, a, b);
}

interface Member {
  readonly member: string;
  readonly set: ResourceSet;
}

const simpleOrder = (rest: Order, a: Member, b: Member): Order => ({
  ...rest,
  first: a.member,
  ...(a.set.action === undefined ? {} : { firstAction: a.set.action }),
  then: b.member,
  ...(b.set.action === undefined ? {} : { thenAction: b.set.action }),
});

const simpleColocation = (rest: Colocation, dependent: Member, primary: Member): Colocation => ({
  ...rest,
  dependent: dependent.member,
  ...(dependent.set.role === undefined ? {} : { dependentRole: dependent.set.role }),
  primary: primary.member,
  ...(primary.set.role === undefined ? {} : { primaryRole: primary.set.role }),
});

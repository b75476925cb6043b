/** Which resources a constraint names: for checking references, and for following them when something is renamed. */
import type { Constraint } from './model/constraints.ts';

/** All resources that a constraint names, in its order. */
export function namedResources(constraint: Constraint): readonly string[] {
  const inSets = (constraint.sets ?? []).flatMap((set) => set.members);
  switch (constraint.kind) {
    case 'location':
    case 'ticket':
      return [...given(constraint.resource), ...inSets];
    case 'colocation':
      return [...given(constraint.dependent), ...given(constraint.primary), ...inSets];
    case 'order':
      return [...given(constraint.first), ...given(constraint.then), ...inSets];
  }
}

const given = (id: string | undefined): readonly string[] => (id === undefined ? [] : [id]);

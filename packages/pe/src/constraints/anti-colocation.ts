/**
 * Two resources that must never be on one node are also never there at the same moment: what makes one lose its place
 * (or role) goes before what makes the other gain it, on the same node.
 */
import type { InstanceRole } from '../expand/instance.ts';
import type { ColocationRule, OrderAction, OrderRelation } from './constraint.ts';

export function antiColocationOrders(colocation: ColocationRule): readonly OrderRelation[] {
  const { dependent, dependentRole, primary, primaryRole, id } = colocation;
  const ends = [
    [dependent, dependentRole, primary, primaryRole],
    [primary, primaryRole, dependent, dependentRole],
  ] as const;
  return ends.flatMap(([first, firstRole, then, thenRole]) =>
    losing(firstRole).flatMap((lose) =>
      gaining(thenRole).map((gain): OrderRelation => ({
        id,
        first: { type: 'action', resource: first, action: lose },
        then: { type: 'action', resource: then, action: gain },
        effects: ['ifRequiredOnSameNode'],
      })),
    ),
  );
}

const losing = (role: InstanceRole): readonly OrderAction[] => {
  if (role === 'Promoted') return ['demote'];
  return role === 'Unpromoted' ? ['stop', 'promote'] : ['stop'];
};

const gaining = (role: InstanceRole): readonly OrderAction[] => {
  if (role === 'Promoted') return ['promote'];
  return role === 'Unpromoted' ? ['start', 'demote'] : ['start'];
};

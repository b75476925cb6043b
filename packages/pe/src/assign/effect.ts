/** What a colocation can still decide about two primitives: the dependent's place, its role, or nothing. */
import { UNKNOWN, UNPROMOTED, type Link, type Slot } from './board.ts';
import { innerOf } from './bundle-parts.ts';

export type Effect = 'nothing' | 'place' | 'role';

/**
 * What a link between two primitives means now; `isPreview` asks as if both were placed. A role counts only once it
 * is known: the dependent's as wanted, the primary's as decided.
 */
export function effectOf(dependent: Slot, primary: Slot, link: Link, isPreview: boolean): Effect {
  if (!isPreview && primary.isProvisional) return 'nothing';
  const dependentRoleSlot = innerOf(dependent) ?? dependent;
  const primaryRoleSlot = innerOf(primary) ?? primary;
  if (
    link.dependentRole >= UNPROMOTED &&
    dependentRoleSlot.parent?.instance.isPromotable === true &&
    !dependentRoleSlot.isProvisional
  ) {
    return 'role';
  }
  if (!isPreview && !dependent.isProvisional) return 'nothing';
  if (link.dependentRole !== UNKNOWN && link.dependentRole !== dependentRoleSlot.nextRole) return 'nothing';
  if (link.primaryRole !== UNKNOWN && link.primaryRole !== primaryRoleSlot.nextRole) return 'nothing';
  return 'place';
}

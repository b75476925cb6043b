/**
 * Reads ticket constraints: which resources need a ticket that this site may not hold.
 *
 * Semantics: Pacemaker Explained, "Multi-Site Clusters and Tickets".
 */
import type { TicketDependency } from '@systole/cib';
import type { Instance, InstanceRole } from '../expand/instance.ts';
import type { Situation } from '../situation.ts';
import type { LossPolicy, TicketRule } from './constraint.ts';
import { unknown, type References } from './references.ts';

export function readTicket(
  constraint: TicketDependency,
  situation: Situation,
  references: References,
): readonly TicketRule[] {
  const state = situation.tickets.get(constraint.ticket);
  const rule = (id: string, resource: Instance, role: InstanceRole | undefined): TicketRule => {
    const counted = role === undefined || role === 'Started' ? 'Unknown' : role;
    return {
      id,
      ticket: constraint.ticket,
      isGranted: state?.isGranted ?? false,
      isStandby: state?.isStandby ?? false,
      resource,
      role: counted,
      lossPolicy: lossPolicy(constraint, counted, situation, references),
    };
  };
  if (constraint.sets !== undefined && constraint.sets.length > 0) {
    return constraint.sets.flatMap((given) => {
      const set = references.set(given);
      const resources = set === undefined ? [] : (references.members(set, constraint.id) ?? []);
      return resources.map((resource) => rule(set?.id ?? constraint.id, resource, set?.role));
    });
  }
  const id = constraint.resource ?? '';
  const reference = references.lookUp(id);
  if (reference.type === 'unknown') {
    references.messages.push(unknown(constraint.id, id));
    return [];
  }
  if (reference.type === 'resource') return [rule(constraint.id, reference.resource, constraint.role)];
  const resources = references.members({ members: [id] }, constraint.id) ?? [];
  return resources.map((resource) => rule(id, resource, constraint.role));
}

function lossPolicy(
  constraint: TicketDependency,
  role: InstanceRole,
  situation: Situation,
  references: References,
): LossPolicy {
  const wanted = constraint.lossPolicy;
  if (wanted === 'fence' && !situation.options.isFencingEnabled) {
    references.messages.push({
      level: 'error',
      text: `loss-policy of constraint ${constraint.id} is "stop" in place of "fence": fencing is not enabled`,
    });
    return 'stop';
  }
  return wanted ?? (role === 'Promoted' ? 'demote' : 'stop');
}

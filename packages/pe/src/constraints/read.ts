/**
 * Resolves the configuration's constraints against the situation: (situation) → constraints. What cannot be resolved
 * is left out and reported, so that one wrong line does not take the cluster's other rules with it.
 */
import { unreachable } from '@systole/kernel';
import type { Instance } from '../expand/instance.ts';
import { earlier, type Recheck, type Situation } from '../situation.ts';
import { readColocation } from './colocation.ts';
import type { ColocationRule, Constraints, LocationRule, OrderGate, OrderRelation, TicketRule } from './constraint.ts';
import { readLocation } from './location.ts';
import { readOrder } from './order.ts';
import { referencesIn } from './references.ts';
import { readTicket } from './ticket.ts';

export function readConstraints(situation: Situation): Constraints {
  const references = referencesIn(situation);
  const locations: LocationRule[] = [];
  const colocations: ColocationRule[] = [];
  const orders: OrderRelation[] = [];
  const gates: OrderGate[] = [];
  const tickets: TicketRule[] = [];
  let recheck: Recheck | undefined;
  const noteChange = (at: number): void => {
    recheck = earlier(recheck, { at, reason: 'location rule evaluation' });
  };
  for (const constraint of situation.cib.configuration.constraints) {
    switch (constraint.kind) {
      case 'location':
        append(locations, readLocation(constraint, situation, references, noteChange));
        break;
      case 'colocation': {
        const read = readColocation(constraint, references);
        append(colocations, read.colocations);
        append(orders, read.orders);
        break;
      }
      case 'order': {
        const read = readOrder(constraint, references);
        append(orders, read.orders);
        append(gates, read.gates);
        break;
      }
      case 'ticket':
        append(tickets, readTicket(constraint, situation, references));
        break;
      default:
        unreachable(constraint);
    }
  }
  return {
    locations,
    locationsOf: byResource(locations),
    colocations,
    orders,
    gates,
    tickets,
    ticketsOf: byResource(tickets),
    messages: references.messages,
    ...(recheck === undefined ? {} : { recheck }),
  };
}

function append<T>(to: T[], more: readonly T[]): void {
  for (const each of more) to.push(each);
}

function byResource<T extends { readonly resource: Instance }>(
  rules: readonly T[],
): ReadonlyMap<Instance, readonly T[]> {
  const index = new Map<Instance, T[]>();
  for (const rule of rules) {
    const known = index.get(rule.resource);
    if (known === undefined) index.set(rule.resource, [rule]);
    else known.push(rule);
  }
  return index;
}

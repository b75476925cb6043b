/** Orders between a bundle, its containers with their addresses and connections, and what runs inside. */
import { Means } from '../graph/link.ts';
import type { Plan } from '../graph/plan.ts';
import type { Subject } from '../graph/subject.ts';
import { orderRoleChanges } from './instances.ts';

export function orderBundle(
  plan: Plan,
  bundle: Subject,
  inner: Subject | undefined,
  orderPart: (part: Subject) => void,
): void {
  const graphed = Means.thenImpliesFirstGraphed;
  for (const { container, ip, remote, child } of bundle.replicas) {
    orderPart(container);
    plan.orderActions(bundle, 'start', container, 'start', Means.unrunnableFirstBlocks | graphed);
    if (child !== undefined) plan.orderActions(bundle, 'stop', child, 'stop', graphed);
    plan.orderActions(bundle, 'stop', container, 'stop', graphed);
    plan.orderActions(container, 'start', bundle, 'running', Means.firstImpliesThenGraphed);
    plan.orderActions(container, 'stop', bundle, 'stopped', Means.firstImpliesThenGraphed);
    if (ip !== undefined) {
      orderPart(ip);
      plan.orderActions(ip, 'start', container, 'start', Means.unrunnableFirstBlocks | Means.guestAllowed);
      plan.orderActions(container, 'stop', ip, 'stop', Means.thenImpliesFirst | Means.guestAllowed);
    }
    if (remote !== undefined) orderPart(remote);
  }
  if (inner === undefined) return;
  plan.orderActions(bundle, 'start', inner, 'start', graphed);
  plan.orderActions(inner, 'running', bundle, 'running', Means.firstImpliesThenGraphed);
  plan.orderActions(bundle, 'stop', inner, 'stop', graphed);
  plan.orderActions(inner, 'stopped', bundle, 'stopped', Means.firstImpliesThenGraphed);
  orderPart(inner);
  if (!inner.of.isPromotable) return;
  orderRoleChanges(plan, bundle);
  plan.orderActions(bundle, 'demote', inner, 'demote', graphed);
  plan.orderActions(inner, 'demoted', bundle, 'demoted', Means.firstImpliesThenGraphed);
  plan.orderActions(bundle, 'promote', inner, 'promote', graphed);
  plan.orderActions(inner, 'promoted', bundle, 'promoted', Means.firstImpliesThenGraphed);
}

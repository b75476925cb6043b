/** Unfencing: a node is let back to what it shares (a disk, a network) before resources that need that start there. */
import { type Draft } from '../graph/draft.ts';
import { Means } from '../graph/link.ts';
import type { Plan } from '../graph/plan.ts';
import { primitive, type Subject } from '../graph/subject.ts';
import type { Node } from '../status/node.ts';

/** A time of the last unfencing is known. */
export const wasUnfenced = (node: Node): boolean => (node.attributes.get('#node-unfenced') ?? '0') !== '0';

/**
 * Orders an action after the unfencing of its node, if the resource needs that. An optional order, so that adding a
 * resource does not unfence nodes (and stop all that runs there); required where the node never was unfenced.
 */
export function orderAfterUnfencing(plan: Plan, subject: Subject, node: Node, action: Draft, meaning: number): void {
  const isDevice = primitive(subject).isFenceDevice && plan.situation.options.hasUnfencing;
  if (!isDevice && !subject.of.needsUnfencing) return;
  plan.link(plan.fencing(node, { operation: 'on', isOptional: true }), action, meaning);
  if (!wasUnfenced(node)) requireUnfencing(plan, undefined, node, `required by ${subject.id} ${action.operation}`);
}

/** Unfences the node (or, if it is not available, all that the device may be used on), if anything needs unfencing. */
export function requireUnfencing(
  plan: Plan,
  device: Subject | undefined,
  node: Node | undefined,
  reason: string,
): void {
  if (!plan.situation.options.hasUnfencing) return;
  if (device !== undefined && !primitive(device).isFenceDevice) return;
  const isThere = (one: Node): boolean => plan.isOnline(one) && !plan.isUnclean(one) && !plan.isLeaving(one);
  const nodes =
    node !== undefined && isThere(node)
      ? [node]
      : device === undefined
        ? []
        : plan.situation.nodes.filter((one) => device.of.allowed.has(one) && isThere(one));
  for (const one of nodes) plan.fencing(one, { operation: 'on', isOptional: false, reason });
}

/** Stop, unfence, start: what needs unfencing restarts with it. */
export function orderRestartsAroundUnfencing(plan: Plan, subject: Subject, nodes: readonly Node[]): void {
  for (const node of nodes) {
    const unfencing = plan.fencing(node, { operation: 'on', isOptional: true });
    plan.order({ subject, key: 'stop_0' }, { draft: unfencing }, Means.ordered | Means.ifOnSameNode);
    plan.order({ draft: unfencing }, { subject, key: 'start_0' }, Means.firstImpliesSameNodeThen | Means.ifOnSameNode);
  }
}

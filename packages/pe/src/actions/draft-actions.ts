/**
 * The action stage from its beginning: (situation, constraints, placement) → plan. Drafts what each resource and node
 * needs, and states the orders between them; `graph/settle.ts` then decides what is needed and possible.
 *
 * The steps follow each other as in Pacemaker, because what one drafts, a later one finds: a stop that a failure
 * demands is there when the restart is drafted, and becomes required with it.
 */
import type { Placement } from '../assign/placement.ts';
import type { Constraints, OrderEnd, OrderRelation } from '../constraints/constraint.ts';
import { note } from '../graph/draft.ts';
import { applyOrders } from '../graph/orders.ts';
import { Means } from '../graph/link.ts';
import type { Side } from '../graph/order-request.ts';
import { Plan } from '../graph/plan.ts';
import { isPrimitive, primitive, type Subject } from '../graph/subject.ts';
import { withdraw } from '../graph/withdraw.ts';
import type { Situation } from '../situation.ts';
import type { Node } from '../status/node.ts';
import { orderBundle } from './bundle.ts';
import { draftFencingAndShutdowns } from './fencing.ts';
import { draftGroupPoints, orderGroup } from './group.ts';
import { checkHistories, checkPostponed, clearRemovedFailures, draftClearFailCount } from './history.ts';
import { draftBundleRolePoints, draftInstancePoints, draftRolePoints, orderClone } from './instances.ts';
import type { Notifications } from './notification-points.ts';
import { draftPrimitive, orderLaunched, orderPrimitive } from './primitive.ts';
import { orderProbes } from './probe-orders.ts';
import { draftProbes } from './probe.ts';
import { orderRemoteActions } from './remote.ts';
import { planInput, type PlanOptions } from './subjects.ts';
import { orderRestartsAroundUnfencing } from './unfencing.ts';
import { orderByUtilization } from './utilization.ts';

export interface Drafted {
  readonly plan: Plan;
  /** By clone: the points between which its instances are notified. */
  readonly notifications: ReadonlyMap<Subject, Notifications>;
}

export function draftActions(
  situation: Situation,
  constraints: Constraints,
  placement: Placement,
  options: PlanOptions,
): Drafted {
  const plan = new Plan(planInput(situation, constraints, placement, options));
  draftDemands(plan);
  for (const relation of constraints.orders) orderAsConfigured(plan, relation);
  for (const root of plan.roots) orderImplied(plan, root);
  const postponed = checkHistories(plan);
  // What has no place stops, and what was drafted for it so far follows from that.
  for (const subject of plan.subjects) if (isPrimitive(subject) && subject.assigned === undefined) withdraw(subject);
  checkPostponed(plan, postponed);
  draftProbes(plan);
  clearRemovedFailures(plan);
  const notifications = new Map<Subject, Notifications>();
  for (const root of plan.roots) draftFor(plan, root, notifications);
  orderRemoteActions(plan);
  draftFencingAndShutdowns(plan);
  applyOrders(plan);
  orderProbes(plan);
  return { plan, notifications };
}

/** What the reading of the status found to be necessary, and what runs already. */
function draftDemands(plan: Plan): void {
  const { situation, placement } = plan;
  for (const { instance, node, operation, intervalMs } of situation.activeRecurring) {
    plan.action(plan.subjectOf(instance), operation, { node, isOptional: true, intervalMs });
  }
  for (const demand of situation.demands) {
    switch (demand.type) {
      case 'stop':
      case 'demote':
        plan.action(plan.subjectOf(demand.instance), demand.type, {
          node: demand.node,
          isOptional: demand.type === 'stop' && demand.isOptional,
        });
        break;
      case 'fence': {
        const fencing = plan.fencing(demand.node, { isOptional: true, reason: demand.reason });
        const delay = demand.hasPriorityDelay ? priorityDelay(plan, demand.node) : undefined;
        if (delay !== undefined) note(fencing, 'priority-fencing-delay', String(delay));
        break;
      }
      case 'clearFailCount': {
        const draft = draftClearFailCount(plan, plan.subjectOf(demand.instance), demand.node, demand.reason);
        if (demand.afterFencing !== undefined) {
          plan.link(plan.fencing(demand.afterFencing, { isOptional: true }), draft, Means.firstImpliesThen);
        }
        break;
      }
      case 'clearHistory':
        plan.action(plan.subjectOf(demand.instance), 'lrm_delete', { node: demand.node, isOptional: false });
        break;
    }
  }
  for (const { node, reason } of placement.fencing) {
    // Placement has marked a member as unclean already.
    if (node.kind === 'member') plan.fencing(node, { isOptional: true, reason });
    else plan.mustFence(node, reason);
  }
}

/**
 * `priority-fencing-delay`: in a split of equals, the side that fences the more important node waits. In seconds; 0
 * is said as well, because it overrides the device's own delays. Undefined where the option is not set.
 */
function priorityDelay(plan: Plan, node: Node): number | undefined {
  const delayMs = plan.situation.options.priorityFencingDelayMs;
  if (delayMs === 0) return undefined;
  if (node.kind !== 'member' || plan.isOnline(node)) return 0;
  const members = plan.situation.nodes.filter((one) => one.kind === 'member');
  if (members.filter((one) => plan.isOnline(one)).length > Math.floor(members.length / 2)) return 0;
  const priorities = members.map((one) => one.priority);
  const top = Math.max(...priorities);
  if (top === Math.min(...priorities) || node.priority < top) return 0;
  return Math.round(delayMs / 1000);
}

const meanings = {
  ordered: Means.ordered,
  asymmetric: Means.asymmetric,
  serialized: Means.serialize,
  firstImpliesThen: Means.firstImpliesThen,
  thenImpliesFirst: Means.thenImpliesFirst,
  unrunnableFirstBlocks: Means.unrunnableFirstBlocks,
  minRunnable: Means.minRunnable,
  firstImpliesThenGraphed: Means.firstImpliesThenGraphed,
  ifRequiredOnSameNode: Means.ifRequiredOnSameNode,
} as const;

function orderAsConfigured(plan: Plan, { first, then, effects }: OrderRelation): void {
  const side = (end: OrderEnd): Side => {
    if (end.type === 'action') return { subject: plan.subjectOf(end.resource), key: `${end.action}_0` };
    const draft = plan.point(end.gate.name);
    draft.requiredBefore = end.gate.required;
    return { draft };
  };
  plan.order(
    side(first),
    side(then),
    effects.reduce((bits, effect) => bits | meanings[effect], 0),
  );
}

/** The orders that follow from what a resource is. */
function orderImplied(plan: Plan, subject: Subject): void {
  switch (subject.kind) {
    case 'primitive': {
      if (!subject.isManaged) return;
      orderPrimitive(plan, subject);
      if (!primitive(subject).isFenceDevice && plan.situation.options.hasUnfencing && subject.of.needsUnfencing) {
        orderRestartsAroundUnfencing(plan, subject, candidatesOf(plan, subject));
      }
      if (plan.situation.options.placementStrategy !== 'default' && primitive(subject).utilization.size > 0) {
        orderByUtilization(plan, subject, candidatesOf(plan, subject));
      }
      orderLaunched(plan, subject);
      return;
    }
    case 'group':
      orderGroup(plan, subject, (member) => orderImplied(plan, member));
      return;
    case 'clone':
      orderClone(plan, subject, (instance) => orderImplied(plan, instance));
      return;
    default:
      orderBundle(plan, subject, innerClone(subject), (part) => orderImplied(plan, part));
  }
}

const candidatesOf = (plan: Plan, subject: Subject): readonly Node[] =>
  plan.placement.places[subject.of.index]?.candidates ?? [];

/** The clone of what runs inside a bundle's containers. */
const innerClone = (bundle: Subject): Subject | undefined => bundle.children.find((child) => child.kind === 'clone');

function draftFor(plan: Plan, subject: Subject, notifications: Map<Subject, Notifications>): void {
  switch (subject.kind) {
    case 'primitive':
      draftPrimitive(plan, subject);
      return;
    case 'group':
      for (const member of subject.children) draftPrimitive(plan, member);
      draftGroupPoints(plan, subject);
      return;
    case 'clone': {
      for (const instance of subject.children) draftFor(plan, instance, notifications);
      const points = draftInstancePoints(plan, subject, subject.children);
      if (!subject.of.isPromotable) {
        notifications.set(subject, points);
        return;
      }
      // Looked at a second time with the first result there: a start that became necessary calls for a stop.
      for (const instance of subject.children) draftFor(plan, instance, notifications);
      notifications.set(subject, draftRolePoints(plan, subject, points));
      return;
    }
    default:
      draftBundle(plan, subject, notifications);
  }
}

function draftBundle(plan: Plan, bundle: Subject, notifications: Map<Subject, Notifications>): void {
  for (const { ip, container, remote } of bundle.replicas) {
    for (const part of [ip, container, remote]) if (part !== undefined) draftPrimitive(plan, part);
  }
  const containers = bundle.replicas.map((replica) => replica.container);
  for (const container of containers) draftPrimitive(plan, container);
  draftInstancePoints(plan, bundle, containers);
  const inner = innerClone(bundle);
  if (inner === undefined) return;
  draftFor(plan, inner, notifications);
  if (inner.of.isPromotable) draftBundleRolePoints(plan, bundle);
}

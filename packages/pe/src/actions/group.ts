/** Groups: members in order, and the points in time at which all of them have started or stopped. */
import { Flag, set } from '../graph/draft.ts';
import { Means } from '../graph/link.ts';
import type { Plan } from '../graph/plan.ts';
import type { Subject } from '../graph/subject.ts';
import { isTrue } from '../config/values.ts';
import type { GroupInstance } from '../expand/instance.ts';

/** The points in time of the group itself; its members' actions are drafted by the caller. */
export function draftGroupPoints(plan: Plan, group: Subject): void {
  const operations = ['start', 'running', 'stop', 'stopped'];
  if (isTrue(group.of.meta.get('promotable'))) operations.push('demote', 'demoted', 'promote', 'promoted');
  for (const operation of operations) {
    set(plan.action(group, operation, { isOptional: true }), Flag.pseudo | Flag.runnable);
  }
}

/** Orders between a group, its members and their neighbours. `orderMember` adds each member's own. */
export function orderGroup(plan: Plan, group: Subject, orderMember: (member: Subject) => void): void {
  const { isOrdered } = group.of as GroupInstance;
  const isPromotable = group.top.of.isPromotable;
  plan.orderActions(group, 'stop', group, 'stopped', Means.unrunnableFirstBlocks);
  plan.orderActions(group, 'stopped', group, 'start', Means.ordered);
  plan.orderActions(group, 'start', group, 'running', Means.unrunnableFirstBlocks);

  const needsFirst = Means.firstImpliesThen | Means.unrunnableFirstBlocks;
  let previous: Subject | undefined;
  let lastActive: Subject | undefined;
  for (const member of group.children) {
    orderMember(member);
    const isFirst = previous === undefined;
    // An ordered group goes down through its first member, which is the last to stop.
    const down = Means.thenImpliesFirstGraphed | (isFirst && isOrdered ? Means.ordered : 0);
    const isDown = isFirst && isOrdered ? Means.firstImpliesThen : Means.firstImpliesThenGraphed;
    const isUp = needsFirst | Means.firstImpliesThenGraphed;
    if (isPromotable) {
      plan.orderActions(group, 'demote', member, 'demote', down);
      plan.orderActions(member, 'demote', group, 'demoted', isDown);
      plan.orderActions(member, 'promote', group, 'promoted', isUp);
      plan.orderActions(group, 'promote', member, 'promote', Means.thenImpliesFirstGraphed);
    }
    plan.orderActions(group, 'stop', member, 'stop', down);
    plan.orderActions(member, 'stop', group, 'stopped', isDown);
    plan.orderActions(group, 'start', member, 'start', Means.thenImpliesFirstGraphed);
    plan.orderActions(member, 'start', group, 'running', isUp);

    if (!isOrdered) {
      plan.orderActions(group, 'start', member, 'start', needsFirst | Means.thenImpliesFirstGraphed);
      if (isPromotable) {
        plan.orderActions(group, 'promote', member, 'promote', needsFirst | Means.thenImpliesFirstGraphed);
      }
    } else if (previous !== undefined) {
      orderNeighbours(plan, previous, member, isPromotable);
    }

    // Of a group that is active in part, the active ones stop one after the other all the same.
    if (isActive(member)) {
      if (isOrdered && previous !== undefined && !isActive(previous) && lastActive !== undefined) {
        plan.orderActions(member, 'stop', lastActive, 'stop', Means.ordered);
      }
      lastActive = member;
    }
    previous = member;
  }
}

function orderNeighbours(plan: Plan, previous: Subject, member: Subject, isPromotable: boolean): void {
  const needsFirst = Means.firstImpliesThen | Means.unrunnableFirstBlocks;
  plan.orderActions(previous, 'start', member, 'start', needsFirst);
  plan.orderActions(member, 'stop', previous, 'stop', Means.ordered | Means.restart);
  // A new member before an active one: that stops before the new one starts.
  if (isActive(member) && !isActive(previous)) {
    plan.orderActions(member, 'stop', previous, 'start', Means.thenImpliesFirst | Means.unrunnableFirstBlocks);
  }
  if (isPromotable) {
    plan.orderActions(previous, 'promote', member, 'promote', needsFirst);
    plan.orderActions(member, 'demote', previous, 'demote', Means.ordered);
  }
}

const isActive = (member: Subject): boolean => member.of.activeNodes.length > 0;

/** Clones and bundles: points in time at which all instances have started, stopped, been promoted or demoted. */
import { INFINITY } from '@systole/cib';
import { type Draft, Flag, isOptional, isRunnable, set } from '../graph/draft.ts';
import { has, Means } from '../graph/link.ts';
import type { Plan } from '../graph/plan.ts';
import type { Subject } from '../graph/subject.ts';
import { type CloneInstance } from '../expand/instance.ts';
import { draftNotificationPoints, type Notifications } from './notification-points.ts';

interface Activity {
  isActive: boolean;
  isStarting: boolean;
  isStopping: boolean;
  /** Some instance stops and starts. */
  isRestarting: boolean;
}

/** The points for start and stop, once the instances' own actions are drafted. */
export function draftInstancePoints(plan: Plan, collective: Subject, instances: readonly Subject[]): Notifications {
  const state: Activity = { isActive: false, isStarting: false, isStopping: false, isRestarting: false };
  for (const instance of instances) addActivity(plan, instance, state);
  const start = plan.pseudo(collective, 'start', { isOptional: !state.isStarting, isRunnable: true });
  const started = plan.pseudo(collective, 'running', { isOptional: !state.isStarting, isRunnable: false });
  started.priority = INFINITY;
  if (state.isActive || state.isStarting) set(started, Flag.runnable);
  const stop = plan.pseudo(collective, 'stop', { isOptional: !state.isStopping, isRunnable: true });
  const stopped = plan.pseudo(collective, 'stopped', { isOptional: !state.isStopping, isRunnable: true });
  stopped.priority = INFINITY;
  if (!state.isRestarting) set(stop, Flag.migratable);
  if (collective.kind !== 'clone') return {};
  const notifications = {
    start: draftNotificationPoints(plan, collective, 'start', start, started),
    stop: draftNotificationPoints(plan, collective, 'stop', stop, stopped),
  };
  plan.link(notifications.stop?.postDone, notifications.start?.pre, Means.ordered);
  return notifications;
}

function addActivity(plan: Plan, instance: Subject, state: Activity): void {
  if (instance.kind !== 'primitive') {
    for (const child of instance.children) addActivity(plan, child, state);
    return;
  }
  if (instance.of.activeNodes.length > 0) state.isActive = true;
  const isStarting = plan.find(instance, 'start_0').some((draft) => !isOptional(draft) && isRunnable(draft));
  // A stop that a fencing implies is none that an agent carries out, and a stop all the same.
  const isStopping = plan
    .find(instance, 'stop_0')
    .some((draft) => !isOptional(draft) && has(draft.flags, Flag.runnable | Flag.pseudo));
  state.isStarting ||= isStarting;
  state.isStopping ||= isStopping;
  state.isRestarting ||= isStarting && isStopping;
}

/** The points for promotion and demotion of a promotable clone. */
export function draftRolePoints(plan: Plan, clone: Subject, soFar: Notifications): Notifications {
  const change = { isPromoting: false, isDemoting: false };
  for (const instance of clone.children) addRoleChange(plan, instance, change);
  const promote = plan.pseudo(clone, 'promote', { isOptional: !change.isPromoting, isRunnable: true });
  const promoted = plan.pseudo(clone, 'promoted', { isOptional: !change.isPromoting, isRunnable: true });
  promoted.priority = INFINITY;
  const onPromote = draftNotificationPoints(plan, clone, 'promote', promote, promoted);
  const demote = plan.pseudo(clone, 'demote', { isOptional: !change.isDemoting, isRunnable: true });
  const demoted = plan.pseudo(clone, 'demoted', { isOptional: !change.isDemoting, isRunnable: true });
  demoted.priority = INFINITY;
  const onDemote = draftNotificationPoints(plan, clone, 'demote', demote, demoted);
  plan.link(soFar.stop?.postDone, onPromote?.pre, Means.ordered);
  plan.link(soFar.start?.postDone, onPromote?.pre, Means.ordered);
  plan.link(onDemote?.postDone, onPromote?.pre, Means.ordered);
  plan.link(onDemote?.postDone, soFar.start?.pre, Means.ordered);
  plan.link(onDemote?.postDone, soFar.stop?.pre, Means.ordered);
  return { ...soFar, promote: onPromote, demote: onDemote };
}

function addRoleChange(plan: Plan, instance: Subject, change: { isPromoting: boolean; isDemoting: boolean }): void {
  if (instance.kind !== 'primitive') {
    for (const child of instance.children) addRoleChange(plan, child, change);
    return;
  }
  const isRequired = (draft: Draft): boolean => !isOptional(draft);
  change.isPromoting ||= plan.find(instance, 'promote_0').some(isRequired);
  change.isDemoting ||= plan.find(instance, 'demote_0').some(isRequired);
}

/** Promoting and demoting of a bundle: what is inside decides. */
export function draftBundleRolePoints(plan: Plan, bundle: Subject): void {
  for (const [begin, end] of [
    ['promote', 'promoted'],
    ['demote', 'demoted'],
  ] as const) {
    plan.pseudo(bundle, begin, { isOptional: true, isRunnable: true });
    plan.pseudo(bundle, end, { isOptional: true, isRunnable: true }).priority = INFINITY;
  }
}

/** Orders between a clone and its instances, and of an ordered clone between the instances. */
export function orderClone(plan: Plan, clone: Subject, orderInstance: (instance: Subject) => void): void {
  const { isOrdered, isPromotable } = clone.of as CloneInstance;
  plan.orderActions(clone, 'stopped', clone, 'start', Means.ordered);
  plan.orderActions(clone, 'start', clone, 'running', Means.unrunnableFirstBlocks);
  plan.orderActions(clone, 'stop', clone, 'stopped', Means.unrunnableFirstBlocks);
  if (isPromotable) {
    plan.orderActions(clone, 'demoted', clone, 'stop', Means.ordered);
    plan.orderActions(clone, 'running', clone, 'promote', Means.unrunnableFirstBlocks);
  }
  for (const [index, instance] of clone.children.entries()) {
    orderInstance(instance);
    plan.orderActions(clone, 'start', instance, 'start', Means.unrunnableFirstBlocks | Means.thenImpliesFirstGraphed);
    plan.orderActions(instance, 'start', clone, 'running', Means.firstImpliesThenGraphed);
    plan.orderActions(clone, 'stop', instance, 'stop', Means.thenImpliesFirstGraphed);
    plan.orderActions(instance, 'stop', clone, 'stopped', Means.firstImpliesThenGraphed);
    if (!isOrdered) continue;
    for (const later of clone.children.slice(index + 1)) {
      plan.orderActions(instance, 'start', later, 'start', Means.ordered);
      plan.orderActions(later, 'stop', instance, 'stop', Means.ordered);
    }
  }
  if (isPromotable) orderPromotions(plan, clone, isOrdered);
}

function orderPromotions(plan: Plan, clone: Subject, isOrdered: boolean): void {
  orderRoleChanges(plan, clone);
  let previous: Subject | undefined;
  for (const instance of clone.children) {
    plan.orderActions(instance, 'demote', instance, 'promote', Means.ordered);
    plan.orderActions(clone, 'promote', instance, 'promote', Means.ordered);
    plan.orderActions(instance, 'promote', clone, 'promoted', Means.ordered);
    if (isOrdered && previous !== undefined) plan.orderActions(previous, 'promote', instance, 'promote', Means.ordered);
    plan.orderActions(clone, 'demote', instance, 'demote', Means.thenImpliesFirstGraphed);
    plan.orderActions(instance, 'demote', clone, 'demoted', Means.firstImpliesThenGraphed);
    if (isOrdered && previous !== undefined) plan.orderActions(instance, 'demote', previous, 'demote', Means.ordered);
    previous = instance;
  }
}

/** All demotions, then all stops, then all starts, then all promotions. */
export function orderRoleChanges(plan: Plan, collective: Subject): void {
  const pairs = [
    ['stopped', 'start'],
    ['stopped', 'promote'],
    ['demoted', 'stop'],
    ['demoted', 'start'],
    ['demoted', 'promote'],
    ['running', 'promote'],
    ['demote', 'demoted'],
  ] as const;
  for (const [first, then] of pairs) plan.orderActions(collective, first, collective, then, Means.ordered);
}

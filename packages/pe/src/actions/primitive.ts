/**
 * What a primitive needs to get from its role now to its next: down (demote, stop) and up again (start, promote).
 *
 * Every active primitive gets the actions of a restart in place, as optional ones: orders can then be stated between
 * them, and whatever makes a stop necessary later (a dependency's restart, a fencing) finds it drafted, with the
 * start that follows. What is needed from the start is drafted as required.
 */
import { clear, type Draft, Flag, isOptional, isRunnable, set } from '../graph/draft.ts';
import { Means } from '../graph/link.ts';
import type { Plan } from '../graph/plan.ts';
import { primitive, Role, type Subject } from '../graph/subject.ts';
import type { Node } from '../status/node.ts';
import { abortDanglingMigrations, canMigrate, draftMigration } from './migration.ts';
import { draftRecurring } from './recurring.ts';
import { orderAfterUnfencing } from './unfencing.ts';

/** Drafts all actions of one primitive. */
export function draftPrimitive(plan: Plan, subject: Subject): void {
  if (subject.nextRole === Role.unknown) {
    subject.nextRole = subject.assigned === undefined ? Role.stopped : Role.started;
  }
  const active = activity(plan, subject);
  const { current } = active;
  abortDanglingMigrations(plan, subject);

  const target = subject.assigned;
  const isMoving =
    current !== undefined && target !== undefined && current !== target && subject.nextRole >= Role.started;
  let needsStop = isMoving;
  let migrates = isMoving && canMigrate(plan, subject, current);

  const partial = subject.migration;
  if (partial !== undefined) {
    const goesOn = migrates && active.count === 2 && current === partial.source && target === partial.target;
    if (!goesOn) {
      needsStop = true;
      subject.migration = undefined;
      migrates = false;
    }
    subject.stopsUnexpected = false;
  } else {
    // Where fencing is not needed first, a copy on an unclean node does not count.
    const copies = subject.of.needsFencing ? active.count : active.cleanCount;
    subject.stopsUnexpected = false;
    if (copies > 1) {
      const policy = subject.of.multipleActive;
      if (policy === 'stop_start' || policy === 'stop_unexpected') needsStop = true;
      subject.stopsUnexpected = policy === 'stop_unexpected';
    }
  }

  if (subject.hasPendingStart) {
    set(plan.action(subject, 'start', { node: target, isOptional: true }), Flag.always);
  }

  let needsPromote = false;
  if (!isMoving) {
    if (subject.isFailed) {
      if (subject.mustStopIfFailed) needsStop = true;
      else if (subject.nextRole === Role.promoted) needsPromote = true;
    } else if (subject.isBlocked) {
      needsStop = true;
    } else if (subject.role > Role.started && current !== undefined && target !== undefined) {
      // A start that is required already: the promoted instance is being recovered.
      if (!isOptional(plan.action(subject, 'start', { node: target, isOptional: true }))) needsStop = true;
    }
  }

  draftRestart(plan, subject, needsStop, needsPromote);
  draftRoleChange(plan, subject);
  draftRecurring(plan, subject);
  if (migrates && current !== undefined) draftMigration(plan, subject, current);
}

interface Activity {
  readonly current: Node | undefined;
  readonly count: number;
  readonly cleanCount: number;
}

/**
 * Where it is active, and which of several nodes counts as the current one: a migration's source; else the first
 * clean one, if it could be recovered without fencing; else the first.
 */
export function activity(plan: Plan, subject: Subject): Activity {
  const nodes = subject.of.activeNodes;
  const isClean = (node: Node): boolean => plan.isOnline(node) && !plan.isUnclean(node);
  const source = subject.migration?.source;
  const preferred =
    source !== undefined
      ? nodes.find((node) => node === source)
      : subject.of.needsFencing
        ? undefined
        : nodes.find(isClean);
  return { current: preferred ?? nodes[0], count: nodes.length, cleanCount: nodes.filter(isClean).length };
}

/** The node that counts as the one where it is active now. */
export const currentNode = (plan: Plan, subject: Subject): Node | undefined => activity(plan, subject).current;

// -------------------------------------------------------------- steps between roles

/** Down to stopped and up again to the role it has. */
function draftRestart(plan: Plan, subject: Subject, needsStop: boolean, needsPromote: boolean): void {
  subject.isRestarting = true;
  let { role } = subject;
  while (role !== Role.stopped) {
    const next = towardsStopped(role);
    if (!step(plan, subject, role, next, !needsStop)) break;
    role = next;
  }
  while (subject.role <= subject.nextRole && role !== subject.role && !subject.isBlocked) {
    const next = towards(role, subject.role);
    const isRequired = needsStop || (next === Role.promoted && needsPromote);
    if (!step(plan, subject, role, next, !isRequired)) break;
    role = next;
  }
  subject.isRestarting = false;
}

/** From the role it has to the one it is to have. */
function draftRoleChange(plan: Plan, subject: Subject): void {
  let { role } = subject;
  while (role !== subject.nextRole) {
    const next = towards(role, subject.nextRole);
    if (!step(plan, subject, role, next, false)) break;
    role = next;
  }
}

const towardsStopped = (role: number): number => (role === Role.promoted ? Role.unpromoted : Role.stopped);

/** The next role on the way: up through unpromoted, down through unpromoted and stopped. */
function towards(role: number, target: number): number {
  switch (role) {
    case Role.unknown:
      return Role.stopped;
    case Role.stopped:
      if (target === Role.unknown) return Role.stopped;
      return target === Role.promoted ? Role.unpromoted : target;
    case Role.started:
      return target === Role.unknown ? Role.stopped : target;
    case Role.unpromoted:
      return target >= Role.unpromoted ? target : Role.stopped;
    default:
      if (target === Role.unknown) return Role.stopped;
      return target === Role.promoted ? Role.promoted : Role.unpromoted;
  }
}

/** Drafts what leads from one role to the next; false where nothing does, and nothing is needed. */
function step(plan: Plan, subject: Subject, from: number, to: number, isOptionalStep: boolean): boolean {
  const node = subject.assigned;
  if (from === to) return false;
  if (to === Role.stopped) draftStops(plan, subject, isOptionalStep);
  else if (from === Role.promoted) draftDemotions(plan, subject, isOptionalStep);
  else if (from === Role.stopped) {
    if (node !== undefined) draftStart(plan, subject, node, isOptionalStep);
  } else if (to === Role.promoted) {
    if (node !== undefined) draftPromotion(plan, subject, node, isOptionalStep);
  } else return false; // started and unpromoted are one state of the agent
  return true;
}

/** Of several copies the one that stays, where the others are stopped. */
const staysHere = (subject: Subject, node: Node): boolean =>
  subject.stopsUnexpected && subject.isRestarting && subject.nextRole > Role.stopped && subject.assigned === node;

function draftStops(plan: Plan, subject: Subject, isOptionalStep: boolean): void {
  let isOptionalHere = isOptionalStep;
  for (const node of subject.of.activeNodes) {
    if (staysHere(subject, node)) continue;
    if (subject.migration !== undefined) {
      // The migration goes on towards this node; a copy anywhere else is stopped.
      if (node === subject.migration.target && node === subject.assigned) continue;
      isOptionalHere = false;
    }
    const stop = plan.action(subject, 'stop', { node, isOptional: isOptionalHere });
    if (subject.assigned === undefined) stop.reason = 'node availability';
    else if (subject.isRestarting && subject.stopsUnexpected) stop.reason = 'being multiply active';
    if (!subject.isManaged) clear(stop, Flag.runnable);
    if (subject.of.needsUnfencing) {
      plan.link(stop, plan.fencing(node, { operation: 'on', isOptional: true }), Means.thenImpliesFirst);
    }
  }
}

function draftStart(plan: Plan, subject: Subject, node: Node, isOptionalStep: boolean): void {
  const start = plan.action(subject, 'start', { node, isOptional: true });
  orderAfterUnfencing(plan, subject, node, start, Means.firstImpliesThen);
  if (isRunnable(start) && !isOptionalStep) clear(start, Flag.optional);
  if (staysHere(subject, node)) set(start, Flag.pseudo);
}

function draftPromotion(plan: Plan, subject: Subject, node: Node, isOptionalStep: boolean): void {
  const canStart = plan.findOn(subject, 'start_0', node).every(isRunnable);
  if (!canStart) {
    for (const promote of plan.findOn(subject, 'promote_0', node)) clear(promote, Flag.runnable);
    return;
  }
  const promote = plan.action(subject, 'promote', { node, isOptional: isOptionalStep });
  if (staysHere(subject, node)) set(promote, Flag.pseudo);
}

function draftDemotions(plan: Plan, subject: Subject, isOptionalStep: boolean): void {
  for (const node of subject.of.activeNodes) {
    if (!staysHere(subject, node)) plan.action(subject, 'demote', { node, isOptional: isOptionalStep });
  }
}

// -------------------------------------------------------------- orders that every primitive has

/** Stop before start, demote before stop, start before promote, and how it depends on what it runs inside. */
export function orderPrimitive(plan: Plan, subject: Subject): void {
  if (!subject.isManaged) return;
  const on = (operation: string): { subject: Subject; key: string } => ({ subject, key: `${operation}_0` });
  plan.order(on('stop'), on('start'), Means.ordered | Means.firstImpliesThen | Means.restart);
  if (subject.top.of.isPromotable || subject.role > Role.unpromoted) {
    plan.order(on('demote'), on('stop'), Means.promotedThenImpliesFirst);
    plan.order(on('start'), on('promote'), Means.unrunnableFirstBlocks);
  }
  if (plan.newest(subject, 'lrm_delete_0') !== undefined) orderProbeInsteadOf(plan, subject, 'lrm_delete');
}

/** A history that is about to be written anew by a probe is not deleted. */
function orderProbeInsteadOf(plan: Plan, subject: Subject, deletion: 'delete' | 'lrm_delete'): void {
  const meaning = Means.ifOnSameNode | Means.thenCancelsFirst;
  plan.order({ subject, key: `${deletion}_0` }, { subject, key: 'monitor_0' }, meaning);
}

/** A resource inside another starts after it and stops before it; a connection stops after its guest is probed. */
export function orderLaunched(plan: Plan, subject: Subject): void {
  const { launcher } = subject;
  if (launcher === undefined || !subject.isManaged) return;
  const isConnection = primitive(subject).isConnection;
  if (isConnection) {
    plan.orderActions(launcher, 'monitor', subject, 'stop', Means.ordered);
  } else if (primitive(launcher).isConnection || launcher.launched.some((one) => primitive(one).isConnection)) {
    return; // it runs on the remote node, whose own orders hold
  }
  plan.orderActions(launcher, 'start', subject, 'start', Means.firstImpliesThen | Means.unrunnableFirstBlocks);
  plan.orderActions(subject, 'stop', launcher, 'stop', Means.thenImpliesFirst);
}

/** The history of a resource on a node is deleted: between its stop and its start. */
export function draftCleanUp(plan: Plan, subject: Subject, node: Node, isOptionalStep: boolean): Draft | undefined {
  if (subject.isFailed || plan.isUnclean(node) || !plan.isOnline(node)) return undefined;
  const meaning = isOptionalStep ? Means.firstImpliesThen : Means.ordered;
  const draft = plan.action(subject, 'delete', { node, isOptional: isOptionalStep });
  if (subject.isManaged) orderProbeInsteadOf(plan, subject, 'delete');
  plan.orderActions(subject, 'stop', subject, 'delete', meaning);
  plan.orderActions(subject, 'delete', subject, 'start', meaning);
  return draft;
}

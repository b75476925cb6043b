/** Recurring operations: those of the role it will have are run, others cancelled; those for `Stopped` run elsewhere. */
import type { OperationConfig } from '../config/operations.ts';
import { clear, type Draft, Flag, isOptional, isRunnable, note, set } from '../graph/draft.ts';
import { Means } from '../graph/link.ts';
import type { Plan } from '../graph/plan.ts';
import { primitive, Role, type Subject } from '../graph/subject.ts';
import type { Node } from '../status/node.ts';
import { NOT_RUNNING, RUNNING_PROMOTED } from './exit-codes.ts';

/** Operations that change something are never recurring. */
const oneShot: ReadonlySet<string> = new Set([
  'stop',
  'start',
  'demote',
  'promote',
  'reload-agent',
  'migrate_to',
  'migrate_from',
]);

/** The recurring operations that are configured, enabled and make sense. Of two alike neither is clear: none is run. */
export function recurringOperations(subject: Subject): readonly OperationConfig[] {
  const { operations } = primitive(subject);
  const isClear = (operation: OperationConfig): boolean =>
    !operations.some(
      (other) => other !== operation && other.name === operation.name && other.intervalMs === operation.intervalMs,
    );
  return operations.filter(
    (operation) =>
      operation.intervalMs > 0 && operation.isEnabled && !oneShot.has(operation.name) && isClear(operation),
  );
}

export function draftRecurring(plan: Plan, subject: Subject): void {
  if (subject.isBlocked || subject.of.isMaintenance) return;
  const node = subject.assigned;
  const operations = recurringOperations(subject);
  let start: Draft | undefined;
  if (node !== undefined && !node.isMaintenance && (subject.nextRole !== Role.stopped || !subject.isManaged)) {
    start = plan.action(subject, 'start', { node, isOptional: true });
  }
  for (const operation of operations) {
    if (start !== undefined && node !== undefined) draftForActive(plan, subject, start, node, operation);
    draftForStopped(plan, subject, node, operation);
  }
}

const roleOfOperation = (operation: OperationConfig): number => {
  switch (operation.source.role) {
    case 'Stopped':
      return Role.stopped;
    case 'Started':
      return Role.started;
    case 'Unpromoted':
      return Role.unpromoted;
    case 'Promoted':
      return Role.promoted;
    default:
      return Role.unknown;
  }
};

function draftForActive(plan: Plan, subject: Subject, start: Draft, node: Node, operation: OperationConfig): void {
  const role = roleOfOperation(operation);
  if (role === Role.stopped) return;
  const key = `${operation.name}_${operation.intervalMs}`;
  const isRunning = isRunningUnchanged(plan, subject, key, node, start);
  const fits = role === Role.unknown ? subject.nextRole !== Role.promoted : subject.nextRole === role;
  if (!fits) {
    if (isRunning) cancelForRoleChange(plan, subject, operation, node);
    return;
  }
  const monitor = plan.action(subject, operation.name, {
    node,
    isOptional: isRunning,
    intervalMs: operation.intervalMs,
  });
  if (!isRunnable(start) || !plan.isOnline(node) || plan.isUnclean(node)) clear(monitor, Flag.runnable);
  if (subject.nextRole === Role.promoted) monitor.expectedExitCode = RUNNING_PROMOTED;
  if (!subject.isManaged) return;
  const after = (what: string, meaning: number): void =>
    plan.order({ subject, key: `${what}_0` }, { draft: monitor }, meaning);
  after('start', Means.firstImpliesThen | Means.unrunnableFirstBlocks);
  if (subject.isReloading) after('reload-agent', Means.firstImpliesThen | Means.unrunnableFirstBlocks);
  if (subject.nextRole === Role.promoted) after('promote', Means.ordered | Means.unrunnableFirstBlocks);
  else if (subject.role === Role.promoted) after('demote', Means.ordered | Means.unrunnableFirstBlocks);
}

/** It is active there, is not to be started anew, and its resource is not either. */
function isRunningUnchanged(plan: Plan, subject: Subject, key: string, node: Node, start: Draft): boolean {
  if (!isOptional(start)) return false;
  const running = plan.findOn(subject, key, node);
  return running.length > 0 && running.every((draft) => (draft.flags & Flag.reschedule) === 0);
}

function cancelForRoleChange(plan: Plan, subject: Subject, operation: OperationConfig, node: Node): void {
  const cancel = draftCancel(plan, subject, operation.name, operation.intervalMs, node);
  let before: string | undefined;
  if (subject.role === Role.promoted) before = 'demote';
  else if (subject.role >= Role.started) {
    if (subject.nextRole === Role.promoted) before = 'promote';
    else if (subject.nextRole === Role.stopped) before = 'stop';
  }
  if (before !== undefined) plan.order({ draft: cancel }, { subject, key: `${before}_0` }, Means.unrunnableFirstBlocks);
}

/** A monitor for `Stopped` makes sure, on every other node, that the resource is not running there. */
function draftForStopped(plan: Plan, subject: Subject, home: Node | undefined, operation: OperationConfig): void {
  if (roleOfOperation(operation) !== Role.stopped || !subject.of.isUnique) return;
  const { name, intervalMs } = operation;
  const key = `${name}_${intervalMs}`;
  for (const node of plan.situation.nodes) {
    if (node === home) {
      if (plan.findOn(subject, key, node).length === 0) continue;
      const cancel = draftCancel(plan, subject, name, intervalMs, node);
      if (subject.nextRole === Role.started || subject.nextRole === Role.unpromoted) {
        plan.order({ draft: cancel }, { subject, key: 'start_0' }, Means.unrunnableFirstBlocks);
      }
      continue;
    }
    const isRunning = plan.findOn(subject, key, node).length > 0;
    const monitor = plan.action(subject, name, { node, isOptional: isRunning, intervalMs });
    monitor.expectedExitCode = NOT_RUNNING;
    if (subject.isManaged) {
      for (const probe of plan.find(subject, 'monitor_0', node)) plan.link(probe, monitor, Means.unrunnableFirstBlocks);
    }
    for (const stop of plan.findOn(subject, 'stop_0', node)) {
      if (!isOptional(stop) && !isOptional(monitor) && !subject.isManaged) set(monitor, Flag.optional);
      if (!isRunnable(stop)) clear(monitor, Flag.runnable);
      if (subject.isManaged) {
        plan.order({ draft: stop }, { draft: monitor }, Means.firstImpliesThen | Means.unrunnableFirstBlocks);
      }
    }
    if (!plan.isOnline(node) || plan.isUnclean(node)) clear(monitor, Flag.runnable);
  }
}

/** Ends a recurring operation: the action of that key becomes its cancellation. */
export function draftCancel(plan: Plan, subject: Subject, operation: string, intervalMs: number, node: Node): Draft {
  const cancel = plan.action(subject, 'cancel', {
    node,
    isOptional: false,
    intervalMs,
    key: `${operation}_${intervalMs}`,
  });
  cancel.operation = 'cancel';
  cancel.cancels = operation;
  note(cancel, 'operation', operation);
  return cancel;
}

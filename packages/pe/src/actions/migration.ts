/** Live migration: a move that keeps the resource running, as `migrate_to` there, `migrate_from` here, and a stop. */
import { type Draft, Flag, note, set } from '../graph/draft.ts';
import { Means } from '../graph/link.ts';
import type { Plan } from '../graph/plan.ts';
import { primitive, type Subject } from '../graph/subject.ts';
import type { Node } from '../status/node.ts';

/** Whether a move from `current` may be a migration. */
export function canMigrate(plan: Plan, subject: Subject, current: Node): boolean {
  if (!subject.of.allowsMigration || !subject.isManaged || subject.isFailed || subject.hasPendingStart) return false;
  return !plan.isUnclean(current) && subject.assigned !== undefined && !plan.isUnclean(subject.assigned);
}

/** Stops what a migration left behind on its source. */
export function abortDanglingMigrations(plan: Plan, subject: Subject): void {
  for (const node of primitive(subject).danglingSources) {
    set(plan.action(subject, 'stop', { node, isOptional: false }), Flag.migrationAbort);
  }
}

/**
 * Drafts the migration beside the stop and start of the same move. Which of the two ways is taken turns out later: if
 * any part of the migration cannot be done or must not, the start becomes a real one.
 */
export function draftMigration(plan: Plan, subject: Subject, current: Node): void {
  const target = subject.assigned as Node;
  const isHalfway = subject.migration !== undefined;
  const start = plan.action(subject, 'start', { node: target, isOptional: true });
  const stop = plan.action(subject, 'stop', { node: current, isOptional: true });
  const to = isHalfway ? undefined : plan.action(subject, 'migrate_to', { node: current, isOptional: true });
  const from = plan.action(subject, 'migrate_from', { node: target, isOptional: true });
  set(start, Flag.migratable | Flag.pseudo);
  set(stop, Flag.migratable);
  set(from, Flag.migratable);

  const on = (operation: string): { subject: Subject; key: string } => ({ subject, key: `${operation}_0` });
  const chain = Means.ordered | Means.unmigratableThenBlocks;
  // A migration waits for fencing as the start in its place would.
  (to ?? from).needs = start.needs;
  if (to === undefined) {
    plan.order(on('monitor'), on('migrate_from'), Means.ordered);
  } else {
    set(to, Flag.migratable);
    plan.order(on('monitor'), on('migrate_to'), Means.ordered);
    plan.order(on('migrate_to'), on('migrate_from'), chain);
    name(to, current, target);
    // What happens on the target matters even if the source is lost meanwhile, except for connections.
    if (!primitive(subject).isConnection) note(to, 'record_pending', 'true');
  }
  plan.order(on('migrate_from'), on('stop'), chain);
  plan.order(on('migrate_from'), on('start'), chain | Means.firstElseThen);
  name(from, current, target);
}

function name(draft: Draft, source: Node, target: Node): void {
  note(draft, 'migrate_source', source.name);
  note(draft, 'migrate_target', target.name);
}

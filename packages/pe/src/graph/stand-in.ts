/**
 * The ends of a link as the other end sees them: an order with a group, clone or bundle is about the completion of all of
 * it, or about its part on one node, or about one instance after the other.
 */
import { isTrue } from '../config/values.ts';
import type { Node } from '../status/node.ts';
import { completionOf, flagsOf } from './collective.ts';
import { type Draft, Flag } from './draft.ts';
import type { Plan } from './plan.ts';
import { assignedNode, isCollective, isWithin } from './subject.ts';

/** The action that `then` really waits for: the completion of a collective's action, with its notifications. */
export function standIn(plan: Plan, first: Draft, then: Draft): Draft {
  const { subject } = first;
  if (subject === undefined || then.subject === undefined || subject.kind === 'primitive') return first;
  if (subject === then.subject || isWithin(then.subject, subject)) return first;
  if (first.key.includes('notify') || first.intervalMs > 0) return first;
  const completion = completionOf(first.operation) ?? first.operation;
  if (completion === first.operation && !isCompletion(completion)) return first;
  const key =
    subject.of.hasNotify && (isCollective(subject) || subject.bundle !== undefined)
      ? `confirmed-post_notify_${completion}_0`
      : `${completion}_0`;
  return plan.newest(subject, key) ?? first;
}

const isCompletion = (operation: string): boolean =>
  operation === 'running' || operation === 'stopped' || operation === 'promoted' || operation === 'demoted';

/** Where an action counts as being: a group starts where its members are placed. */
export const placeFor = (draft: Draft): Node | undefined =>
  draft.subject?.kind === 'group' && draft.operation === 'start' ? assignedNode(draft.subject) : draft.node;

/** A clone's flags on one node, except that it can run if it can run anywhere. */
export function orderingFlags(plan: Plan, draft: Draft, node: Node | undefined): number {
  const flags = flagsOf(plan, draft);
  if (node === undefined || draft.subject?.kind !== 'clone') return flags;
  return flagsOf(plan, draft, node) | (flags & Flag.runnable);
}

export function isInterleaved(first: Draft, then: Draft): boolean {
  if (first.subject === undefined || then.subject === undefined || first.subject === then.subject) return false;
  if (!isCollective(first.subject) || !isCollective(then.subject)) return false;
  const decider = then.key.endsWith('stop_0') || then.key.endsWith('demote_0') ? first.subject : then.subject;
  return isTrue(decider.of.meta.get('interleave'));
}

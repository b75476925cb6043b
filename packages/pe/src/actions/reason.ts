/**
 * Why an action is in the graph, in a sentence for an operator: from what settling noted (`required db stop`), or from
 * what the action does in the life of its resource.
 */
import { type Draft, Flag, isOptional } from '../graph/draft.ts';
import { has } from '../graph/link.ts';
import type { Plan } from '../graph/plan.ts';
import { Role, type Subject } from '../graph/subject.ts';
import { currentNode } from './primitive.ts';

/** Undefined for points in time that only order others. */
export function reasonFor(plan: Plan, draft: Draft): string | undefined {
  if (draft.reason !== undefined) return noteInWords(draft.reason);
  const { subject, operation } = draft;
  if (operation === 'do_shutdown') return 'the node asked to leave';
  if (subject === undefined) return undefined;
  const isImplied = has(draft.flags, Flag.pseudo);
  if (subject.kind !== 'primitive') return undefined;
  switch (operation) {
    case 'monitor':
      return monitorReason(draft, subject);
    case 'start':
      return isImplied ? 'a live migration brings it here' : startReason(plan, draft, subject);
    case 'stop':
      return isImplied ? 'its node is fenced, so it is down' : stopReason(plan, draft, subject);
    case 'promote':
      return 'it was chosen for the promoted role';
    case 'demote':
      return isImplied ? 'its node is fenced, so it is down' : demoteReason(subject);
    case 'migrate_to':
    case 'migrate_from':
      return `it moves from ${draft.extra.get('migrate_source')} to ${draft.extra.get('migrate_target')} while it runs`;
    case 'notify':
      return `it is told ${draft.extra.get('notify_type') === 'pre' ? 'before' : 'after'} ${gerund(draft.extra.get('notify_operation') ?? '')}`;
    case 'cancel':
      return `${draft.cancels} every ${draft.intervalMs / 1000} s does not belong to its next role`;
    case 'delete':
    case 'lrm_delete':
      return 'its history there is out of date';
    default:
      return undefined;
  }
}

function monitorReason(draft: Draft, subject: Subject): string {
  if (draft.intervalMs === 0) return 'nothing is known of it there';
  if (has(draft.flags, Flag.reschedule)) return 'its definition has changed';
  if (draft.expectedExitCode === 7) return 'it must not run there';
  return subject.nextRole === Role.promoted ? 'it will be promoted there' : 'it will run there';
}

function startReason(plan: Plan, draft: Draft, subject: Subject): string {
  const from = currentNode(plan, subject);
  if (from === undefined) return 'it was placed there';
  if (from !== draft.node) return `it moves there from ${from.name}`;
  return subject.isFailed ? 'it failed there' : 'it restarts there';
}

function stopReason(plan: Plan, draft: Draft, subject: Subject): string {
  const to = subject.assigned;
  if (to === undefined || subject.nextRole === Role.stopped) return 'it may not run';
  if (to !== draft.node) return subject.isFailed ? `it failed there, and goes to ${to.name}` : `it moves to ${to.name}`;
  if (subject.isFailed) return 'it failed there';
  const start = plan.newest(subject, 'start_0', to);
  return start === undefined || isOptional(start) ? 'it must stop' : 'it restarts there';
}

function demoteReason(subject: Subject): string {
  if (subject.isFailed) return 'it failed in the promoted role';
  if (subject.nextRole === Role.promoted) return 'it is promoted again';
  return subject.nextRole === Role.stopped
    ? 'it stops'
    : 'another instance was chosen for the promoted role, or none may be';
}

const gerunds: Readonly<Record<string, string>> = {
  start: 'instances start',
  stop: 'instances stop',
  promote: 'instances are promoted',
  demote: 'instances are demoted',
};
const gerund = (operation: string): string => gerunds[operation] ?? operation;

const known: Readonly<Record<string, string>> = {
  'node availability': 'no node may run it',
  'being multiply active': 'it is active on several nodes',
  removed: 'it is no longer configured',
  'maintenance mode': 'maintenance mode is on',
  'deadman ticket was lost': 'its ticket was lost, and loss-policy says fence',
  'resource definition change': 'its definition has changed',
  'no quorum': 'this partition has no quorum',
  'quorum freeze': 'without quorum nothing new is started',
};

/** `required db stop` → `db stop is needed, and this with it`; other notes are words already. */
export function noteInWords(note: string): string;
export function noteInWords(note: string | undefined): string | undefined;
export function noteInWords(note: string | undefined): string | undefined {
  if (note === undefined) return undefined;
  const words = known[note];
  if (words !== undefined) return words;
  const [kind = '', ...rest] = note.split(' ');
  const other = rest.join(' ');
  switch (kind) {
    case 'required':
      return `${other} is needed, and this with it`;
    case 'unrunnable':
      return `${other} cannot be done`;
    case 'unmigrateable':
      return `${other} cannot be part of a live migration`;
    default:
      return note;
  }
}

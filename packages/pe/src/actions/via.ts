/** Which member relays an action to a remote or guest node: the one that holds the connection at that moment. */
import { currentNode } from './primitive.ts';
import type { Node } from '../status/node.ts';
import type { Draft } from '../graph/draft.ts';
import type { Plan } from '../graph/plan.ts';

/** What must be done before a connection moves. */
const beforeMove: ReadonlySet<string> = new Set(['cancel', 'stop', 'demote', 'migrate_from', 'migrate_to']);

export function viaFor(plan: Plan, draft: Draft): Node | undefined {
  const { node } = draft;
  if (draft.operation === 'stonith' || node === undefined || node.kind === 'member') return undefined;
  const connection = plan.connectionOf(node);
  if (connection === undefined) return undefined;
  const began = currentNode(plan, connection);
  const ends = connection.assigned;
  if (began === undefined || ends === undefined || began === ends) return began ?? ends;
  // A connection whose migration is half done is at its target already.
  const isHalfway = connection.launcher === undefined && connection.migration !== undefined;
  const operation = draft.operation === 'notify' ? draft.extra.get('notify_operation') : draft.operation;
  return operation !== undefined && beforeMove.has(operation) && !isHalfway ? began : ends;
}

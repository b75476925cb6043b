/** The names of actions in the transition: `RESOURCE_OPERATION_INTERVAL`. */
import type { Draft } from './draft.ts';

/** The key by the name that the history knows, and by the instance's own name where that is another. */
export function keysOf(draft: Draft): { key: string; instanceKey?: string } {
  const { subject } = draft;
  if (subject === undefined) return { key: draft.key };
  const own = `${subject.id}_${draft.key}`;
  const { historyId } = subject.of;
  if (historyId === undefined) return { key: own };
  const known =
    draft.operation === 'notify'
      ? `${historyId}_${draft.extra.get('notify_type')}_notify_${draft.extra.get('notify_operation')}_0`
      : `${historyId}_${draft.cancels ?? draft.operation}_${draft.intervalMs}`;
  return known === own ? { key: own } : { key: known, instanceKey: own };
}

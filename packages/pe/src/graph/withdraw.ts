/** Takes a resource's place away while actions are settled: it stops where it is, and starts nowhere. */
import { clear, type Draft, Flag } from './draft.ts';
import { Role, type Subject } from './subject.ts';

export interface Withdrawn {
  readonly wasPlaced: boolean;
  /** The actions that changed. */
  readonly drafts: readonly Draft[];
}

export function withdraw(subject: Subject): Withdrawn {
  if (subject.children.length > 0) {
    const parts = subject.children.map(withdraw);
    return { wasPlaced: parts.some((part) => part.wasPlaced), drafts: parts.flatMap((part) => part.drafts) };
  }
  const wasPlaced = subject.assigned !== undefined;
  if (wasPlaced) {
    subject.assigned = undefined;
    for (let parent = subject.parent; parent !== undefined; parent = parent.parent) parent.placesVersion++;
  }
  subject.nextRole = Role.stopped;
  subject.roleReason = 'unable to assign';
  const changed: Draft[] = [];
  for (const drafts of subject.drafts.values()) {
    for (const draft of drafts) {
      const before = draft.flags;
      if (draft.operation === 'stop') clear(draft, Flag.optional);
      else if (draft.operation === 'start') clear(draft, Flag.runnable);
      else if (draft.intervalMs > 0 && draft.expectedExitCode !== 7) clear(draft, Flag.runnable);
      if (draft.flags !== before) changed.push(draft);
    }
  }
  return { wasPlaced, drafts: changed };
}

/** Whether an action can be done at all, before orders are looked at: its node is there, and quorum allows it. */
import { clear, type Draft, Flag, isPseudo, set } from './draft.ts';
import type { Plan } from './plan.ts';
import { Role, type Subject } from './subject.ts';

/** Marks it as runnable or not; a node that can neither be asked nor trusted turns out to need fencing. */
export function judge(plan: Plan, draft: Draft, subject: Subject): void {
  if (isPseudo(draft)) return;
  const { node } = draft;
  const onDc = (draft.flags & Flag.onDc) !== 0;
  if (node === undefined) {
    clear(draft, Flag.runnable);
  } else if (!onDc && !plan.isOnline(node) && (node.kind !== 'guest' || plan.needsReset(node))) {
    clear(draft, Flag.runnable);
    if (subject.isManaged && draft.operation === 'stop' && !plan.isUnclean(node))
      plan.mustFence(node, 'stop is unrunnable');
  } else if (!onDc && node.isPending) {
    clear(draft, Flag.runnable);
  } else if (draft.needs === 'nothing') {
    draft.reason = undefined;
    if (node.kind === 'guest' && !plan.canFence(node)) clear(draft, Flag.runnable);
    else set(draft, Flag.runnable);
  } else {
    judgeByQuorum(plan, draft, subject);
  }
}

function judgeByQuorum(plan: Plan, draft: Draft, subject: Subject): void {
  switch (quorumPolicy(plan, subject)) {
    case 'stop':
      clear(draft, Flag.runnable);
      draft.reason = 'no quorum';
      return;
    case 'freeze':
      if (subject.of.activeNodes.length === 0 || subject.nextRole > subject.role) {
        clear(draft, Flag.runnable);
        draft.reason = 'quorum freeze';
      }
      return;
    default:
      set(draft, Flag.runnable);
  }
}

function quorumPolicy(plan: Plan, subject: Subject): string {
  const { hasQuorum, options } = plan.situation;
  if (hasQuorum) return 'ignore';
  if (options.noQuorumPolicy !== 'demote') return options.noQuorumPolicy;
  if (subject.role < Role.unpromoted) return 'stop';
  if (subject.nextRole > Role.unpromoted) {
    subject.nextRole = Role.unpromoted;
    subject.roleReason = 'no-quorum-policy=demote';
  }
  return 'ignore';
}

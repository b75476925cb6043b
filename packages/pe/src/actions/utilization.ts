/** Where capacity counts, what starts on a node (or migrates to it) waits until what leaves that node has stopped. */
import { clear, type Draft, Flag } from '../graph/draft.ts';
import { Means } from '../graph/link.ts';
import type { Plan } from '../graph/plan.ts';
import type { Subject } from '../graph/subject.ts';
import type { Node } from '../status/node.ts';

/** `allowed`: the nodes that it might have gone to. */
export function orderByUtilization(plan: Plan, subject: Subject, allowed: readonly Node[]): void {
  for (const node of subject.of.activeNodes) {
    plan.order({ subject, key: 'stop_0' }, { draft: roomOn(plan, node) }, Means.ifOnSameNodeOrTarget);
  }
  for (const node of allowed) {
    const draft = roomOn(plan, node);
    if (node !== subject.assigned) continue; // it starts nowhere else
    plan.order({ draft }, { subject, key: 'start_0' }, Means.ifOnSameNodeOrTarget);
    if (subject.of.allowsMigration) plan.order({ draft }, { subject, key: 'migrate_to_0' }, Means.ifOnSameNodeOrTarget);
  }
}

/** The point at which all that leaves a node has left it. */
function roomOn(plan: Plan, node: Node): Draft {
  const draft = plan.point(`load_stopped_${node.name}`);
  if (draft.node === undefined) {
    draft.node = node;
    clear(draft, Flag.optional);
  }
  return draft;
}

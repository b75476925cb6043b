/**
 * The action stage as a whole: (situation, constraints, placement) → what is to be done, in which order.
 *
 *   draftActions      what each resource and node needs; orders between the drafts      actions/
 *   settle            what of it is needed, and what is possible                        graph/settle.ts
 *   draftNotifications  who is told of it                                               actions/notify.ts
 *   buildTransition   the graph that is carried out                                     graph/build.ts
 */
import type { Placement } from '../assign/placement.ts';
import type { Constraints } from '../constraints/constraint.ts';
import { buildTransition, type BuiltTransition } from '../graph/build.ts';
import { flagsOf } from '../graph/collective.ts';
import { Flag, set } from '../graph/draft.ts';
import { type Plan } from '../graph/plan.ts';
import { dropInvalid } from '../graph/prune.ts';
import { settle } from '../graph/settle.ts';
import { earlier, type Situation } from '../situation.ts';
import { describer, maintenanceChanges } from './describe.ts';
import { draftActions } from './draft-actions.ts';
import { draftNotifications } from './notify.ts';
import type { PlanOptions } from './subjects.ts';

export interface Planned extends BuiltTransition {
  /** Every action that was considered, with what became of it: for summaries and explanations. */
  readonly plan: Plan;
}

export function planActions(
  situation: Situation,
  constraints: Constraints,
  placement: Placement,
  options: PlanOptions = {},
): Planned {
  const { plan, notifications } = draftActions(situation, constraints, placement, options);
  settle(plan);
  dropInvalid(plan);
  for (const [clone, points] of notifications) {
    for (const drafts of clone.drafts.values()) for (const draft of drafts) flagsOf(plan, draft);
    draftNotifications(plan, clone, points);
  }
  if (Object.keys(maintenanceChanges(plan)).length > 0) set(plan.point('maintenance_nodes'), Flag.always);
  const recheck = earlier(earlier(situation.recheck, constraints.recheck), placement.recheck);
  return { ...buildTransition(plan, describer(plan), recheck), plan };
}

/**
 * The points in time between which a clone's instances are told of a start, stop, promotion or demotion: before it,
 * when all have been told, after it, and when all have been told of that. What is told, and to whom, is decided when
 * the plan is settled (`notify.ts`).
 */
import { INFINITY } from '@systole/cib';
import { clear, type Draft, Flag, isOptional, isRunnable, note, set } from '../graph/draft.ts';
import { Means } from '../graph/link.ts';
import type { Plan } from '../graph/plan.ts';
import type { Subject } from '../graph/subject.ts';

export interface NotificationPoints {
  /** What is told about: `start`, `stop`, `promote`, `demote`. */
  readonly about: string;
  readonly pre?: Draft;
  readonly preDone?: Draft;
  readonly post?: Draft;
  readonly postDone?: Draft;
}

export interface Notifications {
  readonly start?: NotificationPoints | undefined;
  readonly stop?: NotificationPoints | undefined;
  readonly promote?: NotificationPoints | undefined;
  readonly demote?: NotificationPoints | undefined;
}

/** The points around an action and its completion; undefined if the resource does not want to be told. */
export function draftNotificationPoints(
  plan: Plan,
  subject: Subject,
  about: string,
  action: Draft | undefined,
  completion: Draft | undefined,
): NotificationPoints | undefined {
  if (!subject.of.hasNotify) return undefined;
  const pre = action === undefined ? undefined : point(plan, subject, about, action, 'notify', 'pre');
  const preDone = action === undefined ? undefined : point(plan, subject, about, action, 'notified', 'confirmed-pre');
  for (const one of [pre, preDone]) if (one !== undefined) set(one, Flag.runnable);
  plan.link(pre, preDone, Means.ordered);
  plan.link(preDone, action, Means.ordered);

  const post = completion === undefined ? undefined : point(plan, subject, about, completion, 'notify', 'post');
  const postDone =
    completion === undefined ? undefined : point(plan, subject, about, completion, 'notified', 'confirmed-post');
  for (const one of [post, postDone]) {
    if (one === undefined || completion === undefined) continue;
    one.priority = INFINITY;
    if (isRunnable(completion)) set(one, Flag.runnable);
    else clear(one, Flag.runnable);
  }
  plan.link(completion, post, Means.firstImpliesThen);
  plan.link(post, postDone, Means.firstImpliesThen);
  plan.link(preDone, post, Means.ordered);
  return {
    about,
    ...(pre === undefined ? {} : { pre }),
    ...(preDone === undefined ? {} : { preDone }),
    ...(post === undefined ? {} : { post }),
    ...(postDone === undefined ? {} : { postDone }),
  };
}

function point(
  plan: Plan,
  subject: Subject,
  about: string,
  action: Draft,
  operation: 'notify' | 'notified',
  type: string,
): Draft {
  const draft = plan.action(subject, operation, {
    isOptional: isOptional(action),
    key: `${type}_notify_${action.operation}_0`,
  });
  set(draft, Flag.pseudo);
  note(draft, 'notify_key_type', type);
  note(draft, 'notify_key_operation', action.operation);
  note(draft, 'notify_type', type.endsWith('pre') ? 'pre' : 'post');
  note(draft, 'notify_operation', about);
  return draft;
}

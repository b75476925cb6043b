/** The end of the action stage: settled drafts become the transition that is carried out. */
import { type Recheck } from '../situation.ts';
import type { Transition, TransitionAction, TransitionSettings } from '../transition.ts';
import { INFINITY } from '@systole/cib';
import type { Draft } from './draft.ts';
import { circles, isAcyclic } from './loops.ts';
import type { Plan } from './plan.ts';
import { forEachBefore, isInGraph, isWaitedFor } from './prune.ts';

export interface BuiltTransition {
  readonly transition: Transition;
  /** The drafts that the transition's actions came from, by their index there. */
  readonly drafts: readonly Draft[];
  /** Actions that waited for each other in a circle, by their keys; each circle was cut. */
  readonly circles: readonly (readonly string[])[];
}

export function buildTransition(
  plan: Plan,
  describe: (draft: Draft) => TransitionAction,
  recheck: Recheck | undefined,
): BuiltTransition {
  const chosen = plan.drafts.filter((draft) => isInGraph(plan, draft));
  const indexOf = new Int32Array(plan.drafts.length).fill(-1);
  for (const [index, draft] of chosen.entries()) indexOf[draft.id] = index;
  const pairs: [number, number][] = [];
  for (const [index, draft] of chosen.entries()) {
    forEachBefore(draft, (first, meaning) => {
      const before = indexOf[first.id] as number;
      if (before >= 0 && isWaitedFor(first, draft, meaning)) pairs.push([before, index]);
    });
  }
  const cut = withoutCircles(chosen.length, pairs);
  const actions: TransitionAction[] = chosen.map(describe);
  return {
    transition: { settings: settings(plan, recheck), actions, orderings: cut.pairs },
    drafts: chosen,
    circles: cut.circles.map((circle) => circle.map((index) => (actions[index] as TransitionAction).key)),
  };
}

/** Leaves pairs out until no action waits for itself: within a circle, those against the order of creation. */
function withoutCircles(
  count: number,
  pairs: readonly (readonly [number, number])[],
): { pairs: readonly (readonly [number, number])[]; circles: readonly (readonly number[])[] } {
  if (isAcyclic(count, pairs)) return { pairs, circles: [] };
  const after: number[][] = Array.from({ length: count }, () => []);
  for (const [first, then] of pairs) after[first]?.push(then);
  const found = circles(count, (index) => after[index] as number[]);
  const circleOf = new Map(found.flatMap((circle, number) => circle.map((index) => [index, number])));
  const isBackwards = ([first, then]: readonly [number, number]): boolean =>
    first >= then && circleOf.has(first) && circleOf.get(first) === circleOf.get(then);
  return { pairs: pairs.filter((pair) => !isBackwards(pair)), circles: found };
}

function settings(plan: Plan, recheck: Recheck | undefined): TransitionSettings {
  const { options } = plan.situation;
  return {
    clusterDelayMs: options.clusterDelayMs,
    fencingTimeoutMs: options.fencingTimeoutMs,
    batchLimit: options.batchLimit,
    migrationLimit: options.migrationLimit,
    failedStopOffset: INFINITY,
    failedStartOffset: options.isStartFailureFatal ? INFINITY : 1,
    ...(recheck === undefined ? {} : { recheckBy: recheck.at }),
  };
}

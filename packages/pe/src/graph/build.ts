/** The end of the action stage: settled drafts become the transition that is carried out. */
import { type Recheck } from '../situation.ts';
import type { Transition, TransitionAction, TransitionSettings } from '../transition.ts';
import { INFINITY } from '@systole/cib';
import type { Draft } from './draft.ts';
import { withoutCircles } from './circles.ts';
import { keysOf } from './keys.ts';
import type { Plan } from './plan.ts';
import { forEachBefore, isInGraph, isWaitedFor } from './prune.ts';

export interface BuiltTransition {
  readonly transition: Transition;
  /** The drafts that the transition's actions came from, by their index there. */
  readonly drafts: readonly Draft[];
  /** Actions that waited for each other in a circle, by their keys. */
  readonly circles: readonly (readonly string[])[];
}

export function buildTransition(
  plan: Plan,
  describe: (draft: Draft) => TransitionAction,
  recheck: Recheck | undefined,
): BuiltTransition {
  const chosen = plan.drafts.filter((draft) => isInGraph(plan, draft));
  const { drafts, pairs, circles } = withoutCircles(chosen, pairsOf(plan, chosen));
  return {
    transition: { settings: settings(plan, recheck), actions: drafts.map(describe), orderings: pairs },
    drafts,
    circles: circles.map((circle) => circle.map((draft) => keysOf(draft).key)),
  };
}

type Pair = readonly [number, number];

/** What waits for what, as indexes into `chosen`. */
function pairsOf(plan: Plan, chosen: readonly Draft[]): readonly Pair[] {
  const indexOf = new Int32Array(plan.drafts.length).fill(-1);
  for (const [index, draft] of chosen.entries()) indexOf[draft.id] = index;
  const pairs: Pair[] = [];
  for (const [index, draft] of chosen.entries()) {
    forEachBefore(draft, (first, meaning) => {
      const before = indexOf[first.id] as number;
      if (before >= 0 && isWaitedFor(first, draft, meaning)) pairs.push([before, index]);
    });
  }
  return pairs;
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

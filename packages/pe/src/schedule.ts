/**
 * The policy engine's pipeline, in order. Each stage is a function of what the stages before it returned; none changes
 * what it was given, and nothing but `cib` and `now` comes from outside.
 *
 *   readSituation(cib, now)              status/, expand/, config/, options.ts   what is there, and in which state
 *   readConstraints(situation)           constraints/   locations, colocations, orders, tickets, sets, tags resolved
 *   assign(situation, constraints)       assign/        scores; which instance goes to which node, in which role
 *   planActions(situation, constraints, placement)
 *                                        actions/       what must be done: start, stop, probe, monitor, fence, …
 *                                        graph/         what waits for what; what is optional, what cannot be done;
 *                                                       the transition that is carried out
 *   summarize(…)                         summary/       the changes, in an administrator's words
 *   explain(…)                           explain/       why here, why not there, why at all
 *
 * Who holds what: a stage that needs to remember something about a node or an instance keeps an array indexed by
 * `node.index` or `instance.index`, or a Map keyed by the object, and returns it. The Situation stays as it was read,
 * so that "before" and "after" can be compared and a decision can be explained from its inputs.
 */
import type { Cib } from '@systole/cib';
import { planActions, type Planned } from './actions/plan-actions.ts';
import { assign } from './assign/place.ts';
import type { Placement } from './assign/placement.ts';
import type { Constraints } from './constraints/constraint.ts';
import { readConstraints } from './constraints/read.ts';
import type { Message, Recheck, Situation } from './situation.ts';
import { earlier } from './situation.ts';
import { readSituation } from './status/read.ts';
import type { Transition } from './transition.ts';

export interface ScheduleOptions {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** For dates in rules; UTC unless said otherwise. */
  readonly timeZone?: string;
  /** Keep where each score comes from, for `explain()`; costs time and memory. */
  readonly explains?: boolean;
  /** Secrets in the CIB may have been replaced by asterisks (stored inputs): their digests are not compared. */
  readonly mayBeMasked?: boolean;
}

/** All that was read and decided. `transition` is plain data; the rest is linked objects, for use where it was made. */
export interface Decision {
  readonly transition: Transition;
  readonly situation: Situation;
  readonly constraints: Constraints;
  readonly placement: Placement;
  readonly planned: Planned;
  /** What is wrong with the configuration, or was ignored, in words for an operator. */
  readonly messages: readonly Message[];
  /** When something will change by itself; absent: never. */
  readonly recheck?: Recheck;
}

/** A pure function: the same CIB and time give the same decision, to the byte. */
export function schedule(cib: Cib, options: ScheduleOptions): Decision {
  const { now, timeZone, explains = false, mayBeMasked = false } = options;
  const situation = readSituation(cib, now, timeZone === undefined ? {} : { timeZone });
  const constraints = readConstraints(situation);
  const placement = assign(situation, constraints, { explains });
  const planned = planActions(situation, constraints, placement, { mayBeMasked });
  const recheck = earlier(earlier(situation.recheck, constraints.recheck), placement.recheck);
  const circles = planned.circles.map((keys): Message => {
    return {
      level: 'error',
      text: `these actions wait for each other, so their order is not kept: ${keys.join(', ')}`,
    };
  });
  return {
    transition: planned.transition,
    situation,
    constraints,
    placement,
    planned,
    messages: [...situation.messages, ...constraints.messages, ...placement.messages, ...circles],
    ...(recheck === undefined ? {} : { recheck }),
  };
}

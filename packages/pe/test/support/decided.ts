/** The actions of a small cluster, in words short enough for a test's expectation. */
import { planActions } from '../../src/actions/plan-actions.ts';
import { assign } from '../../src/assign/place.ts';
import { readConstraints } from '../../src/constraints/read.ts';
import type { Situation } from '../../src/situation.ts';
import type { TransitionAction } from '../../src/transition.ts';
import { type ClusterParts, situationOf } from './cluster.ts';

export interface Decided {
  /** Real actions, sorted: `start web a` (operation, resource, node), `monitor/10000 web a`, `reboot a`. */
  readonly actions: readonly string[];
  /** Points in time, by their keys. */
  readonly points: readonly string[];
  readonly circles: readonly (readonly string[])[];
  readonly find: (words: string) => TransitionAction;
  /** Whether the first is complete before the second begins; both must be there. */
  readonly isBefore: (first: string, then: string) => boolean;
}

const subject = (action: TransitionAction): string => action.instance ?? action.resource ?? action.key;

function words(action: TransitionAction): string {
  if (action.kind === 'pseudo') return action.key;
  if (action.kind === 'fence') return `${action.operation} ${action.node}`;
  if (action.operation === 'do_shutdown') return `shutdown ${action.node}`;
  const interval = action.intervalMs === undefined ? '' : `/${action.intervalMs}`;
  return `${action.operation}${interval} ${subject(action)} ${action.node}`;
}

export const decided = (parts: ClusterParts): Decided => decide(situationOf(parts));

/** With another opening tag for the first node's state: how the cluster sees that node. */
export const decidedWithState = (state: string, parts: ClusterParts): Decided =>
  decide(situationOf(parts, (xml) => xml.replace(/<node_state id="1"[^>]*>/, state)));

function decide(situation: Situation): Decided {
  const constraints = readConstraints(situation);
  const { transition, circles } = planActions(situation, constraints, assign(situation, constraints));
  const { actions, orderings } = transition;
  const index = (wanted: string): number => {
    const at = actions.findIndex((action) => words(action) === wanted);
    if (at < 0) throw new Error(`no action "${wanted}" among: ${actions.map(words).join(', ')}`);
    return at;
  };
  return {
    actions: actions
      .filter((action) => action.kind !== 'pseudo')
      .map(words)
      .toSorted(),
    points: actions
      .filter((action) => action.kind === 'pseudo')
      .map(words)
      .toSorted(),
    circles,
    find: (wanted) => actions[index(wanted)] as TransitionAction,
    isBefore: (first, then) => {
      const seen = new Set([index(first)]);
      for (const at of seen) for (const [a, b] of orderings) if (a === at) seen.add(b);
      return first !== then && seen.has(index(then));
    },
  };
}

/** Why each action of a resource is in the transition, and what it waits for. */
import { noteInWords } from '../actions/reason.ts';
import { isProbe } from '../config/operations.ts';
import type { PrimitiveInstance } from '../expand/instance.ts';
import type { Decision } from '../schedule.ts';
import type { TransitionAction } from '../transition.ts';
import type { ActionExplanation } from './explain.ts';

export type Waits = (index: number) => readonly number[];

/** For each action the real ones that must be complete before it, through points in time. */
export function waitsFor({ transition }: Decision): Waits {
  const direct = new Map<number, number[]>();
  for (const [first, then] of transition.orderings) {
    const before = direct.get(then);
    if (before === undefined) direct.set(then, [first]);
    else before.push(first);
  }
  return (index: number): readonly number[] => {
    const seen = new Set<number>();
    const real = new Set<number>();
    const waiting = [...(direct.get(index) ?? [])];
    for (const at of waiting) {
      if (seen.has(at)) continue;
      seen.add(at);
      if (transition.actions[at]?.kind === 'pseudo') waiting.push(...(direct.get(at) ?? []));
      else real.add(at);
    }
    return [...real].toSorted((a, b) => a - b);
  };
}

export function actionsOf(decision: Decision, instance: PrimitiveInstance, waits: Waits): readonly ActionExplanation[] {
  const { transition, planned } = decision;
  const explained: ActionExplanation[] = [];
  for (const [index, action] of transition.actions.entries()) {
    if (action.kind === 'pseudo' || planned.drafts[index]?.subject?.of !== instance) continue;
    explained.push({
      key: action.key,
      operation: action.operation,
      ...(action.node === undefined ? {} : { node: action.node }),
      sentence: actionSentence(action, instance, noteInWords(planned.drafts[index]?.reason)),
      waitsFor: waits(index).map((at) => describe(transition.actions[at])),
    });
  }
  return explained;
}

const describe = (action: TransitionAction | undefined): string =>
  action === undefined ? '' : `${action.key}${action.node === undefined ? '' : ` on ${action.node}`}`;

/** Why an action is in the graph. */
function actionSentence(action: TransitionAction, instance: PrimitiveInstance, note: string | undefined): string {
  const because = note === undefined ? '' : `, because ${note}`;
  const { operation, node = 'its node', intervalMs = 0 } = action;
  if (isProbe(operation, intervalMs)) {
    return instance.probedNodes.size > 0 && instance.activeNodes.some((one) => one.name === node)
      ? `look again at the state on ${node}${because}`
      : `nobody knows whether it runs on ${node}: look before anything is started${because}`;
  }
  switch (operation) {
    case 'monitor':
      return `watch it on ${node} every ${intervalMs / 1000}s${because}`;
    case 'start':
      return `it is to run on ${node}${because}`;
    case 'stop':
      return because === '' && action.reason !== undefined
        ? `stopped on ${node}: ${action.reason}`
        : `it must leave ${node}, or be started anew there${because}`;
    case 'promote':
      return `it is to be promoted on ${node}${because}`;
    case 'demote':
      return `it is not to stay promoted on ${node}${because}`;
    case 'migrate_to':
      return `it moves from ${action.source} to ${action.target} without being stopped${because}`;
    case 'migrate_from':
      return `${action.target} takes it over from ${action.source}${because}`;
    case 'notify':
      return `it asked to be told of changes to its clone${because}`;
    case 'cancel':
      return `this monitor does not fit its role or configuration any more${because}`;
    case 'reload-agent':
      return `its parameters have changed, and it can take them without a restart${because}`;
    case 'clear_failcount':
      return `its failures on ${node} count no longer${because}`;
    case 'delete':
    case 'lrm_delete':
      return `its history on ${node} is not needed any more${because}`;
    default:
      return `${operation} on ${node}${because}`;
  }
}

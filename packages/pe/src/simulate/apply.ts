/**
 * What the status will be when a transition has been carried out: every action is taken to succeed, except those that
 * are said to fail. With a failure, actions that wait for the failed one are not carried out, and of the others only
 * those that cannot be put off.
 */
import { INFINITY, type Cib } from '@systole/cib';
import { withoutNumber } from '../config/values.ts';
import type { Transition, TransitionAction } from '../transition.ts';
import { StatusDraft } from './records.ts';

export interface ApplyOptions {
  /** When it is carried out, in seconds since 1970. */
  readonly at: number;
  /** The exit code of actions that are to fail, by `RESOURCE_OPERATION_INTERVAL@NODE`. */
  readonly failures?: ReadonlyMap<string, number>;
}

export interface Applied {
  readonly cib: Cib;
  /** Indexes into `transition.actions`, in the order in which they were carried out. */
  readonly done: readonly number[];
  /** Those that were said to fail and did. */
  readonly failed: readonly number[];
}

export function applyTransition(cib: Cib, transition: Transition, options: ApplyOptions): Applied {
  const draft = new StatusDraft(cib);
  // Its results are newer than all that is recorded, also where a stored input pretends an earlier time.
  const at = Math.max(options.at, newestRecord(cib) + 1);
  const { actions, orderings, settings } = transition;
  const waitsFor = new Int32Array(actions.length);
  const next: number[][] = actions.map(() => []);
  for (const [first, then] of orderings) {
    next[first]?.push(then);
    waitsFor[then] = (waitsFor[then] ?? 0) + 1;
  }
  const done: number[] = [];
  const failed: number[] = [];
  const ready = [...actions.keys()].filter((index) => waitsFor[index] === 0);
  for (const index of ready) {
    const action = actions[index] as TransitionAction;
    if (failed.length > 0 && action.kind !== 'pseudo' && (action.priority ?? 0) < INFINITY) continue;
    const exitCode = failureOf(action, options.failures);
    carryOut(draft, action, exitCode, at, settings);
    done.push(index);
    if (exitCode !== undefined) {
      failed.push(index);
      continue;
    }
    for (const then of next[index] ?? []) {
      waitsFor[then] = (waitsFor[then] ?? 0) - 1;
      if (waitsFor[then] === 0) ready.push(then);
    }
  }
  return { cib: draft.finish(), done, failed };
}

const newestRecord = (cib: Cib): number => {
  let newest = 0;
  for (const state of cib.status.nodes) {
    for (const history of state.history) {
      for (const record of history.operations) newest = Math.max(newest, record.lastChange ?? 0);
    }
  }
  return newest;
};

/** Names by which an action's resource may be called. */
const namesOf = (action: TransitionAction): readonly string[] => {
  const names = [action.instance, action.resource].filter((name) => name !== undefined);
  return [...new Set(names)];
};

function failureOf(action: TransitionAction, failures: ApplyOptions['failures']): number | undefined {
  if (failures === undefined || action.kind !== 'rsc') return undefined;
  for (const name of [...namesOf(action), ...namesOf(action).map(withoutNumber)]) {
    const code = failures.get(`${name}_${action.operation}_${action.intervalMs ?? 0}@${action.node}`);
    if (code !== undefined) return code;
  }
  return undefined;
}

function carryOut(
  draft: StatusDraft,
  action: TransitionAction,
  exitCode: number | undefined,
  at: number,
  settings: Transition['settings'],
): void {
  const { node } = action;
  if (node === undefined) return;
  const nodeId = action.via === undefined ? (action.nodeId ?? node) : node;
  switch (action.kind) {
    case 'fence':
      if (action.isImplied === true || action.operation === 'on') return;
      draft.setMember(node, nodeId, false);
      draft.forget(node, nodeId);
      return;
    case 'rsc':
      if (action.operation === 'cancel') {
        for (const name of namesOf(action)) draft.removeOperation(node, name, 'monitor', action.intervalMs ?? 0);
      } else if (action.operation === 'delete') {
        for (const name of namesOf(action)) draft.removeHistory(node, name);
      } else if (action.operation !== 'notify') {
        recordResult(draft, action, node, nodeId, exitCode, at, settings);
      }
      return;
    case 'cluster':
      if (action.operation === 'lrm_delete') for (const name of namesOf(action)) draft.removeHistory(node, name);
      else if (action.operation === 'clear_failcount') clearFailCount(draft, action, node);
      return;
    case 'pseudo':
      return;
  }
}

function clearFailCount(draft: StatusDraft, action: TransitionAction, node: string): void {
  const names = new Set(namesOf(action).flatMap((name) => [name, withoutNumber(name)]));
  draft.removeTransient(node, (attribute) => {
    const match = /^(?:fail-count|last-failure)-(.+)#.+_\d+$/.exec(attribute);
    return match !== null && (names.has(match[1] ?? '') || names.has(withoutNumber(match[1] ?? '')));
  });
}

function recordResult(
  draft: StatusDraft,
  action: TransitionAction,
  node: string,
  nodeId: string,
  exitCode: number | undefined,
  at: number,
  settings: Transition['settings'],
): void {
  const expectedExitCode = action.expectedExitCode ?? 0;
  const [agentClass = '', ...rest] = (action.agent ?? '').split(':');
  const [provider, type] = rest.length > 1 ? rest : [undefined, rest[0]];
  const intervalMs = action.intervalMs ?? 0;
  // The name in the action's key is the one that the history is to have.
  const inKey = action.key.replace(/_[a-z-]+(?:_[a-z]+)*_\d+$/, '');
  const known = namesOf(action);
  const preferred = known.find((name) => action.key.startsWith(`${name}_`)) ?? inKey;
  if (exitCode !== undefined) countFailure(draft, action, preferred, node, nodeId, exitCode, at, settings);
  draft.record({
    node,
    nodeId,
    names: [...known.filter((name) => name !== preferred), preferred],
    agent: {
      class: agentClass,
      ...(provider === undefined ? {} : { provider }),
      ...(type === undefined ? {} : { type }),
    },
    operation: action.operation,
    intervalMs,
    exitCode: exitCode ?? expectedExitCode,
    expectedExitCode,
    at,
    parameters: action.parameters,
    ...(action.timeoutMs === undefined ? {} : { timeoutMs: action.timeoutMs }),
    ...(action.source === undefined || action.target === undefined
      ? {}
      : { migration: { source: action.source, target: action.target } }),
  });
}

function countFailure(
  draft: StatusDraft,
  action: TransitionAction,
  resource: string,
  node: string,
  nodeId: string,
  exitCode: number,
  at: number,
  settings: Transition['settings'],
): void {
  const intervalMs = action.intervalMs ?? 0;
  if (exitCode === 0 || (exitCode === 7 && intervalMs === 0)) return;
  const suffix = `${resource}#${action.operation}_${intervalMs}`;
  const offset =
    action.operation === 'start'
      ? settings.failedStartOffset
      : action.operation === 'stop'
        ? settings.failedStopOffset
        : 1;
  const before = Number(draft.transient(node, `fail-count-${suffix}`) ?? 0);
  const count = offset >= INFINITY ? 'INFINITY' : String((Number.isNaN(before) ? 0 : before) + 1);
  draft.setTransient(node, nodeId, { [`fail-count-${suffix}`]: count, [`last-failure-${suffix}`]: String(at) });
}

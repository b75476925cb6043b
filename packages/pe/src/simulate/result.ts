/** A decision in the format `systole-simulate/1`, for tools, comparisons and the shell. */
import { formatScore } from '@systole/cib';
import type { Decision } from '../schedule.ts';
import type { StatusReport } from '../status/report.ts';
import type { Change } from '../summary/summarize.ts';
import { summarize } from '../summary/summarize.ts';
import type { TransitionAction } from '../transition.ts';

export interface SimulateResult {
  readonly format: 'systole-simulate/1';
  /** ISO 8601. */
  readonly at: string;
  readonly status: { readonly before: StatusReport; readonly after: StatusReport };
  readonly summary: readonly Change[];
  readonly graph: Readonly<Record<string, string | number>>;
  readonly actions: readonly Readonly<Record<string, unknown>>[];
  readonly orderings: readonly (readonly [number, number])[];
  readonly scores: readonly Readonly<Record<string, unknown>>[];
  /** What is wrong with the configuration, or was ignored. */
  readonly messages: readonly { readonly level: string; readonly text: string }[];
}

/** `after` is the status once the transition has been carried out. */
export function simulateResult(decision: Decision, before: StatusReport, after: StatusReport): SimulateResult {
  const { transition, placement, situation } = decision;
  return {
    format: 'systole-simulate/1',
    at: new Date(situation.nowMs).toISOString().replace('.000Z', 'Z'),
    status: { before, after },
    summary: summarize(decision),
    graph: graphSettings(decision),
    actions: transition.actions.map(actionRow),
    orderings: transition.orderings,
    scores: placement.scores.map(({ stage, rsc, node, score }) => ({ stage, rsc, node: node ?? null, score })),
    messages: decision.messages,
  };
}

function graphSettings({ transition, situation }: Decision): SimulateResult['graph'] {
  const { settings } = transition;
  const { options } = situation;
  return {
    cluster_delay: options.clusterDelay,
    fencing_timeout: options.fencingTimeout,
    failed_stop_offset: formatScore(settings.failedStopOffset),
    failed_start_offset: formatScore(settings.failedStartOffset),
    ...(settings.migrationLimit === -1 ? {} : { migration_limit: String(settings.migrationLimit) }),
    ...(settings.recheckBy === undefined ? {} : { recheck_by: settings.recheckBy }),
  };
}

/** Fields under their names in the format; absent ones are left out. */
function actionRow(action: TransitionAction): Readonly<Record<string, unknown>> {
  const row: Record<string, unknown> = {
    kind: action.kind,
    op: action.operation,
    key: action.key,
    node: action.node,
    node_id: action.nodeId,
    via: action.via,
    rsc: action.resource,
    instance: action.instance,
    instance_key: action.instanceKey,
    agent: action.agent,
    interval: action.intervalMs,
    timeout: action.timeoutMs,
    target_rc: action.expectedExitCode,
    role: action.role,
    mode: action.mode,
    priority: action.priority,
    implied: action.isImplied,
    source: action.source,
    target: action.target,
    downed: action.downed,
    maintenance: action.maintenance,
    shutdown_lock: action.shutdownLock,
    params: Object.keys(action.parameters).length === 0 ? undefined : action.parameters,
    meta: Object.keys(action.meta).length === 0 ? undefined : action.meta,
    reason: action.reason,
  };
  for (const name of Object.keys(row)) if (row[name] === undefined) delete row[name];
  return row;
}

/** The DC's order for this node, read: what is to be done here, or why not. */
import { executorMeta } from '@systole/pe';
import { agentName, cancelled, historyName } from './action.ts';
import type { CrmEffect } from './contract.ts';
import type { Perform, Refused } from './messages.ts';
import { mayActivate } from './status/operations.ts';

/** The feature set of Pacemaker whose agents' environment we offer. */
export const agentFeatureSet = '3.20.0';

/** For actions that come without one; what Pacemaker takes as well. */
const timeoutDefaultMs = 20_000;

export type Order =
  | { readonly type: 'leave' }
  | Extract<CrmEffect, { type: 'execute' | 'cancel' | 'forget' }>
  | Refused;

/** `refusal`: why nothing may be made to run here now; undefined if it may. */
export function readOrder({ operationId, transitionKey, action }: Perform, refusal: string | undefined): Order {
  if (action.kind === 'cluster' && action.operation === 'do_shutdown') return { type: 'leave' };
  const resource = historyName(action);
  if (action.operation === 'delete' || action.operation === 'lrm_delete') {
    return { type: 'forget', operationId, resource };
  }
  if (action.operation === 'cancel') return { type: 'cancel', operationId, ...cancelled(action) };
  const agent = agentName(action);
  if (agent === undefined) {
    return { type: 'refused', operationId, resource, reason: `"${action.agent ?? ''}" names no agent` };
  }
  if (refusal !== undefined && mayActivate(action.operation)) {
    return { type: 'refused', operationId, resource, reason: refusal };
  }
  const startDelayMs = Number(action.meta['start_delay'] ?? 0);
  return {
    type: 'execute',
    operationId,
    resource,
    agent,
    operation: action.operation,
    intervalMs: action.intervalMs ?? 0,
    timeoutMs: action.timeoutMs ?? timeoutDefaultMs,
    ...(startDelayMs > 0 ? { startDelayMs } : {}),
    parameters: action.parameters,
    meta: executorMeta(action),
    transitionKey,
    expectedExitCode: action.expectedExitCode ?? 0,
    featureSet: agentFeatureSet,
  };
}

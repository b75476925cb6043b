/** Results on their way into the history and out to the node. */
import type { OperationRecord } from '@systole/cib';
import type { Epoch } from '@systole/kernel';
import { type AgentDescription, executionStatus, exitCode, type OperationResult } from '@systole/ra';
import type { Board } from './board.ts';
import type { Execute } from './contract.ts';
import { type Ending, fine } from './ending.ts';
import { hasSucceeded, isRecorded, lastFailureId, lastId, pendingRecord, recordsOf } from './record.ts';
import { recordsPending } from './request.ts';
import type { Current, ResourceState } from './resource.ts';

/** Says that an operation has been accepted. A recurring one that has a result keeps it until there is another. */
export function announcePending(board: Board, state: ResourceState, request: Execute): void {
  const { operationId, resource, agent } = request;
  if (!isRecorded(request.operation) || !recordsPending(request)) return;
  const record = pendingRecord(request, board.options.node);
  if (request.intervalMs > 0 && state.records.has(record.id)) return;
  state.pending.set(record.id, record);
  board.emit({ type: 'operationPending', operationId, resource, agent, record });
}

export interface Report {
  readonly state: ResourceState;
  readonly current: Current;
  readonly ending: Ending;
  readonly description: AgentDescription | undefined;
  /** When a recurring operation's exit code last changed. */
  readonly changedAt?: Epoch;
}

/** Writes a result into the history and tells it. */
export function report(board: Board, { state, current, ending, description, changedAt }: Report): void {
  const { request } = current;
  const isCancelled = ending.result.status === executionStatus.cancelled;
  // What a notified instance makes of the news is its own business: no result of it can fail the transition.
  const result = request.operation === 'notify' && !isCancelled ? fine : ending.result;
  const [record, ...alsoKept] = recordsOf({
    request,
    result,
    callId: current.callId,
    node: board.options.node,
    ...timesOf(ending),
    ...(changedAt === undefined ? {} : { changedAt }),
    queueMs: Math.max(0, (current.begunAt ?? board.now) - current.queuedAt),
    ...(description === undefined ? {} : { description }),
  });
  const isKept = isRecorded(request.operation) && !isCancelled;
  const settled = isKept ? settledFailure(state, request, result) : undefined;
  const uncovered = uncover(state, pendingRecord(request, board.options.node).id, isKept ? record.id : undefined);
  if (isKept) {
    if (settled !== undefined) state.records.delete(settled);
    for (const kept of [record, ...alsoKept]) state.records.set(kept.id, kept);
    noteActivity(state, request, result);
    board.save(state);
  }
  tell(board, request, result, {
    record,
    alsoChanged: [...alsoKept, ...uncovered.changed],
    removed: settled === undefined ? uncovered.removed : [...uncovered.removed, settled],
    output: ending.output,
  });
}

/** An operation that is not even accepted is reported like any other, and nothing is kept of it. */
export function refuse(board: Board, request: Execute, result: OperationResult): void {
  const [record] = recordsOf({ request, result, callId: board.nextCallId(), node: board.options.node });
  tell(board, request, result, { record, alsoChanged: [], removed: [], output: '' });
}

function tell(
  board: Board,
  request: Execute,
  result: OperationResult,
  news: {
    readonly record: OperationRecord;
    readonly alsoChanged: readonly OperationRecord[];
    readonly removed: readonly string[];
    readonly output: string;
  },
): void {
  const { operationId, resource, agent, intervalMs, expectedExitCode } = request;
  board.emit({
    type: 'operationEnded',
    operationId,
    resource,
    agent,
    ...news,
    hasSucceeded: hasSucceeded(result, expectedExitCode),
    isRecurring: intervalMs > 0,
    expectedExitCode,
  });
}

/** The pending record goes; where the result does not take its place, what stood there before shows again. */
function uncover(
  state: ResourceState,
  pendingId: string,
  replacedBy: string | undefined,
): { readonly changed: readonly OperationRecord[]; readonly removed: readonly string[] } {
  if (!state.pending.delete(pendingId) || replacedBy === pendingId) return { changed: [], removed: [] };
  const before = state.records.get(pendingId);
  return before === undefined ? { changed: [], removed: [pendingId] } : { changed: [before], removed: [] };
}

/**
 * The failure that a success puts an end to: an earlier one of the same recurring operation, if it was ordered anew
 * since and nothing else has touched the resource. The policy engine orders it anew when the failure has expired, and
 * again and again as long as the failure stands (simulator, seeds 20210 and 21181).
 */
function settledFailure(state: ResourceState, request: Execute, result: OperationResult): string | undefined {
  if (request.intervalMs === 0 || !hasSucceeded(result, request.expectedExitCode)) return undefined;
  const id = lastFailureId(state.name);
  const failure = state.records.get(id);
  if (failure?.operation !== request.operation || failure.intervalMs !== request.intervalMs) return undefined;
  const isOrderedAnew = failure.transitionKey !== request.transitionKey;
  const isRecovered = (state.records.get(lastId(state.name))?.callId ?? -1) > failure.callId;
  return isOrderedAnew && !isRecovered ? id : undefined;
}

/** What a look at a restored resource found, as its only record. */
export function seenRecord(board: Board, current: Current, ending: Ending): OperationRecord {
  const [record] = recordsOf({
    // Whatever is found is what was looked for.
    request: { ...current.request, expectedExitCode: ending.result.exitCode },
    result: ending.result,
    callId: current.callId,
    node: board.options.node,
    ...timesOf(ending),
  });
  return record;
}

const timesOf = ({ startedAt, execMs }: Ending): { readonly startedAt?: Epoch; readonly execMs?: number } => ({
  ...(startedAt === undefined ? {} : { startedAt }),
  ...(execMs === undefined ? {} : { execMs }),
});

/** Remembers with what a resource runs, until it is known to be stopped. */
export function noteActivity(state: ResourceState, request: Execute, result: OperationResult): void {
  const isStopped =
    result.status === executionStatus.done &&
    ((request.operation === 'stop' && result.exitCode === exitCode.ok) ||
      (request.operation === 'monitor' && result.exitCode === exitCode.notRunning));
  if (isStopped) state.lastActive = undefined;
  else if (request.intervalMs === 0 && request.operation !== 'stop') state.lastActive = request;
}

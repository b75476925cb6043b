/** Operations taken back: recurring ones, those that have not begun, and the one in flight if it can be spared. */
import type { Board } from './board.ts';
import type { Cancel } from './contract.ts';
import { cancelled, withoutRun } from './ending.ts';
import { operationKey } from './record.ts';
import { report } from './reporting.ts';
import { type Current, delayTimer, intervalTimer, type Queued, recurringKey, type ResourceState } from './resource.ts';

export class Withdrawal {
  readonly #board: Board;
  /** Ends an operation in flight that has no process to wait for. */
  readonly #endNow: (state: ResourceState, current: Current) => void;

  constructor(board: Board, endNow: (state: ResourceState, current: Current) => void) {
    this.#board = board;
    this.#endNow = endNow;
  }

  /** As asked from outside; always answered. */
  cancel(input: Cancel): void {
    const { operationId, resource, operation, intervalMs } = input;
    const state = this.#board.resources.get(resource);
    const wasKnown = state !== undefined && this.#one(state, operation, intervalMs);
    const removed = state !== undefined && wasKnown ? dropRecord(state, operation, intervalMs) : [];
    if (removed.length > 0 && state !== undefined) this.#board.save(state);
    this.#board.emit({
      type: 'operationCancelled',
      ...(operationId === undefined ? {} : { operationId }),
      resource,
      operation,
      intervalMs,
      wasKnown,
      removed,
    });
  }

  /** Everything that recurs on a resource; each is told. */
  recurring(state: ResourceState): void {
    for (const { request } of state.recurring.values()) {
      const { operation, intervalMs } = request;
      this.#one(state, operation, intervalMs);
      const removed = dropRecord(state, operation, intervalMs);
      this.#board.emit({
        type: 'operationCancelled',
        resource: state.name,
        operation,
        intervalMs,
        wasKnown: true,
        removed,
      });
    }
  }

  /** False if there is no such recurring operation, and no such one-time operation that has not begun. */
  #one(state: ResourceState, operation: string, intervalMs: number): boolean {
    const matches = ({ request }: Queued): boolean =>
      request.operation === operation && request.intervalMs === intervalMs;
    const { current } = state;
    const wasQueued = this.queued(state, matches);
    if (intervalMs === 0) {
      const isWaiting = current !== undefined && matches(current) && current.phase.type === 'delaying';
      if (isWaiting) this.inFlight(state, current);
      return wasQueued || isWaiting;
    }
    const key = recurringKey(operation, intervalMs);
    const wasRecurring = state.recurring.delete(key);
    this.#board.emit({ type: 'stopTimer', id: intervalTimer(state, key) });
    if (current !== undefined && matches(current)) this.inFlight(state, current);
    return wasRecurring || wasQueued;
  }

  /** Operations that have not begun; the one-time ones among them are reported as cancelled. True if there were any. */
  queued(state: ResourceState, matches: (queued: Queued) => boolean): boolean {
    const taken = state.queue.filter((queued) => matches(queued) && !queued.isAdoption);
    state.queue = state.queue.filter((queued) => !taken.includes(queued));
    for (const queued of taken) {
      if (queued.request.intervalMs > 0) continue;
      const callId = this.#board.nextCallId();
      const current: Current = { ...queued, callId, phase: { type: 'delaying' }, isCancelled: true };
      report(this.#board, { state, current, ending: withoutRun(cancelled), description: undefined });
    }
    return taken.length > 0;
  }

  /** Makes the operation in flight end without a result, as soon as its process is gone. */
  inFlight(state: ResourceState, current: Current): void {
    const withdrawn = { ...current, isCancelled: true };
    switch (current.phase.type) {
      case 'running':
        state.current = withdrawn;
        this.#board.emit({ type: 'killProcess', id: current.phase.processId, signal: 'SIGKILL' });
        break;
      case 'delaying':
        this.#board.emit({ type: 'stopTimer', id: delayTimer(state) });
        this.#endNow(state, withdrawn);
        break;
      case 'readingSecrets':
      case 'askingDevice':
      case 'awaitingDescription':
        state.current = withdrawn;
        break;
    }
  }
}

/** A recurring operation that is no more has no place in the status either. */
function dropRecord(state: ResourceState, operation: string, intervalMs: number): readonly string[] {
  const id = operationKey(state.name, operation, intervalMs);
  const wasPending = state.pending.delete(id);
  return state.records.delete(id) || wasPending ? [id] : [];
}

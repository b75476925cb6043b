/** What the local resource manager holds of one resource: the queue, the operation in flight, what recurs, and its records. */
import type { AgentName, OperationRecord, ResourceHistory } from '@systole/cib';
import type { Epoch, Instant, ProcessEnded } from '@systole/kernel';
import type { LocatedAgent, OperationResult } from '@systole/ra';
import type { Execute, Forget, SavedResource } from './contract.ts';

/** An operation that waits for its turn. */
export interface Queued {
  readonly request: Execute;
  readonly queuedAt: Instant;
  /** A run that the restored daemon makes for itself, to see what its former life left. */
  readonly isAdoption: boolean;
}

/** The operation at the head of the queue, by how far it is. */
export type Phase =
  | { readonly type: 'delaying' }
  | { readonly type: 'readingSecrets'; readonly id: string }
  | { readonly type: 'askingDevice'; readonly requestId: string }
  | {
      readonly type: 'running';
      readonly located: LocatedAgent;
      readonly processId: string;
      /** With secrets filled in; never saved, never told. */
      readonly parameters: Readonly<Record<string, string>>;
    }
  /** It has ended, but the agent's description, which belongs into its record, is still being read. */
  | { readonly type: 'awaitingDescription'; readonly result: OperationResult; readonly ended: ProcessEnded };

export interface Current extends Queued {
  readonly callId: number;
  readonly phase: Phase;
  readonly startedAt?: Epoch;
  readonly begunAt?: Instant;
  /** Its result does not matter any more: it was cancelled, and its process told to end. */
  readonly isCancelled: boolean;
}

/** A recurring operation between its runs. */
export interface Recurring {
  readonly request: Execute;
  /** The last result that was reported; absent until the first run has ended. */
  readonly last?: { readonly status: number; readonly exitCode: number; readonly changedAt: Epoch };
  /** Somebody asked again: the next result is reported even if it is the same. */
  readonly mustReport: boolean;
}

export interface ResourceState {
  readonly name: string;
  agent: AgentName;
  queue: readonly Queued[];
  current: Current | undefined;
  readonly recurring: Map<string, Recurring>;
  /** Results by record id. */
  readonly records: Map<string, OperationRecord>;
  /** Operations under way, by the id that their result will have; they hide the result before. */
  readonly pending: Map<string, OperationRecord>;
  /** The latest operation that may have left it running. */
  lastActive: Execute | undefined;
  /** For class stonith: it has been started here, as far as we know. */
  isDeviceStarted: boolean;
  /** What is to be forgotten as soon as the operation in flight has ended. */
  forgetting: Forget | undefined;
}

export const newResource = (name: string, agent: AgentName): ResourceState => ({
  name,
  agent,
  queue: [],
  current: undefined,
  recurring: new Map(),
  records: new Map(),
  pending: new Map(),
  lastActive: undefined,
  isDeviceStarted: false,
  forgetting: undefined,
});

const timerPrefix = { delay: 'lrm/delay/', interval: 'lrm/interval/' } as const;

export const delayTimer = (state: ResourceState): string => `${timerPrefix.delay}${state.name}`;
export const intervalTimer = (state: ResourceState, key: string): string =>
  `${timerPrefix.interval}${state.name}/${key}`;

/** What a timer of ours is about; `undefined` if it is not ours. */
export function readTimer(
  id: string,
):
  | { readonly type: 'delay'; readonly resource: string }
  | { readonly type: 'interval'; readonly resource: string; readonly key: string }
  | undefined {
  if (id.startsWith(timerPrefix.delay)) return { type: 'delay', resource: id.slice(timerPrefix.delay.length) };
  if (!id.startsWith(timerPrefix.interval)) return undefined;
  // Names of operations have no slash; names of resources might.
  const slash = id.lastIndexOf('/');
  return { type: 'interval', resource: id.slice(timerPrefix.interval.length, slash), key: id.slice(slash + 1) };
}

export const recurringKey = (operation: string, intervalMs: number): string => `${operation}_${intervalMs}`;

/** Its history as the status section has it: operations under way in place of the results they will replace. */
export function historyOf(state: ResourceState): ResourceHistory {
  const byId = new Map([...state.records, ...state.pending]);
  return { id: state.name, agent: state.agent, operations: [...byId.values()] };
}

export function savedForm(state: ResourceState, callId: number): SavedResource {
  const { current } = state;
  return {
    resource: state.name,
    agent: state.agent,
    records: [...state.records.values()],
    recurring: [...state.recurring.values()].map(({ request }) => request),
    ...(state.lastActive === undefined ? {} : { lastActive: state.lastActive }),
    ...(current?.phase.type === 'running'
      ? { inFlight: { request: current.request, processId: current.phase.processId, callId: current.callId } }
      : {}),
    callId,
  };
}

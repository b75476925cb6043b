/**
 * Runs operations of resource agents on this node and keeps what came of them.
 *
 * Each resource has a queue and at most one operation in flight; resources do not wait for each other. A recurring
 * operation is queued again when its interval has passed since its last run ended. Whatever changes a resource's state
 * first takes its recurring operations back, and a run of theirs in flight is killed, so that a stop never waits for
 * a monitor that hangs.
 *
 * A restarted daemon begins with `restore` (see `restore.ts`): nothing is run before the processes of its former life
 * are gone and what they left has been looked at.
 *
 * Semantics: agents guide, section 5; Pacemaker's executor and controller.
 */
import type { OperationRecord, ResourceHistory } from '@systole/cib';
import { byCodeUnit, type Epoch, type Instant, type ProcessEnded, type Subsystem, unreachable } from '@systole/kernel';
import {
  agentCommand,
  checkAgentName,
  executionStatus,
  exitCode,
  formatAgentName,
  isSameAgent,
  type LocatedAgent,
  locateAgent,
  operationResult,
  type OperationResult,
} from '@systole/ra';
import type { Cancel, Execute, Forget, LrmEffect, LrmInput, LrmOptions, SecretsRead } from './contract.ts';
import { Descriptions } from './descriptions.ts';
import { hasSucceeded, isRecorded, lastFailureId, operationKey, pendingRecord, recordsOf } from './record.ts';
import {
  type Current,
  historyOf,
  newResource,
  type Queued,
  recurringKey,
  type ResourceState,
  savedForm,
} from './resource.ts';
import { adoptionProbe, believes, isAsBelieved, Restoration } from './restore.ts';

/** Between SIGTERM and SIGKILL at a timeout: enough to write a line to a log; a failed stop leads to fencing at once. */
export const killAfterMs = 1000;

/** What is kept of each stream of an agent, at its beginning and at its end. */
export const outputLimitBytes = 16 * 1024;

/** An operation whose configuration gives no timeout. */
const defaultTimeoutMs = 20_000;

/** Operations waiting for one resource beyond this many are refused: nobody asks for so many in good faith. */
const queueLengthMax = 100;

const secretMark = 'lrm://';
const timerPrefix = { delay: 'lrm/delay/', interval: 'lrm/interval/' } as const;

/** How a finished run is judged, beside its result. */
interface Ending {
  readonly result: OperationResult;
  readonly output: string;
  readonly startedAt: Epoch | undefined;
  readonly execMs: number | undefined;
}

export class LocalResourceManager implements Subsystem<LrmInput, LrmEffect> {
  readonly #options: LrmOptions;
  readonly #resources = new Map<string, ResourceState>();
  readonly #descriptions: Descriptions;
  #restoration: Restoration | undefined;
  #callId = 0;
  #processes = 0;
  #effects: LrmEffect[] = [];
  #now = 0 as Instant;

  constructor(options: LrmOptions) {
    this.#options = options;
    this.#descriptions = new Descriptions(options.places, options.firstExisting);
  }

  step(input: LrmInput, now: Instant): readonly LrmEffect[] {
    this.#effects = [];
    this.#now = now;
    switch (input.type) {
      case 'execute':
        this.#execute(input);
        break;
      case 'cancel':
        this.#cancel(input);
        break;
      case 'cancelAll':
        for (const state of this.#resources.values()) this.#cancelRecurring(state);
        break;
      case 'forget':
        this.#forget(input);
        break;
      case 'restore':
        this.#restore(input);
        break;
      case 'secretsRead':
        this.#secretsRead(input);
        break;
      case 'deviceAnswered':
        this.#deviceAnswered(input.requestId, input.isOk, input.reason);
        break;
      case 'agentsChanged':
        this.#descriptions.forget();
        break;
      case 'processEnded':
        this.#processEnded(input);
        break;
      case 'timerExpired':
        this.#timerExpired(input.id);
        break;
      default:
        unreachable(input);
    }
    return this.#effects;
  }

  /** What ran here, for the DC that a node joins; operations under way included. By resource id. */
  history(): readonly ResourceHistory[] {
    return [...this.#resources.values()]
      .toSorted((a, b) => byCodeUnit(a.name, b.name))
      .map(historyOf)
      .filter(({ operations }) => operations.length > 0);
  }

  /** Whether any operation is queued or in flight; recurring ones between their runs do not count. */
  isIdle(): boolean {
    return [...this.#resources.values()].every(({ current, queue }) => current === undefined && queue.length === 0);
  }

  // -- asking ---------------------------------------------------------------------------------

  #execute(request: Execute): void {
    const named = checkAgentName(request.agent);
    if (!named.ok) {
      this.#refuse(request, executionStatus.errorFatal, exitCode.configured, named.error);
      return;
    }
    const known = this.#resources.get(request.resource);
    if (known !== undefined && this.#isKnownRequest(known, request.operationId)) {
      this.#reject(`operation ${request.operationId} of ${request.resource} has been asked for already`);
      return;
    }
    if (known !== undefined && known.queue.length >= queueLengthMax) {
      const reason = `${queueLengthMax} operations are waiting for ${request.resource} already`;
      this.#refuse(request, executionStatus.error, exitCode.generic, reason);
      return;
    }
    const state = this.#resource(request);
    const describe = this.#descriptions.wanted(request.agent);
    if (describe !== undefined) this.#effects.push(describe);
    if (request.intervalMs > 0) {
      this.#executeRecurring(state, request);
      return;
    }
    if (changesState(request.operation)) this.#cancelRecurring(state);
    this.#enqueue(state, request);
  }

  /** Its state; another agent under the same name is another resource, whose history means nothing. */
  #resource(request: Execute): ResourceState {
    let state = this.#resources.get(request.resource);
    if (state === undefined) {
      state = newResource(request.resource, request.agent);
      this.#resources.set(request.resource, state);
    } else if (!isSameAgent(state.agent, request.agent)) {
      this.#cancelRecurring(state);
      this.#cancelQueued(state, () => true);
      state.agent = request.agent;
      state.records.clear();
      state.pending.clear();
      state.lastActive = undefined;
    }
    return state;
  }

  #isKnownRequest(state: ResourceState, operationId: string): boolean {
    return (
      state.current?.request.operationId === operationId ||
      state.queue.some(({ request }) => request.operationId === operationId)
    );
  }

  /** Asked again, a recurring operation stays one: the newest request takes its place and it runs soon. */
  #executeRecurring(state: ResourceState, request: Execute): void {
    const key = recurringKey(request.operation, request.intervalMs);
    const before = state.recurring.get(key);
    const last = before?.last;
    state.recurring.set(key, { request, mustReport: true, ...(last === undefined ? {} : { last }) });
    const isSame = ({ request: other }: Queued): boolean =>
      other.intervalMs === request.intervalMs && other.operation === request.operation;
    if (state.current !== undefined && isSame(state.current) && !state.current.isCancelled) {
      if (sameParameters(state.current.request, request)) {
        state.current = { ...state.current, request };
        this.#announcePending(state, request);
        return;
      }
      this.#kill(state, state.current);
    }
    const waiting = state.queue.find(isSame);
    this.#effects.push({ type: 'stopTimer', id: intervalTimer(state, key) });
    if (waiting === undefined) {
      this.#enqueue(state, request);
    } else {
      state.queue = state.queue.map((queued) => (queued === waiting ? { ...queued, request } : queued));
      this.#announcePending(state, request);
    }
  }

  #enqueue(state: ResourceState, request: Execute, isAdoption = false): void {
    state.queue = [...state.queue, { request, queuedAt: this.#now, isAdoption }];
    if (!isAdoption) this.#announcePending(state, request);
    this.#begin(state);
  }

  #announcePending(state: ResourceState, request: Execute): void {
    const { operationId, resource, agent } = request;
    if (!isRecorded(request.operation) || isFalse(meta(request, 'record_pending'))) return;
    const record = pendingRecord(request, this.#options.node);
    if (request.intervalMs > 0 && state.records.has(record.id)) return;
    state.pending.set(record.id, record);
    this.#effects.push({ type: 'operationPending', operationId, resource, agent, record });
  }

  // -- running --------------------------------------------------------------------------------

  /** Takes the next operation of a resource up, if nothing stands in its way. */
  #begin(state: ResourceState): void {
    if (state.current !== undefined) return;
    if (state.forgetting !== undefined) this.#completeForget(state, state.forgetting);
    const isHeld = (queued: Queued): boolean => this.#restoration !== undefined && !queued.isAdoption;
    const next = state.queue.find((queued) => !isHeld(queued));
    if (next === undefined) return;
    state.queue = state.queue.filter((queued) => queued !== next);
    this.#callId += 1;
    const delayMs = next.request.startDelayMs ?? 0;
    state.current = { ...next, callId: this.#callId, phase: { type: 'delaying' }, isCancelled: false };
    if (delayMs > 0) {
      this.#effects.push({ type: 'startTimer', id: `${timerPrefix.delay}${state.name}`, delayMs });
      return;
    }
    this.#afterDelay(state, state.current);
  }

  #afterDelay(state: ResourceState, current: Current): void {
    const { request } = current;
    const secrets = Object.entries(request.parameters)
      .filter(([, value]) => value === secretMark)
      .map(([name]) => name);
    if (secrets.length === 0) {
      this.#run(state, current, request.parameters);
      return;
    }
    const id = `lrm/secrets/${current.callId}`;
    state.current = { ...current, phase: { type: 'readingSecrets', id } };
    this.#effects.push({ type: 'readSecrets', id, resource: request.resource, names: secrets });
  }

  #secretsRead(input: SecretsRead): void {
    const state = this.#stateWhere(({ phase }) => phase.type === 'readingSecrets' && phase.id === input.id);
    if (state?.current === undefined) return;
    const { current } = state;
    if (current.isCancelled) {
      this.#end(state, current, neverRan(cancelled));
      return;
    }
    if (input.outcome.type === 'failed' && current.request.operation !== 'stop') {
      const reason = `Unable to load CIB secrets: ${input.outcome.message}`;
      const { noSecrets } = executionStatus;
      this.#end(state, current, neverRan({ status: noSecrets, exitCode: exitCode.arguments, exitReason: reason }));
      return;
    }
    const values = input.outcome.type === 'read' ? input.outcome.values : {};
    this.#run(state, current, { ...current.request.parameters, ...values });
  }

  #run(state: ResourceState, current: Current, parameters: Readonly<Record<string, string>>): void {
    const { request } = current;
    if (request.agent.class === 'stonith') {
      this.#runDevice(state, current);
      return;
    }
    const located = locateAgent(request.agent, this.#options.places, this.#options.firstExisting);
    if (located === undefined) {
      const reason = `${formatAgentName(request.agent)} is not installed on ${this.#options.node}`;
      const { notInstalled } = executionStatus;
      this.#end(state, current, neverRan({ status: notInstalled, exitCode: exitCode.installed, exitReason: reason }));
      return;
    }
    this.#startProcess(state, current, located, parameters, false);
  }

  #startProcess(
    state: ResourceState,
    current: Current,
    located: LocatedAgent,
    parameters: Readonly<Record<string, string>>,
    throughShell: boolean,
  ): void {
    const { request } = current;
    const { node, nodeId, places } = this.#options;
    const command = agentCommand(
      {
        agent: request.agent,
        resource: request.resource,
        operation: request.operation,
        intervalMs: request.intervalMs,
        timeoutMs: timeoutOf(request),
        parameters,
        meta: request.meta,
        node,
        nodeId,
        ...(request.featureSet === undefined ? {} : { featureSet: request.featureSet }),
      },
      located,
      places,
    );
    this.#processes += 1;
    const processId = `lrm/${current.callId}.${this.#processes}/${request.resource}/${request.operation}`;
    state.current = {
      ...current,
      begunAt: current.begunAt ?? this.#now,
      startedAt: current.startedAt ?? this.#options.wallClock(),
      phase: { type: 'running', located, processId },
    };
    if (leavesTrace(request)) this.#save(state);
    this.#effects.push({
      type: 'startProcess',
      id: processId,
      ...command,
      argv: throughShell ? ['/bin/sh', ...command.argv] : command.argv,
      timeoutMs: timeoutOf(request),
      killAfterMs,
      outputLimitBytes,
    });
  }

  #processEnded(ended: ProcessEnded): void {
    const described = this.#descriptions.ended(ended);
    if (described !== undefined) {
      this.#descriptionRead(described);
      return;
    }
    if (this.#restoration?.survivorEnded(ended.id) === true) {
      this.#continueRestoration();
      return;
    }
    const state = this.#stateWhere(({ phase }) => phase.type === 'running' && phase.processId === ended.id);
    if (state?.current?.phase.type !== 'running') {
      this.#reject(`process ${ended.id} is not one of ours`);
      return;
    }
    const { current } = state;
    const { located } = state.current.phase;
    if (current.isCancelled) {
      this.#end(state, current, { ...neverRan(cancelled), startedAt: ended.startedAt, execMs: ended.durationMs });
      return;
    }
    if (ended.outcome.type === 'notStarted' && ended.outcome.code === 'ENOEXEC') {
      // A script without an interpreter line: what exec refuses, a shell runs, as agents expect.
      this.#startProcess(state, current, located, current.request.parameters, true);
      return;
    }
    const { request } = current;
    const result = operationResult(located.kind, request.operation, ended, timeoutOf(request));
    if (this.#mustAwaitDescription(request, result)) {
      state.current = { ...current, phase: { type: 'awaitingDescription', result, ended } };
      return;
    }
    this.#end(state, current, endingOf(result, ended));
  }

  /** The digests of a resource that has come to run need its agent's description, which is usually known by then. */
  #mustAwaitDescription(request: Execute, result: OperationResult): boolean {
    const isActive = result.exitCode === exitCode.ok || result.exitCode === exitCode.promoted;
    return (
      isActive &&
      request.intervalMs === 0 &&
      request.operation !== 'stop' &&
      this.#descriptions.isBeingRead(request.agent)
    );
  }

  #descriptionRead(agent: string): void {
    const problem = this.#descriptions.problem(agent);
    if (problem !== undefined) this.#reject(`${agent} does not describe itself: ${problem}`);
    for (const state of this.#resources.values()) {
      const { current } = state;
      if (current?.phase.type !== 'awaitingDescription' || formatAgentName(current.request.agent) !== agent) continue;
      this.#end(state, current, endingOf(current.phase.result, current.phase.ended));
    }
  }

  // -- fence devices --------------------------------------------------------------------------

  /** A fence device runs nowhere: started means that this node looks after it. A probe never touches the device. */
  #runDevice(state: ResourceState, current: Current): void {
    const { operation, intervalMs } = current.request;
    if (operation === 'stop' || (operation === 'monitor' && intervalMs === 0)) {
      const code = operation === 'monitor' && !state.isDeviceStarted ? exitCode.notRunning : exitCode.ok;
      if (operation === 'stop') state.isDeviceStarted = false;
      this.#end(state, current, { ...neverRan({ status: executionStatus.done, exitCode: code }), execMs: 0 });
      return;
    }
    if (operation !== 'start' && operation !== 'monitor') {
      const { unsupported } = executionStatus;
      this.#end(state, current, neverRan({ status: unsupported, exitCode: exitCode.unimplemented }));
      return;
    }
    const requestId = `lrm/device/${current.callId}`;
    const startedAt = this.#options.wallClock();
    state.current = { ...current, begunAt: this.#now, startedAt, phase: { type: 'askingDevice', requestId } };
    const { resource } = current.request;
    this.#effects.push({
      type: 'askDevice',
      requestId,
      device: resource,
      action: 'monitor',
      timeoutMs: timeoutOf(current.request),
    });
  }

  #deviceAnswered(requestId: string, isOk: boolean, reason: string): void {
    const state = this.#stateWhere(({ phase }) => phase.type === 'askingDevice' && phase.requestId === requestId);
    if (state?.current === undefined) return;
    const { current } = state;
    if (current.request.operation === 'start') state.isDeviceStarted = isOk;
    const result: OperationResult = isOk
      ? { status: executionStatus.done, exitCode: exitCode.ok }
      : { status: executionStatus.error, exitCode: exitCode.generic, exitReason: reason };
    this.#end(state, current, {
      ...neverRan(current.isCancelled ? cancelled : result),
      startedAt: current.startedAt,
      execMs: this.#now - (current.begunAt ?? this.#now),
    });
  }

  // -- ending ---------------------------------------------------------------------------------

  #end(state: ResourceState, current: Current, ending: Ending): void {
    state.current = undefined;
    if (current.isAdoption) {
      this.#adopted(state, current, ending);
    } else if (current.request.intervalMs > 0) {
      this.#recurringEnded(state, current, ending);
    } else {
      this.#report(state, current, ending);
    }
    this.#begin(state);
  }

  #recurringEnded(state: ResourceState, current: Current, ending: Ending): void {
    const { request } = current;
    const key = recurringKey(request.operation, request.intervalMs);
    const recurring = state.recurring.get(key);
    if (ending.result.status === executionStatus.cancelled || recurring === undefined) return;
    const { status, exitCode: code } = ending.result;
    const { last } = recurring;
    const isSame = last !== undefined && last.status === status && last.exitCode === code;
    const changedAt = isSame ? last.changedAt : (ending.startedAt ?? this.#options.wallClock());
    state.recurring.set(key, { request, last: { status, exitCode: code, changedAt }, mustReport: false });
    if (!isSame || recurring.mustReport || request.notify === 'always') {
      this.#report(state, current, ending, changedAt);
    }
    if (state.recurring.has(key)) {
      this.#effects.push({ type: 'startTimer', id: intervalTimer(state, key), delayMs: request.intervalMs });
    }
  }

  /** Writes the result into the history and tells it. */
  #report(state: ResourceState, current: Current, ending: Ending, changedAt?: Epoch): void {
    const { request } = current;
    const isNotify = request.operation === 'notify';
    // What a notified instance makes of the news is its own business: no result of it can fail the transition.
    const result = isNotify && ending.result.status !== executionStatus.cancelled ? fine : ending.result;
    const description = this.#descriptions.of(request.agent);
    const [record, ...alsoChanged] = recordsOf({
      request,
      result,
      callId: current.callId,
      node: this.#options.node,
      ...(ending.startedAt === undefined ? {} : { startedAt: ending.startedAt }),
      ...(changedAt === undefined ? {} : { changedAt }),
      ...(ending.execMs === undefined ? {} : { execMs: ending.execMs }),
      queueMs: Math.max(0, (current.begunAt ?? this.#now) - current.queuedAt),
      ...(description === undefined ? {} : { description }),
    });
    const removed: string[] = [];
    const changed: OperationRecord[] = [...alsoChanged];
    const isKept = isRecorded(request.operation) && result.status !== executionStatus.cancelled;
    const pendingId = pendingRecord(request, this.#options.node).id;
    if (state.pending.delete(pendingId) && (!isKept || record.id !== pendingId)) {
      const before = state.records.get(pendingId);
      if (before === undefined) removed.push(pendingId);
      else changed.push(before);
    }
    if (isKept) {
      for (const kept of [record, ...alsoChanged]) state.records.set(kept.id, kept);
      this.#noteActivity(state, request, result);
      this.#save(state);
    }
    this.#effects.push({
      type: 'operationEnded',
      operationId: request.operationId,
      resource: request.resource,
      agent: request.agent,
      record,
      alsoChanged: changed,
      removed,
      hasSucceeded: hasSucceeded(result, request.expectedExitCode),
      output: ending.output,
      isRecurring: request.intervalMs > 0,
      expectedExitCode: request.expectedExitCode,
    });
  }

  /** Remembers with what a resource runs, until it is known to be stopped. */
  #noteActivity(state: ResourceState, request: Execute, result: OperationResult): void {
    const isDone = result.status === executionStatus.done;
    const isStopped =
      isDone &&
      ((request.operation === 'stop' && result.exitCode === exitCode.ok) ||
        (request.operation === 'monitor' && result.exitCode === exitCode.notRunning));
    if (isStopped) state.lastActive = undefined;
    else if (request.intervalMs === 0 && request.operation !== 'stop') state.lastActive = request;
  }

  #refuse(request: Execute, status: OperationResult['status'], code: number, reason: string): void {
    const state = newResource(request.resource, request.agent);
    const current: Current = {
      request,
      queuedAt: this.#now,
      isAdoption: false,
      callId: (this.#callId += 1),
      phase: { type: 'delaying' },
      isCancelled: false,
    };
    // Reported like any result, but nothing is kept: there is no such resource here.
    const [record] = recordsOf({
      request,
      result: { status, exitCode: code, exitReason: reason },
      callId: current.callId,
      node: this.#options.node,
    });
    this.#effects.push({
      type: 'operationEnded',
      operationId: request.operationId,
      resource: state.name,
      agent: state.agent,
      record,
      alsoChanged: [],
      removed: [],
      hasSucceeded: false,
      output: '',
      isRecurring: request.intervalMs > 0,
      expectedExitCode: request.expectedExitCode,
    });
  }

  // -- taking back ----------------------------------------------------------------------------

  #cancel(input: Cancel): void {
    const { resource, operation, intervalMs } = input;
    const state = this.#resources.get(resource);
    const wasKnown = state !== undefined && this.#cancelOne(state, operation, intervalMs);
    const removed = state !== undefined && wasKnown ? this.#dropRecurringRecord(state, operation, intervalMs) : [];
    if (removed.length > 0 && state !== undefined) this.#save(state);
    this.#effects.push({
      type: 'operationCancelled',
      ...(input.operationId === undefined ? {} : { operationId: input.operationId }),
      resource,
      operation,
      intervalMs,
      wasKnown,
      removed,
    });
    if (state !== undefined) this.#begin(state);
  }

  /** False if there is no such recurring operation, and no such one-time operation that has not begun. */
  #cancelOne(state: ResourceState, operation: string, intervalMs: number): boolean {
    const matches = ({ request }: Queued): boolean =>
      request.operation === operation && request.intervalMs === intervalMs;
    const { current } = state;
    const wasQueued = this.#cancelQueued(state, matches);
    if (intervalMs === 0) {
      const isWaiting = current !== undefined && matches(current) && current.phase.type === 'delaying';
      if (isWaiting) this.#kill(state, current);
      return wasQueued || isWaiting;
    }
    const key = recurringKey(operation, intervalMs);
    const wasRecurring = state.recurring.delete(key);
    this.#effects.push({ type: 'stopTimer', id: intervalTimer(state, key) });
    if (current !== undefined && matches(current)) this.#kill(state, current);
    return wasRecurring || wasQueued;
  }

  #cancelRecurring(state: ResourceState): void {
    for (const { request } of state.recurring.values()) {
      this.#cancelOne(state, request.operation, request.intervalMs);
      const removed = this.#dropRecurringRecord(state, request.operation, request.intervalMs);
      this.#effects.push({
        type: 'operationCancelled',
        resource: state.name,
        operation: request.operation,
        intervalMs: request.intervalMs,
        wasKnown: true,
        removed,
      });
    }
  }

  #dropRecurringRecord(state: ResourceState, operation: string, intervalMs: number): readonly string[] {
    const id = operationKey(state.name, operation, intervalMs);
    const wasPending = state.pending.delete(id);
    return state.records.delete(id) || wasPending ? [id] : [];
  }

  /** Takes operations back that have not begun; the one-time ones among them are reported as cancelled. */
  #cancelQueued(state: ResourceState, matches: (queued: Queued) => boolean): boolean {
    const taken = state.queue.filter((queued) => matches(queued) && !queued.isAdoption);
    state.queue = state.queue.filter((queued) => !taken.includes(queued));
    for (const queued of taken) {
      if (queued.request.intervalMs > 0) continue;
      const current: Current = {
        ...queued,
        callId: (this.#callId += 1),
        phase: { type: 'delaying' },
        isCancelled: true,
      };
      this.#report(state, current, neverRan(cancelled));
    }
    return taken.length > 0;
  }

  /** Makes the operation in flight end without a result. */
  #kill(state: ResourceState, current: Current): void {
    switch (current.phase.type) {
      case 'running':
        state.current = { ...current, isCancelled: true };
        this.#effects.push({ type: 'killProcess', id: current.phase.processId, signal: 'SIGKILL' });
        break;
      case 'delaying':
        this.#effects.push({ type: 'stopTimer', id: `${timerPrefix.delay}${state.name}` });
        this.#end(state, { ...current, isCancelled: true }, neverRan(cancelled));
        break;
      case 'readingSecrets':
      case 'askingDevice':
      case 'awaitingDescription':
        state.current = { ...current, isCancelled: true };
        break;
    }
  }

  // -- forgetting -----------------------------------------------------------------------------

  #forget(input: Forget): void {
    const state = this.#resources.get(input.resource);
    const answer = input.operationId === undefined ? {} : { operationId: input.operationId };
    if (state === undefined) {
      this.#effects.push({ type: 'historyForgotten', ...answer, resource: input.resource });
      return;
    }
    if (input.only !== undefined) {
      const { operation, intervalMs } = input.only;
      const id = lastFailureId(state.name);
      const failure = state.records.get(id);
      const isMeant = failure?.operation === operation && failure.intervalMs === intervalMs;
      if (isMeant) state.records.delete(id);
      this.#save(state);
      this.#effects.push({ type: 'historyForgotten', ...answer, resource: state.name, records: isMeant ? [id] : [] });
      return;
    }
    this.#cancelRecurring(state);
    this.#cancelQueued(state, () => true);
    state.forgetting = input;
    this.#begin(state);
  }

  #completeForget(state: ResourceState, input: Forget): void {
    state.forgetting = undefined;
    state.records.clear();
    state.pending.clear();
    state.lastActive = undefined;
    if (state.queue.length === 0 && !state.isDeviceStarted) this.#resources.delete(state.name);
    else for (const { request } of state.queue) this.#announcePending(state, request);
    this.#effects.push({ type: 'saveHistory', resource: state.name });
    this.#effects.push({
      type: 'historyForgotten',
      ...(input.operationId === undefined ? {} : { operationId: input.operationId }),
      resource: state.name,
    });
  }

  // -- a new life -----------------------------------------------------------------------------

  #restore(input: LrmInput & { readonly type: 'restore' }): void {
    if (this.#restoration !== undefined || this.#resources.size > 0) {
      this.#reject('restore is the first input or none');
      return;
    }
    this.#callId = Math.max(0, ...input.saved.map(({ callId }) => callId));
    const restoration = new Restoration(input);
    this.#restoration = restoration;
    for (const id of input.survivors) this.#effects.push({ type: 'killProcess', id, signal: 'SIGKILL' });
    for (const saved of input.saved) {
      if (input.hasRebooted) {
        this.#effects.push({ type: 'saveHistory', resource: saved.resource });
        continue;
      }
      const state = newResource(saved.resource, saved.agent);
      for (const record of saved.records) state.records.set(record.id, record);
      for (const request of saved.recurring) {
        state.recurring.set(recurringKey(request.operation, request.intervalMs), { request, mustReport: true });
      }
      state.lastActive = saved.lastActive;
      state.isDeviceStarted = saved.agent.class === 'stonith' && believes(saved) === 'started';
      this.#resources.set(state.name, state);
      const describe = this.#descriptions.wanted(state.agent);
      if (describe !== undefined) this.#effects.push(describe);
    }
    this.#continueRestoration();
  }

  /** Once no process of the former life is left, looks at what they left behind; once that is seen, goes to work. */
  #continueRestoration(): void {
    const restoration = this.#restoration;
    if (restoration === undefined || restoration.hasSurvivors()) return;
    for (const saved of restoration.takeUnprobed()) {
      const state = this.#resources.get(saved.resource);
      const probe = adoptionProbe(saved);
      if (state === undefined || probe === undefined) restoration.probed(saved.resource);
      else this.#enqueue(state, probe, true);
    }
    if (!restoration.isComplete()) return;
    this.#restoration = undefined;
    for (const state of this.#resources.values()) {
      for (const [key, { request }] of state.recurring) {
        this.#effects.push({ type: 'startTimer', id: intervalTimer(state, key), delayMs: request.intervalMs });
      }
    }
    this.#effects.push({ type: 'ready', history: this.history() });
    for (const state of this.#resources.values()) this.#begin(state);
  }

  /** The history stands if the look agrees with it; else it is replaced by what was seen. */
  #adopted(state: ResourceState, current: Current, ending: Ending): void {
    const saved = this.#restoration?.probed(state.name);
    const belief = saved === undefined ? 'unknown' : believes(saved);
    if (!isAsBelieved(belief, ending.result)) {
      const failure = state.records.get(lastFailureId(state.name));
      state.records.clear();
      state.recurring.clear();
      if (failure !== undefined) state.records.set(failure.id, failure);
      const [record] = recordsOf({
        request: { ...current.request, expectedExitCode: ending.result.exitCode },
        result: ending.result,
        callId: current.callId,
        node: this.#options.node,
        ...(ending.startedAt === undefined ? {} : { startedAt: ending.startedAt }),
        ...(ending.execMs === undefined ? {} : { execMs: ending.execMs }),
      });
      state.records.set(record.id, record);
      this.#noteActivity(state, current.request, ending.result);
    }
    this.#save(state);
    this.#continueRestoration();
  }

  // -- small things ---------------------------------------------------------------------------

  #timerExpired(id: string): void {
    if (id.startsWith(timerPrefix.delay)) {
      const state = this.#resources.get(id.slice(timerPrefix.delay.length));
      if (state?.current?.phase.type === 'delaying') this.#afterDelay(state, state.current);
      return;
    }
    if (!id.startsWith(timerPrefix.interval)) {
      this.#reject(`timer ${id} is not one of ours`);
      return;
    }
    const key = id.slice(id.lastIndexOf('/') + 1);
    const state = this.#resources.get(id.slice(timerPrefix.interval.length, id.lastIndexOf('/')));
    const recurring = state?.recurring.get(key);
    if (state !== undefined && recurring !== undefined) this.#runAgain(state, recurring.request);
  }

  #runAgain(state: ResourceState, request: Execute): void {
    state.queue = [...state.queue, { request: withoutDelay(request), queuedAt: this.#now, isAdoption: false }];
    this.#begin(state);
  }

  #stateWhere(matches: (current: Current) => boolean): ResourceState | undefined {
    for (const state of this.#resources.values()) {
      if (state.current !== undefined && matches(state.current)) return state;
    }
    return undefined;
  }

  #save(state: ResourceState): void {
    this.#effects.push({ type: 'saveHistory', resource: state.name, saved: savedForm(state, this.#callId) });
  }

  #reject(reason: string): void {
    this.#effects.push({ type: 'rejected', subsystem: 'lrm', reason });
  }
}

const cancelled: OperationResult = { status: executionStatus.cancelled, exitCode: exitCode.ok };
const fine: OperationResult = { status: executionStatus.done, exitCode: exitCode.ok };

const neverRan = (result: OperationResult): Ending => ({
  result,
  output: '',
  startedAt: undefined,
  execMs: undefined,
});

const endingOf = (result: OperationResult, ended: ProcessEnded): Ending => ({
  result,
  output: ended.stderr.trim() === '' ? ended.stdout : ended.stderr,
  startedAt: ended.startedAt,
  execMs: ended.durationMs,
});

const intervalTimer = (state: ResourceState, key: string): string => `${timerPrefix.interval}${state.name}/${key}`;

/** Whether an operation, run once, makes what recurs meaningless. */
const changesState = (operation: string): boolean =>
  !['monitor', 'notify', 'meta-data', 'validate-all'].includes(operation);

/** Whether a next life must know that it was in flight: a monitor changes nothing, and may be killed without a trace. */
const leavesTrace = (request: Execute): boolean => request.intervalMs === 0 && changesState(request.operation);

const timeoutOf = (request: Execute): number => (request.timeoutMs > 0 ? request.timeoutMs : defaultTimeoutMs);

const meta = (request: Execute, name: string): string | undefined =>
  request.meta[name] ?? request.meta[name.replaceAll('_', '-')];

const isFalse = (text: string | undefined): boolean => ['false', 'no', 'off', '0'].includes(text?.toLowerCase() ?? '');

const withoutDelay = (request: Execute): Execute => {
  const { startDelayMs: _once, ...rest } = request;
  return rest;
};

const sameParameters = (a: Execute, b: Execute): boolean => {
  const text = ({ parameters, timeoutMs }: Execute): string =>
    JSON.stringify([timeoutMs, Object.entries(parameters).toSorted(([x], [y]) => byCodeUnit(x, y))]);
  return text(a) === text(b);
};

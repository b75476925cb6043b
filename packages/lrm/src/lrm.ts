/**
 * Runs operations of resource agents on this node and keeps what came of them.
 *
 * Each resource has a queue and at most one operation in flight; resources do not wait for each other. A recurring
 * operation is queued again when its interval has passed since its last run ended. Whatever changes a resource's state
 * first takes its recurring operations back, and a run of theirs in flight is killed, so that a stop never waits for
 * a monitor that hangs.
 *
 * An operation's way: queued → (delaying) → (reading secrets) → running, or asking the fencer → (awaiting the agent's
 * description) → reported. Here are the queues; what becomes of an operation whose turn has come is in `runner.ts`, what is
 * reported in `reporting.ts`, what is taken back in `withdrawal.ts`, and the first steps of a restarted daemon, which runs
 * nothing before it has looked at what its former life left, in `restore.ts`.
 *
 * Semantics: agents guide, section 5; Pacemaker's executor and controller.
 */
import type { ResourceHistory } from '@systole/cib';
import { byCodeUnit, type Filling, type Instant, type Subsystem, unreachable } from '@systole/kernel';
import { checkAgentName, executionStatus, exitCode, isSameAgent } from '@systole/ra';
import { Board } from './board.ts';
import type { Execute, Forget, LrmEffect, LrmInput, LrmOptions, Restore } from './contract.ts';
import { Descriptions } from './descriptions.ts';
import { cancelled, type Ending, withoutRun } from './ending.ts';
import { lastFailureId } from './record.ts';
import { announcePending, noteActivity, refuse, report, seenRecord } from './reporting.ts';
import { changesState, isSameRun, withoutDelay } from './request.ts';
import {
  type Current,
  delayTimer,
  historyOf,
  intervalTimer,
  newResource,
  type Queued,
  readTimer,
  recurringKey,
  type ResourceState,
} from './resource.ts';
import { adoptionProbe, believes, isAsBelieved, Restoration, revived } from './restore.ts';
import { Runner } from './runner.ts';
import { Withdrawal } from './withdrawal.ts';

/** Operations waiting for one resource beyond this many are refused: nobody asks for so many in good faith. */
const queueLengthMax = 100;

export class LocalResourceManager implements Subsystem<LrmInput, LrmEffect> {
  readonly #board: Board;
  readonly #descriptions: Descriptions;
  readonly #withdrawal: Withdrawal;
  readonly #runner: Runner;
  #restoration: Restoration | undefined;

  constructor(options: LrmOptions) {
    this.#board = new Board(options);
    this.#descriptions = new Descriptions(options.places, options.firstExisting);
    this.#withdrawal = new Withdrawal(this.#board, (state, current) =>
      this.#end(state, current, withoutRun(cancelled)),
    );
    this.#runner = new Runner(this.#board, this.#descriptions, (...ended) => this.#end(...ended));
  }

  step(input: LrmInput, now: Instant): readonly LrmEffect[] {
    const effects = this.#board.begin(now);
    switch (input.type) {
      case 'execute':
        this.#execute(input);
        break;
      case 'cancel':
        this.#withdrawal.cancel(input);
        this.#beginAll(input.resource);
        break;
      case 'cancelAll':
        for (const state of this.#board.resources.values()) this.#withdrawal.recurring(state);
        break;
      case 'forget':
        this.#forget(input);
        break;
      case 'restore':
        this.#restore(input);
        break;
      case 'secretsRead':
        this.#runner.secretsRead(input);
        break;
      case 'deviceAnswered':
        this.#runner.deviceAnswered(input.requestId, input.isOk, input.reason);
        break;
      case 'agentsChanged':
        this.#descriptions.forget();
        break;
      case 'processEnded':
        if (this.#restoration?.survivorEnded(input.id) === true) this.#continueRestoration();
        else this.#runner.processEnded(input);
        break;
      case 'timerExpired':
        this.#timerExpired(input.id);
        break;
      default:
        unreachable(input);
    }
    return effects;
  }

  /** What ran here, for the DC that a node joins; operations under way included. By resource id. */
  history(): readonly ResourceHistory[] {
    return [...this.#board.resources.values()]
      .toSorted((a, b) => byCodeUnit(a.name, b.name))
      .map(historyOf)
      .filter(({ operations }) => operations.length > 0);
  }

  /** The longest queue. */
  get fillings(): readonly Filling[] {
    const count = Math.max(0, ...[...this.#board.resources.values()].map(({ queue }) => queue.length));
    return [{ queue: 'lrm operations of one resource', count, max: queueLengthMax }];
  }

  /** Whether no operation is queued or in flight; recurring ones between their runs do not count. */
  isIdle(): boolean {
    const states = [...this.#board.resources.values()];
    return states.every(({ current, queue }) => current === undefined && queue.length === 0);
  }

  // -- asking ---------------------------------------------------------------------------------

  #execute(request: Execute): void {
    const named = checkAgentName(request.agent);
    if (!named.ok) {
      const { errorFatal } = executionStatus;
      refuse(this.#board, request, { status: errorFatal, exitCode: exitCode.configured, exitReason: named.error });
      return;
    }
    const known = this.#board.resources.get(request.resource);
    if (known !== undefined && isKnown(known, request.operationId)) {
      this.#board.reject(`operation ${request.operationId} of ${request.resource} has been asked for already`);
      return;
    }
    if (known !== undefined && known.queue.length >= queueLengthMax) {
      const exitReason = `${queueLengthMax} operations are waiting for ${request.resource} already`;
      refuse(this.#board, request, { status: executionStatus.error, exitCode: exitCode.generic, exitReason });
      return;
    }
    const state = this.#stateFor(request);
    this.#describe(request.agent);
    if (request.intervalMs > 0) {
      this.#executeRecurring(state, request);
      return;
    }
    if (changesState(request.operation)) this.#withdrawal.recurring(state);
    this.#enqueue(state, request);
  }

  /** Its state; another agent under the same name is another resource, whose history means nothing. */
  #stateFor(request: Execute): ResourceState {
    const known = this.#board.resources.get(request.resource);
    if (known === undefined) {
      const state = newResource(request.resource, request.agent);
      this.#board.resources.set(request.resource, state);
      return state;
    }
    if (!isSameAgent(known.agent, request.agent)) {
      this.#withdrawal.recurring(known);
      this.#withdrawal.queued(known, () => true);
      known.agent = request.agent;
      known.records.clear();
      known.pending.clear();
      known.lastActive = undefined;
    }
    return known;
  }

  #describe(agent: Execute['agent']): void {
    const wanted = this.#descriptions.wanted(agent);
    if (wanted !== undefined) this.#board.emit(wanted);
  }

  /** Asked again, a recurring operation stays one: the newest request takes its place and it runs soon. */
  #executeRecurring(state: ResourceState, request: Execute): void {
    const key = recurringKey(request.operation, request.intervalMs);
    const last = state.recurring.get(key)?.last;
    state.recurring.set(key, { request, mustReport: true, ...(last === undefined ? {} : { last }) });
    const { current } = state;
    if (current !== undefined && isRunOf(current, request) && !current.isCancelled) {
      if (isSameRun(current.request, request)) {
        state.current = { ...current, request };
        announcePending(this.#board, state, request);
        return;
      }
      this.#withdrawal.inFlight(state, current);
    }
    this.#board.emit({ type: 'stopTimer', id: intervalTimer(state, key) });
    const waiting = state.queue.find((queued) => isRunOf(queued, request));
    if (waiting === undefined) {
      this.#enqueue(state, request);
      return;
    }
    state.queue = state.queue.map((queued) => (queued === waiting ? { ...queued, request } : queued));
    announcePending(this.#board, state, request);
  }

  #enqueue(state: ResourceState, request: Execute, isAdoption = false): void {
    state.queue = [...state.queue, { request, queuedAt: this.#board.now, isAdoption }];
    if (!isAdoption) announcePending(this.#board, state, request);
    this.#begin(state);
  }

  // -- taking turns ---------------------------------------------------------------------------

  #beginAll(resource: string): void {
    const state = this.#board.resources.get(resource);
    if (state !== undefined) this.#begin(state);
  }

  /** Takes the next operation of a resource up, if nothing stands in its way. */
  #begin(state: ResourceState): void {
    if (state.current !== undefined) return;
    if (state.forgetting !== undefined) this.#completeForget(state, state.forgetting);
    // Until a restored daemon has looked around, it does nothing else.
    const next = state.queue.find(({ isAdoption }) => isAdoption || this.#restoration === undefined);
    if (next === undefined) return;
    state.queue = state.queue.filter((queued) => queued !== next);
    const callId = this.#board.nextCallId();
    state.current = { ...next, callId, phase: { type: 'delaying' }, isCancelled: false };
    const delayMs = next.request.startDelayMs ?? 0;
    if (delayMs > 0) this.#board.emit({ type: 'startTimer', id: delayTimer(state), delayMs });
    else this.#runner.begin(state, state.current);
  }

  // -- what comes back ------------------------------------------------------------------------

  #end(state: ResourceState, current: Current, ending: Ending): void {
    state.current = undefined;
    const description = this.#descriptions.of(current.request.agent);
    if (current.isAdoption) this.#adopted(state, current, ending);
    else if (current.request.intervalMs > 0) this.#recurringEnded(state, current, ending);
    else report(this.#board, { state, current, ending, description });
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
    // Asked for anew after its failure has expired, a failure that is still there is a new one (simulator, seed 262).
    const isNewFailure = recurring.mustReport && code !== request.expectedExitCode;
    const changedAt = isSame && !isNewFailure ? last.changedAt : (ending.startedAt ?? this.#board.options.wallClock());
    state.recurring.set(key, { request, last: { status, exitCode: code, changedAt }, mustReport: false });
    if (!isSame || recurring.mustReport || request.notify === 'always') {
      const description = this.#descriptions.of(request.agent);
      report(this.#board, { state, current, ending, description, changedAt });
    }
    this.#board.emit({ type: 'startTimer', id: intervalTimer(state, key), delayMs: request.intervalMs });
  }

  #timerExpired(id: string): void {
    const timer = readTimer(id);
    const state = timer === undefined ? undefined : this.#board.resources.get(timer.resource);
    if (timer === undefined) {
      this.#board.reject(`timer ${id} is not one of ours`);
    } else if (timer.type === 'delay') {
      if (state?.current?.phase.type === 'delaying') this.#runner.begin(state, state.current);
    } else {
      const recurring = state?.recurring.get(timer.key);
      if (state !== undefined && recurring !== undefined) this.#runAgain(state, recurring.request);
    }
  }

  /** Once at a time: a run that waits or is in flight will start the interval anew. */
  #runAgain(state: ResourceState, request: Execute): void {
    const { current, queue } = state;
    if ([...queue, ...(current === undefined ? [] : [current])].some((queued) => isRunOf(queued, request))) return;
    state.queue = [...queue, { request: withoutDelay(request), queuedAt: this.#board.now, isAdoption: false }];
    this.#begin(state);
  }

  // -- forgetting -----------------------------------------------------------------------------

  #forget(input: Forget): void {
    const { resource, operationId, only } = input;
    const state = this.#board.resources.get(resource);
    const answer = {
      type: 'historyForgotten',
      ...(operationId === undefined ? {} : { operationId }),
      resource,
    } as const;
    if (state === undefined) {
      this.#board.emit(answer);
      return;
    }
    if (only !== undefined) {
      const id = lastFailureId(state.name);
      const failure = state.records.get(id);
      const isMeant = failure?.operation === only.operation && failure.intervalMs === only.intervalMs;
      if (isMeant) state.records.delete(id);
      this.#board.save(state);
      this.#board.emit({ ...answer, records: isMeant ? [id] : [] });
      return;
    }
    this.#withdrawal.recurring(state);
    this.#withdrawal.queued(state, () => true);
    state.forgetting = input;
    this.#begin(state);
  }

  #completeForget(state: ResourceState, { operationId }: Forget): void {
    state.forgetting = undefined;
    state.records.clear();
    state.pending.clear();
    state.lastActive = undefined;
    if (state.queue.length === 0 && !state.isDeviceStarted) this.#board.resources.delete(state.name);
    for (const { request } of state.queue) announcePending(this.#board, state, request);
    const resource = state.name;
    this.#board.emit({ type: 'saveHistory', resource });
    this.#board.emit({ type: 'historyForgotten', ...(operationId === undefined ? {} : { operationId }), resource });
  }

  // -- a new life -----------------------------------------------------------------------------

  #restore(input: Restore): void {
    if (this.#restoration !== undefined || this.#board.resources.size > 0) {
      this.#board.reject('restore is the first input or none');
      return;
    }
    this.#restoration = new Restoration(input);
    for (const id of input.survivors) this.#board.emit({ type: 'killProcess', id, signal: 'SIGKILL' });
    for (const saved of input.saved) {
      this.#board.continueAfter(saved.callId);
      if (input.hasRebooted) {
        this.#board.emit({ type: 'saveHistory', resource: saved.resource });
      } else {
        this.#board.resources.set(saved.resource, revived(saved));
        this.#describe(saved.agent);
      }
    }
    this.#continueRestoration();
  }

  /** Once no process of the former life is left, looks at what they left behind; once that is seen, goes to work. */
  #continueRestoration(): void {
    const restoration = this.#restoration;
    if (restoration === undefined || restoration.hasSurvivors()) return;
    for (const saved of restoration.takeUnprobed()) {
      const state = this.#board.resources.get(saved.resource);
      const probe = adoptionProbe(saved);
      if (state === undefined || probe === undefined) restoration.probed(saved.resource);
      else this.#enqueue(state, probe, true);
    }
    if (!restoration.isComplete()) return;
    this.#restoration = undefined;
    const states = [...this.#board.resources.values()];
    for (const state of states) {
      for (const [key, { request }] of state.recurring) {
        this.#board.emit({ type: 'startTimer', id: intervalTimer(state, key), delayMs: request.intervalMs });
      }
    }
    this.#board.emit({ type: 'ready', history: this.history() });
    for (const state of states) this.#begin(state);
  }

  /** The history stands if the look agrees with it; else it is replaced by what was seen, but for its last failure. */
  #adopted(state: ResourceState, current: Current, ending: Ending): void {
    const saved = this.#restoration?.probed(state.name);
    if (saved === undefined || !isAsBelieved(believes(saved), ending.result)) {
      const seen = seenRecord(this.#board, current, ending);
      const failure = state.records.get(lastFailureId(state.name));
      state.records.clear();
      for (const [key, { request }] of state.recurring) {
        // What this life has been asked for meanwhile waits in the queue and stays.
        if (!state.queue.some((queued) => isRunOf(queued, request))) state.recurring.delete(key);
      }
      for (const record of failure === undefined ? [seen] : [failure, seen]) state.records.set(record.id, record);
      noteActivity(state, current.request, ending.result);
    }
    this.#board.save(state);
    this.#continueRestoration();
  }
}

const isKnown = ({ current, queue }: ResourceState, operationId: string): boolean =>
  current?.request.operationId === operationId || queue.some(({ request }) => request.operationId === operationId);

const isRunOf = ({ request }: Queued, recurring: Execute): boolean =>
  request.operation === recurring.operation && request.intervalMs === recurring.intervalMs;

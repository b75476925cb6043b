/**
 * One operation from the moment its turn has come until there is a result: its secrets are read, its agent is located
 * and run, or the fencer asked where it is a fence device, and what comes back is understood. What the result means for
 * the resource is `lrm.ts`'s business.
 */
import type { ProcessEnded } from '@systole/kernel';
import {
  agentCommand,
  executionStatus,
  exitCode,
  formatAgentName,
  type LocatedAgent,
  locateAgent,
  operationResult,
  type OperationResult,
} from '@systole/ra';
import type { Board } from './board.ts';
import type { Execute, SecretsRead } from './contract.ts';
import type { Descriptions } from './descriptions.ts';
import { afterRun, cancelled, type Ending, withoutRun } from './ending.ts';
import { resultOfAnswer, resultWithoutAsking } from './fence-device.ts';
import { leavesTrace, secretsIn, timeoutOf } from './request.ts';
import type { Current, ResourceState } from './resource.ts';

/** Between SIGTERM and SIGKILL at a timeout: enough to write a line to a log; a failed stop leads to fencing at once. */
export const killAfterMs = 1000;

/** What is kept of each stream of an agent, at its beginning and at its end. */
export const outputLimitBytes = 16 * 1024;

export class Runner {
  readonly #board: Board;
  readonly #descriptions: Descriptions;
  readonly #ended: (state: ResourceState, current: Current, ending: Ending) => void;
  #processes = 0;

  constructor(
    board: Board,
    descriptions: Descriptions,
    ended: (state: ResourceState, current: Current, ending: Ending) => void,
  ) {
    this.#board = board;
    this.#descriptions = descriptions;
    this.#ended = ended;
  }

  /** Its turn has come: secrets are read, then the agent runs. */
  begin(state: ResourceState, current: Current): void {
    const { request } = current;
    const names = secretsIn(request);
    if (names.length === 0) {
      this.#run(state, current, request.parameters);
      return;
    }
    const id = `lrm/secrets/${current.callId}`;
    state.current = { ...current, phase: { type: 'readingSecrets', id } };
    this.#board.emit({ type: 'readSecrets', id, resource: request.resource, names });
  }

  secretsRead({ id, outcome }: SecretsRead): void {
    const state = this.#board.where(({ phase }) => phase.type === 'readingSecrets' && phase.id === id);
    if (state?.current === undefined) return;
    const { current } = state;
    if (current.isCancelled) {
      this.#ended(state, current, withoutRun(cancelled));
      return;
    }
    // A stop goes on without them: it is better tried than not.
    if (outcome.type === 'failed' && current.request.operation !== 'stop') {
      const exitReason = `Unable to load CIB secrets: ${outcome.message}`;
      const { noSecrets } = executionStatus;
      this.#ended(state, current, withoutRun({ status: noSecrets, exitCode: exitCode.arguments, exitReason }));
      return;
    }
    const values = outcome.type === 'read' ? outcome.values : {};
    this.#run(state, current, { ...current.request.parameters, ...values });
  }

  #run(state: ResourceState, current: Current, parameters: Readonly<Record<string, string>>): void {
    const { request } = current;
    const { places, firstExisting, node } = this.#board.options;
    if (request.agent.class === 'stonith') {
      this.#runDevice(state, current);
      return;
    }
    const located = locateAgent(request.agent, places, firstExisting);
    if (located === undefined) {
      const exitReason = `${formatAgentName(request.agent)} is not installed on ${node}`;
      const { notInstalled } = executionStatus;
      this.#ended(state, current, withoutRun({ status: notInstalled, exitCode: exitCode.installed, exitReason }));
      return;
    }
    this.#startProcess(state, current, { located, parameters, shell: [] });
  }

  #startProcess(
    state: ResourceState,
    current: Current,
    how: {
      readonly located: LocatedAgent;
      readonly parameters: Readonly<Record<string, string>>;
      /** Put before the command. */
      readonly shell: readonly string[];
    },
  ): void {
    const { request } = current;
    const { located, parameters, shell } = how;
    const { node, nodeId, places, wallClock } = this.#board.options;
    const timeoutMs = timeoutOf(request);
    const { agent, resource, operation, intervalMs, meta, featureSet } = request;
    const context = { agent, resource, operation, intervalMs, timeoutMs, parameters, meta, node, nodeId };
    const command = agentCommand({ ...context, ...(featureSet === undefined ? {} : { featureSet }) }, located, places);
    this.#processes += 1;
    const processId = `lrm/${current.callId}.${this.#processes}/${resource}/${operation}`;
    state.current = {
      ...current,
      begunAt: current.begunAt ?? this.#board.now,
      startedAt: current.startedAt ?? wallClock(),
      phase: { type: 'running', located, processId, parameters },
    };
    if (leavesTrace(request)) this.#board.save(state);
    const argv = [...shell, ...command.argv];
    this.#board.emit({
      type: 'startProcess',
      id: processId,
      ...command,
      argv,
      timeoutMs,
      killAfterMs,
      outputLimitBytes,
    });
  }

  #runDevice(state: ResourceState, current: Current): void {
    const { request } = current;
    const known = resultWithoutAsking(request, state.isDeviceStarted);
    if (known !== undefined) {
      if (request.operation === 'stop') state.isDeviceStarted = false;
      this.#ended(state, current, { ...withoutRun(known), execMs: 0 });
      return;
    }
    const { now, options } = this.#board;
    const requestId = `lrm/device/${current.callId}`;
    state.current = {
      ...current,
      begunAt: now,
      startedAt: options.wallClock(),
      phase: { type: 'askingDevice', requestId },
    };
    const timeoutMs = timeoutOf(request);
    this.#board.emit({ type: 'askDevice', requestId, device: request.resource, action: 'monitor', timeoutMs });
  }

  /** An agent has exited. */
  processEnded(ended: ProcessEnded): void {
    const described = this.#descriptions.ended(ended);
    if (described !== undefined) {
      this.#descriptionRead(described);
      return;
    }
    const state = this.#board.where(({ phase }) => phase.type === 'running' && phase.processId === ended.id);
    if (state?.current?.phase.type !== 'running') {
      this.#board.reject(`process ${ended.id} is not one of ours`);
      return;
    }
    const { current } = state;
    const { located, parameters } = state.current.phase;
    if (current.isCancelled) {
      this.#ended(state, current, afterRun(cancelled, ended));
      return;
    }
    if (ended.outcome.type === 'notStarted' && ended.outcome.code === 'ENOEXEC') {
      // A script without an interpreter line: what exec refuses, a shell runs, as agents expect.
      this.#startProcess(state, current, { located, parameters, shell: ['/bin/sh'] });
      return;
    }
    const { request } = current;
    const result = operationResult(located.kind, request.operation, ended, timeoutOf(request));
    if (this.#mustAwaitDescription(request, result)) {
      state.current = { ...current, phase: { type: 'awaitingDescription', result, ended } };
      return;
    }
    this.#ended(state, current, afterRun(result, ended));
  }

  /** The digests of a resource that has come to run need its agent's description, which is usually known by then. */
  #mustAwaitDescription(request: Execute, result: OperationResult): boolean {
    const isActive = result.exitCode === exitCode.ok || result.exitCode === exitCode.promoted;
    const hasDigests = request.intervalMs === 0 && request.operation !== 'stop';
    return isActive && hasDigests && this.#descriptions.isBeingRead(request.agent);
  }

  #descriptionRead(agent: string): void {
    const problem = this.#descriptions.problem(agent);
    if (problem !== undefined) this.#board.reject(`${agent} does not describe itself: ${problem}`);
    for (const state of this.#board.resources.values()) {
      const { current } = state;
      if (current?.phase.type !== 'awaitingDescription' || formatAgentName(current.request.agent) !== agent) continue;
      this.#ended(state, current, afterRun(current.phase.result, current.phase.ended));
    }
  }

  deviceAnswered(requestId: string, isOk: boolean, reason: string): void {
    const state = this.#board.where(({ phase }) => phase.type === 'askingDevice' && phase.requestId === requestId);
    if (state?.current === undefined) return;
    const { current } = state;
    if (current.request.operation === 'start') state.isDeviceStarted = isOk;
    const { startedAt, begunAt = this.#board.now } = current;
    this.#ended(state, current, {
      ...withoutRun(current.isCancelled ? cancelled : resultOfAnswer(isOk, reason)),
      ...(startedAt === undefined ? {} : { startedAt }),
      execMs: this.#board.now - begunAt,
    });
  }
}

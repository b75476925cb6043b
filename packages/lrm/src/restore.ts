/**
 * A daemon that was killed leaves services running and perhaps an agent at work. Its next life must neither start
 * them a second time nor believe blindly in what its disk says.
 *
 * So: first every process of the former life is killed and awaited (half a start is no start, and an agent that goes
 * on unseen could start a service after we have looked). Then each resource that may be active is probed with the
 * parameters it ran with. Where the probe agrees with the history, the history stands and monitors go on; where it does
 * not, or an operation had been in flight, the history becomes what the probe saw and the policy engine decides. A node
 * that has booted since has nothing running and forgets everything.
 *
 * Left aside: waiting for the former life's agent to finish. Its end could not be told from a crash of its own, and a
 * start that hangs would hold the node out of the cluster for as long as its timeout.
 */
import { executionStatus, exitCode, type OperationResult } from '@systole/ra';
import type { Execute, Restore, SavedResource } from './contract.ts';
import { readsDescription } from './descriptions.ts';
import { newResource, recurringKey, type ResourceState } from './resource.ts';

/** What the history says of a resource. `unknown`: an operation was in flight, or nothing is known. */
export type Belief = 'started' | 'promoted' | 'stopped' | 'unknown';

/** The belief after the newest results; failures count as unknown. */
export function believes(saved: SavedResource): Belief {
  if (saved.inFlight !== undefined) return 'unknown';
  const results = saved.records
    .filter(({ status, callId }) => status === executionStatus.done && callId > 0)
    .toSorted((a, b) => b.callId - a.callId);
  const newest = results[0];
  if (newest === undefined) return 'unknown';
  switch (newest.operation) {
    case 'monitor':
      return newest.exitCode === exitCode.ok
        ? 'started'
        : newest.exitCode === exitCode.promoted
          ? 'promoted'
          : newest.exitCode === exitCode.notRunning
            ? 'stopped'
            : 'unknown';
    case 'promote':
      return newest.exitCode === exitCode.ok ? 'promoted' : 'unknown';
    case 'stop':
    case 'migrate_to':
      return newest.exitCode === exitCode.ok ? 'stopped' : 'unknown';
    default:
      return newest.exitCode === exitCode.ok ? 'started' : 'unknown';
  }
}

/** Whether a probe confirms a belief. A degraded service is as good as a sound one. */
export function isAsBelieved(belief: Belief, seen: OperationResult): boolean {
  if (seen.status !== executionStatus.done) return false;
  switch (belief) {
    case 'started':
      return seen.exitCode === exitCode.ok || seen.exitCode === exitCode.degraded;
    case 'promoted':
      return seen.exitCode === exitCode.promoted || seen.exitCode === exitCode.degradedPromoted;
    case 'stopped':
      return seen.exitCode === exitCode.notRunning;
    case 'unknown':
      return false;
  }
}

/** The look at what a former life left; `undefined` where nothing can be active. */
export function adoptionProbe(saved: SavedResource): Execute | undefined {
  const origin = saved.inFlight?.request ?? saved.lastActive;
  if (origin === undefined) return undefined;
  const { startDelayMs: _none, ...request } = origin;
  return {
    ...request,
    operationId: `adopt/${saved.resource}`,
    operation: 'monitor',
    intervalMs: 0,
    transitionKey: `-1:-1:${exitCode.notRunning}:adopted`,
    expectedExitCode: exitCode.notRunning,
  };
}

/** A resource as its former life left it. */
export function revived(saved: SavedResource): ResourceState {
  const state = newResource(saved.resource, saved.agent);
  for (const record of saved.records) state.records.set(record.id, record);
  for (const request of saved.recurring) {
    state.recurring.set(recurringKey(request.operation, request.intervalMs), { request, mustReport: true });
  }
  state.lastActive = saved.lastActive;
  state.isDeviceStarted = saved.agent.class === 'stonith' && believes(saved) === 'started';
  return state;
}

/** How far a restored daemon has come with looking around. */
export class Restoration {
  readonly #survivors: Set<string>;
  readonly #unprobed: Map<string, SavedResource>;
  readonly #probing = new Map<string, SavedResource>();

  constructor(input: Restore) {
    this.#survivors = new Set(input.survivors.filter((id) => !readsDescription(id)));
    this.#unprobed = new Map(input.hasRebooted ? [] : input.saved.map((saved) => [saved.resource, saved]));
  }

  /** False if the process was not one of the former life's. */
  survivorEnded(id: string): boolean {
    return this.#survivors.delete(id);
  }

  hasSurvivors(): boolean {
    return this.#survivors.size > 0;
  }

  /** Those that are still to be probed, once; from now on they are being probed. */
  takeUnprobed(): readonly SavedResource[] {
    const taken = [...this.#unprobed.values()];
    for (const saved of taken) this.#probing.set(saved.resource, saved);
    this.#unprobed.clear();
    return taken;
  }

  /** What had been saved of a resource whose probe has ended. */
  probed(resource: string): SavedResource | undefined {
    const saved = this.#probing.get(resource);
    this.#probing.delete(resource);
    return saved;
  }

  isComplete(): boolean {
    return this.#survivors.size === 0 && this.#unprobed.size === 0 && this.#probing.size === 0;
  }
}

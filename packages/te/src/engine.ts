/**
 * Carries one transition out at a time. An action begins when all that it waits for is done; pseudo-actions are done as
 * soon as they begin. The first failure, and any news that the transition did not foresee, ends it: what is under way
 * is waited for, and then the policy engine looks at the status anew. A transition never repairs itself.
 */
import { type Instant, invariant, type Subsystem, unreachable } from '@systole/kernel';
import type { TransitionAction } from '@systole/pe';
import type { AfterAbort, TransitionEffect, TransitionEnded, TransitionInput } from './messages.ts';
import { Progress } from './progress.ts';

/**
 * The highest priority that an action can have. Only what tells of deeds that were done has it: an agent that was promoted and
 * writes that into the configuration aborts the transition, and the others must hear of the promotion all the same.
 */
export const abortAll = 1_000_000;

/** Actions that set no timeout of their own get this long. The executor's own default is shorter, so it answers first. */
const timeoutDefaultMs = 60_000;

const strength: Readonly<Record<AfterAbort, number>> = { restart: 0, stop: 1, shutdown: 2 };

interface Abort {
  readonly reason: string;
  readonly priority: number;
  readonly then: AfterAbort;
}

interface Current {
  readonly id: string;
  readonly progress: Progress;
  abort?: Abort;
}

export class TransitionEngine implements Subsystem<TransitionInput, TransitionEffect> {
  #current: Current | undefined;

  /** The transition under way, for status. */
  get current():
    | { readonly id: string; readonly counts: Progress['counts']; readonly isAborting: boolean }
    | undefined {
    if (this.#current === undefined) return undefined;
    const { id, progress, abort } = this.#current;
    return { id, counts: progress.counts, isAborting: abort !== undefined };
  }

  step(input: TransitionInput, _now: Instant): readonly TransitionEffect[] {
    const effects: TransitionEffect[] = [];
    switch (input.type) {
      case 'start':
        invariant(this.#current === undefined, 'one transition at a time');
        this.#current = { id: input.transitionId, progress: new Progress(input.transition) };
        break;
      case 'actionEnded':
        if (this.#current?.id === input.transitionId) this.#actionEnded(this.#current, input, effects);
        break;
      case 'abort':
        if (this.#current !== undefined) this.#abort(this.#current, input);
        break;
      case 'timerExpired':
        this.#timerExpired(input.id);
        break;
      default:
        return unreachable(input);
    }
    if (this.#current !== undefined) this.#goOn(this.#current, effects);
    return effects;
  }

  #actionEnded(
    current: Current,
    input: Extract<TransitionInput, { type: 'actionEnded' }>,
    effects: TransitionEffect[],
  ): void {
    const { progress } = current;
    if (!progress.isRunning(input.action)) return; // it was given up before, or answered twice
    const action = progress.transition.actions[input.action];
    invariant(action !== undefined, 'an action under way is one of the transition');
    effects.push({ type: 'stopTimer', id: timerOf(current, input.action) });
    if (input.outcome === 'done' || action.canFail === true) {
      progress.done(input.action);
      return;
    }
    progress.failed(input.action);
    const what =
      input.outcome === 'timedOut'
        ? 'timed out'
        : `failed${input.exitCode === undefined ? '' : ` with ${input.exitCode}`}`;
    this.#abort(current, { reason: `${describe(action)} ${what}`, priority: abortAll, then: 'restart' });
  }

  #timerExpired(id: string): void {
    const current = this.#current;
    const index = current?.progress.running().find((candidate) => timerOf(current, candidate) === id);
    if (current === undefined || index === undefined) return;
    const action = current.progress.transition.actions[index];
    current.progress.failed(index);
    const name = action === undefined ? id : describe(action);
    this.#abort(current, { reason: `no answer to ${name} in time`, priority: abortAll, then: 'restart' });
  }

  #abort(current: Current, wish: Abort): void {
    const before = current.abort;
    current.abort =
      before === undefined
        ? { reason: wish.reason, priority: wish.priority, then: wish.then }
        : {
            reason: before.reason,
            priority: Math.max(before.priority, wish.priority),
            then: strength[wish.then] > strength[before.then] ? wish.then : before.then,
          };
  }

  /** Begins all that may begin, and ends the transition when nothing is under way and nothing more may begin. */
  #goOn(current: Current, effects: TransitionEffect[]): void {
    const { progress } = current;
    const floor = current.abort?.priority ?? Number.NEGATIVE_INFINITY;
    for (let index = progress.begin(floor); index !== undefined; index = progress.begin(floor)) {
      const action = progress.transition.actions[index];
      invariant(action !== undefined, 'an action that begins is one of the transition');
      if (action.kind === 'pseudo') {
        progress.done(index);
      } else {
        effects.push({ type: 'startTimer', id: timerOf(current, index), delayMs: patience(current, action) });
        effects.push({ type: 'runAction', transitionId: current.id, index, action });
      }
    }
    if (progress.counts.running > 0) return;
    this.#current = undefined;
    effects.push(ended(current));
  }
}

function ended({ id, progress, abort }: Current): TransitionEnded {
  const { done, failed, waiting } = progress.counts;
  const base = { type: 'transitionEnded', transitionId: id, done, failed, skipped: waiting } as const;
  if (abort !== undefined) {
    const outcome = abort.then === 'stop' ? 'stopped' : waiting === 0 && failed === 0 ? 'complete' : 'aborted';
    return { ...base, outcome, then: abort.then, reason: abort.reason };
  }
  if (waiting === 0) return { ...base, outcome: 'complete', then: 'restart' };
  return { ...base, outcome: 'failed', then: 'restart', reason: `${waiting} actions wait for each other in a loop` };
}

const timerOf = (current: Current, index: number): string => `te.${current.id}.${index}`;

/** How long to wait for an answer: what the action may take, and the time messages may take both ways. */
function patience(current: Current, action: TransitionAction): number {
  const { clusterDelayMs, fencingTimeoutMs } = current.progress.transition.settings;
  const own = action.timeoutMs ?? timeoutDefaultMs;
  const startDelay = Number(action.meta['start_delay'] ?? 0);
  return (
    clusterDelayMs +
    (action.kind === 'fence' ? Math.max(own, fencingTimeoutMs) : own + (Number.isFinite(startDelay) ? startDelay : 0))
  );
}

const describe = (action: TransitionAction): string =>
  action.kind === 'fence'
    ? `fencing of ${action.node ?? '?'} (${action.operation})`
    : `${action.operation} of ${action.instance ?? action.resource ?? action.key} on ${action.node ?? '?'}`;

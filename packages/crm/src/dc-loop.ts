/**
 * Drives the machine of `controller.machine.ts`: what has happened goes in, and what it wants done is done here, by the
 * duties of the DC (`dc.ts`), by asking what speaks against planning (`fitness.ts`), or by the agreement on a CIB.
 */
import { type Instant, start, stateName, step, unreachable } from '@systole/kernel';
import type { CrmInput, CrmOptions, Position } from './contract.ts';
import { type ControllerEvent, controllerMachine } from './controller.machine.ts';
import type { DcDuties, Office } from './dc.ts';
import type { Fitness } from './fitness.ts';
import { report } from './narration.ts';
import type { OwnQuorum } from './own-quorum.ts';
import type { View } from './view.ts';

/** How long after the policy engine could not plan it is asked again where no news comes: its thread may be up again by then. */
const planRetryMs = 10_000;
const timerMaxMs = 2 ** 31 - 1;
const fitnessTimer = 'crm.fitness';
const recheckTimer = 'crm.recheck';

export interface DcLoopParts {
  readonly options: CrmOptions;
  readonly dc: DcDuties;
  readonly fitness: Fitness;
  readonly quorum: OwnQuorum;
  readonly view: () => View | undefined;
  readonly office: () => Office;
  readonly now: () => Instant;
  /** Up to where the order has been taken. */
  readonly position: () => Position;
  readonly compareCibs: () => void;
}

export class DcLoop {
  readonly #parts: DcLoopParts;
  #machine: ReturnType<typeof start<typeof controllerMachine>>['snapshot'];

  constructor(parts: DcLoopParts) {
    this.#parts = parts;
    this.#machine = start(controllerMachine, { self: parts.options.self }).snapshot;
  }

  get state(): string {
    return stateName(this.#machine);
  }

  get dcName(): string | undefined {
    return this.#machine.context.dc;
  }

  /** The status or configuration is another now: what was planned may not be right any more. */
  news(reason: string): void {
    this.#parts.dc.noteCause(reason);
    this.take({ type: 'news', reason });
  }

  take(event: ControllerEvent): void {
    const { dc, office, now, compareCibs } = this.#parts;
    const { snapshot, effects } = step(controllerMachine, this.#machine, event);
    const before = stateName(this.#machine);
    this.#machine = snapshot;
    const after = stateName(snapshot);
    if (before !== after) {
      const text = `${before} → ${after} on ${event.type}`;
      office().effects.push(report('debug', 'controller.state', text, { from: before, to: after }));
    }
    for (const { type, params } of effects) {
      switch (type) {
        case 'compareCibs':
          compareCibs();
          break;
        case 'lead':
          dc.lead();
          break;
        case 'stepDown':
          dc.abort('the view ended', now(), office());
          break;
        case 'checkFitness':
          this.checkFitness();
          break;
        case 'schedule':
          dc.schedule(office());
          break;
        case 'discardSchedule':
          dc.discardSchedule();
          break;
        case 'carryOut':
          dc.carryOut(now(), office());
          break;
        case 'abortTransition':
          dc.abort(String(params['reason']), now(), office());
          break;
        case 'settle':
          this.#settle();
          break;
        case 'lookAgain':
          office().effects.push({ type: 'startTimer', id: recheckTimer, delayMs: planRetryMs });
          break;
      }
    }
  }

  /** Says `fit` if nothing speaks against planning now; else sees to it that the obstacle goes or is looked at again. */
  checkFitness(): void {
    if (this.state !== 'dc.integrating') return;
    const { dc, fitness, quorum, view, office, now } = this.#parts;
    const { cib, effects, post } = office();
    const obstacle = fitness.obstacle({
      cib: cib(),
      view: view(),
      quorum: quorum.state,
      firstQuorateAt: quorum.firstHeldAt,
      exclusiveAt: quorum.exclusiveAt,
      isFinishing: dc.progress !== undefined,
      breathLeftMs: dc.breathLeftMs(now()),
      now: now(),
    });
    switch (obstacle.type) {
      case 'clear':
        effects.push({ type: 'stopTimer', id: fitnessTimer });
        this.take({ type: 'fit' });
        break;
      case 'wait':
        effects.push({ type: 'startTimer', id: fitnessTimer, delayMs: obstacle.delayMs });
        break;
      case 'announced':
        if (obstacle.ask !== undefined) post(obstacle.ask);
        break;
      default:
        unreachable(obstacle);
    }
  }

  scheduled({ scheduleId, outcome }: Extract<CrmInput, { type: 'scheduled' }>): void {
    const { dc, office } = this.#parts;
    if (outcome.type === 'failed') {
      const text = `nothing is planned: the policy engine failed: ${outcome.message}`;
      const isAwaited = dc.takePlan(scheduleId, emptyTransition) !== 'stale';
      const kept = isAwaited ? dc.keepFailure(office()) : undefined;
      office().effects.push(report('error', 'schedule.failed', text, kept === undefined ? {} : { transition: kept }));
      if (isAwaited) this.take({ type: 'planFailed' });
      return;
    }
    const plan = dc.takePlan(scheduleId, outcome.transition);
    if (plan === 'stale') return;
    dc.hasPlanned();
    this.take({ type: 'scheduled', isEmpty: plan === 'empty' });
  }

  takeTransitionEnd(): void {
    const { dc } = this.#parts;
    for (let end = dc.takeEnd(); end !== undefined; end = dc.takeEnd()) {
      this.take({ type: 'transitionEnded', isDone: end.isDone });
      this.checkFitness();
    }
  }

  /** True if the timer was ours. */
  timerExpired(id: string): boolean {
    if (id === fitnessTimer) this.checkFitness();
    else if (id === recheckTimer) {
      this.#parts.dc.noteCause('time to look again');
      this.take({ type: 'recheck' });
    } else return false;
    return true;
  }

  #settle(): void {
    const { dc, office, position } = this.#parts;
    const delayMs = Math.min(dc.rest(office()), timerMaxMs);
    const { effects, post } = office();
    effects.push({ type: 'startTimer', id: recheckTimer, delayMs });
    const last = dc.records.at(-1)?.id;
    post({ type: 'settled', asOf: position(), ...(last === undefined ? {} : { transitionId: last }) });
  }
}

const emptyTransition = {
  settings: {
    clusterDelayMs: 60_000,
    fencingTimeoutMs: 60_000,
    batchLimit: 0,
    migrationLimit: -1,
    failedStopOffset: 0,
    failedStartOffset: 0,
  },
  actions: [],
  orderings: [],
} as const;

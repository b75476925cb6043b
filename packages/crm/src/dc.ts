/**
 * What a controller does while it is the DC: hands the CIB to the policy engine, gives the transition to the transition
 * engine, turns its actions into orders for members and requests to the fencer, and tells it what became of them.
 *
 * The machine says when (`controller.machine.ts`); this says how. Everything here dies with the office: a node that is
 * DC no more forgets its transition, and what members are still doing is in the status as pending.
 */
import { type Cib, withFact } from '@systole/cib';
import { elapsed, idMaker, type Instant, later, unreachable } from '@systole/kernel';
import type { Transition, TransitionAction } from '@systole/pe';
import { type TransitionEffect, TransitionEngine } from '@systole/te';
import { abortAll } from '@systole/te';
import { historyName } from './action.ts';
import type { CrmEffect, CrmOptions } from './contract.ts';
import { clusterOption, durationOption, numberOption } from './options.ts';
import type { ControllerMessage } from './messages.ts';
import { report } from './narration.ts';
import type { QuorumState } from './own-quorum.ts';
import { failureAttributes } from './status/operations.ts';

/** What the office needs from the controller around it. */
export interface Office {
  readonly cib: () => Cib;
  readonly quorum: () => QuorumState;
  /** At this very moment, not as of the last news. */
  readonly isQuorumHeldNow: () => boolean;
  /** In the agreed order; returns the message's id. */
  readonly post: (message: ControllerMessage) => number;
  readonly effects: CrmEffect[];
}

interface Running {
  readonly transitionId: string;
  readonly index: number;
  readonly action: TransitionAction;
  /** Set while its order may still be rejected. */
  readonly messageId?: number;
}

/** One transition, as `systole history` shows it. Times are seconds since 1970. */
export interface TransitionRecord {
  readonly id: string;
  readonly number: number;
  readonly startedAt: number;
  readonly endedAt?: number;
  /** The news that made it necessary. */
  readonly cause: string;
  readonly actions: number;
  readonly outcome?: string;
  readonly reason?: string;
  readonly done?: number;
  readonly failed?: number;
  readonly skipped?: number;
}

/** So many transitions are kept for the history. */
export const transitionsMax = 100;

/** After so many transitions in a row without rest the DC takes a breath: something fails as fast as it is repaired. */
const restlessMax = 30;
/**
 * From so many transitions without rest on in which an action failed it takes one after each that does: what is refused
 * or fails at once (a fence device's monitor on a node alone, every 50 ms) would be tried as fast as messages go round.
 */
const failingMax = 3;
const breathMs = 1000;

/** Say nothing that an operator would want to know, if there is anything better. */
const weakCauses: ReadonlySet<string> = new Set([
  '',
  'start',
  'a new DC',
  'a new view',
  'the view ended',
  'quorum held',
]);

const recheckDefaultMs = 15 * 60_000; // cluster-recheck-interval
const attemptsDefault = 10; // stonith-max-attempts
const retryMs = 60_000; // a fence device that was given up is tried again after so long

export class DcDuties {
  readonly #options: CrmOptions;
  readonly #makeId: (prefix: string) => string;
  #engine = new TransitionEngine();
  #planned: Transition | undefined;
  /** Which question the plan is the answer to. */
  #plannedBy = 0;
  /** The policy engine could not plan when it was last asked. */
  #isFailing = false;
  #number = 0;
  #scheduleId = 0;
  #cause = 'start';
  readonly #running = new Map<string, Running>();
  readonly #fenceFailures = new Map<string, number>();
  #hasGivenUp = false;
  #records: readonly TransitionRecord[] = [];
  #restless = 0;
  #failing = 0;
  #breathUntil: Instant | undefined;

  constructor(options: CrmOptions) {
    this.#options = options;
    this.#makeId = idMaker(options.random);
  }

  get records(): readonly TransitionRecord[] {
    return this.#records;
  }

  /** The transition under way, if one is. */
  get current(): TransitionRecord | undefined {
    return this.#engine.current === undefined ? undefined : this.#records.at(-1);
  }

  get progress(): TransitionEngine['current'] {
    return this.#engine.current;
  }

  isAwaited(operationId: string): boolean {
    return this.#running.has(operationId);
  }

  /** Why the next transition will be needed, for the history. The first cause since the last transition counts. */
  noteCause(reason: string): void {
    if (weakCauses.has(this.#cause)) this.#cause = reason;
  }

  schedule({ cib, effects, quorum }: Office): void {
    this.#scheduleId += 1;
    const { self, wallClock } = this.#options;
    const header = { ...cib().header, hasQuorum: quorum() === 'held', dcId: idOf(cib(), self) };
    const configuration = withWatchdog(cib());
    const asked = { ...cib(), header, configuration };
    effects.push({ type: 'schedule', scheduleId: this.#scheduleId, cib: asked, at: wallClock() });
  }

  /** The answer of the policy engine, if it is the one that is waited for. */
  takePlan(scheduleId: number, transition: Transition): 'stale' | 'empty' | 'planned' {
    if (scheduleId !== this.#scheduleId) return 'stale';
    this.#planned = transition;
    this.#plannedBy = scheduleId;
    return transition.actions.length === 0 ? 'empty' : 'planned';
  }

  /** The first failure in a row is worth an input; those that follow come every ten seconds, and would push all others out. */
  keepFailure({ effects }: Office): string | undefined {
    if (this.#isFailing) return undefined;
    this.#isFailing = true;
    const id = this.#makeId('tr');
    const cause = this.#cause;
    effects.push({ type: 'keepInput', scheduleId: this.#plannedBy, transitionId: id, number: 0, cause });
    return id;
  }

  hasPlanned(): void {
    this.#isFailing = false;
  }

  discardSchedule(): void {
    this.#scheduleId += 1;
  }

  /** Begins the planned transition. True if it is over already. */
  carryOut(now: Instant, office: Office): void {
    const transition = this.#planned;
    if (transition === undefined) return;
    this.#hasGivenUp = false;
    this.#number += 1;
    this.#restless += 1;
    const id = this.#makeId('tr');
    const record: TransitionRecord = {
      id,
      number: this.#number,
      startedAt: Math.floor(this.#options.wallClock() / 1000),
      cause: this.#cause,
      actions: transition.actions.length,
    };
    this.#cause = '';
    this.#records = [...this.#records.slice(1 - transitionsMax), record];
    const real = transition.actions.filter(({ kind }) => kind !== 'pseudo').length;
    const { number, cause } = record;
    office.effects.push(
      { type: 'keepInput', scheduleId: this.#plannedBy, transitionId: id, number, cause },
      report('info', 'transition.started', `transition ${record.number}: ${real} actions, because of ${record.cause}`, {
        transition: id,
        actions: real,
        cause: record.cause,
      }),
    );
    this.#feed(this.#engine.step({ type: 'start', transitionId: id, transition }, now), now, office);
  }

  abort(reason: string, now: Instant, office: Office): void {
    this.noteCause(reason);
    this.#feed(this.#engine.step({ type: 'abort', reason, priority: abortAll, then: 'restart' }, now), now, office);
  }

  timerExpired(id: string, now: Instant, office: Office): void {
    this.#feed(this.#engine.step({ type: 'timerExpired', id }, now), now, office);
  }

  /** True if the operation was this transition's and the result is what it foresaw. */
  actionEnded(
    operationId: string,
    isDone: boolean,
    exitCode: number | undefined,
    now: Instant,
    office: Office,
  ): boolean {
    const running = this.#running.get(operationId);
    if (running === undefined) return false;
    this.#running.delete(operationId);
    const input = {
      type: 'actionEnded',
      transitionId: running.transitionId,
      action: running.index,
      outcome: isDone ? 'done' : 'failed',
      ...(exitCode === undefined ? {} : { exitCode }),
    } as const;
    this.#feed(this.#engine.step(input, now), now, office);
    return isDone;
  }

  /** An order never reached anyone. */
  orderRejected(messageId: number, now: Instant, office: Office): void {
    const lost = [...this.#running].find(([, running]) => running.messageId === messageId);
    if (lost !== undefined) this.actionEnded(lost[0], false, undefined, now, office);
  }

  /** What a node was doing when it went will never be answered. */
  nodeGone(node: string, now: Instant, office: Office): void {
    // What begins meanwhile comes into the map, and under this loop, too.
    for (const [operationId, { action }] of this.#running) {
      if (action.kind !== 'fence' && action.node === node) this.actionEnded(operationId, false, undefined, now, office);
    }
  }

  fencingEnded(target: string, outcome: string, office: Office): void {
    if (outcome === 'ok') {
      this.#fenceFailures.delete(target);
      return;
    }
    const attempts = (this.#fenceFailures.get(target) ?? 0) + 1;
    this.#fenceFailures.set(target, attempts);
    const max = numberOption(office.cib(), attemptsDefault, 'fencing-max-attempts', 'stonith-max-attempts');
    if (outcome === 'noDevice' || attempts >= max) this.#hasGivenUp = true;
  }

  /** Something has changed that may make a device work again. */
  resetAttempts(): void {
    this.#fenceFailures.clear();
  }

  /** How long to wait before the next transition; 0 nearly always. */
  breathLeftMs(now: Instant): number {
    return this.#breathUntil === undefined ? 0 : Math.max(0, elapsed(now, this.#breathUntil));
  }

  /** A new view is news enough to plan at once. */
  lead(): void {
    this.noteCause('a new view');
    this.#failing = 0;
    this.#breathUntil = undefined;
  }

  /** A transition without rest before it has ended: whether the next one waits. */
  #noteEnd(failed: number, now: Instant): void {
    if (failed > 0) this.#failing += 1;
    const isBreathless = this.#restless % restlessMax === 0 || (failed > 0 && this.#failing >= failingMax);
    this.#breathUntil = isBreathless ? later(now, breathMs) : undefined;
  }

  /** Nothing is left to do: when to look again all the same. */
  rest(office: Office): number {
    this.#restless = 0;
    this.#failing = 0;
    this.#breathUntil = undefined;
    this.#cause = '';
    const { wallClock } = this.#options;
    const own = durationOption(office.cib(), recheckDefaultMs, 'cluster-recheck-interval');
    const by = this.#planned?.settings.recheckBy;
    const planned = by === undefined ? own : Math.max(1000, by * 1000 - wallClock() + 1);
    return Math.min(own > 0 ? own : planned, planned, this.#hasGivenUp ? retryMs : Number.POSITIVE_INFINITY);
  }

  /** Forgets everything: this node is DC no more. */
  stepDown(office: Office): void {
    for (const [operationId, { transitionId, index }] of this.#running) {
      office.effects.push({ type: 'stopTimer', id: `te.${transitionId}.${index}` });
      this.#running.delete(operationId);
    }
    this.#engine = new TransitionEngine();
    this.#planned = undefined;
    this.#scheduleId += 1;
    this.#fenceFailures.clear();
    this.#cause = 'a new DC';
  }

  /** Set when the transition engine has reported the end of a transition; the controller takes it. */
  #ended: { readonly isDone: boolean } | undefined;

  takeEnd(): { readonly isDone: boolean } | undefined {
    const ended = this.#ended;
    this.#ended = undefined;
    return ended;
  }

  #feed(effects: readonly TransitionEffect[], now: Instant, office: Office): void {
    for (const effect of effects) {
      switch (effect.type) {
        case 'startTimer':
        case 'stopTimer':
          office.effects.push(effect);
          break;
        case 'runAction':
          this.#run(effect, now, office);
          break;
        case 'transitionEnded': {
          const { outcome, reason, done, failed, skipped } = effect;
          const last = this.#records.at(-1);
          if (last !== undefined) {
            const endedAt = Math.floor(this.#options.wallClock() / 1000);
            const ended = {
              ...last,
              endedAt,
              outcome,
              done,
              failed,
              skipped,
              ...(reason === undefined ? {} : { reason }),
            };
            this.#records = [...this.#records.slice(0, -1), ended];
          }
          const text = `transition ${last?.number ?? '?'} ${outcome}${reason === undefined ? '' : `: ${reason}`}`;
          const level = outcome === 'failed' ? 'error' : 'info';
          const fields = { transition: effect.transitionId, outcome, done, failed, skipped };
          office.effects.push(report(level, 'transition.ended', text, fields));
          if (reason !== undefined) this.noteCause(reason);
          this.#running.clear();
          this.#noteEnd(failed, now);
          // A loop in the graph would come again at once, and a device that was given up will not work at once.
          this.#ended = { isDone: outcome === 'complete' || outcome === 'failed' || this.#hasGivenUp };
          break;
        }
        default:
          return unreachable(effect);
      }
    }
  }

  #run(
    { transitionId, index, action }: Extract<TransitionEffect, { type: 'runAction' }>,
    now: Instant,
    office: Office,
  ): void {
    const operationId = `${transitionId}.${index}`;
    const running = { transitionId, index, action };
    this.#running.set(operationId, running);
    if (action.kind === 'fence') {
      this.#fence(operationId, action, now, office);
      return;
    }
    if (action.kind === 'cluster' && action.operation === 'clear_failcount') {
      const node = action.node ?? '';
      const failuresOf = historyName(action);
      const attributes = failureAttributes(office.cib(), node, { resource: failuresOf });
      const values = Object.fromEntries(attributes.map((name) => [name, null]));
      office.post({ type: 'attributes', node, values, operationId, failuresOf });
      return;
    }
    if (action.kind === 'cluster' && action.operation !== 'do_shutdown' && action.operation !== 'lrm_delete') {
      // `maintenance_nodes` and the like speak to remote nodes, which hear of it with their next operation.
      this.actionEnded(operationId, true, undefined, now, office);
      return;
    }
    const { expectedExitCode = 0 } = action;
    const transitionKey = `${index}:${this.#number}:${expectedExitCode}:${transitionId}`;
    const to = action.via ?? action.node ?? '';
    const messageId = office.post({ type: 'perform', to, operationId, transitionKey, action });
    this.#running.set(operationId, { ...running, messageId });
    if (action.meta['op_no_wait'] === 'true') this.actionEnded(operationId, true, undefined, now, office);
  }

  #fence(operationId: string, action: TransitionAction, now: Instant, office: Office): void {
    const { node = '', operation, timeoutMs, meta } = action;
    if (action.isImplied === true) {
      this.actionEnded(operationId, true, undefined, now, office);
      return;
    }
    // A partition that may not act must not shoot, whatever its plan says.
    const mayFence = office.isQuorumHeldNow() || clusterOption(office.cib(), 'no-quorum-policy') === 'ignore';
    if (!mayFence) {
      const text = `not fencing ${node}: this partition has no quorum`;
      office.effects.push(report('error', 'fencing.refused', text, { target: node }));
      this.#hasGivenUp = true;
      this.actionEnded(operationId, false, undefined, now, office);
      return;
    }
    const timeout = timeoutMs ?? this.#planned?.settings.fencingTimeoutMs ?? 60_000;
    const delay = Number(meta['priority-fencing-delay'] ?? meta['priority_fencing_delay'] ?? Number.NaN);
    office.effects.push(
      report(
        'warn',
        'fencing.requested',
        `fencing ${node} (${operation}): ${action.reason ?? 'its state is unknown'}`,
        {
          target: node,
          action: operation,
        },
      ),
      {
        type: 'fence',
        requestId: operationId,
        target: node,
        action: operation === 'off' || operation === 'on' ? operation : 'reboot',
        timeoutMs: timeout,
        ...(Number.isFinite(delay) ? { delayMs: delay } : {}),
        client: 'te',
      },
    );
  }
}

const idOf = (cib: Cib, name: string): string => cib.configuration.nodes.find((node) => node.name === name)?.id ?? name;

/**
 * A cluster that has a time after which silence proves a reset has watchdogs, and so has fencing, also without a device.
 * The policy engine looks for the fact under the name that Pacemaker's controller gives it.
 */
function withWatchdog(cib: Cib): Cib['configuration'] {
  const { configuration } = cib;
  const timeoutMs = durationOption(cib, 0, 'fencing-watchdog-timeout', 'stonith-watchdog-timeout');
  if (timeoutMs === 0 || clusterOption(cib, 'have-watchdog') !== undefined) return configuration;
  return withFact(configuration, 'have-watchdog', 'true');
}

/**
 * One fencing, from the node that was asked for it: querying → performing → (waiting for the target to be gone) →
 * ended. What to do next is `choose.ts`'s decision; here are the phases, their deadlines, and who is told.
 *
 * No result without proof: a device's success counts, but if the target is still a member of the membership then, it
 * must stop answering, or the device is not believed and the next one is tried. Where the target is this node itself, that
 * it still runs is the proof of the contrary. Only a device that cuts a node off from something else than power (it has
 * automatic unfencing) may leave it talking: it is told to reset itself, for it may run what that device does not touch.
 */
import type { Epoch, StartTimer, StopTimer } from '@systole/kernel';
import {
  afterFailure,
  afterSuccess,
  atBegin,
  choose,
  isDecided,
  isLast,
  type Plan,
  plannedMs,
  type Progress,
  type Step,
  watchdogDevice,
} from './choose.ts';
import type { FenceAction, FenceOutcome } from './contract.ts';
import { sameName } from './device.ts';
import type { OfferedDevice, Perform, Query } from './message.ts';

/** Room for messages and scheduling on top of what devices take. */
const allowance = 1.2;

const withAllowance = (ms: number): number => Math.ceil(ms * allowance);

export interface OperationRequest {
  readonly id: string;
  readonly target: string;
  readonly action: FenceAction;
  readonly timeoutMs: number;
  readonly delayMs: number;
  readonly client: string;
  readonly isManual: boolean;
  readonly startedAt: Epoch;
  readonly levels: readonly (readonly string[])[];
}

/** What an operation sees of the world while it decides. */
export interface Surroundings {
  readonly self: string;
  readonly members: readonly string[];
  /** The target's own watchdog can be relied on, and takes so long; 0 if not. */
  readonly watchdogMs: number;
  readonly goneTimeoutMs: number;
}

export interface Ending {
  readonly outcome: FenceOutcome;
  readonly devices: readonly string[];
  readonly executor?: string;
  readonly reason: string;
}

/** What an operation wants done. */
export type OperationEffect =
  | StartTimer
  | StopTimer
  | { readonly type: 'query'; readonly message: Query }
  | { readonly type: 'perform'; readonly peer: string; readonly message: Perform }
  | { readonly type: 'resetTarget'; readonly target: string; readonly reason: string }
  /** How long it may take in all is now known. */
  | { readonly type: 'planned'; readonly totalTimeoutMs: number }
  | { readonly type: 'ended'; readonly ending: Ending };

type Phase = 'querying' | 'performing' | 'awaitingGone' | 'awaitingWatchdog' | 'ended';
export type OperationTimer = 'query' | 'total' | 'step' | 'gone' | 'watchdog';

export const operationTimers: readonly OperationTimer[] = ['query', 'total', 'step', 'gone', 'watchdog'];
export const timerOf = (operation: string, timer: OperationTimer): string => `stonith/operation/${operation}/${timer}`;

export class FencingOperation {
  readonly request: OperationRequest;
  /** How long it may take in all; known once it has begun to act. */
  totalTimeoutMs: number | undefined;
  #phase: Phase = 'querying';
  #unheard: Set<string>;
  #members: readonly string[];
  readonly #offers = new Map<string, readonly OfferedDevice[]>();
  #plan: Plan | undefined;
  #progress: Progress = atBegin;
  #step: Step | undefined;
  #stepNumber = 0;
  #executor: string | undefined;
  /** The target has been seen to leave since a device last began to cut it off. */
  #hasLeft = false;
  #usedUnfencing = false;
  #hadTimeout = false;
  readonly #failures: string[] = [];
  readonly #around: () => Surroundings;
  readonly #emit: (effect: OperationEffect) => void;

  constructor(request: OperationRequest, around: () => Surroundings, emit: (effect: OperationEffect) => void) {
    this.request = request;
    this.#around = around;
    this.#emit = emit;
    this.#members = around().members;
    this.#unheard = new Set([around().self, ...this.#members]);
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Asks all members, ourselves included, what they could do. */
  begin(): void {
    const { id, target, action, timeoutMs, isManual } = this.request;
    const { self } = this.#around();
    const others = this.#members.filter((name) => !sameName(name, target));
    const allowsSelf = isManual || (others.length === 0 && sameName(self, target));
    this.#timer('query', withAllowance(timeoutMs));
    this.#emit({ type: 'query', message: { kind: 'query', operation: id, target, action, timeoutMs, allowsSelf } });
  }

  answered(peer: string, devices: readonly OfferedDevice[]): void {
    if (this.#phase !== 'querying' || !this.#unheard.delete(peer)) return;
    this.#offers.set(peer, devices);
    if (this.#unheard.size === 0 || isDecided(this.#planned())) this.#act();
  }

  performed(peer: string, step: number, outcome: 'ok' | 'failed' | 'timedOut', reason: string): void {
    const current = this.#step;
    if (this.#phase !== 'performing' || current === undefined) return;
    if (current.peer !== peer || step !== this.#stepNumber) return;
    this.#stop('step');
    if (outcome === 'ok') this.#succeeded(current);
    else this.#failed(current, reason === '' ? outcome : reason, true, outcome === 'timedOut');
  }

  membersChanged(members: readonly string[]): void {
    const has = (list: readonly string[], name: string): boolean => list.some((member) => sameName(member, name));
    const left = this.#members.filter((name) => !has(members, name));
    const isBack = has(members, this.request.target) && !has(this.#members, this.request.target);
    this.#members = members;
    this.#watchSilence(isBack);
    for (const peer of left) {
      if (sameName(peer, this.request.target)) this.#targetLeft();
      this.#peerLeft(peer);
    }
  }

  #targetLeft(): void {
    this.#hasLeft = true;
    if (this.#phase === 'awaitingGone') this.#end('ok', '');
    if (this.#phase !== 'awaitingWatchdog') return;
    // It was told to reset itself, but nobody knows whether it heard: its silence counts from here.
    const { watchdogMs } = this.#around();
    this.#timer('watchdog', watchdogMs);
    this.#timer('total', withAllowance(watchdogMs));
  }

  /**
   * Silence proves something only if it lasts: a target that comes back and goes again was fed in between, and while we
   * have no quorum it may be the target that has. (Simulator, seed 291: a node that had rejoined was taken for fenced by
   * a wait that had begun before.)
   */
  #watchSilence(isBack: boolean): void {
    if (this.#phase !== 'awaitingWatchdog' || (!isBack && this.#around().watchdogMs > 0)) return;
    this.#stop('watchdog');
    this.#failures.push(`${watchdogDevice}: ${isBack ? 'it came back' : 'this partition lost its quorum'} meanwhile`);
    this.#giveUp();
  }

  #peerLeft(peer: string): void {
    if (this.#phase === 'querying' && this.#unheard.has(peer)) this.answered(peer, []);
    else if (this.#phase === 'performing' && this.#step?.peer === peer) {
      this.#stop('step');
      this.#failed(this.#step, `${peer} left before it answered`, false, false);
    }
  }

  timerExpired(timer: OperationTimer): void {
    switch (timer) {
      case 'query':
        if (this.#phase === 'querying') this.#act();
        break;
      case 'step':
        if (this.#step !== undefined) this.#failed(this.#step, `${this.#step.peer} did not answer`, false, true);
        break;
      case 'gone':
        this.#notGone();
        break;
      case 'watchdog':
        this.#watchdogPassed();
        break;
      case 'total':
        // Once all devices have cut it off, being late with switching on spoils nothing.
        if (this.#progress.phase === 'on') this.#succeed();
        else this.#end('timedOut', `not done within ${this.totalTimeoutMs} ms`);
        break;
    }
  }

  /** A person, or another node, says that it is done. */
  confirm(devices: readonly string[], reason: string): void {
    if (this.#phase !== 'ended') this.#end('ok', reason, devices);
  }

  #planned(): Plan {
    const { target, action, timeoutMs, delayMs, levels } = this.request;
    const { self, watchdogMs } = this.#around();
    return { self, target, action, timeoutMs, delayMs, levels, offers: this.#offers, hasWatchdog: watchdogMs > 0 };
  }

  /** The answers are in, or enough of them: from here on the plan stands. */
  #act(): void {
    this.#stop('query');
    this.#plan = this.#planned();
    this.totalTimeoutMs =
      withAllowance(plannedMs(this.#plan)) + (this.#plan.hasWatchdog ? this.#around().watchdogMs : 0);
    this.#timer('total', this.totalTimeoutMs);
    this.#emit({ type: 'planned', totalTimeoutMs: this.totalTimeoutMs });
    this.#next();
  }

  #next(): void {
    if (this.#plan === undefined) return;
    const choice = choose(this.#plan, this.#progress);
    this.#progress = choice.progress;
    this.#step = undefined;
    switch (choice.type) {
      case 'step':
        this.#perform(choice.step);
        break;
      case 'watchdog':
        this.#awaitWatchdog();
        break;
      case 'fenced':
        this.#succeed();
        break;
      case 'exhausted':
        if (this.#plan.hasWatchdog && !this.#plan.levels.flat().includes(watchdogDevice)) this.#awaitWatchdog();
        else this.#giveUp();
        break;
    }
  }

  #perform(step: Step): void {
    this.#phase = 'performing';
    this.#step = step;
    this.#stepNumber += 1;
    const { id, target } = this.request;
    const { device, action, timeoutMs, delayMs, ownDelayMs, peer } = step;
    if (action !== 'on') this.#hasLeft = false;
    const completes = this.#plan !== undefined && isLast(this.#plan, this.#progress, device);
    this.#timer('step', withAllowance(timeoutMs + ownDelayMs + Math.max(0, delayMs)));
    this.#emit({
      type: 'perform',
      peer,
      message: {
        kind: 'perform',
        operation: id,
        step: this.#stepNumber,
        target,
        action,
        device,
        timeoutMs,
        delayMs,
        completes,
      },
    });
  }

  #succeeded(step: Step): void {
    if (this.#plan === undefined) return;
    const offer = this.#plan.offers.get(step.peer)?.find(({ id }) => id === step.device);
    if (offer?.isUnfencing === true) this.#usedUnfencing = true;
    this.#executor = step.peer;
    this.#progress = afterSuccess(this.#plan, this.#progress, step.device);
    this.#next();
  }

  #failed(step: Step, reason: string, wasHeard: boolean, wasLate: boolean): void {
    if (this.#plan === undefined) return;
    this.#hadTimeout ||= wasLate;
    this.#failures.push(`${step.device} on ${step.peer}: ${reason}`);
    this.#progress = afterFailure(this.#plan, this.#progress, wasHeard);
    this.#next();
  }

  /** Every device of the way has done its part. The target must not be heard any more. */
  #succeed(): void {
    const { action, target } = this.request;
    const { goneTimeoutMs } = this.#around();
    const isMember = this.#members.some((name) => sameName(name, target));
    if (action === 'on' || goneTimeoutMs === 0 || !isMember || this.#hasLeft) {
      this.#end('ok', '');
      return;
    }
    this.#phase = 'awaitingGone';
    if (this.#usedUnfencing) this.#emit({ type: 'resetTarget', target, reason: `cut off by ${this.#claims}` });
    this.#stop('total');
    this.#timer('gone', goneTimeoutMs);
  }

  #notGone(): void {
    if (this.#phase !== 'awaitingGone' || this.#plan === undefined) return;
    const { target } = this.request;
    if (this.#usedUnfencing && !sameName(target, this.#around().self)) {
      this.#end('ok', `cut off by ${this.#claims}, it still answers`);
      return;
    }
    this.#failures.push(`${this.#claims}: claims success, but ${target} still answers`);
    this.#progress = { ...afterFailure(this.#plan, { ...this.#progress, phase: 'whole' }, true), done: [] };
    this.#timer('total', this.totalTimeoutMs ?? this.request.timeoutMs);
    this.#next();
  }

  get #claims(): string {
    return this.#progress.done.join(', ');
  }

  #awaitWatchdog(): void {
    this.#phase = 'awaitingWatchdog';
    if (this.#members.some((name) => sameName(name, this.request.target))) {
      this.#emit({ type: 'resetTarget', target: this.request.target, reason: 'fenced by watchdog' });
    }
    this.#timer('watchdog', this.#around().watchdogMs);
  }

  #watchdogPassed(): void {
    if (this.#phase !== 'awaitingWatchdog' || this.#plan === undefined) return;
    const isMember = this.#members.some((name) => sameName(name, this.request.target));
    // Silence proves death only while we are the ones with quorum, and only if it lasted.
    if (isMember || this.#around().watchdogMs === 0) {
      this.#failures.push(`${watchdogDevice}: ${isMember ? 'it still answers' : 'this partition has no quorum'}`);
      this.#giveUp();
      return;
    }
    if (this.#plan.levels.flat().includes(watchdogDevice)) {
      this.#progress = afterSuccess(this.#plan, this.#progress, watchdogDevice);
      this.#executor ??= this.#around().self;
      this.#phase = 'performing';
      this.#next();
      return;
    }
    this.#executor = this.#around().self;
    this.#end('ok', 'silent for longer than its watchdog lets it live', [watchdogDevice]);
  }

  #giveUp(): void {
    if (this.#progress.tried.length === 0 && this.#failures.length === 0) {
      const where = [...this.#offers.keys()].join(', ');
      this.#end('noDevice', `no device on ${where} can do ${this.request.action} for ${this.request.target}`);
      return;
    }
    this.#end(this.#hadTimeout ? 'timedOut' : 'failed', this.#failures.join('; '));
  }

  #end(outcome: FenceOutcome, reason: string, devices: readonly string[] = this.#progress.done): void {
    this.#phase = 'ended';
    for (const timer of operationTimers) this.#stop(timer);
    const executor = this.#executor;
    this.#emit({
      type: 'ended',
      ending: {
        outcome,
        devices: outcome === 'ok' ? devices : [],
        reason,
        ...(executor === undefined ? {} : { executor }),
      },
    });
  }

  #timer(timer: OperationTimer, delayMs: number): void {
    this.#emit({ type: 'startTimer', id: timerOf(this.request.id, timer), delayMs });
  }

  #stop(timer: OperationTimer): void {
    this.#emit({ type: 'stopTimer', id: timerOf(this.request.id, timer) });
  }
}

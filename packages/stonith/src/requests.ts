/**
 * Fencing that has been asked of this node, from the request to the answer. It begins an operation of its own, or joins
 * one that is under way, here or on another node, and shares its end. If that other node is lost before the end, what had
 * joined begins anew here.
 */
import type { FencingLevel } from '@systole/cib';
import { idMaker, unreachable } from '@systole/kernel';
import type { Board } from './board.ts';
import type { ConfirmDown, Fence, FenceAction, FencingEvent } from './contract.ts';
import { sameName } from './device.ts';
import type { OfferedDevice } from './message.ts';
import { type Ending, FencingOperation, type OperationEffect, operationTimers, timerOf } from './operation.ts';
import type { Provider } from './provider.ts';
import { levelsFor } from './topology.ts';

const remoteTimer = 'stonith/remote/';

/** How long another node's operation is waited for, whose plan we do not know: its answers, a try, and room. */
const remoteWaitMs = ({ timeoutMs }: Fence): number => Math.max(1000, 3 * timeoutMs);

export class Requests {
  levels: readonly FencingLevel[] = [];
  readonly #board: Board;
  readonly #provider: () => Provider;
  readonly #makeId: (prefix: string) => string;
  readonly #operations = new Map<string, FencingOperation>();
  /** Who waits for which operation, ours or another node's. */
  readonly #askers = new Map<string, readonly Fence[]>();
  /** Requests that wait because nodes are fenced one at a time. */
  #queue: readonly Fence[] = [];

  constructor(board: Board, provider: () => Provider) {
    this.#board = board;
    this.#provider = provider;
    this.#makeId = idMaker(board.options.random);
  }

  fence(input: Fence): void {
    const { requestId, target, action } = input;
    if (target === '') {
      this.#answer(input, { outcome: 'refused', devices: [], reason: 'no node is named' });
      return;
    }
    const tolerance = input.toleranceMs ?? 0;
    if (tolerance > 0) {
      const recent = this.#board.history.recentSuccess(target, action, this.#board.options.wallClock() - tolerance);
      if (recent !== undefined) {
        const { devices, executor } = recent;
        const reason = `fenced recently enough, ${recent.id}`;
        this.#answer(input, { outcome: 'ok', devices, reason, ...(executor === undefined ? {} : { executor }) });
        return;
      }
    }
    const running = this.#underWay(target, action);
    if (running !== undefined) {
      this.#askers.set(running, [...(this.#askers.get(running) ?? []), input]);
      const totalTimeoutMs = this.#operations.get(running)?.totalTimeoutMs ?? remoteWaitMs(input);
      this.#board.emit({ type: 'fenceAccepted', requestId, totalTimeoutMs });
      if (!this.#operations.has(running)) {
        this.#board.emit({ type: 'startTimer', id: `${remoteTimer}${running}`, delayMs: totalTimeoutMs });
      }
      return;
    }
    if (!this.#board.fencer.isConcurrent && this.#operations.size > 0) {
      this.#queue = [...this.#queue, input];
      return;
    }
    this.#begin(input);
  }

  /** The same action on the same target, ours or a living member's. */
  #underWay(target: string, action: FenceAction): string | undefined {
    for (const { request } of this.#operations.values()) {
      if (sameName(request.target, target) && request.action === action) return request.id;
    }
    const remote = this.#board.history
      .pending()
      .find(
        (event) =>
          sameName(event.target, target) &&
          event.action === action &&
          event.originator !== this.#board.self &&
          this.#board.isMember(event.originator),
      );
    return remote?.id;
  }

  #begin(input: Fence): void {
    const id = this.#makeId('fence');
    const { target, action, timeoutMs } = input;
    const startedAt = this.#board.options.wallClock();
    const client = input.client ?? '';
    const operation = new FencingOperation(
      {
        id,
        target,
        action,
        timeoutMs,
        delayMs: input.delayMs ?? 0,
        client,
        isManual: input.isManual === true,
        startedAt,
        levels: levelsFor(target, this.levels, this.#board.nodes),
      },
      () => ({
        self: this.#board.self,
        members: this.#board.members,
        watchdogMs: action === 'on' ? 0 : this.#watchdogMs(target),
        goneTimeoutMs: this.#board.goneTimeoutMs,
      }),
      (effect) => this.#carryOut(id, effect),
    );
    this.#operations.set(id, operation);
    this.#askers.set(id, [input]);
    this.#board.note({
      id,
      target,
      action,
      state: 'pending',
      devices: [],
      originator: this.#board.self,
      client,
      startedAt,
      reason: '',
    });
    operation.begin();
  }

  /** How long the target's watchdog takes, where it can be relied on. */
  #watchdogMs(target: string): number {
    const { watchdogTimeoutMs, watchdogNodes } = this.#board.fencer;
    const isTrusted = watchdogNodes === undefined || watchdogNodes.some((name) => sameName(name, target));
    return this.#board.isQuorate && isTrusted && !sameName(target, this.#board.self) ? watchdogTimeoutMs : 0;
  }

  confirmDown(input: ConfirmDown): void {
    const { requestId, target, by } = input;
    const fence: Fence = { type: 'fence', requestId, target, action: 'off', timeoutMs: 0, client: by };
    if (this.#board.isMember(target)) {
      const reason = `${target} is a member of this partition: it is not down`;
      this.#answer(fence, { outcome: 'refused', devices: [], reason });
      return;
    }
    const reason = `${by} says that ${target} is down`;
    for (const operation of this.#operations.values()) {
      if (sameName(operation.request.target, target)) operation.confirm(['a human'], reason);
    }
    const now = this.#board.options.wallClock();
    this.#board.announce({
      id: this.#makeId('fence'),
      target,
      action: 'off',
      state: 'ok',
      outcome: 'ok',
      devices: ['a human'],
      originator: this.#board.self,
      client: by,
      startedAt: now,
      endedAt: now,
      reason,
    });
    this.#answer(fence, { outcome: 'ok', devices: ['a human'], reason });
  }

  // -- an operation of ours -------------------------------------------------------------------

  #carryOut(id: string, effect: OperationEffect): void {
    const { self } = this.#board;
    switch (effect.type) {
      case 'startTimer':
      case 'stopTimer':
        this.#board.emit(effect);
        break;
      case 'query':
        this.#board.send(undefined, effect.message);
        this.#provider().query(self, effect.message);
        break;
      case 'perform':
        if (effect.peer === self) this.#provider().perform(self, effect.message);
        else this.#board.send(effect.peer, effect.message);
        break;
      case 'resetTarget':
        if (sameName(effect.target, self)) this.#board.emit({ type: 'resetSelf', reason: effect.reason });
        else this.#board.send(effect.target, { kind: 'resetYourself', reason: effect.reason });
        break;
      case 'planned':
        for (const { requestId } of this.#askers.get(id) ?? []) {
          this.#board.emit({ type: 'fenceAccepted', requestId, totalTimeoutMs: effect.totalTimeoutMs });
        }
        break;
      case 'ended':
        this.#ended(id, effect.ending);
        break;
      default:
        unreachable(effect);
    }
  }

  #ended(id: string, ending: Ending): void {
    const operation = this.#operations.get(id);
    if (operation === undefined) return;
    this.#operations.delete(id);
    const { target, action, client, startedAt } = operation.request;
    const { outcome, devices, executor, reason } = ending;
    this.#board.announce({
      id,
      target,
      action,
      state: outcome === 'ok' ? 'ok' : 'failed',
      outcome,
      devices,
      ...(executor === undefined ? {} : { executor }),
      originator: this.#board.self,
      client,
      startedAt,
      endedAt: this.#board.options.wallClock(),
      reason,
    });
    for (const fence of this.#take(id)) this.#answer(fence, ending);
    const [next, ...rest] = this.#queue;
    if (next === undefined || this.#operations.size > 0) return;
    this.#queue = rest;
    this.fence(next);
  }

  #take(id: string): readonly Fence[] {
    const askers = this.#askers.get(id) ?? [];
    this.#askers.delete(id);
    return askers;
  }

  #answer(fence: Fence, ending: Ending): void {
    const { requestId, target, action } = fence;
    this.#board.emit({ type: 'fenceEnded', requestId, target, action, ...ending });
  }

  isOurs(operation: string): boolean {
    return this.#operations.has(operation);
  }

  answered(operation: string, peer: string, devices: readonly OfferedDevice[]): void {
    this.#operations.get(operation)?.answered(peer, devices);
  }

  performed(
    operation: string,
    peer: string,
    step: number,
    { outcome, reason }: { readonly outcome: 'ok' | 'failed' | 'timedOut'; readonly reason: string },
  ): void {
    this.#operations.get(operation)?.performed(peer, step, outcome, reason);
  }

  membersChanged(members: readonly string[]): void {
    for (const operation of this.#operations.values()) operation.membersChanged(members);
    for (const event of this.#board.history.pending()) {
      const isOrphan = event.originator !== this.#board.self && !this.#board.isMember(event.originator);
      if (isOrphan) this.#stopWaitingFor(event.id);
    }
  }

  /** False if the timer is none of a request's. */
  timerExpired(id: string): boolean {
    if (id.startsWith(remoteTimer)) {
      this.#stopWaitingFor(id.slice(remoteTimer.length));
      return true;
    }
    for (const operation of this.#operations.values()) {
      const timer = operationTimers.find((name) => timerOf(operation.request.id, name) === id);
      if (timer === undefined) continue;
      operation.timerExpired(timer);
      return true;
    }
    return false;
  }

  // -- an operation of another node -----------------------------------------------------------

  /** It did not end, or its node is gone: those who joined it begin their own. */
  #stopWaitingFor(id: string): void {
    const event = this.#board.history.get(id);
    if (event?.state === 'pending') {
      const reason = `${event.originator} did not bring it to an end`;
      const endedAt = this.#board.options.wallClock();
      this.#board.note({ ...event, state: 'failed', outcome: 'failed', endedAt, reason });
    }
    for (const fence of this.#take(id)) this.fence(fence);
  }

  heard(event: FencingEvent): void {
    if (!this.#board.note(event) || event.state === 'pending') return;
    this.#board.emit({ type: 'fencingHeard', event });
    this.#board.emit({ type: 'stopTimer', id: `${remoteTimer}${event.id}` });
    const { outcome = 'failed', devices, executor, reason } = event;
    for (const fence of this.#take(event.id)) {
      this.#answer(fence, { outcome, devices, reason, ...(executor === undefined ? {} : { executor }) });
    }
    // An operation of ours may have been carried out although its executor's answer was lost; not if its target is here.
    const ours = this.#operations.get(event.id);
    const isGone = !this.#board.isMember(event.target);
    if (ours !== undefined && event.state === 'ok' && isGone) ours.confirm(devices, reason);
  }
}

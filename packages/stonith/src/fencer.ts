/**
 * The fencer of a node. The node that is asked becomes the originator of the fencing: it asks all members, itself
 * included, what they could do, chooses, has the chosen device run by the node that offered it, and tells everyone.
 * Any member can originate, run devices, and answer; so the loss of the DC in the middle is no special case.
 *
 * A request for what is already under way joins it and shares its end, wherever it was begun.
 *
 * Semantics: agents guide, section 7.
 */
import type { FencingLevel } from '@systole/cib';
import { idMaker, type Instant, type ProcessEnded, type Subsystem, unreachable } from '@systole/kernel';
import { Catalog } from './catalog.ts';
import { checkMessage } from './check.ts';
import { watchdogDevice } from './choose.ts';
import type {
  AskDevice,
  ConfirmDown,
  Fence,
  FenceAction,
  FencerNode,
  FencerOptions,
  FencingEvent,
  MembersChanged,
  StonithEffect,
  StonithInput,
  StonithOptions,
} from './contract.ts';
import { actionLimit, delayBounds, type DeviceState, listedTargets, ownTimeoutMs, sameName, tries } from './device.ts';
import { FencingHistory } from './history.ts';
import { type JobResult, Jobs } from './jobs.ts';
import type { FencerMessage, Perform, Query } from './message.ts';
import { FencingOperation, type Ending, type OperationEffect, operationTimers, timerOf } from './operation.ts';
import { statusCodes, type SurveyResult, Surveys } from './survey.ts';
import { levelsFor, levelIndexMax } from './topology.ts';

const defaultGoneTimeoutMs = 10_000;

const defaultOptions: FencerOptions = { watchdogTimeoutMs: 0, isConcurrent: true };

/** A request that waits for an operation of ours, or of another node. */
interface Asker {
  readonly fence: Fence;
}

export class Fencer implements Subsystem<StonithInput, StonithEffect> {
  readonly #options: StonithOptions;
  readonly #makeId: (prefix: string) => string;
  readonly #catalog: Catalog;
  readonly #jobs: Jobs;
  readonly #surveys: Surveys;
  readonly #history = new FencingHistory();
  readonly #operations = new Map<string, FencingOperation>();
  /** Who waits for which operation, ours or another node's. */
  readonly #askers = new Map<string, readonly Asker[]>();
  /** Requests that wait because nodes are fenced one at a time. */
  #queue: readonly Fence[] = [];
  /** Devices run for peers: who asked, by job. */
  readonly #performing = new Map<string, { readonly from: string; readonly message: Perform }>();
  readonly #asked = new Map<string, AskDevice>();
  #fencerOptions: FencerOptions = defaultOptions;
  #levels: readonly FencingLevel[] = [];
  #members: readonly string[];
  #nodes: readonly FencerNode[] = [];
  #isQuorate = false;
  #effects: StonithEffect[] = [];
  #now = 0 as Instant;

  constructor(options: StonithOptions) {
    this.#options = options;
    this.#makeId = idMaker(options.random);
    this.#members = [options.node];
    this.#catalog = new Catalog(options.node, options.places, options.firstExisting);
    this.#jobs = new Jobs((effect) => this.#effects.push(effect));
    this.#surveys = new Surveys(this.#catalog, this.#jobs);
  }

  step(input: StonithInput, now: Instant): readonly StonithEffect[] {
    this.#effects = [];
    this.#now = now;
    switch (input.type) {
      case 'devicesChanged':
        this.#effects.push(...this.#catalog.replace(input.devices));
        break;
      case 'topologyChanged':
        this.#levels = input.levels;
        for (const level of input.levels) this.#checkLevel(level);
        break;
      case 'membersChanged':
        this.#membersChanged(input);
        break;
      case 'optionsChanged':
        this.#fencerOptions = input.options;
        break;
      case 'fence':
        this.#fence(input);
        break;
      case 'confirmDown':
        this.#confirmDown(input);
        break;
      case 'askDevice':
        this.#askDevice(input);
        break;
      case 'findDevices': {
        const { requestId, target } = input;
        const request = { id: `find/${requestId}`, target, action: 'off', timeoutMs: findTimeoutMs } as const;
        this.#surveyed(this.#surveys.start(request, now));
        break;
      }
      case 'cleanHistory':
        this.#cleanHistory(input.target);
        this.#send(undefined, {
          kind: 'historyCleaned',
          ...(input.target === undefined ? {} : { target: input.target }),
        });
        break;
      case 'peerMessage':
        this.#peerMessage(input.from, input.message);
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
    for (const late of this.#jobs.takeLate()) this.#jobEnded(late);
    return this.#effects;
  }

  /** What has been fenced, newest first. */
  history(): readonly FencingEvent[] {
    return this.#history.list();
  }

  /** Whether a device is known to work from this node. */
  isVerified(device: string): boolean {
    return this.#catalog.get(device)?.isVerified === true;
  }

  // -- being asked ----------------------------------------------------------------------------

  #fence(input: Fence): void {
    const { requestId, target, action } = input;
    if (target === '') {
      this.#answer(input, { outcome: 'refused', devices: [], reason: 'no node is named' });
      return;
    }
    const tolerance = input.toleranceMs ?? 0;
    if (tolerance > 0) {
      const recent = this.#history.recentSuccess(target, action, this.#options.wallClock() - tolerance);
      if (recent !== undefined) {
        const { devices, executor } = recent;
        const reason = `fenced recently enough, ${recent.id}`;
        this.#answer(input, { outcome: 'ok', devices, reason, ...(executor === undefined ? {} : { executor }) });
        return;
      }
    }
    const running = this.#underWay(target, action);
    if (running !== undefined) {
      this.#askers.set(running, [...(this.#askers.get(running) ?? []), { fence: input }]);
      const totalTimeoutMs = this.#operations.get(running)?.totalTimeoutMs ?? remoteWaitMs(input);
      this.#effects.push({ type: 'fenceAccepted', requestId, totalTimeoutMs });
      if (!this.#operations.has(running)) {
        this.#effects.push({ type: 'startTimer', id: `${remoteTimer}${running}`, delayMs: totalTimeoutMs });
      }
      return;
    }
    if (!this.#fencerOptions.isConcurrent && this.#operations.size > 0) {
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
    const remote = this.#history
      .pending()
      .find(
        (event) =>
          sameName(event.target, target) &&
          event.action === action &&
          event.originator !== this.#options.node &&
          this.#isMember(event.originator),
      );
    return remote?.id;
  }

  #begin(input: Fence): void {
    const id = this.#makeId('fence');
    const { target, action, timeoutMs } = input;
    const startedAt = this.#options.wallClock();
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
        levels: levelsFor(target, this.#levels, this.#nodes),
      },
      () => ({
        self: this.#options.node,
        members: this.#members,
        watchdogMs: action === 'on' ? 0 : this.#watchdogMs(target),
        goneTimeoutMs: this.#fencerOptions.goneTimeoutMs ?? defaultGoneTimeoutMs,
      }),
      (effect) => this.#carryOut(id, effect),
    );
    this.#operations.set(id, operation);
    this.#askers.set(id, [{ fence: input }]);
    this.#note({
      id,
      target,
      action,
      state: 'pending',
      devices: [],
      originator: this.#options.node,
      client,
      startedAt,
      reason: '',
    });
    operation.begin();
  }

  /** How long the target's watchdog takes, where it can be relied on. */
  #watchdogMs(target: string): number {
    const { watchdogTimeoutMs, watchdogNodes } = this.#fencerOptions;
    const isTrusted = watchdogNodes === undefined || watchdogNodes.some((name) => sameName(name, target));
    return this.#isQuorate && isTrusted && !sameName(target, this.#options.node) ? watchdogTimeoutMs : 0;
  }

  #confirmDown(input: ConfirmDown): void {
    const { requestId, target, by } = input;
    const fence: Fence = { type: 'fence', requestId, target, action: 'off', timeoutMs: 0, client: by };
    if (this.#isMember(target)) {
      const reason = `${target} is a member of this partition: it is not down`;
      this.#answer(fence, { outcome: 'refused', devices: [], reason });
      return;
    }
    const reason = `${by} says that ${target} is down`;
    for (const operation of this.#operations.values()) {
      if (sameName(operation.request.target, target)) operation.confirm(['a human'], reason);
    }
    const now = this.#options.wallClock();
    this.#announce({
      id: this.#makeId('fence'),
      target,
      action: 'off',
      state: 'ok',
      outcome: 'ok',
      devices: ['a human'],
      originator: this.#options.node,
      client: by,
      startedAt: now,
      endedAt: now,
      reason,
    });
    this.#answer(fence, { outcome: 'ok', devices: ['a human'], reason });
  }

  // -- an operation of ours -------------------------------------------------------------------

  #carryOut(id: string, effect: OperationEffect): void {
    switch (effect.type) {
      case 'startTimer':
      case 'stopTimer':
        this.#effects.push(effect);
        break;
      case 'query':
        this.#send(undefined, effect.message);
        this.#query(this.#options.node, effect.message);
        break;
      case 'perform':
        if (effect.peer === this.#options.node) this.#perform(effect.peer, effect.message);
        else this.#send(effect.peer, effect.message);
        break;
      case 'resetTarget':
        this.#send(effect.target, { kind: 'resetYourself', reason: 'fenced by watchdog' });
        break;
      case 'planned':
        for (const { fence } of this.#askers.get(id) ?? []) {
          const { requestId } = fence;
          this.#effects.push({ type: 'fenceAccepted', requestId, totalTimeoutMs: effect.totalTimeoutMs });
        }
        break;
      case 'ended':
        this.#operationEnded(id, effect.ending);
        break;
      default:
        unreachable(effect);
    }
  }

  #operationEnded(id: string, ending: Ending): void {
    const operation = this.#operations.get(id);
    if (operation === undefined) return;
    this.#operations.delete(id);
    const { target, action, client, startedAt } = operation.request;
    const { outcome, devices, executor, reason } = ending;
    this.#announce({
      id,
      target,
      action,
      state: outcome === 'ok' ? 'ok' : 'failed',
      outcome,
      devices,
      ...(executor === undefined ? {} : { executor }),
      originator: this.#options.node,
      client,
      startedAt,
      endedAt: this.#options.wallClock(),
      reason,
    });
    for (const { fence } of this.#take(id)) this.#answer(fence, ending);
    const [next, ...rest] = this.#queue;
    if (next === undefined || this.#operations.size > 0) return;
    this.#queue = rest;
    this.#fence(next);
  }

  #take(id: string): readonly Asker[] {
    const askers = this.#askers.get(id) ?? [];
    this.#askers.delete(id);
    return askers;
  }

  #answer(fence: Fence, ending: Ending): void {
    const { requestId, target, action } = fence;
    this.#effects.push({ type: 'fenceEnded', requestId, target, action, ...ending });
  }

  // -- doing it for whoever asks --------------------------------------------------------------

  #query(from: string, message: Query): void {
    const { operation, target, action, timeoutMs } = message;
    const isSelf = sameName(target, this.#options.node);
    if (isSelf && action !== 'on' && !message.allowsSelf) {
      this.#answerQuery(from, operation, []);
      return;
    }
    // What is asked is part of the id, so that the answer needs no memory of its own.
    const id = JSON.stringify([from, operation]);
    this.#surveyed(this.#surveys.start({ id, target, action, timeoutMs }, this.#now));
  }

  #surveyed(results: readonly SurveyResult[]): void {
    for (const { id, target, devices } of results) {
      if (id.startsWith('find/')) {
        this.#effects.push({ type: 'devicesFound', requestId: id.slice('find/'.length), target, devices });
        continue;
      }
      const [from = '', operation = ''] = JSON.parse(id) as readonly string[];
      const offers = devices
        .map((device) => this.#catalog.get(device))
        .filter((device): device is DeviceState => device !== undefined)
        .map((device) => this.#catalog.offer(device, target));
      this.#answerQuery(from, operation, offers);
    }
  }

  #answerQuery(from: string, operation: string, devices: ReturnType<Catalog['offer']>[]): void {
    if (from === this.#options.node) this.#operations.get(operation)?.answered(from, devices);
    else this.#send(from, { kind: 'queryAnswer', operation, devices });
  }

  #perform(from: string, message: Perform): void {
    const { operation, step, target, device: id } = message;
    const device = this.#catalog.get(id);
    const action = device === undefined ? message.action : this.#catalog.effective(device, message.action);
    const command = device === undefined ? undefined : this.#catalog.command(device, action, target);
    if (device === undefined || command === undefined || !device.config.isAllowedHere) {
      this.#performed(from, message, 'failed', `${this.#options.node} does not have the device ${id}`);
      return;
    }
    const job = `perform/${from}/${operation}/${step}`;
    this.#performing.set(job, { from, message });
    this.#jobs.start(
      {
        id: job,
        device: id,
        limit: actionLimit(device.config),
        command,
        timeoutMs: ownTimeoutMs(device.config, action) ?? message.timeoutMs,
        delayMs: this.#delayMs(device, message),
        tries: tries(device.config, action),
        goodCodes: [0],
      },
      this.#now,
    );
  }

  /** At least the base, at most the maximum, at random between, so that two that shoot at each other differ. */
  #delayMs(device: DeviceState, message: Perform): number {
    if (message.action === 'on' || message.delayMs < 0) return 0;
    const { baseMs, maxMs } = delayBounds(device.config, message.target);
    const own = maxMs > baseMs ? baseMs + this.#options.random.integer(maxMs - baseMs + 1) : baseMs;
    return own + message.delayMs;
  }

  #performed(from: string, message: Perform, outcome: 'ok' | 'failed' | 'timedOut', reason: string): void {
    const { operation, step, target, action, device } = message;
    if (from === this.#options.node) {
      this.#operations.get(operation)?.performed(from, step, outcome, reason);
      return;
    }
    this.#send(from, { kind: 'performed', operation, step, outcome, reason });
    // Who asked may be the one that was hit, or gone since: the others have to hear of it from us.
    if (outcome === 'ok' && action !== 'on' && (sameName(from, target) || !this.#isMember(from))) {
      const now = this.#options.wallClock();
      const startedAt = this.#history.get(operation)?.startedAt ?? now;
      this.#announce({
        id: operation,
        target,
        action,
        state: 'ok',
        outcome,
        devices: [device],
        executor: this.#options.node,
        originator: from,
        client: this.#history.get(operation)?.client ?? '',
        startedAt,
        endedAt: now,
        reason,
      });
    }
  }

  #askDevice(input: AskDevice): void {
    const { requestId, device: id, action, target, timeoutMs } = input;
    const device = this.#catalog.get(id);
    const command = device === undefined ? undefined : this.#catalog.command(device, action, target);
    if (device === undefined || command === undefined) {
      const what = device === undefined ? `no device ${id} is configured` : `the agent of ${id} is not installed here`;
      this.#effects.push({ type: 'deviceAnswered', requestId, device: id, isOk: false, reason: what });
      return;
    }
    const job = `ask/${requestId}`;
    this.#asked.set(job, input);
    this.#jobs.start(
      {
        id: job,
        device: id,
        limit: actionLimit(device.config),
        command,
        timeoutMs: ownTimeoutMs(device.config, action) ?? timeoutMs,
        delayMs: 0,
        tries: tries(device.config, action),
        // Agents that answer monitor by the state of one plug say 2 where it is off.
        goodCodes: action === 'list' ? [0] : statusCodes,
      },
      this.#now,
    );
  }

  // -- what comes back ------------------------------------------------------------------------

  #processEnded(input: ProcessEnded): void {
    const described = this.#catalog.described(input);
    if (described !== undefined) {
      if (described.problem !== undefined) this.#reject(described.problem);
      this.#surveyed(this.#surveys.described(this.#now));
      return;
    }
    const result = this.#jobs.processEnded(input, this.#now);
    if (result !== undefined) this.#jobEnded(result);
  }

  #jobEnded(result: JobResult): void {
    const surveyed = this.#surveys.jobEnded(result, this.#now);
    if (surveyed !== undefined) {
      this.#surveyed(surveyed);
      return;
    }
    const device = this.#catalog.get(result.device);
    if (device !== undefined) device.isVerified = result.outcome === 'ok';
    const performing = this.#performing.get(result.id);
    if (performing !== undefined) {
      this.#performing.delete(result.id);
      this.#performed(performing.from, performing.message, result.outcome, result.reason);
    }
    const asked = this.#asked.get(result.id);
    if (asked === undefined) return;
    this.#asked.delete(result.id);
    const isOk = result.outcome === 'ok';
    this.#effects.push({
      type: 'deviceAnswered',
      requestId: asked.requestId,
      device: asked.device,
      isOk,
      ...(isOk && asked.action === 'status' ? { isOn: result.exitCode === 0 } : {}),
      ...(isOk && asked.action === 'list' ? { targets: listedTargets(result.stdout) } : {}),
      reason: result.reason,
    });
  }

  #timerExpired(id: string): void {
    if (this.#jobs.timerExpired(id, this.#now)) return;
    if (id.startsWith(remoteTimer)) {
      this.#stopWaitingFor(id.slice(remoteTimer.length));
      return;
    }
    for (const operation of this.#operations.values()) {
      const timer = operationTimers.find((name) => timerOf(operation.request.id, name) === id);
      if (timer !== undefined) {
        operation.timerExpired(timer);
        return;
      }
    }
    this.#reject(`timer ${id} is not one of ours`);
  }

  /** Another node's operation did not end, or its node is gone: those who joined it begin their own. */
  #stopWaitingFor(id: string): void {
    const event = this.#history.get(id);
    if (event?.state === 'pending') {
      const reason = `${event.originator} did not bring it to an end`;
      this.#note({ ...event, state: 'failed', outcome: 'failed', endedAt: this.#options.wallClock(), reason });
    }
    for (const { fence } of this.#take(id)) this.#fence(fence);
  }

  // -- peers ----------------------------------------------------------------------------------

  #peerMessage(from: string, input: unknown): void {
    const checked = checkMessage(input);
    if (!checked.ok) {
      this.#reject(`from ${from}: ${checked.error}`);
      return;
    }
    const message = checked.value;
    switch (message.kind) {
      case 'query':
        this.#query(from, message);
        break;
      case 'queryAnswer':
        this.#operations.get(message.operation)?.answered(from, message.devices);
        break;
      case 'perform':
        this.#perform(from, message);
        break;
      case 'performed':
        this.#operations.get(message.operation)?.performed(from, message.step, message.outcome, message.reason);
        break;
      case 'announcement':
        this.#heard(message.event);
        break;
      case 'history':
        this.#historyExchange(from, message.events, message.wantsAnswer);
        break;
      case 'historyCleaned':
        this.#cleanHistory(message.target);
        break;
      case 'resetYourself':
        this.#effects.push({ type: 'resetSelf', reason: `${from}: ${message.reason}` });
        break;
      default:
        unreachable(message);
    }
  }

  #membersChanged(input: MembersChanged): void {
    const before = this.#members;
    this.#members = input.members;
    this.#isQuorate = input.isQuorate;
    if (input.nodes !== undefined) this.#nodes = input.nodes;
    for (const operation of this.#operations.values()) operation.membersChanged(input.members);
    for (const event of this.#history.pending()) {
      const isOrphan = event.originator !== this.#options.node && !this.#isMember(event.originator);
      if (isOrphan) this.#stopWaitingFor(event.id);
    }
    const joined = input.members.filter((name) => !before.includes(name) && name !== this.#options.node);
    // Each side of a new acquaintance tells the other; nobody has to ask.
    for (const peer of joined) this.#send(peer, { kind: 'history', wantsAnswer: false, events: this.history() });
  }

  #historyExchange(from: string, events: readonly FencingEvent[], wantsAnswer: boolean): void {
    const news = this.#history.merge(events, this.#options.node, (id) => this.#operations.has(id));
    if (news.length > 0) this.#effects.push({ type: 'historyChanged', history: this.history() });
    if (wantsAnswer) this.#send(from, { kind: 'history', wantsAnswer: false, events: this.history() });
  }

  #heard(event: FencingEvent): void {
    if (!this.#note(event) || event.state === 'pending') return;
    this.#effects.push({ type: 'fencingHeard', event });
    this.#effects.push({ type: 'stopTimer', id: `${remoteTimer}${event.id}` });
    const { outcome = 'failed', devices, executor, reason } = event;
    for (const { fence } of this.#take(event.id)) {
      this.#answer(fence, { outcome, devices, reason, ...(executor === undefined ? {} : { executor }) });
    }
    // An operation of ours may have been carried out although its executor's answer was lost.
    const ours = this.#operations.get(event.id);
    if (ours !== undefined && event.state === 'ok') ours.confirm(devices, reason);
  }

  // -- small things ---------------------------------------------------------------------------

  /** Into our history, and to everyone else's if it is our news. False if it was known. */
  #note(event: FencingEvent): boolean {
    if (!this.#history.put(event)) return false;
    this.#effects.push({ type: 'historyChanged', history: this.history() });
    if (event.originator === this.#options.node && event.state === 'pending') {
      this.#send(undefined, { kind: 'announcement', event });
    }
    return true;
  }

  #announce(event: FencingEvent): void {
    this.#note(event);
    this.#effects.push({ type: 'fencingHeard', event });
    this.#send(undefined, { kind: 'announcement', event });
  }

  #cleanHistory(target: string | undefined): void {
    this.#history.clean(target);
    this.#effects.push({ type: 'historyChanged', history: this.history() });
  }

  #checkLevel({ id, index, devices }: FencingLevel): void {
    if (index < 1 || index > levelIndexMax) {
      this.#reject(`fencing level ${id} has index ${index}; levels go from 1 to ${levelIndexMax}, it is left out`);
    }
    for (const device of devices) {
      if (device !== watchdogDevice && this.#catalog.get(device) === undefined) {
        this.#reject(`fencing level ${id} names ${device}, which is no fence device`);
      }
    }
  }

  #isMember(name: string): boolean {
    return this.#members.some((member) => sameName(member, name));
  }

  #send(to: string | undefined, message: FencerMessage): void {
    const others = this.#members.filter((name) => name !== this.#options.node);
    if (to === undefined && others.length === 0) return;
    this.#effects.push({ type: 'sendPeer', ...(to === undefined ? {} : { to }), message });
  }

  #reject(reason: string): void {
    this.#effects.push({ type: 'rejected', subsystem: 'stonith', reason });
  }
}

const findTimeoutMs = 20_000;
const remoteTimer = 'stonith/remote/';

/** How long another node's operation is waited for, whose plan we do not know: its answers, a try, and room. */
const remoteWaitMs = ({ timeoutMs }: Fence): number => Math.max(1000, 3 * timeoutMs);

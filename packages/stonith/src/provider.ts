/**
 * What a node does with its own devices for whoever asks, itself included: says which of them could fence a target, runs
 * one of them, and answers questions about one.
 */
import type { ProcessEnded } from '@systole/kernel';
import type { Board } from './board.ts';
import { Catalog } from './catalog.ts';
import type { AskDevice, FindDevices } from './contract.ts';
import { actionLimit, delayBounds, type DeviceState, listedTargets, ownTimeoutMs, sameName, tries } from './device.ts';
import { type JobResult, Jobs } from './jobs.ts';
import type { OfferedDevice, Perform, Query } from './message.ts';
import { OnBehalf } from './on-behalf.ts';
import { statusCodes, type SurveyResult, Surveys } from './survey.ts';

const findTimeoutMs = 20_000;

/** Where answers go that an operation of this very node has asked for. */
export interface OwnOperations {
  answered(operation: string, devices: readonly OfferedDevice[]): void;
  performed(operation: string, step: number, outcome: Outcome, reason: string): void;
}

type Outcome = 'ok' | 'failed' | 'timedOut';

export class Provider {
  readonly catalog: Catalog;
  readonly #board: Board;
  readonly #own: OwnOperations;
  readonly #jobs: Jobs;
  readonly #surveys: Surveys;
  readonly #onBehalf: OnBehalf;
  /** Devices run for peers: who asked, by job. */
  readonly #performing = new Map<string, { readonly from: string; readonly message: Perform }>();
  readonly #asked = new Map<string, AskDevice>();

  constructor(board: Board, own: OwnOperations) {
    const { node, places, firstExisting } = board.options;
    this.#board = board;
    this.#own = own;
    this.catalog = new Catalog(node, places, firstExisting);
    this.#jobs = new Jobs((effect) => board.emit(effect));
    this.#surveys = new Surveys(this.catalog, this.#jobs);
    this.#onBehalf = new OnBehalf(board);
  }

  query(from: string, message: Query): void {
    const { operation, target, action, timeoutMs } = message;
    const isSelf = sameName(target, this.#board.self);
    if (isSelf && action !== 'on' && !message.allowsSelf) {
      this.#answer(from, operation, []);
      return;
    }
    // What is asked is part of the id, so that the answer needs no memory of its own.
    const id = JSON.stringify([from, operation]);
    this.#surveyed(this.#surveys.start({ id, target, action, timeoutMs }, this.#board.now));
  }

  find({ requestId, target }: FindDevices): void {
    const request = { id: `find/${requestId}`, target, action: 'off', timeoutMs: findTimeoutMs } as const;
    this.#surveyed(this.#surveys.start(request, this.#board.now));
  }

  #surveyed(results: readonly SurveyResult[]): void {
    for (const { id, target, devices } of results) {
      if (id.startsWith('find/')) {
        this.#board.emit({ type: 'devicesFound', requestId: id.slice('find/'.length), target, devices });
        continue;
      }
      const [from = '', operation = ''] = JSON.parse(id) as readonly string[];
      const offers = devices
        .map((device) => this.catalog.get(device))
        .filter((device): device is DeviceState => device !== undefined)
        .map((device) => this.catalog.offer(device, target));
      this.#answer(from, operation, offers);
    }
  }

  #answer(from: string, operation: string, devices: readonly OfferedDevice[]): void {
    if (from === this.#board.self) this.#own.answered(operation, devices);
    else this.#board.send(from, { kind: 'queryAnswer', operation, devices });
  }

  perform(from: string, message: Perform): void {
    const { operation, step, target, device: id } = message;
    const device = this.catalog.get(id);
    const action = device === undefined ? message.action : this.catalog.effective(device, message.action);
    const command = device === undefined ? undefined : this.catalog.command(device, action, target);
    if (device === undefined || command === undefined || !device.config.isAllowedHere) {
      this.#performed(from, message, 'failed', `${this.#board.self} does not have the device ${id}`);
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
      this.#board.now,
    );
  }

  /** At least the base, at most the maximum, at random between, so that two that shoot at each other differ. */
  #delayMs(device: DeviceState, message: Perform): number {
    if (message.action === 'on' || message.delayMs < 0) return 0;
    const { baseMs, maxMs } = delayBounds(device.config, message.target);
    const own = maxMs > baseMs ? baseMs + this.#board.options.random.integer(maxMs - baseMs + 1) : baseMs;
    return own + message.delayMs;
  }

  #performed(from: string, message: Perform, outcome: Outcome, reason: string): void {
    const { operation, step } = message;
    if (from === this.#board.self) {
      this.#own.performed(operation, step, outcome, reason);
      return;
    }
    this.#board.send(from, { kind: 'performed', operation, step, outcome, reason });
    if (outcome === 'ok') this.#onBehalf.done(from, message, reason);
  }

  membersChanged(): void {
    this.#onBehalf.membersChanged();
  }

  ask(input: AskDevice): void {
    const { requestId, device: id, action, target, timeoutMs } = input;
    const device = this.catalog.get(id);
    const command = device === undefined ? undefined : this.catalog.command(device, action, target);
    if (device === undefined || command === undefined) {
      const what = device === undefined ? `no device ${id} is configured` : `the agent of ${id} is not installed here`;
      this.#board.emit({ type: 'deviceAnswered', requestId, device: id, isOk: false, reason: what });
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
      this.#board.now,
    );
  }

  processEnded(input: ProcessEnded): void {
    const described = this.catalog.described(input);
    if (described !== undefined) {
      if (described.problem !== undefined) this.#board.reject(described.problem);
      this.#surveyed(this.#surveys.described(this.#board.now));
      return;
    }
    const result = this.#jobs.processEnded(input, this.#board.now);
    if (result !== undefined) this.#jobEnded(result);
  }

  /** False if the timer belongs to none of its jobs. */
  timerExpired(id: string): boolean {
    return this.#jobs.timerExpired(id, this.#board.now) || this.#onBehalf.timerExpired(id);
  }

  /** Jobs that were kept waiting for too long have failed; to be called at the end of each step. */
  dropLate(): void {
    for (const late of this.#jobs.takeLate()) this.#jobEnded(late);
  }

  #jobEnded(result: JobResult): void {
    const surveyed = this.#surveys.jobEnded(result, this.#board.now);
    if (surveyed !== undefined) {
      this.#surveyed(surveyed);
      return;
    }
    const device = this.catalog.get(result.device);
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
    this.#board.emit({
      type: 'deviceAnswered',
      requestId: asked.requestId,
      device: asked.device,
      isOk,
      ...(isOk && asked.action === 'status' ? { isOn: result.exitCode === 0 } : {}),
      ...(isOk && asked.action === 'list' ? { targets: listedTargets(result.stdout) } : {}),
      reason: result.reason,
    });
  }
}

/**
 * Finds out which of this node's devices can fence a target. Devices that name their hosts are known at once; others
 * have to be asked, which takes a process each; the answer goes out when the last of them is in.
 */
import type { Instant } from '@systole/kernel';
import type { Catalog } from './catalog.ts';
import type { FenceAction } from './contract.ts';
import { type DeviceState, hostCheck, listedTargets, ownTimeoutMs, tries } from './device.ts';
import type { JobResult, Jobs } from './jobs.ts';

export interface SurveyRequest {
  readonly id: string;
  readonly target: string;
  readonly action: FenceAction;
  readonly timeoutMs: number;
}

interface Survey extends SurveyRequest {
  /** Devices whose answer is still out. */
  readonly waiting: Set<string>;
  readonly capable: Set<string>;
}

/** A survey that has come to its end: ids of devices in the configuration's order. */
export interface SurveyResult extends SurveyRequest {
  readonly devices: readonly string[];
}

const listJob = (device: string): string => `list/${device}`;
const statusJob = (survey: string, device: string): string => `status/${survey}/${device}`;

/** An agent's answer to `status`: 0 the plug is on, 2 it is off. Both know the plug. */
export const statusCodes = [0, 2] as const;

export class Surveys {
  readonly #catalog: Catalog;
  readonly #jobs: Jobs;
  readonly #surveys = new Map<string, Survey>();
  /** Devices whose list action is running. */
  readonly #listing = new Set<string>();

  constructor(catalog: Catalog, jobs: Jobs) {
    this.#catalog = catalog;
    this.#jobs = jobs;
  }

  start(request: SurveyRequest, now: Instant): readonly SurveyResult[] {
    const survey: Survey = { ...request, waiting: new Set(), capable: new Set() };
    this.#surveys.set(survey.id, survey);
    for (const device of this.#catalog.all()) this.#consider(survey, device, now);
    return this.#finished();
  }

  #consider(survey: Survey, device: DeviceState, now: Instant): void {
    const { id } = device.config;
    switch (this.#catalog.capability(device, survey.target, survey.action, now)) {
      case 'yes':
        survey.capable.add(id);
        break;
      case 'no':
        break;
      case 'awaitDescription':
        survey.waiting.add(id);
        break;
      case 'askList':
        survey.waiting.add(id);
        this.#askList(device, survey.timeoutMs, now);
        break;
      case 'askStatus':
        survey.waiting.add(id);
        this.#ask(device, 'status', statusJob(survey.id, id), survey, now);
        break;
    }
  }

  #askList(device: DeviceState, timeoutMs: number, now: Instant): void {
    const { id } = device.config;
    if (this.#listing.has(id)) return;
    this.#listing.add(id);
    this.#ask(device, 'list', listJob(id), { timeoutMs }, now);
  }

  #ask(
    device: DeviceState,
    action: 'list' | 'status',
    id: string,
    survey: { readonly timeoutMs: number; readonly target?: string },
    now: Instant,
  ): void {
    const command = this.#catalog.command(device, action, survey.target);
    if (command === undefined) return;
    this.#jobs.start(
      {
        id,
        device: device.config.id,
        // Questions do not queue behind actions: an action may be waiting for their answer.
        limit: Number.POSITIVE_INFINITY,
        command,
        timeoutMs: ownTimeoutMs(device.config, action) ?? survey.timeoutMs,
        delayMs: 0,
        tries: tries(device.config, action),
        goodCodes: action === 'status' ? statusCodes : [0],
      },
      now,
    );
  }

  /** Surveys that this job's result completes; `undefined` if the job was not asked for by a survey. */
  jobEnded(result: JobResult, now: Instant): readonly SurveyResult[] | undefined {
    const device = this.#catalog.get(result.device);
    if (result.id.startsWith('list/')) {
      this.#listing.delete(result.device);
      if (device !== undefined) this.#noteList(device, result, now);
      for (const survey of this.#surveys.values()) {
        if (!survey.waiting.delete(result.device) || device === undefined) continue;
        if (result.outcome === 'ok' || device.list !== undefined) {
          if (this.#catalog.isInList(device, survey.target)) survey.capable.add(result.device);
        }
      }
      return this.#finished();
    }
    if (!result.id.startsWith('status/')) return undefined;
    if (device !== undefined && result.outcome === 'ok') device.isVerified = true;
    for (const survey of this.#surveys.values()) {
      if (result.id !== statusJob(survey.id, result.device)) continue;
      survey.waiting.delete(result.device);
      if (result.outcome === 'ok') survey.capable.add(result.device);
    }
    return this.#finished();
  }

  #noteList(device: DeviceState, result: JobResult, now: Instant): void {
    if (result.outcome === 'ok') {
      device.isVerified = true;
      device.list = { targets: listedTargets(result.stdout), atMs: now };
      return;
    }
    const isExplicit = device.config.parameters['pcmk_host_check'] !== undefined;
    const isDynamic = hostCheck(device.config, this.#catalog.description(device)) === 'dynamic-list';
    if (device.list === undefined && isDynamic && !isExplicit) device.isListGivenUp = true;
  }

  /** A description has come: devices that waited for it are looked at again. */
  described(now: Instant): readonly SurveyResult[] {
    for (const survey of this.#surveys.values()) {
      for (const id of survey.waiting) {
        const device = this.#catalog.get(id);
        if (device === undefined) survey.waiting.delete(id);
        else if (this.#listing.has(id)) continue;
        else if (this.#isUndescribed(survey, device, now)) continue;
        else {
          survey.waiting.delete(id);
          this.#consider(survey, device, now);
        }
      }
    }
    return this.#finished();
  }

  /** Still waiting for its description, or already being asked for its status. */
  #isUndescribed(survey: Survey, device: DeviceState, now: Instant): boolean {
    const capability = this.#catalog.capability(device, survey.target, survey.action, now);
    return capability === 'awaitDescription' || this.#jobs.has(statusJob(survey.id, device.config.id));
  }

  #finished(): readonly SurveyResult[] {
    const finished = [...this.#surveys.values()].filter(({ waiting }) => waiting.size === 0);
    for (const { id } of finished) this.#surveys.delete(id);
    return finished.map(({ capable, waiting: _none, ...request }) => ({
      ...request,
      devices: this.#catalog
        .all()
        .map(({ config }) => config.id)
        .filter((id) => capable.has(id)),
    }));
  }
}

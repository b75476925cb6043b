/**
 * Runs fence agents on this node: waits out a delay, waits for the device to be free, runs, and runs again if it failed
 * and time allows. One job is one action on one device, whoever wants it.
 *
 * A failed agent is tried again after a second, as often as configured (2 tries in all) and not past 70 % of the time
 * it has, because an answer that comes too late is no answer. A timeout is final.
 */
import type { Instant, KillProcess, ProcessEnded, StartProcess, StartTimer, StopTimer } from '@systole/kernel';
import type { AgentCommand } from '@systole/ra';

const retryDelayMs = 1000;
const retryShare = 0.7;
/** Fence agents get no grace at their timeout: what they could not do, another has to begin at once. */
const killAfterMs = 0;
const outputLimitBytes = 64 * 1024;

export interface JobRequest {
  readonly id: string;
  readonly device: string;
  /** How many jobs of the device may run at a time. */
  readonly limit: number;
  readonly command: AgentCommand;
  readonly timeoutMs: number;
  readonly delayMs: number;
  readonly tries: number;
  /** Exit codes that count as success. */
  readonly goodCodes: readonly number[];
}

export interface JobResult {
  readonly id: string;
  readonly device: string;
  readonly outcome: 'ok' | 'failed' | 'timedOut';
  readonly exitCode: number | undefined;
  readonly stdout: string;
  /** The agent's last words, or what became of it. */
  readonly reason: string;
}

type Phase = 'delayed' | 'queued' | 'running' | 'resting';

interface Job extends JobRequest {
  phase: Phase;
  attempt: number;
  /** When it joined the queue of its device. */
  queuedAt: Instant;
  /** When it first ran; its timeout counts from then. */
  begunAt: Instant | undefined;
}

export type JobEffect = StartProcess | KillProcess | StartTimer | StopTimer;

const prefix = 'stonith/job/';

export class Jobs {
  readonly #jobs = new Map<string, Job>();
  #late: JobResult[] = [];
  readonly #emit: (effect: JobEffect) => void;

  constructor(emit: (effect: JobEffect) => void) {
    this.#emit = emit;
  }

  has(id: string): boolean {
    return this.#jobs.has(id);
  }

  start(request: JobRequest, now: Instant): void {
    const job: Job = { ...request, phase: 'queued', attempt: 0, queuedAt: now, begunAt: undefined };
    this.#jobs.set(job.id, job);
    if (job.delayMs > 0) {
      job.phase = 'delayed';
      this.#emit({ type: 'startTimer', id: `${prefix}${job.id}`, delayMs: job.delayMs });
    }
    this.#fill(job.device, now);
  }

  /** Starts what waits for a device that has room. A job in its delay holds nobody back. */
  #fill(device: string, now: Instant): void {
    for (const job of this.#jobs.values()) {
      if (job.device !== device || job.phase !== 'queued') continue;
      const busy = [...this.#jobs.values()].filter(
        (other) => other.device === device && (other.phase === 'running' || other.phase === 'resting'),
      );
      if (busy.length >= job.limit) return;
      if (now - job.queuedAt > job.timeoutMs) {
        // Whoever wanted it has given up: to act now could hit a node that is back in service.
        this.#jobs.delete(job.id);
        const reason = 'the device was busy for too long';
        const result = { id: job.id, device, exitCode: undefined, stdout: '', reason };
        this.#late.push({ ...result, outcome: 'timedOut' });
        continue;
      }
      job.begunAt = now;
      this.#run(job, job.timeoutMs);
    }
  }

  #run(job: Job, timeoutMs: number): void {
    job.attempt += 1;
    job.phase = 'running';
    this.#emit({
      type: 'startProcess',
      id: `${prefix}${job.id}#${job.attempt}`,
      ...job.command,
      timeoutMs,
      killAfterMs,
      outputLimitBytes,
    });
  }

  /** The result of a job that this process ends; `undefined` while it goes on, or if the process is none of ours. */
  processEnded(input: ProcessEnded, now: Instant): JobResult | undefined {
    if (!input.id.startsWith(prefix)) return undefined;
    const job = this.#jobs.get(input.id.slice(prefix.length, input.id.lastIndexOf('#')));
    if (job === undefined || input.id !== `${prefix}${job.id}#${job.attempt}`) return undefined;
    const { outcome } = input;
    if (outcome.type === 'timedOut') {
      return this.#finish(job, 'timedOut', undefined, input, `no result within ${job.timeoutMs} ms`, now);
    }
    const exitCode = outcome.type === 'exited' ? outcome.code : undefined;
    if (exitCode !== undefined && job.goodCodes.includes(exitCode)) {
      return this.#finish(job, 'ok', exitCode, input, lastWords(input), now);
    }
    const spentMs = now - (job.begunAt ?? now);
    if (job.attempt < job.tries && spentMs < retryShare * job.timeoutMs) {
      job.phase = 'resting';
      this.#emit({ type: 'startTimer', id: `${prefix}${job.id}`, delayMs: retryDelayMs });
      return undefined;
    }
    return this.#finish(job, 'failed', exitCode, input, whyFailed(input), now);
  }

  /** True if the timer is of a job. */
  timerExpired(id: string, now: Instant): boolean {
    if (!id.startsWith(prefix)) return false;
    const job = this.#jobs.get(id.slice(prefix.length));
    if (job?.phase === 'delayed') {
      job.phase = 'queued';
      job.queuedAt = now;
      this.#fill(job.device, now);
    } else if (job?.phase === 'resting') {
      this.#run(job, Math.max(1, job.timeoutMs - (now - (job.begunAt ?? now))));
    }
    return true;
  }

  /** Jobs that ended without having run, since this was last asked. */
  takeLate(): readonly JobResult[] {
    const late = this.#late;
    this.#late = [];
    return late;
  }

  /** Takes a job back: it never answers. */
  abandon(id: string, now: Instant): void {
    const job = this.#jobs.get(id);
    if (job === undefined) return;
    this.#jobs.delete(id);
    if (job.phase === 'running') {
      this.#emit({ type: 'killProcess', id: `${prefix}${job.id}#${job.attempt}`, signal: 'SIGKILL' });
    } else {
      this.#emit({ type: 'stopTimer', id: `${prefix}${job.id}` });
    }
    this.#fill(job.device, now);
  }

  #finish(
    job: Job,
    outcome: JobResult['outcome'],
    exitCode: number | undefined,
    ended: ProcessEnded,
    reason: string,
    now: Instant,
  ): JobResult {
    this.#jobs.delete(job.id);
    this.#fill(job.device, now);
    return { id: job.id, device: job.device, outcome, exitCode, stdout: ended.stdout, reason };
  }
}

/** The last line that an agent wrote about itself: it goes into histories, so it is short. */
const lastWords = ({ stdout, stderr }: ProcessEnded): string =>
  [stderr, stdout]
    .map((stream) => stream.trim().split('\n').at(-1)?.trim() ?? '')
    .find((line) => line !== '')
    ?.slice(0, 500) ?? '';

function whyFailed(ended: ProcessEnded): string {
  const { outcome } = ended;
  const words = lastWords(ended);
  switch (outcome.type) {
    case 'exited':
      return words === '' ? `its agent ended with ${outcome.code}` : `its agent ended with ${outcome.code}: ${words}`;
    case 'signalled':
      return `its agent was killed by ${outcome.signal}`;
    case 'notStarted':
      return `its agent could not be run: ${outcome.message}`;
    case 'timedOut':
      return 'its agent timed out';
  }
}

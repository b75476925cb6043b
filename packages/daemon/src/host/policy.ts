/**
 * The policy engine in a thread of its own: a large configuration takes it hundreds of milliseconds, and heartbeats must
 * not wait for that. One question at a time; a newer one takes the place of one that still waits.
 *
 * On a node that is not the DC the engine would meet its first question in the middle of a failover, with code that has
 * never run: some 80 ms where 10 would do. So it is given the configuration to chew on beforehand (`warm`).
 */
import type { Cib } from '@systole/cib';
import type { ScheduleOutcome } from '@systole/crm';
import type { Epoch } from '@systole/kernel';
import { Worker } from 'node:worker_threads';

export interface Question {
  readonly scheduleId: number;
  readonly cib: Cib;
  readonly at: Epoch;
}

/** Marks a question whose answer nobody waits for. */
export const warming = -1;

export interface PolicyAnswer {
  readonly scheduleId: number;
  readonly outcome: ScheduleOutcome;
}

export class Policy {
  readonly #answered: (answer: PolicyAnswer) => void;
  #worker: Worker;
  #asked: Question | undefined;
  #waiting: Question | undefined;

  constructor(answered: (answer: PolicyAnswer) => void) {
    this.#answered = answered;
    this.#worker = this.#start();
  }

  ask(question: Question): void {
    if (this.#asked !== undefined) {
      this.#waiting = question;
      return;
    }
    this.#asked = question;
    this.#worker.postMessage(question);
  }

  /** Lets the engine get used to this CIB, if it has nothing better to do. */
  warm(cib: Cib, at: Epoch): void {
    if (this.#asked === undefined) this.ask({ scheduleId: warming, cib, at });
  }

  async close(): Promise<void> {
    this.#worker.removeAllListeners();
    await this.#worker.terminate();
  }

  #start(): Worker {
    const worker = new Worker(new URL('./policy-worker.ts', import.meta.url), { name: 'policy' });
    worker.on('message', (answer: PolicyAnswer) => this.#take(answer));
    // A crash of the engine costs one answer, not the node.
    worker.on('error', (error) => {
      this.#worker = this.#start();
      const scheduleId = this.#asked?.scheduleId;
      if (scheduleId !== undefined) this.#take({ scheduleId, outcome: { type: 'failed', message: String(error) } });
    });
    return worker;
  }

  #take(answer: PolicyAnswer): void {
    this.#asked = undefined;
    const next = this.#waiting;
    this.#waiting = undefined;
    if (next !== undefined) this.ask(next);
    if (answer.scheduleId !== warming) this.#answered(answer);
  }
}

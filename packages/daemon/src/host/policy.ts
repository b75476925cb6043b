/**
 * The policy engine in a thread of its own: a large configuration takes it hundreds of milliseconds, and heartbeats must
 * not wait for that. One question at a time; a newer one takes the place of one that still waits.
 *
 * On a node that is not the DC the engine would meet its first question in the middle of a failover, with code that has
 * never run: some 80 ms where 10 would do. So it is given the configuration to chew on beforehand (`warm`).
 */
import type { Cib } from '@systole/cib';
import type { Epoch } from '@systole/kernel';
import { Worker } from 'node:worker_threads';
import { type PolicyAnswer, type Question, warming } from './policy-protocol.ts';

/**
 * Node's own young generation of 48 MiB is less than a decision about 2,000 resources makes: what is still needed is then
 * copied again and again, and the cost grows faster than the cluster. This is a bound, reached only by such clusters.
 */
export const policyHeap = { maxYoungGenerationSizeMb: 192 } as const;

export class Policy {
  readonly #answered: (answer: PolicyAnswer) => void;
  readonly #program: URL;
  /** Absent after a crash, until the next question. */
  #worker: Worker | undefined;
  #asked: Question | undefined;
  #waiting: Question | undefined;

  /** `program`: what the thread runs. */
  constructor(answered: (answer: PolicyAnswer) => void, program: URL = new URL('./policy-worker.ts', import.meta.url)) {
    this.#answered = answered;
    this.#program = program;
    this.#worker = this.#start();
  }

  ask(question: Question): void {
    if (this.#asked !== undefined) {
      this.#waiting = question;
      return;
    }
    this.#asked = question;
    this.#worker ??= this.#start();
    this.#worker.postMessage(question);
  }

  /** Lets the engine get used to this CIB, if it has nothing better to do. */
  warm(cib: Cib, at: Epoch): void {
    if (this.#asked === undefined) this.ask({ scheduleId: warming, cib, at });
  }

  async close(): Promise<void> {
    this.#worker?.removeAllListeners();
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(this.#program, { name: 'policy', resourceLimits: policyHeap });
    worker.on('message', (answer: PolicyAnswer) => this.#take(answer));
    // A crash of the engine costs one answer, not the node. The next question starts it again, and nothing before: one
    // that cannot even start (its file was missing in a built daemon) would be started for ever, at the cost of a core.
    worker.on('error', (error) => {
      this.#worker = undefined;
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

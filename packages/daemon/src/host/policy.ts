/**
 * The policy engine in a thread of its own: a large configuration takes it hundreds of milliseconds, and heartbeats must
 * not wait for that. One question at a time; a newer one takes the place of one that still waits.
 *
 * On a node that is not the DC the engine would meet its first question in the middle of a failover, with code that has
 * never run: some 80 ms where 10 would do. So it is given the configuration to chew on beforehand (`warm`).
 *
 * The thread has every input already, so it also keeps those that led to a transition (`policy-inputs.ts`).
 */
import type { Cib } from '@systole/cib';
import type { KeepInput } from '@systole/crm';
import type { Epoch } from '@systole/kernel';
import { Worker } from 'node:worker_threads';
import {
  type NotKept,
  type PolicyAnswer,
  type PolicyOutput,
  type PolicySetup,
  type Question,
  warming,
} from './policy-protocol.ts';

/**
 * Node's own young generation of 48 MiB is less than a decision about 2,000 resources makes: what is still needed is then
 * copied again and again, and the cost grows faster than the cluster. This is a bound, reached only by such clusters.
 */
export const policyHeap = { maxYoungGenerationSizeMb: 192 } as const;

export interface PolicyParts {
  readonly answered: (answer: PolicyAnswer) => void;
  readonly notKept: (notKept: NotKept) => void;
  readonly setup: PolicySetup;
  /** What the thread runs. */
  readonly program?: URL;
}

export class Policy {
  readonly #parts: PolicyParts;
  /** Absent after a crash, until the next question. */
  #worker: Worker | undefined;
  #asked: Question | undefined;
  #waiting: Question | undefined;

  constructor(parts: PolicyParts) {
    this.#parts = parts;
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
    if (this.#asked === undefined) this.ask({ type: 'ask', scheduleId: warming, cib, at });
  }

  /** What was asked last is carried out: its input goes to the disk. Nothing waits for that. */
  keep(keep: KeepInput): void {
    if (this.#worker !== undefined) this.#worker.postMessage(keep);
    else this.#parts.notKept({ type: 'notKept', transitionId: keep.transitionId, problem: 'its thread has died' });
  }

  async close(): Promise<void> {
    this.#worker?.removeAllListeners();
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const { program = new URL('./policy-worker.ts', import.meta.url), setup, notKept } = this.#parts;
    const worker = new Worker(program, { name: 'policy', resourceLimits: policyHeap, workerData: setup });
    worker.on('message', (output: PolicyOutput) => {
      if (output.type === 'answer') this.#take(output);
      else notKept(output);
    });
    // A crash of the engine costs one answer, not the node. The next question starts it again, and nothing before: one
    // that cannot even start (its file was missing in a built daemon) would be started for ever, at the cost of a core.
    worker.on('error', (error) => {
      this.#worker = undefined;
      const scheduleId = this.#asked?.scheduleId;
      if (scheduleId !== undefined)
        this.#take({ type: 'answer', scheduleId, outcome: { type: 'failed', message: String(error) } });
    });
    return worker;
  }

  #take(answer: PolicyAnswer): void {
    this.#asked = undefined;
    const next = this.#waiting;
    this.#waiting = undefined;
    if (next !== undefined) this.ask(next);
    if (answer.scheduleId !== warming) this.#parts.answered(answer);
  }
}

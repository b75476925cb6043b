/** Waits until the cluster is idle, showing what goes on. */
import { setTimeout as sleep } from 'node:timers/promises';
import { SystoleError } from '@systole/kernel';
import { interruptible } from './interrupt.ts';
import type { Context } from './context.ts';

/** A change takes a moment to reach the DC and to be looked at; what is idle before that is not idle after. */
const SETTLE_MS = 200;

const INTERRUPTED =
  'interrupted: nobody waits any more, and the cluster goes on by itself; systole status shows how far it is';

/** @throws SystoleError `timedOut` if it is not idle within the time given with `--wait`. */
export async function waitIfAsked(context: Context): Promise<void> {
  const { waitMs } = context.options;
  if (waitMs !== undefined) await waitUntilIdle(context, waitMs);
}

export async function waitUntilIdle(context: Context, timeoutMs: number): Promise<void> {
  const end = performance.now() + timeoutMs;
  const progress = new Progress(context);
  try {
    await sleep(SETTLE_MS);
    for (let calm = 0; calm < 2;) {
      const left = end - performance.now();
      if (left <= 0) throw timedOut(timeoutMs);
      // In short turns, so that progress can be shown.
      const isIdle = await interruptible(context.client.waitUntilIdle(Math.min(left, 2000)), INTERRUPTED);
      calm = isIdle ? calm + 1 : 0;
      if (calm === 1) await sleep(SETTLE_MS / 2);
      if (!isIdle) await progress.show();
    }
  } finally {
    progress.end();
  }
}

const timedOut = (timeoutMs: number): SystoleError =>
  new SystoleError(
    'timedOut',
    `the cluster is not idle after ${Math.round(timeoutMs / 1000)} s; systole status shows what it is doing`,
  );

/** One line on a terminal, rewritten; nothing elsewhere. */
class Progress {
  readonly #context: Context;
  #isShown = false;

  constructor(context: Context) {
    this.#context = context;
  }

  async show(): Promise<void> {
    if (!this.#context.terminal.isTerminal || this.#context.isJson) return;
    const { transition } = await this.#context.client.status();
    const steps = transition.pending === undefined ? '' : `: ${transition.done ?? 0} done, ${transition.pending} to do`;
    this.#context.terminal.error(`\r\u001b[Kwaiting for the cluster${steps}`);
    this.#isShown = true;
  }

  end(): void {
    if (this.#isShown) this.#context.terminal.error('\r\u001b[K');
  }
}

/**
 * This node's way out: it asks the DC to plan without it, waits until its resources are stopped or moved, and goes.
 *
 * Whoever leaves in order counts as clean, and what ran on it may be started elsewhere at once. So a node may say so
 * only if nothing of this cluster's runs on it, or if the DC, which has seen its resources stop, told it to go.
 */
import type { Cib } from '@systole/cib';
import type { CrmEffect, CrmOptions } from './contract.ts';
import type { ControllerMessage } from './messages.ts';
import { report } from './narration.ts';
import { durationOption } from './options.ts';
import type { OwnLife } from './own-life.ts';
import { nodeState, transientAttributes } from './status/node-state.ts';

const escalationMs = 20 * 60_000; // shutdown-escalation: resources that take longer to stop are left behind

export const escalationTimer = 'crm.escalation';

export class Leaving {
  readonly #options: Pick<CrmOptions, 'self' | 'wallClock'>;
  readonly #life: OwnLife;
  #reason: string | undefined;
  #hasAsked = false;
  #hasLeft = false;

  constructor(options: Pick<CrmOptions, 'self' | 'wallClock'>, life: OwnLife) {
    this.#options = options;
    this.#life = life;
  }

  get isUnderWay(): boolean {
    return this.#reason !== undefined;
  }

  begin(reason: string, cib: Cib, effects: CrmEffect[]): void {
    this.#reason = reason;
    effects.push(report('info', 'node.leaving', `leaving: ${reason}`));
    const delayMs = durationOption(cib, escalationMs, 'shutdown-escalation');
    effects.push({ type: 'startTimer', id: escalationTimer, delayMs });
  }

  /** Asks the DC to plan without this node; the attribute is the one that the policy engine reads. */
  ask(cib: Cib, post: (message: ControllerMessage) => void, effects: CrmEffect[]): void {
    const { self, wallClock } = this.#options;
    if (this.#reason === undefined || this.#hasLeft) return;
    if (!this.#life.isMember(cib)) {
      // Nothing has been started here, in this life of the daemon or before it, and nobody counts on it. A member that
      // another's CIB does not count any more has its own memory of what runs here: it joins again, and leaves in order
      // (simulator, seed 6003: it left as if clean, and its services ran on).
      if (this.#life.isEmpty) this.go(this.#reason, true, effects);
      return;
    }
    if (this.#hasAsked && transientAttributes(nodeState(cib, self)).has('shutdown')) return;
    this.#hasAsked = true;
    const shutdown = String(Math.floor(wallClock() / 1000));
    post({ type: 'attributes', node: self, values: { shutdown } });
  }

  go(reason: string, isClean: boolean, effects: CrmEffect[]): void {
    if (this.#hasLeft) return;
    this.#reason ??= reason;
    this.#hasAsked = true;
    this.#hasLeft = true;
    effects.push({ type: 'stopTimer', id: escalationTimer }, { type: 'leave', reason, isClean });
  }

  escalate(effects: CrmEffect[]): void {
    const text = 'leaving although resources may still run here: the wait for them is over';
    effects.push(report('error', 'node.leftBehind', text));
    this.go('waited too long for its resources to stop', false, effects);
  }
}

/** A member's voter for the arbiter, on the simulated network: one life of a daemon has one. */
import { ArbiterVoter, type ArbiterVoterEffect, type NodeInput } from '@systole/daemon/node';
import type { Instant } from '@systole/kernel';
import type { ClusterKey, EngineStatus } from '@systole/messaging';

export class Voter {
  readonly #voter: ArbiterVoter;
  readonly #send: (datagram: Uint8Array) => void;
  #areBehind = false;

  constructor(options: ConstructorParameters<typeof ArbiterVoter>[0], send: (datagram: Uint8Array) => void) {
    this.#voter = new ArbiterVoter(options);
    this.#send = send;
  }

  /** At the end of a turn; `status` where something may have changed. Answers with what the node must hear. */
  turn(status: EngineStatus | undefined, now: Instant): readonly NodeInput[] {
    const effects = (status && this.#voter.look(status, now)) ?? [];
    return this.#told([...effects, ...this.#voter.tick(now)]);
  }

  received(datagram: Uint8Array, now: Instant): readonly NodeInput[] {
    return this.#told(this.#voter.received(0, datagram, now));
  }

  useKeys(keys: readonly ClusterKey[]): void {
    this.#voter.useKeys(keys);
  }

  /** What the node must hear of the arbiter's key, once. */
  #keyNews(): readonly NodeInput[] {
    const { areBehind } = this.#voter;
    if (areBehind === this.#areBehind) return [];
    this.#areBehind = areBehind;
    return [{ type: 'arbiters', areBehind }];
  }

  wakeAt(): number {
    return this.#voter.wakeAt() ?? Infinity;
  }

  #told(effects: readonly ArbiterVoterEffect[]): readonly NodeInput[] {
    const told: NodeInput[] = [];
    for (const effect of effects) {
      if (effect.type === 'letter') this.#send(effect.datagram);
      else told.push(effect);
    }
    return [...told, ...this.#keyNews()];
  }
}

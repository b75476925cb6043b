/**
 * What messaging must know of the cluster, and how that changes while it runs: its nodes (from the configuration of the
 * cluster), its keys (from a rotation), its links and timing (from the nodes' files). Each change ends in the engine
 * being configured anew with all of them as they are then.
 */
import type { Cib } from '@systole/cib';
import { invariant, type Result, unreachable } from '@systole/kernel';
import type { EngineEffect, KeyEffect, KeyRotation } from '@systole/messaging';
import type { NodeConfiguration } from './contract.ts';
import { allNames, type MessagingPort, type MessagingSetup, messagingSetup } from './messaging-port.ts';
import type { Network, NetworkEffect } from './network.ts';
import { NodeIds } from './node-ids.ts';
import type { Outlets } from './outlets.ts';
import type { Persistence } from './persistence.ts';

/** A changed link is looked at again. */
const lookTimer = 'network/look';

export interface MessagingSettingsParts {
  readonly configuration: NodeConfiguration;
  readonly ids: NodeIds;
  readonly engine: MessagingPort;
  readonly keys: KeyRotation;
  readonly network: Network;
  readonly persistence: Persistence;
  /** What the engine wants at once when it is configured anew. */
  readonly take: (effect: EngineEffect) => void;
  /** The view that messages of the keys and the network are meant for. */
  readonly viewNumber: () => number | undefined;
}

export class MessagingSettings {
  readonly #parts: MessagingSettingsParts;
  readonly #outlets: Outlets;
  #ids: NodeIds;

  constructor(parts: MessagingSettingsParts, outlets: Outlets) {
    this.#parts = parts;
    this.#outlets = outlets;
    this.#ids = parts.ids;
  }

  get ids(): NodeIds {
    return this.#ids;
  }

  /** Nodes that the configuration has gained (or lost) are listened to (or not) from now on. */
  knowNodes(cib: Cib): void {
    const { configuration, engine, take } = this.#parts;
    const { now, give, report } = this.#outlets;
    const names = allNames(configuration, cib);
    if (names.length === this.#ids.names.length && names.every((name) => this.#ids.has(name))) return;
    const ids = NodeIds.of(names);
    if (!ids.ok) return report('node', 'error', 'nodes.refused', ids.error, {});
    const setup = this.#setup(names);
    if (!setup.ok) return report('node', 'error', 'nodes.refused', setup.error, {});
    this.#ids = ids.value;
    for (const effect of engine.reconfigure(setup.value, now())) take(effect);
    give({ for: 'keys', input: { type: 'nodes', nodes: names } });
    give({ for: 'network', input: { type: 'nodes', nodes: names } });
  }

  fromKeys(effect: KeyEffect): void {
    const { want, submit } = this.#outlets;
    switch (effect.type) {
      case 'send':
        submit({ envelope: { to: 'keys', message: effect.message }, service: 'agreed' }, this.#parts.viewNumber());
        break;
      case 'saveKeys':
        this.#parts.persistence.saveKeys(effect.ring);
        break;
      case 'useKeys':
        this.#reconfigure();
        break;
      case 'answer':
        want(effect);
        break;
      case 'report':
        want({ ...effect, subsystem: 'messaging' });
        break;
      default:
        unreachable(effect);
    }
  }

  fromNetwork(effect: NetworkEffect): void {
    const { want, submit, startTimer } = this.#outlets;
    switch (effect.type) {
      case 'send':
        submit({ envelope: { to: 'files', message: effect.message }, service: 'agreed' }, this.#parts.viewNumber());
        break;
      case 'changeFile':
      case 'answer':
        want(effect);
        break;
      case 'reconfigure':
        this.#reconfigure();
        break;
      case 'lookAgain':
        startTimer(lookTimer, effect.delayMs);
        break;
      default:
        unreachable(effect);
    }
  }

  /** True if the timer was ours. */
  timerExpired(id: string): boolean {
    if (id !== lookTimer) return false;
    this.#outlets.give({ for: 'network', input: { type: 'look' } });
    return true;
  }

  /** Keys, links or timing are others now. */
  #reconfigure(): void {
    const setup = this.#setup(this.#ids.names);
    invariant(setup.ok, 'other keys and links do not make the set of nodes wrong');
    const { engine, take } = this.#parts;
    for (const effect of engine.reconfigure(setup.value, this.#outlets.now())) take(effect);
  }

  /** As configured, with the keys, links and timing that are in use now. */
  #setup(names: readonly string[]): Result<MessagingSetup, string> {
    const { configuration, keys, network } = this.#parts;
    const messaging = { ...configuration.messaging, ...network.settings, keys: keys.keys };
    return messagingSetup({ ...configuration, messaging }, names);
  }
}

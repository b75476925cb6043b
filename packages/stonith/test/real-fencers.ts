/** Fencers of several nodes on real processes, in real time; what they say to each other takes a turn of the event loop. */
import { existsSync } from 'node:fs';
import { epoch, type Instant, instant, seededRandom } from '@systole/kernel';
import type { AgentPlaces } from '@systole/ra';
import { ProcessRunner } from '../../daemon/src/host/processes.ts';
import {
  type Fence,
  type FenceDevice,
  type FenceEnded,
  Fencer,
  type StonithEffect,
  type StonithInput,
} from '../src/index.ts';

interface Node {
  readonly fencer: Fencer;
  readonly runner: ProcessRunner;
  readonly timers: Map<string, NodeJS.Timeout>;
}

export class RealFencers {
  readonly effects: { readonly node: string; readonly effect: StonithEffect }[] = [];
  readonly #nodes = new Map<string, Node>();
  #requests = 0;
  #isClosed = false;

  /** `places` of each node: agents act on what is the node's own. */
  constructor(names: readonly string[], places: AgentPlaces) {
    for (const [index, name] of names.entries()) {
      this.#nodes.set(name, {
        fencer: new Fencer({
          node: name,
          places,
          firstExisting: (paths) => paths.find((path) => existsSync(path)),
          random: seededRandom(index + 1),
          wallClock: () => epoch(Date.now()),
        }),
        runner: new ProcessRunner((ended) => this.give(name, ended)),
        timers: new Map(),
      });
    }
    this.members(...names);
  }

  give(name: string, input: StonithInput): void {
    const node = this.#nodes.get(name);
    if (node === undefined || this.#isClosed) return;
    const now: Instant = instant(Math.round(performance.now()));
    for (const effect of node.fencer.step(input, now)) {
      this.effects.push({ node: name, effect });
      this.#carryOut(name, node, effect);
    }
  }

  giveAll(input: StonithInput): void {
    for (const name of this.#nodes.keys()) this.give(name, input);
  }

  members(...members: readonly string[]): void {
    for (const name of members) this.give(name, { type: 'membersChanged', members, isQuorate: true });
  }

  devices(...devices: readonly FenceDevice[]): void {
    this.giveAll({ type: 'devicesChanged', devices });
  }

  fence(name: string, request: Omit<Fence, 'type' | 'requestId'>): Promise<FenceEnded> {
    this.#requests += 1;
    const requestId = `request ${this.#requests}`;
    this.give(name, { type: 'fence', requestId, ...request });
    return this.#wait((effect) =>
      effect.type === 'fenceEnded' && effect.requestId === requestId ? effect : undefined,
    );
  }

  async #wait<Value>(look: (effect: StonithEffect) => Value | undefined): Promise<Value> {
    for (let seen = 0; ;) {
      for (; seen < this.effects.length; seen++) {
        const entry = this.effects[seen];
        const found = entry === undefined ? undefined : look(entry.effect);
        if (found !== undefined) return found;
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  #carryOut(name: string, node: Node, effect: StonithEffect): void {
    switch (effect.type) {
      case 'startProcess':
        node.runner.start(effect);
        break;
      case 'killProcess':
        node.runner.kill(effect);
        break;
      case 'startTimer':
        clearTimeout(node.timers.get(effect.id));
        node.timers.set(
          effect.id,
          setTimeout(() => this.give(name, { type: 'timerExpired', id: effect.id }), effect.delayMs),
        );
        break;
      case 'stopTimer':
        clearTimeout(node.timers.get(effect.id));
        break;
      case 'sendPeer': {
        const others = [...this.#nodes.keys()].filter((other) => other !== name && (effect.to ?? other) === other);
        const message: unknown = JSON.parse(JSON.stringify(effect.message));
        for (const other of others) setImmediate(() => this.give(other, { type: 'peerMessage', from: name, message }));
        break;
      }
      default:
        break;
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const { timers } of this.#nodes.values()) for (const timer of timers.values()) clearTimeout(timer);
  }
}

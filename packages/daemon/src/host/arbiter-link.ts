/**
 * A member's way to its arbiters: the sockets, the clock and the heuristics around `ArbiterVoter`. Runs in messaging's
 * thread, since quorum waits for it. Heuristics are commands of the operator's: all must succeed.
 */
import { execFile } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Random } from '@systole/kernel';
import { type ClusterKey, cryptoSeal, type EngineStatus } from '@systole/messaging';
import { ArbiterVoter, type ArbiterVoterEffect, type ArbiterVoterOptions } from '../node/arbiter-voter.ts';
import { Alarm, systemClock } from './clock.ts';
import type { DeviceLink, DeviceLinkEvents } from './device-link.ts';

/** Plain data, handed to the thread. */
export interface ArbiterLinkOptions extends Pick<ArbiterVoterOptions, 'cluster' | 'self' | 'keys' | 'device'> {
  readonly arbiters: readonly { readonly host: string; readonly port: number }[];
  /** Each a program with its arguments; run at every change of the view and every 30 s. */
  readonly heuristics: readonly (readonly string[])[];
}

/** A heuristic that takes longer has failed. */
const heuristicMs = 1000;
const heuristicsEveryMs = 30_000;

export class ArbiterLink implements DeviceLink {
  readonly #options: ArbiterLinkOptions;
  readonly #voter: ArbiterVoter;
  readonly #sockets: readonly Socket[];
  readonly #events: DeviceLinkEvents;
  #areBehind = false;
  #judging: NodeJS.Timeout | undefined;
  readonly #alarm = new Alarm(() => this.#carryOut(this.#voter.tick(systemClock.now())));

  constructor(options: ArbiterLinkOptions, incarnation: number, random: Random, events: DeviceLinkEvents) {
    const { arbiters, heuristics } = options;
    this.#options = options;
    this.#events = events;
    this.#voter = new ArbiterVoter({ ...options, arbiters: arbiters.length, incarnation, seal: cryptoSeal, random });
    this.#sockets = arbiters.map(({ host }, arbiter) => {
      const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
      socket.on('message', (datagram) => this.#carryOut(this.#voter.received(arbiter, datagram, systemClock.now())));
      socket.on('error', () => undefined); // an arbiter out of reach gives no vote; the next report tries again
      return socket;
    });
    if (heuristics.length > 0) this.#judging = setInterval(() => void this.#judge(), heuristicsEveryMs);
  }

  close(): void {
    clearInterval(this.#judging);
    this.#alarm.clear();
    for (const socket of this.#sockets) socket.close();
  }

  /** The cluster's keys are others now. */
  useKeys(keys: readonly ClusterKey[]): void {
    this.#voter.useKeys(keys);
    this.#tellWhetherBehind();
  }

  #tellWhetherBehind(): void {
    const { areBehind } = this.#voter;
    if (areBehind !== this.#areBehind) this.#events.behind(areBehind);
    this.#areBehind = areBehind;
  }

  /** To be told whenever the engine's view, its activity or its base may have changed. */
  look(status: EngineStatus): void {
    const effects = this.#voter.look(status, systemClock.now());
    if (effects === undefined) return;
    this.#carryOut(effects);
    if (this.#options.heuristics.length > 0) void this.#judge();
  }

  #carryOut(effects: readonly ArbiterVoterEffect[]): void {
    for (const effect of effects) {
      if (effect.type !== 'letter') {
        this.#events.give(effect);
        continue;
      }
      const to = this.#options.arbiters[effect.arbiter];
      // A lost report is followed by the next within 250 ms.
      if (to !== undefined) this.#sockets[effect.arbiter]?.send(effect.datagram, to.port, to.host, () => undefined);
    }
    this.#tellWhetherBehind();
    const wakeAt = this.#voter.wakeAt();
    if (wakeAt !== undefined) this.#alarm.set(wakeAt - systemClock.now());
  }

  async #judge(): Promise<void> {
    const results = await Promise.all(this.#options.heuristics.map(succeeds));
    this.#carryOut(this.#voter.heuristics(results.every(Boolean) ? 'pass' : 'fail', systemClock.now()));
  }
}

function succeeds([program = '', ...rest]: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    execFile(program, rest, { timeout: heuristicMs, killSignal: 'SIGKILL' }, (error) => resolve(error === null));
  });
}

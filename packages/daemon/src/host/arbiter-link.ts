/**
 * A member's way to its arbiters: reports what the engine sees, opens their answers, and hands the verdict to the engine.
 * Runs in messaging's thread, since quorum waits for it. Heuristics are commands of the operator's: all must succeed.
 */
import { execFile } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { instant, type Random } from '@systole/kernel';
import {
  arbiterId,
  arbiterKey,
  type ClusterKey,
  cryptoSeal,
  type EngineInput,
  type EngineStatus,
  LetterBox,
  type NodeId,
} from '@systole/messaging';
import {
  ArbiterClient,
  type ArbiterClientEffect,
  type DeviceOptions,
  decodeVerdict,
  encodeReport,
} from '@systole/quorum';
import { Alarm, systemClock } from './clock.ts';

/** Plain data, handed to the thread. */
export interface ArbiterLinkOptions {
  readonly cluster: string;
  readonly self: NodeId;
  /** The cluster's keys; what the arbiters hold is derived here. */
  readonly keys: readonly ClusterKey[];
  readonly arbiters: readonly { readonly host: string; readonly port: number }[];
  readonly device: DeviceOptions;
  /** Each a program with its arguments; run at every change of the view and every 30 s. */
  readonly heuristics: readonly (readonly string[])[];
}

/** A heuristic that takes longer has failed. */
const heuristicMs = 1000;
const heuristicsEveryMs = 30_000;

export class ArbiterLink {
  readonly #options: ArbiterLinkOptions;
  readonly #client: ArbiterClient;
  readonly #letters: LetterBox;
  readonly #sockets: readonly Socket[];
  readonly #give: (input: EngineInput) => void;
  readonly #alarm = new Alarm(() => this.#step({ type: 'tick' }));
  #viewKey = '';

  constructor(options: ArbiterLinkOptions, incarnation: number, random: Random, give: (input: EngineInput) => void) {
    const { cluster, self, keys, arbiters, device, heuristics } = options;
    this.#options = options;
    this.#give = give;
    this.#client = new ArbiterClient({ self, arbiters: arbiters.length, device });
    this.#letters = new LetterBox({
      clusterName: cluster,
      self,
      keys: keys.map((key) => arbiterKey(key, cluster)),
      incarnation,
      seal: cryptoSeal,
      random,
    });
    this.#sockets = arbiters.map(({ host }, arbiter) => {
      const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
      socket.on('message', (datagram) => this.#received(arbiter, datagram));
      socket.on('error', () => undefined); // an arbiter out of reach gives no vote; the next report tries again
      return socket;
    });
    if (heuristics.length > 0) setInterval(() => void this.#judge(), heuristicsEveryMs);
  }

  /** To be told whenever the engine's view, its activity or its base may have changed. */
  look({ view, active, memory }: EngineStatus): void {
    const key = `${view.tag.number}/${view.tag.hash}/${active}/${memory.base.generation}.${memory.base.revision}/${memory.lineage}`;
    if (key === this.#viewKey) return;
    this.#viewKey = key;
    this.#step({
      type: 'view',
      view: view.tag,
      members: view.members.map(({ node }) => node),
      active,
      base: memory.base,
      lineage: Math.max(memory.lineage, ...view.members.map(({ lineage }) => lineage)),
    });
    if (this.#options.heuristics.length > 0) void this.#judge();
  }

  #step(input: Parameters<ArbiterClient['step']>[0]): void {
    for (const effect of this.#client.step(input, systemClock.now())) this.#do(effect);
    const wakeAt = this.#client.wakeAt();
    if (wakeAt !== undefined) this.#alarm.set(wakeAt - systemClock.now());
  }

  #do(effect: ArbiterClientEffect): void {
    if (effect.type === 'report') {
      const to = this.#options.arbiters[effect.arbiter];
      const datagram = this.#letters.close(encodeReport(effect.report));
      // A lost report is followed by the next within 250 ms.
      if (to !== undefined) this.#sockets[effect.arbiter]?.send(datagram, to.port, to.host, () => undefined);
      return;
    }
    const { view, vote, leaseUntil, exclusiveAfterMs } = effect;
    this.#give({ type: 'deviceVerdict', view, vote, leaseUntil: instant(leaseUntil), exclusiveAfterMs });
  }

  #received(arbiter: number, datagram: Uint8Array): void {
    const letter = this.#letters.open(datagram);
    const verdict = letter.ok && letter.from === arbiterId ? decodeVerdict(letter.body) : undefined;
    if (verdict !== undefined) this.#step({ type: 'verdict', arbiter, verdict });
  }

  async #judge(): Promise<void> {
    const results = await Promise.all(this.#options.heuristics.map(succeeds));
    this.#step({ type: 'heuristics', result: results.every(Boolean) ? 'pass' : 'fail' });
  }
}

function succeeds([program = '', ...rest]: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    execFile(program, rest, { timeout: heuristicMs, killSignal: 'SIGKILL' }, (error) => resolve(error === null));
  });
}

/** A member's way to the witness on a shared disk: the core decides (`@systole/quorum`), a thread of its own reads and writes. */
import { Worker } from 'node:worker_threads';
import { instant } from '@systole/kernel';
import type { EngineStatus, NodeId } from '@systole/messaging';
import { type DeviceOptions, type DiskEffect, type DiskInput, DiskWitness } from '@systole/quorum';
import { Alarm, systemClock } from './clock.ts';
import { type DeviceLink, type DeviceLinkEvents, situationKey, witnessView } from './device-link.ts';
import type { DiskThreadData, FromDiskThread } from './disk-thread.ts';

export interface DiskLinkOptions {
  readonly cluster: string;
  readonly self: NodeId;
  readonly path: string;
  readonly device: DeviceOptions;
}

export class DiskLink implements DeviceLink {
  readonly #core: DiskWitness;
  readonly #thread: Worker;
  readonly #events: DeviceLinkEvents;
  readonly #alarm = new Alarm(() => this.#step({ type: 'tick' }));
  #key = '';
  #told = '';

  constructor({ cluster, self, path, device }: DiskLinkOptions, incarnation: number, events: DeviceLinkEvents) {
    this.#events = events;
    this.#core = new DiskWitness({ self, incarnation, device });
    this.#thread = new Worker(new URL('./disk-thread.ts', import.meta.url), {
      name: 'witness',
      workerData: { path, cluster, self } satisfies DiskThreadData,
    });
    this.#thread.on('message', (answer: FromDiskThread) => this.#step(answer));
    // Without its thread there is no vote; the node itself can do without.
    this.#thread.on('error', (error: Error) => this.#step({ type: 'failed', problem: String(error) }));
  }

  look(status: EngineStatus): void {
    const key = situationKey(status);
    if (key === this.#key) return;
    this.#key = key;
    this.#step(witnessView(status));
  }

  useKeys(): void {
    // what is on the disk is not sealed
  }

  close(): void {
    this.#alarm.clear();
    void this.#thread.terminate();
  }

  #step(input: DiskInput): void {
    for (const effect of this.#core.step(input, systemClock.now())) this.#do(effect);
    const wakeAt = this.#core.wakeAt();
    if (wakeAt === undefined) this.#alarm.clear();
    else this.#alarm.set(wakeAt - systemClock.now());
  }

  #do(effect: DiskEffect): void {
    if (effect.type !== 'deviceVerdict') return this.#thread.postMessage(effect);
    const { view, vote, leaseUntil, exclusiveAfterMs, reason } = effect;
    this.#events.give({ type: 'deviceVerdict', view, vote, leaseUntil: instant(leaseUntil), exclusiveAfterMs });
    if (this.#told === reason) return;
    this.#told = reason;
    this.#events.told(vote, reason);
  }
}

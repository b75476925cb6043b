/** The local resource manager on the daemon's own process runner, in real time: for tests with real agents. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { epoch, type Instant, instant } from '@systole/kernel';
import { LocalResourceManager, type LrmEffect, type LrmInput } from '@systole/lrm';
import { type AgentPlaces, standardPlaces } from '@systole/ra';
import { ProcessRunner } from '../../packages/daemon/src/host/processes.ts';
import { root } from './repository.ts';

export const ownPlaces = (): AgentPlaces =>
  standardPlaces({ ra: join(root, 'packages/ra'), stonith: join(root, 'packages/stonith') });

export class Executor {
  readonly lrm: LocalResourceManager;
  readonly #runner: ProcessRunner;
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #listeners = new Set<(effect: LrmEffect) => void>();
  readonly #answerDevice: (device: string) => Promise<boolean>;

  /** `answerDevice` stands for the fencer: whether a device works. */
  constructor(places: AgentPlaces, answerDevice: (device: string) => Promise<boolean> = () => Promise.resolve(false)) {
    this.#answerDevice = answerDevice;
    this.#runner = new ProcessRunner((ended) => this.give(ended));
    this.lrm = new LocalResourceManager({
      node: 'local',
      nodeId: '1',
      places,
      firstExisting: (paths) => paths.find((path) => existsSync(path)),
      wallClock: () => epoch(Date.now()),
    });
  }

  give(input: LrmInput): void {
    const now: Instant = instant(Math.round(performance.now()));
    for (const effect of this.lrm.step(input, now)) {
      this.#carryOut(effect);
      for (const listener of this.#listeners) listener(effect);
    }
  }

  #carryOut(effect: LrmEffect): void {
    switch (effect.type) {
      case 'startProcess':
        this.#runner.start(effect);
        break;
      case 'killProcess':
        this.#runner.kill(effect);
        break;
      case 'startTimer':
        clearTimeout(this.#timers.get(effect.id));
        this.#timers.set(
          effect.id,
          setTimeout(() => {
            this.#timers.delete(effect.id);
            this.give({ type: 'timerExpired', id: effect.id });
          }, effect.delayMs),
        );
        break;
      case 'stopTimer':
        clearTimeout(this.#timers.get(effect.id));
        this.#timers.delete(effect.id);
        break;
      case 'askDevice': {
        const { requestId, device } = effect;
        void this.#answerDevice(device).then((isOk) => {
          this.give({ type: 'deviceAnswered', requestId, isOk, reason: isOk ? '' : 'it does not answer' });
        });
        break;
      }
      default:
        break;
    }
  }

  /** Calls `listener` for every effect from now on; returns how to stop that. */
  listen(listener: (effect: LrmEffect) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  pidOf(processId: string): number | undefined {
    return this.#runner.pidOf(processId);
  }

  /** Forgets all timers; processes end by themselves. */
  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.give({ type: 'cancelAll' });
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }
}

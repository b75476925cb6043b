/**
 * The fencer's place in the node: what it is told of configuration and membership, and where what it wants goes. Its
 * messages to peers travel in the agreed order; what it finds out goes to those who asked.
 */
import type { Cib } from '@systole/cib';
import { type Epoch, unreachable } from '@systole/kernel';
import type { FencingEvent, StonithEffect } from '@systole/stonith';
import { fenceDevices, fencerNodes, fencerOptions, sameFencing } from './fence-devices.ts';
import type { Outlets } from './outlets.ts';

export interface FencingDeskOptions {
  readonly self: string;
  readonly isTwoNode: boolean;
  readonly wallClock: () => Epoch;
}

export class FencingDesk {
  readonly #options: FencingDeskOptions;
  readonly #outlets: Outlets;
  /** Requests of clients, not of our own parts. */
  readonly #requests = new Set<string>();
  #history: readonly FencingEvent[] = [];

  constructor(options: FencingDeskOptions, outlets: Outlets) {
    this.#options = options;
    this.#outlets = outlets;
  }

  get history(): readonly FencingEvent[] {
    return this.#history;
  }

  /** A client asks about devices: its answer is recognised by this id. */
  expect(requestId: string): void {
    this.#requests.add(requestId);
  }

  /** True if the fencer was told of something new. */
  configurationChanged(before: Cib, after: Cib, { isWhole }: { readonly isWhole: boolean }): boolean {
    if (!isWhole && sameFencing(before, after)) return false;
    const { self, isTwoNode, wallClock } = this.#options;
    const { give } = this.#outlets;
    give({ for: 'stonith', input: { type: 'optionsChanged', options: fencerOptions(after, isTwoNode) } });
    give({ for: 'stonith', input: { type: 'devicesChanged', devices: fenceDevices(after, self, wallClock()) } });
    give({ for: 'stonith', input: { type: 'topologyChanged', levels: after.configuration.fencingLevels } });
    return true;
  }

  membersChanged(members: readonly string[], isQuorate: boolean, cib: Cib): void {
    const nodes = fencerNodes(cib, this.#options.wallClock());
    this.#outlets.give({ for: 'stonith', input: { type: 'membersChanged', members, isQuorate, nodes } });
  }

  take(effect: StonithEffect): void {
    const { give, want, submit, startTimer, stopTimer, report } = this.#outlets;
    switch (effect.type) {
      case 'startProcess':
      case 'killProcess':
      case 'resetSelf':
        want(effect);
        break;
      case 'startTimer':
        startTimer(effect.id, effect.delayMs);
        break;
      case 'stopTimer':
        stopTimer(effect.id);
        break;
      case 'sendPeer': {
        const { to, message } = effect;
        submit({ envelope: { to: 'stonith', message, ...(to === undefined ? {} : { node: to }) }, service: 'agreed' });
        break;
      }
      case 'fenceAccepted':
        break;
      case 'fenceEnded':
        give({ for: 'crm', input: effect });
        break;
      case 'fencingHeard': {
        const { event } = effect;
        const level = event.state === 'failed' ? 'error' : 'info';
        const text = `fencing of ${event.target} (${event.action}) asked by ${event.client} on ${event.originator}: ${event.state}`;
        report('stonith', level, `fencing.${event.state}`, text, { ...event });
        break;
      }
      case 'deviceAnswered':
        if (effect.requestId.startsWith('lrm/')) give({ for: 'lrm', input: effect });
        else this.#answer(effect);
        break;
      case 'devicesFound':
        this.#answer(effect);
        break;
      case 'historyChanged':
        this.#history = effect.history;
        break;
      case 'rejected':
        report('stonith', 'error', 'input.rejected', effect.reason, {});
        break;
      default:
        unreachable(effect);
    }
  }

  #answer({ type: _type, requestId, ...value }: Extract<StonithEffect, { requestId: string }>): void {
    if (this.#requests.delete(requestId)) {
      this.#outlets.want({ type: 'answer', requestId, answer: { ok: true, value } });
    }
  }
}

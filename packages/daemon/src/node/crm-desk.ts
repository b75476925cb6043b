/**
 * The controller's place in the node: where goes what it wants. Its orders for this node go to the local resource manager,
 * its fencing to the fencer, its messages into the agreed order, and a changed CIB to all who act by it.
 */
import type { Controller, CrmEffect } from '@systole/crm';
import { unreachable } from '@systole/kernel';
import type { FencingDesk } from './fencing-desk.ts';
import type { MessagingDesk } from './messaging-desk.ts';
import type { MessagingSettings } from './messaging-settings.ts';
import type { Outlets } from './outlets.ts';
import type { Persistence } from './persistence.ts';

export interface CrmDeskParts {
  readonly crm: Controller;
  readonly fencing: FencingDesk;
  readonly messaging: MessagingDesk;
  readonly settings: MessagingSettings;
  readonly persistence: Persistence;
}

export class CrmDesk {
  readonly #parts: CrmDeskParts;
  readonly #outlets: Outlets;

  constructor(parts: CrmDeskParts, outlets: Outlets) {
    this.#parts = parts;
    this.#outlets = outlets;
  }

  take(effect: CrmEffect): void {
    const { give, want, submit, startTimer, stopTimer, stop } = this.#outlets;
    switch (effect.type) {
      case 'send': {
        const { message, service, messageId } = effect;
        const view = this.#parts.crm.state.viewNumber ?? 0;
        submit({ envelope: { to: 'crm', message }, service, crmId: messageId }, view);
        break;
      }
      case 'execute':
      case 'cancel':
      case 'forget':
        give({ for: 'lrm', input: effect });
        break;
      case 'fence':
      case 'confirmDown':
        give({ for: 'stonith', input: effect });
        break;
      case 'cibChanged':
        this.#cibChanged(effect);
        break;
      case 'integrated':
        this.#parts.persistence.agreed(effect.number);
        break;
      case 'schedule':
      case 'keepInput':
      case 'answer':
      case 'resetSelf':
        want(effect);
        break;
      case 'leave':
        if (effect.isClean) give({ for: 'messaging', input: { type: 'leave', reason: effect.reason } });
        else stop(1, effect.reason);
        break;
      case 'report':
        want({ ...effect, subsystem: 'crm' });
        break;
      case 'startTimer':
        startTimer(effect.id, effect.delayMs);
        break;
      case 'stopTimer':
        stopTimer(effect.id);
        break;
      default:
        unreachable(effect);
    }
  }

  #cibChanged({ before, after, isConfiguration, isWhole }: Extract<CrmEffect, { type: 'cibChanged' }>): void {
    const { fencing, messaging, settings } = this.#parts;
    this.#outlets.want({ type: 'cibChanged', cib: after, isConfiguration });
    if (!isConfiguration) return;
    const isNews = fencing.configurationChanged(before, after, { isWhole });
    if (isNews && messaging.view !== undefined) messaging.tellFencer();
    settings.knowNodes(after);
  }
}

/** Where goes what the local resource manager wants: results to the cluster, processes and files to the world. */
import { unreachable } from '@systole/kernel';
import type { LrmEffect } from '@systole/lrm';
import type { Outlets } from './outlets.ts';

export function fromLrm(effect: LrmEffect, { give, want, startTimer, stopTimer, report }: Outlets): void {
  switch (effect.type) {
    case 'startProcess':
    case 'killProcess':
    case 'readSecrets':
      want(effect);
      break;
    case 'startTimer':
      startTimer(effect.id, effect.delayMs);
      break;
    case 'stopTimer':
      stopTimer(effect.id);
      break;
    case 'operationPending':
      break; // entered at all members when the order was delivered
    case 'operationEnded': {
      const { operationId, resource, agent, record, alsoChanged, removed, hasSucceeded, expectedExitCode } = effect;
      const result = { operationId, resource, agent, record, alsoChanged, removed, hasSucceeded, expectedExitCode };
      give({ for: 'crm', input: { type: 'operationEnded', ...result } });
      break;
    }
    case 'operationCancelled':
    case 'historyForgotten':
      give({ for: 'crm', input: effect });
      break;
    case 'saveHistory': {
      const { resource, saved } = effect;
      want({ type: 'saveResource', resource, ...(saved === undefined ? {} : { saved }) });
      break;
    }
    case 'askDevice':
      give({ for: 'stonith', input: effect });
      break;
    case 'ready':
      give({ for: 'crm', input: { type: 'lrmReady', history: effect.history } });
      break;
    case 'rejected':
      report('lrm', 'error', 'input.rejected', effect.reason, {});
      break;
    default:
      unreachable(effect);
  }
}

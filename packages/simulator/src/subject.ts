/** The code that ships, as the simulator runs it. */
import { createNode } from '@systole/daemon/node';
import { schedule } from '@systole/pe';
import type { Subject } from './run.ts';

export const shipped: Subject = {
  makeNode: createNode,
  schedule: (cib, at) => {
    try {
      return { type: 'transition', transition: schedule(cib, { now: at }).transition };
    } catch (error) {
      // As the daemon's worker does: the policy engine's mistakes are an answer.
      return { type: 'failed', message: error instanceof Error ? error.message : String(error) };
    }
  },
};

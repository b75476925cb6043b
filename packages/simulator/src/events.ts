/** What happens in a run, as laws and the transcript see it. Times are true milliseconds since the run began. */
import type { Cib, Change } from '@systole/cib';
import type { NodeObservation } from '@systole/daemon/node';
import type { ServiceEvent } from './services.ts';
import type { Fault } from './plan.ts';

export type WorldEvent =
  | ({ readonly type: 'service' } & ServiceEvent)
  /** A daemon started; `life` is unique in the run. */
  | { readonly type: 'lifeBegan'; readonly machine: number; readonly life: number }
  | { readonly type: 'lifeEnded'; readonly machine: number; readonly life: number; readonly why: string }
  | {
      readonly type: 'power';
      readonly machine: number;
      readonly isOn: boolean;
      readonly why: string;
      readonly fencedBy?: number;
    }
  /** One of its parts wants something done. */
  | { readonly type: 'seen'; readonly machine: number; readonly life: number; readonly seen: NodeObservation }
  /** An agent was started for a node. */
  | {
      readonly type: 'operation';
      readonly machine: number;
      readonly life: number;
      readonly instance: string;
      readonly operation: string;
    }
  | {
      readonly type: 'cib';
      readonly machine: number;
      readonly life: number;
      readonly cib: Cib;
      readonly isConfiguration: boolean;
    }
  /** A client was told that its change is safe. `marker` is the value it set. */
  | {
      readonly type: 'acknowledged';
      readonly machine: number;
      readonly marker: string | undefined;
      readonly change: Change;
    }
  | { readonly type: 'threw'; readonly machine: number; readonly life: number; readonly error: unknown }
  | { readonly type: 'fault'; readonly fault: Fault }
  /** Faults are over and everything works again. */
  | { readonly type: 'quiet' };

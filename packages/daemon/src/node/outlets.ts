/**
 * Where what a part of the node wants can go: to another part, to all members through the agreed order, to a timer, to
 * the log, or to the world. Parts do not know each other; whoever routes a part's effects knows these.
 */
import type { CrmInput, Report } from '@systole/crm';
import type { Instant } from '@systole/kernel';
import type { LrmInput } from '@systole/lrm';
import type { EngineInput, KeyInput } from '@systole/messaging';
import type { StonithInput } from '@systole/stonith';
import type { NodeEffect } from './contract.ts';
import type { Letter } from './mail.ts';
import type { NetworkInput } from './network.ts';

export type Work =
  /** `view`: a message that means something in that view only. */
  | { readonly for: 'messaging'; readonly input: EngineInput; readonly view?: number }
  | { readonly for: 'crm'; readonly input: CrmInput }
  | { readonly for: 'lrm'; readonly input: LrmInput }
  | { readonly for: 'stonith'; readonly input: StonithInput }
  | { readonly for: 'keys'; readonly input: KeyInput }
  | { readonly for: 'network'; readonly input: NetworkInput };

type Subsystem = 'messaging' | 'crm' | 'lrm' | 'stonith' | 'node';

export interface Outlets {
  /** The instant of this step. */
  readonly now: () => Instant;
  /** In the same step, after what was given before. */
  readonly give: (work: Work) => void;
  readonly want: (effect: NodeEffect) => void;
  /** `view`: rejected if that view is over by then. */
  readonly submit: (letter: Letter, view?: number) => void;
  readonly startTimer: (id: string, delayMs: number) => void;
  readonly stopTimer: (id: string) => void;
  /** The node's last effect; nothing is stepped any more. */
  readonly stop: (exitCode: number, reason: string) => void;
  readonly report: (
    subsystem: Subsystem,
    level: Report['level'],
    event: string,
    text: string,
    fields: Readonly<Record<string, unknown>>,
  ) => void;
}

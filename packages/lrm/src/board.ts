/** What the parts of the local resource manager share: its resources, the present instant, the effects of this step. */
import type { Instant } from '@systole/kernel';
import type { LrmEffect, LrmOptions } from './contract.ts';
import { type Current, type ResourceState, savedForm } from './resource.ts';

export class Board {
  readonly options: LrmOptions;
  readonly resources = new Map<string, ResourceState>();
  now = 0 as Instant;
  #effects: LrmEffect[] = [];
  #callId = 0;

  constructor(options: LrmOptions) {
    this.options = options;
  }

  /** Begins a step: what it wants done is collected in the list that is returned. */
  begin(now: Instant): readonly LrmEffect[] {
    this.now = now;
    this.#effects = [];
    return this.#effects;
  }

  emit(...effects: readonly LrmEffect[]): void {
    this.#effects.push(...effects);
  }

  reject(reason: string): void {
    this.emit({ type: 'rejected', subsystem: 'lrm', reason });
  }

  /** Higher than any before on this node, whichever life gave it: results are ordered by it. */
  nextCallId(): number {
    this.#callId += 1;
    return this.#callId;
  }

  /** Goes on above the ids that a former life gave. */
  continueAfter(callId: number): void {
    this.#callId = Math.max(this.#callId, callId);
  }

  save(state: ResourceState): void {
    this.emit({ type: 'saveHistory', resource: state.name, saved: savedForm(state, this.#callId) });
  }

  /** The resource whose operation in flight fits. */
  where(matches: (current: Current) => boolean): ResourceState | undefined {
    for (const state of this.resources.values()) {
      if (state.current !== undefined && matches(state.current)) return state;
    }
    return undefined;
  }
}

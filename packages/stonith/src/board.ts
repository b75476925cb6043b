/** What the parts of the fencer share: who is there, what has been fenced, the present instant, the effects of this step. */
import type { Instant } from '@systole/kernel';
import type { FencerNode, FencerOptions, FencingEvent, StonithEffect, StonithOptions } from './contract.ts';
import { sameName } from './device.ts';
import { FencingHistory } from './history.ts';
import type { FencerMessage } from './message.ts';

const defaultGoneTimeoutMs = 10_000;

const defaultOptions: FencerOptions = { watchdogTimeoutMs: 0, isConcurrent: true };

export class Board {
  readonly options: StonithOptions;
  readonly history = new FencingHistory();
  fencer: FencerOptions = defaultOptions;
  members: readonly string[];
  nodes: readonly FencerNode[] = [];
  isQuorate = false;
  now = 0 as Instant;
  #effects: StonithEffect[] = [];

  constructor(options: StonithOptions) {
    this.options = options;
    this.members = [options.node];
  }

  /** How long a target that is cut off may still be heard; 0: it does not matter whether it is. */
  get goneTimeoutMs(): number {
    return this.fencer.goneTimeoutMs ?? defaultGoneTimeoutMs;
  }

  get self(): string {
    return this.options.node;
  }

  /** Begins a step: what it wants done is collected in the list that is returned. */
  begin(now: Instant): readonly StonithEffect[] {
    this.now = now;
    this.#effects = [];
    return this.#effects;
  }

  emit(...effects: readonly StonithEffect[]): void {
    this.#effects.push(...effects);
  }

  reject(reason: string): void {
    this.emit({ type: 'rejected', subsystem: 'stonith', reason });
  }

  isMember(name: string): boolean {
    return this.members.some((member) => sameName(member, name));
  }

  /** To one member, or to all others if `to` is absent. */
  send(to: string | undefined, message: FencerMessage): void {
    const others = this.members.filter((name) => name !== this.self);
    if (to === undefined && others.length === 0) return;
    this.emit({ type: 'sendPeer', ...(to === undefined ? {} : { to }), message });
  }

  /** Into our history, and to everyone else's if it is our news. False if it was known. */
  note(event: FencingEvent): boolean {
    if (!this.history.put(event)) return false;
    this.historyChanged();
    if (event.originator === this.self && event.state === 'pending') {
      this.send(undefined, { kind: 'announcement', event });
    }
    return true;
  }

  announce(event: FencingEvent): void {
    this.note(event);
    this.emit({ type: 'fencingHeard', event });
    this.send(undefined, { kind: 'announcement', event });
  }

  historyChanged(): void {
    this.emit({ type: 'historyChanged', history: this.history.list() });
  }
}

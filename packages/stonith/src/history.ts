/**
 * What has been fenced, as every fencer remembers it. Histories of fencers that meet are merged: what has ended beats
 * what is pending, and a fencing that others think we are busy with, while we know nothing of it, died with our
 * former life.
 */
import type { FencingEvent } from './contract.ts';

/** Beyond so many events the oldest that have ended are dropped, down to half: room without dropping at every step. */
export const historyLengthMax = 500;

const rank: Readonly<Record<FencingEvent['state'], number>> = { pending: 0, failed: 1, ok: 2 };

export class FencingHistory {
  readonly #events = new Map<string, FencingEvent>();

  /** Newest first. */
  list(): readonly FencingEvent[] {
    return [...this.#events.values()].toSorted(
      (a, b) => b.startedAt - a.startedAt || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0),
    );
  }

  get(id: string): FencingEvent | undefined {
    return this.#events.get(id);
  }

  /** False if nothing changed: known already, or known to have ended. That it was done beats that it was given up. */
  put(event: FencingEvent): boolean {
    const known = this.#events.get(event.id);
    if (known !== undefined && rank[event.state] <= rank[known.state]) return false;
    this.#events.set(event.id, event);
    this.#bound();
    return true;
  }

  /** Takes in what a peer remembers; answers with the events that are news here. */
  merge(events: readonly FencingEvent[], self: string, isOurs: (id: string) => boolean): readonly FencingEvent[] {
    return events
      .map((event) =>
        event.state === 'pending' && event.originator === self && !isOurs(event.id)
          ? { ...event, state: 'failed' as const, outcome: 'failed' as const, reason: 'its originator was restarted' }
          : event,
      )
      .filter((event) => this.put(event));
  }

  /** The same success so recently, by the wall clock. */
  recentSuccess(target: string, action: FencingEvent['action'], since: number): FencingEvent | undefined {
    return this.list().find(
      (event) =>
        event.state === 'ok' && event.target === target && event.action === action && (event.endedAt ?? 0) >= since,
    );
  }

  pending(): readonly FencingEvent[] {
    return this.list().filter(({ state }) => state === 'pending');
  }

  /** Drops what has ended, of one target or of all. */
  clean(target?: string): void {
    for (const event of this.list()) {
      if (event.state !== 'pending' && (target === undefined || event.target === target)) this.#events.delete(event.id);
    }
  }

  #bound(): void {
    if (this.#events.size <= historyLengthMax) return;
    const ended = this.list().filter(({ state }) => state !== 'pending');
    for (const event of ended.slice(historyLengthMax / 2)) this.#events.delete(event.id);
  }
}

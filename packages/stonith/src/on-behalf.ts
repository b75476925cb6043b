/**
 * News of a fencing that this node has brought to its end for another one, which may not be able to tell of it: it is what
 * was hit, or has been lost since. The others hear of it from here, but only once the target is gone from the membership: a
 * device that claims success while its target still answers has proved nothing.
 */
import type { Board } from './board.ts';
import type { FencingEvent } from './contract.ts';
import { sameName } from './device.ts';
import type { Perform } from './message.ts';

const prefix = 'stonith/behalf/';

export class OnBehalf {
  readonly #board: Board;
  /** Done as their devices say, with a target that still answers; by operation. */
  readonly #unproven = new Map<string, FencingEvent>();

  constructor(board: Board) {
    this.#board = board;
  }

  /** A device has done what `from` asked for. */
  done(from: string, { operation, target, action, device, completes }: Perform, reason: string): void {
    const canTell = this.#board.isMember(from) && !sameName(from, target);
    if (canTell || !completes || action === 'on') return;
    const now = this.#board.options.wallClock();
    const known = this.#board.history.get(operation);
    const event: FencingEvent = {
      id: operation,
      target,
      action,
      state: 'ok',
      outcome: 'ok',
      devices: [device],
      executor: this.#board.self,
      originator: from,
      client: known?.client ?? '',
      startedAt: known?.startedAt ?? now,
      endedAt: now,
      reason,
    };
    const { goneTimeoutMs } = this.#board;
    if (goneTimeoutMs === 0 || !this.#board.isMember(target)) {
      this.#board.announce(event);
      return;
    }
    this.#unproven.set(operation, event);
    this.#board.emit({ type: 'startTimer', id: `${prefix}${operation}`, delayMs: goneTimeoutMs });
  }

  membersChanged(): void {
    for (const [operation, event] of this.#unproven) {
      if (this.#board.isMember(event.target)) continue;
      this.#unproven.delete(operation);
      this.#board.emit({ type: 'stopTimer', id: `${prefix}${operation}` });
      this.#board.announce(event);
    }
  }

  /** False if the timer is none of its own. The target answers to this day: there is nothing to tell. */
  timerExpired(id: string): boolean {
    return id.startsWith(prefix) && this.#unproven.delete(id.slice(prefix.length));
  }
}

/**
 * Whether this node may act, as messaging has said last, and how long the watchdog is fed on the strength of it.
 *
 * Quorum that is uncertain for longer does not feed: others, who count the watchdog's time-out from this node's last
 * word, must not come to their end before it does. A change of the membership takes some milliseconds.
 */
import type { Outlets } from './outlets.ts';

const uncertainFeedMs = 1000;
const uncertainFeedTimer = 'node/uncertainFeed';

export class Standing {
  readonly #outlets: Pick<Outlets, 'startTimer' | 'stopTimer'>;
  #isQuorate = false;
  #hasHeldLately = false;

  constructor(outlets: Pick<Outlets, 'startTimer' | 'stopTimer'>) {
    this.#outlets = outlets;
  }

  get isQuorate(): boolean {
    return this.#isQuorate;
  }

  quorumChanged(isHeld: boolean): void {
    if (isHeld) {
      this.#hasHeldLately = true;
      this.#outlets.stopTimer(uncertainFeedTimer);
    } else if (this.#isQuorate) {
      this.#outlets.startTimer(uncertainFeedTimer, uncertainFeedMs);
    }
    this.#isQuorate = isHeld;
  }

  /** Quorum is held, or `isLost` is not said yet and it was held a moment ago. */
  mayAct(isLost: boolean): boolean {
    return this.#isQuorate || (!isLost && this.#hasHeldLately);
  }

  /** True if the timer was ours. */
  timerExpired(id: string): boolean {
    if (id !== uncertainFeedTimer) return false;
    this.#hasHeldLately = false;
    return true;
  }
}

/**
 * Feeds the watchdog for as long as this node may live, and sees to its end where there is no watchdog to do it.
 *
 * The node may live while it may act, or has nothing left that acts. "May act" is asked twice: of the node, which knows
 * its last news, and of messaging's own word, since a node that hears nothing new would believe its old news for ever.
 *
 * A node with disks must moreover be within reach of messages on them: what it does not see, others take for obeyed. The
 * one exception is quorum that no other partition can have, as sbd has it: then nobody else fences.
 */
import type { Watchdog } from './watchdog.ts';

/** A fraction of any countdown: drivers go down to a second. */
const everyMs = 250;

export interface FeederParts {
  readonly watchdog?: Pick<Watchdog, 'feed' | 'disarm'>;
  /** Seconds of the watchdog; without one, as long as the node may go on where a watchdog would have had it reset. */
  readonly countdownS: number;
  readonly disks?: { readonly isReachable: () => boolean };
  readonly node: {
    readonly mayFeedWatchdog: boolean;
    readonly isAtRest: boolean;
    /** No other partition can have quorum beside this one. */
    readonly isQuorumExclusive: boolean;
  };
  readonly isQuorumHeldNow: () => boolean;
  readonly nowMs: () => number;
  /** Nobody is left to reset this machine but itself. */
  readonly die: (reason: string) => void;
  readonly problem: (error: unknown) => void;
}

export class Feeder {
  readonly #parts: FeederParts;
  readonly #timer: NodeJS.Timeout;
  #quorumAtMs: number;
  #reachableAtMs: number;
  #isDoomed = false;

  constructor(parts: FeederParts) {
    this.#parts = parts;
    this.#quorumAtMs = parts.nowMs();
    this.#reachableAtMs = parts.nowMs();
    this.#timer = setInterval(() => this.look(), everyMs);
  }

  /** From here on nothing is fed: this machine is to go down. */
  doom(): void {
    this.#isDoomed = true;
  }

  /** Feeds if it may. */
  look(): void {
    const { watchdog, disks, node, nowMs, countdownS } = this.#parts;
    const now = nowMs();
    const isHeld = this.#parts.isQuorumHeldNow();
    if (isHeld) this.#quorumAtMs = now;
    const isWithinReach = disks === undefined || disks.isReachable() || (isHeld && node.isQuorumExclusive);
    if (isWithinReach) this.#reachableAtMs = now;
    if (!isWithinReach && watchdog === undefined && now - this.#reachableAtMs > countdownS * 1000 && !this.#isDoomed) {
      this.doom();
      this.#parts.die('its disks cannot be read, and it has no quorum');
    }
    // A node that runs something is not fed on old news: for one countdown it may look for quorum, then it has a second one.
    const isSure = node.isAtRest || now - this.#quorumAtMs < countdownS * 1000;
    if (this.#isDoomed || !node.mayFeedWatchdog || !isSure || !isWithinReach) return;
    try {
      watchdog?.feed();
    } catch (error) {
      this.#parts.problem(error);
    }
  }

  /** A node that has left in order runs nothing; one that has not must go on threatening itself. */
  stop(hasLeftInOrder: boolean): void {
    clearInterval(this.#timer);
    if (hasLeftInOrder) this.#parts.watchdog?.disarm();
  }
}

/**
 * Whether this node may act, as messaging has said last: since when, until when another partition may still believe the
 * same, and what follows for what runs here.
 */
import type { Cib } from '@systole/cib';
import { type Instant, later } from '@systole/kernel';
import type { CrmInput, CrmOptions } from './contract.ts';
import { booleanOption, clusterOption } from './options.ts';

export type QuorumState = 'held' | 'uncertain' | 'lost' | 'unknown';

export class OwnQuorum {
  readonly #options: Pick<CrmOptions, 'isQuorumHeldNow'>;
  #state: QuorumState = 'unknown';
  #reason = 'no view yet';
  #exclusiveAt: Instant | undefined;
  #firstHeldAt: Instant | undefined;

  constructor(options: Pick<CrmOptions, 'isQuorumHeldNow'>) {
    this.#options = options;
  }

  get state(): QuorumState {
    return this.#state;
  }

  get reason(): string {
    return this.#reason;
  }

  /** From then on no other partition believes itself quorate. */
  get exclusiveAt(): Instant | undefined {
    return this.#exclusiveAt;
  }

  /** When this life of the daemon held quorum for the first time. */
  get firstHeldAt(): Instant | undefined {
    return this.#firstHeldAt;
  }

  /** At this very moment, not as of the last news. */
  get isHeldNow(): boolean {
    return this.#state === 'held' && (this.#options.isQuorumHeldNow?.() ?? true);
  }

  viewInstalled(): void {
    if (this.#state !== 'unknown') this.#state = 'uncertain';
  }

  /** Returns what it was. */
  changed({ state, reason, exclusiveAfterMs }: Extract<CrmInput, { type: 'quorum' }>, now: Instant): QuorumState {
    const before = this.#state;
    this.#state = state;
    this.#reason = reason;
    if (state === 'held' && before !== 'held') {
      this.#exclusiveAt = exclusiveAfterMs === undefined ? undefined : later(now, exclusiveAfterMs);
      this.#firstHeldAt ??= now;
    }
    return before;
  }

  /** True if an operation that makes something run may begin on this node now. */
  mayStart(cib: Cib): boolean {
    if (this.#state === 'held') return this.isHeldNow;
    const policy = clusterOption(cib, 'no-quorum-policy') ?? 'stop';
    return this.#state === 'lost' && (policy === 'ignore' || policy === 'freeze' || policy === 'demote');
  }

  /**
   * `no-quorum-policy=fence` (`suicide`): a partition that had quorum and lost it is no more. Each of its nodes resets
   * itself: no partition without quorum may order fencing, and a device may be out of reach. Returns the reason to.
   */
  resetReason(cib: Cib): string | undefined {
    const policy = clusterOption(cib, 'no-quorum-policy');
    const isAsked = policy === 'fence' || policy === 'suicide';
    const mayFence = booleanOption(cib, true, 'fencing-enabled', 'stonith-enabled');
    if (!isAsked || !mayFence || this.#firstHeldAt === undefined) return undefined;
    return `quorum is lost (${this.#reason}), and no-quorum-policy is ${policy}`;
  }
}

/**
 * What must survive this life of the daemon, on its way to the disk and back: the membership, the CIB with its durable
 * entries, the cluster's keys. Whoever asked for a save is told when it is on disk and not before, for others may then be
 * promised it; what could not be written is tried again.
 */
import type { Controller } from '@systole/crm';
import type { EngineEffect, KeyRing, StateRecord } from '@systole/messaging';
import type { NodeInput } from './contract.ts';
import { decoded, DurableCib } from './durable.ts';
import type { Outlets } from './outlets.ts';

/** The disk may have room by then. */
const retryMs = 1000;
const retryCibTimer = 'node/retrySave';
const retryKeysTimer = 'keys/retrySave';

export class Persistence {
  readonly #outlets: Outlets;
  readonly #crm: Pick<Controller, 'replica' | 'lineage'>;
  readonly #cib: DurableCib;
  #nextToken = 1;
  /** The token by which messaging knows a save, by ours. */
  readonly #membershipSaves = new Map<number, number>();
  #keysToken: number | undefined;

  constructor(crm: Pick<Controller, 'replica' | 'lineage'>, outlets: Outlets) {
    this.#crm = crm;
    this.#outlets = outlets;
    this.#cib = new DurableCib(() => this.#nextToken++, outlets.want);
  }

  saveMembership(record: StateRecord, messagingToken: number): void {
    const token = this.#nextToken++;
    this.#membershipSaves.set(token, messagingToken);
    this.#outlets.want({ type: 'saveMembership', token, record });
  }

  /** Before the node stops; nobody waits for it. */
  saveMembershipLast(record: StateRecord): void {
    this.#outlets.want({ type: 'saveMembership', token: this.#nextToken++, record });
  }

  saveKeys(ring: KeyRing): void {
    this.#keysToken = this.#nextToken++;
    this.#outlets.want({ type: 'saveKeys', token: this.#keysToken, ring });
  }

  storeDurable(entry: Extract<EngineEffect, { type: 'storeDurable' }>): void {
    const { replica, lineage } = this.#crm;
    this.#cib.store(entry, replica.state, lineage, decoded(entry));
  }

  viewEnded(): void {
    this.#cib.viewEnded();
  }

  /** The members of a view have one CIB. */
  agreed(view: number): void {
    const { replica, lineage } = this.#crm;
    this.#cib.agreed(view, replica.state, lineage);
  }

  /** What was delivered is part of the state now: it need not be stored beside it any more. */
  delivered(position: { readonly view: number; readonly sequence: number }): void {
    this.#cib.delivered(position);
  }

  /** A save has ended: whoever waits for it is told. */
  saved({ token, isOk, problem }: Extract<NodeInput, { type: 'saved' }>): void {
    const { give, report, startTimer } = this.#outlets;
    if (!isOk) {
      report('node', 'error', 'disk.failed', `could not write what must survive: ${problem ?? 'unknown'}`, {});
    }
    const messagingToken = this.#membershipSaves.get(token);
    if (messagingToken !== undefined) {
      // What is not on disk must not be promised: messaging goes on waiting, and stays uncertain of its quorum.
      if (!isOk) return;
      this.#membershipSaves.delete(token);
      give({ for: 'messaging', input: { type: 'saved', token: messagingToken } });
      return;
    }
    if (token === this.#keysToken) {
      give({ for: 'keys', input: { type: 'saved', isOk, ...(problem === undefined ? {} : { problem }) } });
      if (!isOk) startTimer(retryKeysTimer, retryMs);
      return;
    }
    for (const input of this.#cib.saved(token, isOk)) give({ for: 'messaging', input });
    if (!isOk) startTimer(retryCibTimer, retryMs);
  }

  /** True if the timer was one of ours. */
  timerExpired(id: string): boolean {
    if (id === retryCibTimer) {
      const { replica, lineage } = this.#crm;
      this.#cib.retry(replica.state, lineage);
    } else if (id === retryKeysTimer) this.#outlets.give({ for: 'keys', input: { type: 'retry' } });
    else return false;
    return true;
  }
}

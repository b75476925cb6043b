/**
 * Keeps the CIB on disk. What is written is always whole: the state as it is, and the durable entries that were received
 * and not yet delivered. So the disk needs no log, and a crash between two writes finds the one or the other.
 *
 * An entry may only be stored on top of the state that its view agreed on. Before that it waits: a member that said "I
 * have it" about an entry without having what it builds on would be counted as a disk that can restore the change.
 */
import { type Cib, emptyCib, Replica, type ReplicaState } from '@systole/cib';
import { checkMessage } from '@systole/crm';
import type { EngineEffect, EngineInput } from '@systole/messaging';
import type { CibRecord, NodeEffect } from './contract.ts';

type StoreDurable = Extract<EngineEffect, { type: 'storeDurable' }>;

interface Entry {
  readonly view: number;
  readonly sequence: number;
  readonly message: unknown;
}

export class DurableCib {
  readonly #nextToken: () => number;
  readonly #want: (effect: NodeEffect) => void;
  #entries: readonly Entry[] = [];
  #waiting: StoreDurable[] = [];
  #agreedView: number | undefined;
  readonly #asked = new Map<number, StoreDurable | undefined>();
  /** Entries whose record could not be written, by the token of the attempt. */
  readonly #unwritten = new Map<number, StoreDurable>();

  constructor(nextToken: () => number, want: (effect: NodeEffect) => void) {
    this.#nextToken = nextToken;
    this.#want = want;
  }

  /** The state of a new view is not agreed yet. Entries of the old one that were not delivered never will be. */
  viewEnded(): void {
    this.#agreedView = undefined;
    this.#waiting = [];
    this.#entries = [];
    this.#unwritten.clear();
  }

  /** The members have one CIB: it is saved, and after it the entries that waited. */
  agreed(view: number, replica: ReplicaState, lineage: number): void {
    this.#agreedView = view;
    this.#save(replica, lineage, undefined);
    for (const entry of this.#waiting.splice(0)) this.store(entry, replica, lineage, decoded(entry));
  }

  /** An entry of the order to be stored; `message` is its content. */
  store(entry: StoreDurable, replica: ReplicaState, lineage: number, message: unknown): void {
    if (this.#agreedView !== entry.view.number) {
      this.#waiting.push(entry);
      return;
    }
    this.#entries = [...this.#entries, { view: entry.view.number, sequence: entry.sequence, message }].toSorted(
      (a, b) => a.view - b.view || a.sequence - b.sequence,
    );
    this.#save(replica, lineage, entry);
  }

  /** Everything up to this place in the order is part of the state now. */
  delivered({ view, sequence }: { readonly view: number; readonly sequence: number }): void {
    if (this.#entries.length === 0) return;
    this.#entries = this.#entries.filter(
      (entry) => entry.view > view || (entry.view === view && entry.sequence > sequence),
    );
  }

  /** A record was written, or not. Returns what messaging is to be told. */
  saved(token: number, isOk: boolean): readonly EngineInput[] {
    const entry = this.#asked.get(token);
    this.#asked.delete(token);
    if (!isOk) {
      if (entry === undefined) return [];
      this.#unwritten.set(token, entry);
      return [told(entry, false)];
    }
    // Every record is whole: what earlier attempts could not write is in this one.
    const written = [...this.#unwritten].filter(([earlier]) => earlier < token);
    for (const [earlier] of written) this.#unwritten.delete(earlier);
    return [...written.map(([, each]) => told(each, true)), ...(entry === undefined ? [] : [told(entry, true)])];
  }

  /** Tries again what could not be written. */
  retry(replica: ReplicaState, lineage: number): void {
    this.#save(replica, lineage, undefined);
  }

  #save(replica: ReplicaState, lineage: number, entry: StoreDurable | undefined): void {
    const token = this.#nextToken();
    this.#asked.set(token, entry);
    const record: CibRecord = {
      format: 'systole-cib/1',
      lineage,
      replica: { cib: withoutVoid(replica.cib), records: replica.records },
      entries: this.#entries,
    };
    this.#want({ type: 'saveCib', token, record });
  }
}

const told = ({ view, sequence }: StoreDurable, ok: boolean): EngineInput => ({
  type: 'persisted',
  view,
  sequence,
  ok,
});

const decoder = new TextDecoder();

/** A durable entry's message. Bodies are ours and were sealed, so one that is no JSON is a mistake of a peer's program. */
export function decoded(entry: { readonly body: Uint8Array }): unknown {
  try {
    const envelope = JSON.parse(decoder.decode(entry.body)) as { readonly message?: unknown };
    return envelope.message;
  } catch {
    return undefined;
  }
}

/** What nodes run is void once they have stopped; tickets and the configuration are not. */
const withoutVoid = (cib: Cib): Cib => ({ ...cib, status: { ...cib.status, nodes: [] } });

/** The state that a record leads to, with the lineage that it has reached. */
export function restored(
  record: CibRecord | undefined,
): { readonly state: ReplicaState; readonly lineage: number } | undefined {
  if (record === undefined) return undefined;
  const replica = new Replica((record.replica as ReplicaState | undefined) ?? { cib: emptyCib, records: [] });
  let { lineage } = record;
  for (const { view, message } of record.entries) {
    lineage = Math.max(lineage, view);
    const checked = checkMessage(message);
    if (!checked.ok || checked.value.type !== 'change') continue;
    const { change, user, at, command, ifEpoch } = checked.value;
    if (ifEpoch !== undefined && ifEpoch !== replica.cib.version.epoch) continue;
    // One that does not fit was refused by everyone when it was delivered, in the same way.
    replica.accept(change, { at: at as Author['at'], user, ...(command === undefined ? {} : { command }) });
  }
  return { state: replica.state, lineage };
}

type Author = Parameters<Replica['accept']>[1];

/**
 * One cluster at the arbiter: opens its members' letters, asks the core, keeps each grant on disk before it is told, and
 * answers to where the member's last letter came from.
 */
import type { Random } from '@systole/kernel';
import { arbiterId, type ClusterKey, cryptoSeal, LetterBox, type LetterRefusal } from '@systole/messaging';
import { type ArbiterEffect, ArbiterServer, decodeReport, encodeVerdict, type GrantRecord } from '@systole/quorum';
import type { HostClock } from './clock.ts';
import type { RecordStore } from './files.ts';
import { Alarm } from './clock.ts';

interface Address {
  readonly host: string;
  readonly port: number;
}

export interface DeskParts {
  readonly cluster: string;
  readonly keys: readonly ClusterKey[];
  readonly store: RecordStore;
  readonly clock: HostClock;
  readonly random: Random;
  readonly send: (to: Address, datagram: Uint8Array) => void;
  readonly log: (event: string, text: string, fields: Readonly<Record<string, unknown>>) => void;
}

export class ArbiterDesk {
  readonly #parts: DeskParts;
  readonly #letters: LetterBox;
  readonly #server: ArbiterServer;
  readonly #addresses = new Map<number, Address>();
  readonly #alarm = new Alarm(() => this.#queue(() => this.#server.step({ type: 'tick' }, this.#now())));
  readonly #refusals = new Map<LetterRefusal | 'malformed', number>();
  #turn: Promise<void> = Promise.resolve();

  private constructor(parts: DeskParts, saved: GrantRecord | undefined) {
    this.#parts = parts;
    const { cluster, keys, random, clock } = parts;
    const incarnation = clock.wall();
    this.#letters = new LetterBox({
      clusterName: cluster,
      self: arbiterId,
      keys,
      incarnation,
      seal: cryptoSeal,
      random,
    });
    this.#server = new ArbiterServer(saved, this.#now());
  }

  /** @throws Error if the record of the last grant is damaged: to forget a grant could give the vote twice. */
  static async open(parts: DeskParts): Promise<ArbiterDesk> {
    const loaded = await parts.store.load(recordOf(parts.cluster));
    if (loaded.type === 'damaged') throw new Error(`${loaded.message}; wait a minute, then remove it`);
    const saved = loaded.type === 'present' ? (JSON.parse(loaded.content) as GrantRecord) : undefined;
    return new ArbiterDesk(parts, saved);
  }

  get refusals(): ReadonlyMap<string, number> {
    return this.#refusals;
  }

  /** Takes any datagram; answers whether it was of this cluster. */
  received(datagram: Uint8Array, from: Address): boolean {
    const letter = this.#letters.open(datagram);
    if (!letter.ok) {
      if (letter.why === 'foreign') return false;
      this.#count(letter.why);
      return true;
    }
    const report = decodeReport(letter.body);
    if (report === undefined || report.node !== letter.from) {
      this.#count('malformed');
      return true;
    }
    this.#addresses.set(letter.from, from);
    this.#queue(() => this.#server.step({ type: 'report', report }, this.#now()));
    return true;
  }

  close(): Promise<void> {
    this.#alarm.clear();
    return this.#turn;
  }

  /** One step at a time, each carried out to its end, so that no verdict overtakes the record it rests on. */
  #queue(step: () => readonly ArbiterEffect[]): void {
    this.#turn = this.#turn.then(async () => {
      try {
        for (const effect of step()) await this.#carryOut(effect);
      } catch (error) {
        // The grant is not on disk, so it was not told; the members ask again.
        this.#parts.log('arbiter.notSaved', `cannot keep the grant: ${String(error)}`, {
          cluster: this.#parts.cluster,
        });
      }
      const wakeAt = this.#server.wakeAt(this.#now());
      if (wakeAt !== undefined) this.#alarm.set(wakeAt - this.#now());
    });
  }

  async #carryOut(effect: ArbiterEffect): Promise<void> {
    const { cluster, store, log, send } = this.#parts;
    if (effect.type === 'save') {
      await store.save(recordOf(cluster), JSON.stringify(effect.record));
      const { view, members } = effect.record;
      log('arbiter.granted', `${cluster}: the vote goes to view ${view.number}`, {
        cluster,
        members,
        view: view.number,
      });
      return;
    }
    const to = this.#addresses.get(effect.to);
    if (to !== undefined) send(to, this.#letters.close(encodeVerdict(effect.verdict)));
  }

  #count(why: LetterRefusal | 'malformed'): void {
    this.#refusals.set(why, (this.#refusals.get(why) ?? 0) + 1);
  }

  #now(): number {
    return this.#parts.clock.now();
  }
}

const recordOf = (cluster: string): string => `grant-${Buffer.from(cluster).toString('hex')}`;

/**
 * Which disks hold a note of this node's that a watchdog stands behind it, kept in the state folder: a note outlives the
 * daemon that wrote it, and peers believe it. A life that has not ended in order leaves its notes behind; the next one must
 * make them true again or take them back before it joins (`take-back.ts`, `self-fencing.ts`).
 *
 * A note is entered before it is written and struck out after its opposite stands on the disk, so wherever a life breaks
 * off, what is entered is never less than what stands. Of two notes that may stand, the shorter time is entered.
 */
import { SystoleError } from '@systole/kernel';
import type { Loaded } from '../files.ts';

/** What a note says that a watchdog stands behind. */
export interface Promised {
  /** The least that it may promise. */
  readonly deathS: number;
  /** The part of it that was the disks' own: a life that cannot read them goes by this. */
  readonly reachS: number;
}

export interface LeftNote extends Promised {
  /** Its path when the note was written; whether the same disk stands there now, `uuid` tells. */
  readonly disk: string;
  readonly uuid: string;
}

/** Of a `RecordStore`. */
export interface NoteStore {
  readonly load: (name: string) => Promise<Loaded>;
  readonly save: (name: string, content: string) => Promise<void>;
}

const recordName = 'disk-notes';

export class NotesLeft {
  readonly #store: NoteStore;
  #notes: readonly LeftNote[];
  #last: Promise<void> = Promise.resolve();

  private constructor(store: NoteStore, notes: readonly LeftNote[]) {
    this.#store = store;
    this.#notes = notes;
  }

  /** @throws SystoleError where it is not known any more what was left. */
  static async load(store: NoteStore): Promise<NotesLeft> {
    const loaded = await store.load(recordName);
    if (loaded.type === 'missing') return new NotesLeft(store, []);
    if (loaded.type === 'present') return new NotesLeft(store, JSON.parse(loaded.content) as readonly LeftNote[]);
    const text =
      `${loaded.message}. This node no longer knows on which disks it has noted a watchdog. Look with "systole sbd status" ` +
      'on another node; remove the file when no disk says "armed" of this node that it does not watch now';
    throw new SystoleError('refused', text);
  }

  get notes(): readonly LeftNote[] {
    return this.#notes;
  }

  /** Fulfilled when the note may be written. @throws where it cannot be entered; then it must not. */
  willNote(disk: string, uuid: string, promised: Promised | undefined): Promise<void> {
    if (promised === undefined) return this.#last.catch(() => undefined);
    const { deathS, reachS } = promised;
    return this.#enter(disk, uuid, (before) => ({ deathS: Math.min(deathS, before?.deathS ?? deathS), reachS }));
  }

  /** The note stands on the disk, and no other of ours is on its way there. @throws where the record cannot be written. */
  hasNoted(disk: string, uuid: string, promised: Promised | undefined): Promise<void> {
    return this.#enter(disk, uuid, () => promised);
  }

  #enter(disk: string, uuid: string, decide: (before: Promised | undefined) => Promised | undefined): Promise<void> {
    const turn = this.#last
      .catch(() => undefined)
      .then(async () => {
        const isMeant = (one: LeftNote): boolean => one.disk === disk && one.uuid === uuid;
        const before = this.#notes.find(isMeant);
        const after = decide(before);
        if (after?.deathS === before?.deathS && after?.reachS === before?.reachS) return;
        const others = this.#notes.filter((one) => !isMeant(one));
        const notes = after === undefined ? others : [...others, { disk, uuid, ...after }];
        await this.#store.save(recordName, JSON.stringify(notes));
        this.#notes = notes;
      });
    this.#last = turn;
    return turn;
  }
}

/**
 * The items of a draft, by key, with the way back to an earlier state. What an edit changes besides what was asked for is
 * told in `remarks`.
 */
import { inheritIds } from './ids.ts';
import { type Item, keyOf, membersOf } from './items.ts';
import { LanguageProblem, type Place } from './problem.ts';
import { type Snapshot, undo } from './snapshot.ts';
import { didYouMean } from './suggest.ts';

export class ItemStore {
  #items: Map<string, Item>;
  /** Keys of items that may lack ids. */
  #fresh = new Set<string>();
  /** What containers hold, to find an item's container. Made when needed. */
  #containers: Map<string, string> | undefined;
  readonly remarks: string[] = [];
  #snapshot: Snapshot | undefined;

  constructor(items: readonly Item[]) {
    this.#items = new Map(items.map((item) => [keyOf(item.kind, item.id), item]));
  }

  get items(): readonly Item[] {
    return [...this.#items.values()];
  }

  get names(): readonly string[] {
    return this.items.map((item) => item.id);
  }

  get(key: string): Item | undefined {
    return this.#items.get(key);
  }

  isFresh(item: Item): boolean {
    return this.#fresh.has(keyOf(item.kind, item.id));
  }

  /** By id; a node only if nothing else has that id. */
  find(id: string): Item | undefined {
    return this.#items.get(id) ?? this.#items.get(keyOf('node', id));
  }

  /** @throws LanguageProblem naming the nearest id. */
  need(id: string, place?: Place): Item {
    const item = this.find(id);
    if (item !== undefined) return item;
    const near = didYouMean(id, this.names);
    throw new LanguageProblem(`there is no "${id}"${near}`, { place, code: 'notFound' });
  }

  containerOf(id: string): Item | undefined {
    this.#containers ??= new Map(
      this.items.flatMap((item) => membersOf(item).map((member) => [member, item.id] as const)),
    );
    const container = this.#containers.get(id);
    return container === undefined ? undefined : this.#items.get(container);
  }

  /** The same items, to be changed apart from these. */
  copy(): ItemStore {
    const other = new ItemStore(this.items);
    other.#fresh = new Set(this.#fresh);
    other.remarks.push(...this.remarks);
    return other;
  }

  /** Remembers the present state, until the next call. Cheap: only what changes afterwards is kept. */
  snapshot(): Snapshot {
    this.#snapshot = { journal: [], added: [], remarks: this.remarks.length };
    return this.#snapshot;
  }

  /** Back to the state of the last snapshot. */
  restore(snapshot: Snapshot): void {
    if (snapshot.copy !== undefined) {
      this.#items = snapshot.copy.items;
      this.#fresh = snapshot.copy.fresh;
    } else {
      undo(this.#items, snapshot.journal);
      for (const key of snapshot.added) this.#fresh.delete(key);
    }
    this.#containers = undefined;
    this.remarks.length = snapshot.remarks;
    this.#snapshot = undefined;
  }

  /** Before something that a journal cannot take back, because it changes the order of items. */
  #keepCopy(): void {
    const snapshot = this.#snapshot;
    if (snapshot === undefined || snapshot.copy !== undefined) return;
    const items = new Map(this.#items);
    undo(items, snapshot.journal);
    const fresh = new Set(this.#fresh);
    for (const key of snapshot.added) fresh.delete(key);
    snapshot.copy = { items, fresh };
  }

  /** Writes an item; it keeps the ids of `before`, which it replaces. */
  put(item: Item, before?: Item): void {
    const key = keyOf(item.kind, item.id);
    const snapshot = this.#snapshot;
    if (snapshot !== undefined && snapshot.copy === undefined) {
      snapshot.journal.push([key, this.#items.get(key)]);
      if (!this.#fresh.has(key)) snapshot.added.push(key);
    }
    this.#items.set(key, before === undefined ? item : inheritIds(before, item));
    this.#fresh.add(key);
    this.#containers = undefined;
  }

  drop(key: string): void {
    this.#keepCopy();
    this.#items.delete(key);
    this.#fresh.delete(key);
    this.#containers = undefined;
  }

  /** Only items that pass remain. */
  keep(wanted: (item: Item) => boolean): void {
    this.#keepCopy();
    this.#items = new Map([...this.#items].filter(([, item]) => wanted(item)));
    this.#containers = undefined;
  }

  /** Another item under another id, in the same place of the list, so that the order of resources stays. */
  substitute(item: Item, other: Item): void {
    this.#keepCopy();
    this.#items = new Map([...this.#items].map(([key, each]) => (each === item ? [other.id, other] : [key, each])));
    this.#fresh.add(other.id);
    this.#containers = undefined;
  }
}

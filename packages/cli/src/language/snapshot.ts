/** The way back to a draft as it was before an edit. */
import type { Item } from './items.ts';

/** What is needed to go back: what was under each key that was written since, or, if that is not enough, everything. */
export interface Snapshot {
  readonly journal: (readonly [key: string, before: Item | undefined])[];
  /** Keys that became fresh. */
  readonly added: string[];
  readonly remarks: number;
  copy?: { readonly items: Map<string, Item>; readonly fresh: Set<string> };
}

/** Takes back what the journal says was written, newest first. */
export function undo(items: Map<string, Item>, journal: Snapshot['journal']): void {
  for (const [key, before] of journal.toReversed()) {
    if (before === undefined) items.delete(key);
    else items.set(key, before);
  }
}

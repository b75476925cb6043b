/** Decides roles: what a slot, or everything inside it, is to be. */
import { placesOf, PROMOTED, STARTED, STOPPED, UNKNOWN, UNPROMOTED, type Slot } from './board.ts';

/** An active instance of a promotable clone is unpromoted rather than started. */
export function callUnpromoted(slot: Slot): void {
  if (slot.role === STARTED) slot.role = UNPROMOTED;
  for (const child of slot.children) callUnpromoted(child);
}

/** Unpromoted where it is placed, else stopped. */
export function beUnpromoted(slot: Slot): void {
  slot.nextRole = placesOf(slot).length === 0 ? STOPPED : UNPROMOTED;
  for (const child of slot.children) beUnpromoted(child);
}

/** Promoted, unless something else has been decided already. */
export function bePromoted(slot: Slot): void {
  if (slot.nextRole === UNKNOWN) slot.nextRole = PROMOTED;
  for (const child of slot.children) bePromoted(child);
}

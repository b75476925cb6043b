/**
 * When a message on the disks proves that its reader is dead. Being written proves nothing: somebody must have read it. So
 *
 * 1. it stands on a majority of the disks;
 * 2. the target's watcher has noted on the disk that a watchdog stands behind it, so that a watcher that cannot read, or
 *    cannot act, ends in a reset as well; and how long that takes at most. Where another program watches (sbd itself),
 *    nobody notes it, and the configuration has to vouch for it;
 * 3. the longest of those times has passed since the last disk took it;
 * 4. nobody has put something harmless in its place meanwhile: the target might have read that instead. The target itself
 *    may: when it starts again it empties its mailbox, and then it was dead in between.
 */
import type { DiskMessage, Letter } from './layout.ts';
import { neededToWrite } from './majority.ts';
import type { TakenSlot } from './procedures.ts';

/** Where the message was put. */
export interface Posted {
  readonly disk: string;
  readonly taken: TakenSlot;
  readonly msgwaitS: number;
}

export type Prospect =
  /** It will be proof when so much time has passed. */
  { readonly type: 'wait'; readonly ms: number } | { readonly type: 'useless'; readonly reason: string };

/** Rules 1 and 2. `isVouchedFor`: the configuration says that the target's watcher has a watchdog. */
export function prospect(posted: readonly Posted[], disks: number, isVouchedFor: boolean): Prospect {
  const needed = neededToWrite(disks);
  if (posted.length < needed) {
    const reason = `the message stands on ${posted.length} of ${disks} disks, and ${needed} are needed`;
    return { type: 'useless', reason };
  }
  const unarmed = posted.filter(({ taken: { watcher } }) => (watcher === undefined ? !isVouchedFor : !watcher.isArmed));
  if (unarmed.length > 0) {
    const [{ taken }] = unarmed as [Posted];
    const what =
      taken.watcher === undefined
        ? 'no watcher of its has noted a watchdog on the disk (watcher=assumed takes one for granted, as for sbd)'
        : 'its watcher has no watchdog, or has left';
    return { type: 'useless', reason: `${taken.node} may live on: ${what}` };
  }
  const seconds = Math.max(...posted.map(({ msgwaitS, taken }) => Math.max(msgwaitS, taken.watcher?.deathS ?? 0)));
  return { type: 'wait', ms: seconds * 1000 };
}

const deadly: readonly DiskMessage[] = ['reset', 'off', 'crashdump'];

/**
 * Rule 4, for one disk; `stands` is what is found there after the wait. A watcher of ours signs with its node's name only
 * when it empties its mailbox at the first start after a boot (`startLetter`); sbd's signs nothing, ever.
 */
export function isUndisturbed(stands: Letter | undefined, { node, watcher }: TakenSlot): boolean {
  if (stands === undefined) return false;
  const { message, from } = stands;
  if (message !== 'clear') return deadly.includes(message);
  return watcher === undefined ? from === '' : from.toLowerCase() === node.toLowerCase();
}

/** What a watcher of ours puts into its mailbox when it starts after a boot, and what otherwise, and when it has read something that needs no deed. */
export const startLetter = (node: string): Letter => ({ message: 'clear', from: node });
export const readLetterMark: Letter = { message: 'clear', from: '' };

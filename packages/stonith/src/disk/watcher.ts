/**
 * The watcher's view of its disks: which of them it has seen lately, and what a message means for this node.
 *
 * A disk counts as seen while its last good look *began* less than the watchdog's time ago: whatever was written before a
 * look began was seen by it. Without enough of them the node must not be fed unless the cluster itself vouches for it.
 */
import type { Letter } from './layout.ts';
import { neededToRead } from './majority.ts';

/** What a node does about a message. */
export type Heed =
  | { readonly type: 'nothing' }
  /** Empty the mailbox: it was asked whether anybody is there, or what stands there is no message. */
  | { readonly type: 'clear'; readonly reason: string }
  /** At once, saving nothing. */
  | { readonly type: 'die'; readonly how: 'reset' | 'off' | 'crashdump'; readonly from: string }
  /** Leave the cluster in order. */
  | { readonly type: 'leave'; readonly from: string };

export function heed(letter: Letter | undefined): Heed {
  if (letter === undefined) return { type: 'clear', reason: 'what stood in the mailbox was no message' };
  const { message, from } = letter;
  switch (message) {
    case 'clear':
      return { type: 'nothing' };
    case 'test':
      return { type: 'clear', reason: `${from} has asked whether anybody is there` };
    case 'exit':
      return { type: 'leave', from };
    case 'reset':
    case 'off':
    case 'crashdump':
      return { type: 'die', how: message, from };
  }
}

/**
 * A message that stands there when a node starts. After a boot it has done its work, and is cleared, unless the node is to
 * stay down until a person has looked (`start: clean`). Without a boot in between it was meant for this very life.
 */
export function heedAtStart(
  letter: Letter | undefined,
  { hasBooted, start }: { readonly hasBooted: boolean; readonly start: 'always' | 'clean' },
): Heed | { readonly type: 'refuse'; readonly reason: string } {
  const found = heed(letter);
  if (found.type !== 'die' || !hasBooted)
    return found.type === 'leave' ? { type: 'clear', reason: 'an old exit' } : found;
  if (start === 'always') return { type: 'clear', reason: `${found.how} by ${found.from}, done` };
  const reason = `${found.from} has told this node to ${found.how}; clear its message to let it start`;
  return { type: 'refuse', reason };
}

export class DiskView {
  readonly #watchdogMs: number;
  /** When the last good look of each disk began. */
  readonly #seen = new Map<string, number>();
  readonly #disks: readonly string[];

  constructor(disks: readonly string[], watchdogMs: number) {
    this.#disks = disks;
    this.#watchdogMs = watchdogMs;
  }

  looked(disk: string, begunAtMs: number): void {
    this.#seen.set(disk, Math.max(begunAtMs, this.#seen.get(disk) ?? 0));
  }

  isSeen(disk: string, nowMs: number): boolean {
    const at = this.#seen.get(disk);
    return at !== undefined && nowMs - at < this.#watchdogMs;
  }

  /** Whether a message would reach this node. */
  isReachable(nowMs: number): boolean {
    return this.#disks.filter((disk) => this.isSeen(disk, nowMs)).length >= neededToRead(this.#disks.length);
  }
}

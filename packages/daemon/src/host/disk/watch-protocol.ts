/** What the daemon and the threads that watch its disks say to each other, and the clock that both read. */
import type { DiskHeader, WatcherNote } from '@systole/stonith';

export interface WatchThreadData {
  readonly disk: string;
  readonly node: string;
  readonly hasBooted: boolean;
  readonly start: 'always' | 'clean';
  /** Where death is written to. */
  readonly trigger: string;
}

export type ToWatchThread =
  /** To be noted on the disk, if it is still the one with this `uuid`, once it can be; the last one counts. */
  { readonly type: 'note'; readonly note: WatcherNote; readonly uuid: string };

export type FromWatchThread =
  /** The disk is ours to watch: slot taken, old mail dealt with. */
  | { readonly type: 'ready'; readonly header: DiskHeader; readonly slot: number }
  | { readonly type: 'looked'; readonly begunAtMs: number }
  | { readonly type: 'noted'; readonly note: WatcherNote; readonly uuid: string }
  /** Somebody made the slots anew on the disk that was `uuid`: our note there is gone. */
  | { readonly type: 'remade'; readonly uuid: string }
  /** Not usable now, or something worth telling; the thread goes on trying. */
  | { readonly type: 'problem'; readonly text: string }
  | { readonly type: 'remark'; readonly text: string }
  | { readonly type: 'refused'; readonly reason: string }
  | { readonly type: 'leave'; readonly from: string }
  /** Death has been written; if that did not work, `problem` says why, and only the watchdog is left. */
  | { readonly type: 'dying'; readonly how: string; readonly from: string; readonly problem?: string };

/** The same in every thread, unlike `performance.now`. */
export const monotonicMs = (): number => Number(process.hrtime.bigint() / 1_000_000n);

/** What the transition engine is told, and what it asks for. */
import type { StartTimer, StopTimer, TimerExpired } from '@systole/kernel';
import type { Transition, TransitionAction } from '@systole/pe';

/** What comes after an aborted transition: a later wish never weakens an earlier one (`shutdown` is the strongest). */
export type AfterAbort = 'restart' | 'stop' | 'shutdown';

export type TransitionInput =
  /** Begins a transition. One that is under way must have ended before. */
  | { readonly type: 'start'; readonly transitionId: string; readonly transition: Transition }
  /** What became of an action that was asked for. Late answers of earlier transitions are ignored. */
  | {
      readonly type: 'actionEnded';
      readonly transitionId: string;
      /** Its index in the transition's actions. */
      readonly action: number;
      readonly outcome: 'done' | 'failed' | 'timedOut';
      readonly exitCode?: number;
    }
  /**
   * News that the transition did not foresee. Actions whose priority is less than `priority` are not begun any more;
   * those under way are waited for, since nobody knows what half a stop has done.
   */
  | { readonly type: 'abort'; readonly reason: string; readonly priority: number; readonly then: AfterAbort }
  | TimerExpired;

export type TransitionEffect =
  | {
      readonly type: 'runAction';
      readonly transitionId: string;
      readonly index: number;
      readonly action: TransitionAction;
    }
  | StartTimer
  | StopTimer
  | TransitionEnded;

export interface TransitionEnded {
  readonly type: 'transitionEnded';
  readonly transitionId: string;
  readonly outcome:
    /** Every action was done. */
    | 'complete'
    /** It was cut short, or an action failed: the present status needs a new transition. */
    | 'aborted'
    /** As aborted, but no new transition is wanted now. */
    | 'stopped'
    /** Nothing could go on though nothing had failed: the graph has a loop. That is a mistake of ours. */
    | 'failed';
  readonly then: AfterAbort;
  /** Why it ended early; absent when complete. */
  readonly reason?: string;
  readonly done: number;
  readonly failed: number;
  /** Actions that were never begun. */
  readonly skipped: number;
}

/** What fencers say to each other. Plain JSON; everything that arrives is checked before it counts (`check.ts`). */
import type { FenceAction, FenceOutcome, FencingEvent } from './contract.ts';

/** "What could you do about this target?" Answered by every peer, even with nothing. */
export interface Query {
  readonly kind: 'query';
  readonly operation: string;
  readonly target: string;
  readonly action: FenceAction;
  readonly timeoutMs: number;
  /** The target may answer for itself: a person insists, or nobody else is left. */
  readonly allowsSelf: boolean;
}

export interface QueryAnswer {
  readonly kind: 'queryAnswer';
  readonly operation: string;
  readonly devices: readonly OfferedDevice[];
}

/** A device of a peer that can fence the target, and what it takes. */
export interface OfferedDevice {
  readonly id: string;
  /** It has answered a monitor, list, status or action on that peer. */
  readonly isVerified: boolean;
  /** Must run for unfencing, whatever else does. Such a device cuts a node off from something, not from power. */
  readonly isUnfencing: boolean;
  /** Own timeouts by action; absent: the request's. */
  readonly timeoutMs: Readonly<Partial<Record<FenceAction, number>>>;
  /** The longest delay before off and reboot for this target. */
  readonly delayMs: number;
  readonly supports: readonly FenceAction[];
  /** The configuration turns the device's reboot into off. */
  readonly isRebootOff: boolean;
}

/** "Do it, with this device of yours." */
export interface Perform {
  readonly kind: 'perform';
  readonly operation: string;
  /** Which step of the operation, so that a late answer to an earlier one is told apart. */
  readonly step: number;
  readonly target: string;
  readonly action: FenceAction;
  readonly device: string;
  readonly timeoutMs: number;
  /** On top of the device's own delay; -1: no delay at all. */
  readonly delayMs: number;
  /** Its success is all that the fencing still needs: no other device has to do its part. */
  readonly completes: boolean;
}

export interface Performed {
  readonly kind: 'performed';
  readonly operation: string;
  readonly step: number;
  readonly outcome: 'ok' | 'failed' | 'timedOut';
  readonly reason: string;
}

/** A fencing has begun or ended: for everyone's history. */
export interface Announcement {
  readonly kind: 'announcement';
  readonly event: FencingEvent;
}

/** What a fencer knows, for one that has just come; and the wish for what that one knows. */
export interface HistoryExchange {
  readonly kind: 'history';
  readonly wantsAnswer: boolean;
  readonly events: readonly FencingEvent[];
}

export interface HistoryCleaned {
  readonly kind: 'historyCleaned';
  readonly target?: string;
}

/** "You are being fenced by your watchdog: stop feeding it." */
export interface ResetYourself {
  readonly kind: 'resetYourself';
  readonly reason: string;
}

export type FencerMessage =
  | Query
  | QueryAnswer
  | Perform
  | Performed
  | Announcement
  | HistoryExchange
  | HistoryCleaned
  | ResetYourself;

export const fenceOutcomes: readonly FenceOutcome[] = ['ok', 'failed', 'timedOut', 'noDevice', 'refused'];
export const fenceActions: readonly FenceAction[] = ['off', 'reboot', 'on'];

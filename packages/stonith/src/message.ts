/** What fencers say to each other. Plain JSON; everything that arrives is checked before it counts. */
import type { FenceAction, FenceOutcome, FencingEvent } from './contract.ts';

/** "What could you do about this target?" Answered by every peer, even with nothing. */
export interface Query {
  readonly kind: 'query';
  readonly request: string;
  readonly target: string;
  readonly action: FenceAction;
  readonly timeoutMs: number;
}

export interface QueryAnswer {
  readonly kind: 'queryAnswer';
  readonly request: string;
  readonly devices: readonly OfferedDevice[];
}

/** A device of a peer that can fence the target, and what it takes. */
export interface OfferedDevice {
  readonly id: string;
  /** It has answered a monitor, list or status on that peer. */
  readonly isVerified: boolean;
  /** Must run for unfencing, whatever else does. */
  readonly isRequired: boolean;
  /** Own timeouts and delays by action; absent: the request's. */
  readonly timeoutMs: Readonly<Partial<Record<FenceAction, number>>>;
  readonly delayMaxMs: number;
  readonly supports: readonly FenceAction[];
  /** Whether unfencing must run on the target itself. */
  readonly isOnTarget: boolean;
  /** The configuration turns the device's reboot into off. */
  readonly isRebootOff: boolean;
}

/** "Do it, with this device (or any of yours)." */
export interface Perform {
  readonly kind: 'perform';
  readonly request: string;
  readonly step: number;
  readonly target: string;
  readonly action: FenceAction;
  readonly devices: readonly string[];
  readonly timeoutMs: number;
  /** -1: no delays. */
  readonly delayMs: number;
}

export interface Performed {
  readonly kind: 'performed';
  readonly request: string;
  readonly step: number;
  readonly outcome: FenceOutcome;
  readonly device?: string;
  readonly reason: string;
}

/** The end of a fencing, for everyone's history; also the news that one has begun. */
export interface Announcement {
  readonly kind: 'announcement';
  readonly event: FencingEvent;
}

/** History for a fencer that has just come, and the wish for others'. */
export interface HistoryExchange {
  readonly kind: 'history';
  readonly wantsAnswer: boolean;
  readonly events: readonly FencingEvent[];
}

export interface HistoryCleaned {
  readonly kind: 'historyCleaned';
  readonly target?: string;
}

export type FencerMessage = Query | QueryAnswer | Perform | Performed | Announcement | HistoryExchange | HistoryCleaned;

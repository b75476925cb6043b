/** What the daemon's main thread and messaging's thread say to each other. Plain data. */
import type { EngineEffect, EngineInput, EngineStatus } from '@systole/messaging';
import type { MessagingSetup } from '../node/messaging-port.ts';
import type { ArbiterLinkOptions } from './arbiter-link.ts';
import type { LinkSockets } from './udp.ts';

export interface MessagingThreadData {
  readonly setup: MessagingSetup;
  readonly links: readonly LinkSockets[];
  /** Where the membership record is kept. */
  readonly folder: string;
  /** One number that the main thread raises while it lives; shared memory. */
  readonly alive: Int32Array;
  /** The vote of a third site, where one is configured. */
  readonly arbiter?: ArbiterLinkOptions;
}

/** `view`: the number of the view that a submission is meant for; in any other it is rejected. */
export interface ThreadInput {
  readonly input: EngineInput;
  readonly view?: number;
}

export type ToThread =
  | { readonly type: 'inputs'; readonly inputs: readonly ThreadInput[] }
  | { readonly type: 'reconfigure'; readonly setup: MessagingSetup }
  | { readonly type: 'refresh' };

export interface MessagingCounters {
  datagramsIn: number;
  datagramsOut: number;
  datagramsDropped: number;
  bytesIn: number;
  bytesOut: number;
  turns: number;
  longestTurnMs: number;
  savesFailed: number;
}

export type FromThread =
  /** Sockets are open; nothing is sent or received before `begin`. */
  | { readonly type: 'started'; readonly status: EngineStatus; readonly scheduling: string }
  | { readonly type: 'failed'; readonly text: string }
  | { readonly type: 'effects'; readonly effects: readonly EngineEffect[] }
  | { readonly type: 'status'; readonly status: EngineStatus; readonly counters: MessagingCounters }
  | { readonly type: 'problem'; readonly text: string };

/** What the daemon's main thread and messaging's thread say to each other. Plain data. */
import type { EngineEffect, EngineInput, EngineStatus } from '@systole/messaging';
import type { MessagingSetup } from '../node/messaging-port.ts';
import type { DeviceLinkOptions } from './open-device.ts';
import type { LinkSockets } from './udp.ts';

export interface MessagingThreadData {
  readonly setup: MessagingSetup;
  readonly links: readonly LinkSockets[];
  /** Where the membership record is kept. */
  readonly folder: string;
  /** The thread asks for real-time scheduling. */
  readonly isRealtime: boolean;
  readonly shared: Shared;
  /** The vote of an arbiter or a witness, where one is configured. */
  readonly device?: DeviceLinkOptions;
}

/** Memory that both threads see at once, without waiting for each other. */
export interface Shared {
  /** [aliveWord] is raised by the main thread while it lives; [quorumWord] is 1 while messaging holds quorum. */
  readonly words: Int32Array;
  /** [0]: when messaging's thread last looked around, in nanoseconds of the clock that both threads share. */
  readonly times: BigInt64Array;
}

export const aliveWord = 0;
export const quorumWord = 1;

export const makeShared = (): Shared => ({
  words: new Int32Array(new SharedArrayBuffer(8)),
  times: new BigInt64Array(new SharedArrayBuffer(8)),
});

/** `view`: the number of the view that a submission is meant for; in any other it is rejected. */
export interface ThreadInput {
  readonly input: EngineInput;
  readonly view?: number;
}

export type ToThread =
  | { readonly type: 'inputs'; readonly inputs: readonly ThreadInput[] }
  | { readonly type: 'reconfigure'; readonly setup: MessagingSetup }
  /** These sockets are to be open, and no others. */
  | { readonly type: 'links'; readonly id: number; readonly links: readonly LinkSockets[] }
  /** Write down what happened lately. */
  | { readonly type: 'record'; readonly id: number };

export interface MessagingCounters {
  datagramsIn: number;
  datagramsOut: number;
  datagramsDropped: number;
  bytesIn: number;
  bytesOut: number;
  turns: number;
  longestTurnMs: number;
  savesFailed: number;
  longestSaveMs: number;
}

export type FromThread =
  /** Sockets are open; nothing is sent or received before `begin`. */
  | { readonly type: 'started'; readonly status: EngineStatus; readonly scheduling: string }
  | { readonly type: 'failed'; readonly text: string }
  | { readonly type: 'effects'; readonly effects: readonly EngineEffect[] }
  | { readonly type: 'status'; readonly status: EngineStatus; readonly counters: MessagingCounters }
  /** Whether an arbiter knows only an older cluster key. */
  | { readonly type: 'arbiters'; readonly areBehind: boolean }
  | { readonly type: 'linksOpen'; readonly id: number }
  | { readonly type: 'recorded'; readonly id: number; readonly path?: string; readonly problem?: string }
  /** What the quorum device says has changed. */
  | { readonly type: 'device'; readonly vote: 'grant' | 'deny' | 'wait'; readonly reason: string }
  | { readonly type: 'problem'; readonly text: string };

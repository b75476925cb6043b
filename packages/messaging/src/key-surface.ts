/** What goes into a key rotation and what comes out: its contract with the node around it. */
import type { ClusterKey } from './configuration.ts';
import type { KeyMessage } from './key-messages.ts';
import type { KeyRing, RingReport, Stage } from './key-ring.ts';

export type KeyInput =
  /** A view is active; members in its order. */
  | { readonly type: 'view'; readonly number: number; readonly members: readonly string[] }
  | { readonly type: 'viewEnded' }
  /** All nodes that the cluster is to have. */
  | { readonly type: 'nodes'; readonly nodes: readonly string[] }
  | { readonly type: 'delivered'; readonly from: string; readonly message: unknown }
  /** The newest `saveKeys` is on disk, or could not be written; then it is asked for again with `retry`. */
  | { readonly type: 'saved'; readonly isOk: boolean; readonly problem?: string }
  | { readonly type: 'retry' }
  /** A datagram of a peer under this key, which is not the one that this node seals with, was authentic. */
  | { readonly type: 'keyInUse'; readonly keyId: number }
  /** An arbiter still understands only an older key. */
  | { readonly type: 'arbiters'; readonly areBehind: boolean }
  | {
      readonly type: 'rotate';
      readonly requestId: string;
      readonly without: readonly string[];
      readonly isQuorate: boolean;
    };

export type KeyEffect =
  | { readonly type: 'send'; readonly message: KeyMessage }
  /** To be on disk, replacing what is there, before `saved` is answered. Holds keys: never to be logged. */
  | { readonly type: 'saveKeys'; readonly ring: KeyRing }
  /** Messaging seals and accepts with these from now on. */
  | { readonly type: 'useKeys'; readonly keys: readonly ClusterKey[] }
  | { readonly type: 'answer'; readonly requestId: string; readonly answer: KeyAnswer }
  | {
      readonly type: 'report';
      readonly level: 'info' | 'warn' | 'error';
      readonly event: string;
      readonly text: string;
      readonly fields: Readonly<Record<string, unknown>>;
    };

export type KeyAnswer =
  | { readonly ok: true; readonly value: { readonly to: number } }
  | {
      readonly ok: false;
      readonly code: 'refused' | 'notFound' | 'noQuorum' | 'unavailable';
      readonly message: string;
    };

/** For `systole key status`. Plain JSON, without a key. */
export interface KeyStatus extends RingReport {
  /** What the members told in this view; empty while no rotation is under way. */
  readonly members: readonly { readonly node: string; readonly stage: Stage; readonly arbiterBehind: boolean }[];
  /** Nodes that hold the rotation up: they are away. */
  readonly waitingFor: readonly string[];
  /** What the rotation waits for, in words; absent while none is under way. */
  readonly waiting?: string;
}

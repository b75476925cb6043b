/**
 * What goes into a node and what comes out: the seam between everything that decides and everything that does.
 *
 * A node is all the parts of one cluster member put together. The daemon's host runs it on real sockets, disks and
 * processes, the simulator on virtual ones; both are bound to these two unions and to `wakeAt`.
 *
 * Order is a promise. Effects are carried out in the order in which they come, those of one step before those of the
 * next, and none before a preceding `saveMembership` is on disk: what we are about to promise must survive our crash.
 * Other saves hold nothing back; their `saved` does.
 */
import type { Cib } from '@systole/cib';
import type { Answer, ClientRequest, CrmEffect, KeepInput, Report, ScheduleOutcome } from '@systole/crm';
import type { Epoch, Instant, KillProcess, ProcessEnded, Random, StartProcess } from '@systole/kernel';
import type { LrmEffect, SavedResource, SecretsRead } from '@systole/lrm';
import type {
  Configuration,
  EngineEffect,
  EngineInput,
  KeyRing,
  QuorumPolicy,
  Rotation,
  Seal,
  StateRecord,
} from '@systole/messaging';
import type { QuorumSettings } from '@systole/quorum';
import type { AgentPlaces, FirstExisting } from '@systole/ra';
import type { FileChange, FileStep } from './file-change.ts';
import type { Collect, Question } from './gathering.ts';
import type { MessagingPort } from './messaging-port.ts';
import type { StonithEffect } from '@systole/stonith';

export type NodeInput =
  /** From the network and about it; `tick` is asked for with `wakeAt`. */
  | Extract<
      EngineInput,
      {
        type:
          | 'datagram'
          | 'tick'
          | 'linkChanged'
          | 'sendFailed'
          | 'clockStepped'
          | 'wallClock'
          | 'backlog'
          | 'readmit'
          | 'deviceVerdict';
      }
    >
  /** What messaging wants, where it runs in a thread of its own. */
  | { readonly type: 'messaging'; readonly effects: readonly EngineEffect[] }
  /** What the `saveMembership`, `saveCib` or `saveKeys` with this token asked for is on disk, or could not be written. */
  | { readonly type: 'saved'; readonly token: number; readonly isOk: boolean; readonly problem?: string }
  | ProcessEnded
  | { readonly type: 'scheduled'; readonly scheduleId: number; readonly outcome: ScheduleOutcome }
  | SecretsRead
  | { readonly type: 'request'; readonly requestId: string; readonly request: NodeRequest }
  /** What a `collect` asked for, packed. */
  | { readonly type: 'collected'; readonly id: string; readonly asker: string; readonly body: string }
  | { readonly type: 'agentsChanged' }
  /** Whether an arbiter knows only an older cluster key. */
  | { readonly type: 'arbiters'; readonly areBehind: boolean }
  /** What `changeFile` asked for was done, or could not be; `messaging`: what is in force now. */
  | {
      readonly type: 'fileChanged';
      readonly id: string;
      readonly step: FileStep;
      readonly problem?: string;
      readonly messaging?: Pick<Configuration, 'links' | 'linkMode' | 'timing'>;
    }
  /** Leave in order. A second one leaves at once. */
  | { readonly type: 'shutDown'; readonly reason: string };

/** What a client may ask beside reading. */
export type NodeRequest =
  | ClientRequest
  /** A fence device: does it work, what can it fence, has the target power? */
  | {
      readonly type: 'askDevice';
      readonly device: string;
      readonly action: 'monitor' | 'list' | 'status';
      readonly target?: string;
      readonly timeoutMs: number;
    }
  /** Which devices can fence a node from here. */
  | { readonly type: 'findDevices'; readonly target: string }
  /** What all members remember. Answers with `{ parts, missing }`. */
  | { readonly type: 'gather'; readonly question: Question }
  | { readonly type: 'cleanFencingHistory'; readonly target?: string }
  /** End the wait for nodes never seen since the start (`wait_for_all`). */
  | { readonly type: 'quorumProceed' }
  /** The present members are the cluster: an operator vouches that all others are off. */
  | { readonly type: 'quorumForce' }
  /** A new cluster key for all; nodes that are away and in `without` get it from the operator. */
  | { readonly type: 'rotateKey'; readonly without: readonly string[] }
  /** What the files of all nodes say about the network. */
  | { readonly type: 'changeNetwork'; readonly change: FileChange };

export type NodeEffect =
  | Extract<EngineEffect, { type: 'transmit' | 'rejoinGroup' }>
  /** Replaces what is kept of the membership; everything after it waits. Answer with `saved`. */
  | { readonly type: 'saveMembership'; readonly token: number; readonly record: StateRecord }
  /** Replaces what is kept of the CIB. Answer with `saved`; nothing waits for it meanwhile. */
  | { readonly type: 'saveCib'; readonly token: number; readonly record: CibRecord }
  /** What the next life of this daemon needs to know of a resource, until the machine boots; absent: forget it. */
  | { readonly type: 'saveResource'; readonly resource: string; readonly saved?: SavedResource }
  /** The cluster's keys, for the key file. Never to be logged. Answer with `saved`. */
  | { readonly type: 'saveKeys'; readonly token: number; readonly ring: KeyRing }
  /** Look whether the node's file can be changed like that, change it, or take that back. Answer with `fileChanged`. */
  | { readonly type: 'changeFile'; readonly id: string; readonly step: FileStep; readonly change: FileChange }
  | StartProcess
  | KillProcess
  | { readonly type: 'readSecrets'; readonly id: string; readonly resource: string; readonly names: readonly string[] }
  /** A member asks what this machine remembers. Answer with `collected`; nothing waits for it but a report. */
  | Collect
  /** Ask the policy engine, away from this thread. Answer with `scheduled`; only the newest answer counts. */
  | { readonly type: 'schedule'; readonly scheduleId: number; readonly cib: Cib; readonly at: Epoch }
  | KeepInput
  | { readonly type: 'answer'; readonly requestId: string; readonly answer: Answer }
  | (Report & { readonly subsystem: 'messaging' | 'crm' | 'lrm' | 'stonith' | 'node' })
  /** The CIB is another now: whoever shows it looks again. */
  | { readonly type: 'cibChanged'; readonly cib: Cib; readonly isConfiguration: boolean }
  /** Reset the machine now, without saving or stopping anything: this node is being fenced by its watchdog. */
  | { readonly type: 'resetSelf'; readonly reason: string }
  /** This node is done. 0: it has left in order. */
  | { readonly type: 'stop'; readonly exitCode: number; readonly reason: string };

/** What is kept of the CIB: a state, and the durable entries stored on top of it whose delivery was not seen yet. */
export interface CibRecord {
  readonly format: 'systole-cib/1';
  /** Number of the last quorate view in which this state was the view's. */
  readonly lineage: number;
  /** A `ReplicaState` without what is void after a restart. */
  readonly replica: unknown;
  readonly entries: readonly { readonly view: number; readonly sequence: number; readonly message: unknown }[];
}

export interface NodeConfiguration {
  readonly self: string;
  /** Names of the nodes that this node's own file expects, this one included. */
  readonly nodes: readonly string[];
  readonly messaging: Omit<Configuration, 'self' | 'nodes' | 'revision'>;
  /** A change of the key that was under way when this node stopped, from its key file. */
  readonly rotation?: Rotation;
  /** Options of quorum; voters are given by name. */
  readonly quorum: Omit<QuorumSettings, 'voters'> & { readonly votes?: Readonly<Record<string, number>> };
  readonly places: AgentPlaces;
}

export interface NodePorts {
  readonly random: Random;
  readonly seal: Seal;
  /** The wall clock, for history, rules and incarnations; no decision of the membership depends on it. */
  readonly wallClock: () => Epoch;
  /** Which of several files exists first, for finding agents. */
  readonly firstExisting: FirstExisting;
  /** Messaging that runs elsewhere; then its datagrams, ticks and records are not the node's business. */
  readonly messaging?: MessagingPort;
  /** In place of the configured rules of quorum; for tests. */
  readonly quorumPolicy?: QuorumPolicy;
  /** Sees every effect of every part before it is routed; for the simulator's laws. Must not act. */
  readonly observe?: (seen: NodeObservation) => void;
}

/** What one part of the node wants done. */
export type NodeObservation =
  | { readonly part: 'messaging'; readonly effect: EngineEffect }
  | { readonly part: 'crm'; readonly effect: CrmEffect }
  | { readonly part: 'lrm'; readonly effect: LrmEffect }
  | { readonly part: 'stonith'; readonly effect: StonithEffect };

/** What survived of this node's former life. */
export interface SavedNode {
  readonly membership?: StateRecord;
  readonly cib?: CibRecord;
  readonly resources: readonly SavedResource[];
  /** Processes of the former life that still run, by the ids it gave them. */
  readonly survivors: readonly string[];
  readonly hasRebooted: boolean;
}

export interface NodeStart {
  readonly configuration: NodeConfiguration;
  readonly ports: NodePorts;
  readonly saved: SavedNode;
  readonly now: Instant;
}

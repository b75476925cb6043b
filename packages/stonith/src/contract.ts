/**
 * What goes into the fencer and what comes out. One fencer runs on every node; the one that is asked becomes the
 * originator of the request and talks to the others by messages, whose delivery is the node's business.
 *
 * Process ids and timer ids of this package begin with `stonith/`.
 */
import type { AgentName, FencingLevel } from '@systole/cib';
import type {
  Epoch,
  KillProcess,
  ProcessEnded,
  Random,
  StartProcess,
  StartTimer,
  StopTimer,
  TimerExpired,
} from '@systole/kernel';
import type { AgentPlaces, FirstExisting } from '@systole/ra';
import type { FencerMessage } from './message.ts';

export type FenceAction = 'off' | 'reboot' | 'on';

/** A configured primitive of class stonith. */
export interface FenceDevice {
  readonly id: string;
  readonly agent: AgentName;
  readonly parameters: Readonly<Record<string, string>>;
  readonly meta: Readonly<Record<string, string>>;
  /** Whether constraints and its target-role let this node use it; others may all the same. */
  readonly isAllowedHere: boolean;
}

/** All devices of the configuration, in its order. Those that did not change keep their state. */
export interface DevicesChanged {
  readonly type: 'devicesChanged';
  readonly devices: readonly FenceDevice[];
}

/** All fencing levels of the configuration, in its order. */
export interface TopologyChanged {
  readonly type: 'topologyChanged';
  readonly levels: readonly FencingLevel[];
}

/** Which nodes can be reached now, this one included; and every node the configuration knows, with its attributes. */
export interface MembersChanged {
  readonly type: 'membersChanged';
  readonly members: readonly string[];
  /** Only the silence of a node that is not in the quorate partition proves anything: its watchdog will have fired. */
  readonly isQuorate: boolean;
  readonly nodes?: readonly FencerNode[];
}

export interface FencerNode {
  readonly name: string;
  readonly id: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface OptionsChanged {
  readonly type: 'optionsChanged';
  readonly options: FencerOptions;
}

export interface FencerOptions {
  /** `stonith-watchdog-timeout`: after so long a node that hears nobody has reset itself. 0: no watchdog fencing. */
  readonly watchdogTimeoutMs: number;
  /** Nodes whose watchdog may be trusted; absent: every node. */
  readonly watchdogNodes?: readonly string[];
  /** Fence one node at a time, if false. */
  readonly isConcurrent: boolean;
  /**
   * How long a target that is still a member may go on answering after a device claims to have cut it off; then the
   * device is not believed. 0 believes at once. Absent: 10 s.
   */
  readonly goneTimeoutMs?: number;
}

/** Asks for a node to be fenced (`off`, `reboot`) or let in again (`on`). */
export interface Fence {
  readonly type: 'fence';
  readonly requestId: string;
  readonly target: string;
  readonly action: FenceAction;
  /** For one device; the whole request may take longer, as `fenceAccepted` says. */
  readonly timeoutMs: number;
  /** Added to the devices' own delays for the first device; -1: no delays at all. */
  readonly delayMs?: number;
  /** The same success so recently counts as this one's. */
  readonly toleranceMs?: number;
  /** Who asks, for the history: `te`, `shell`, … */
  readonly client?: string;
  /** Allows the target to be its own executioner: a person insists. */
  readonly isManual?: boolean;
}

/** A person says that the node is down. Counts as fenced, and is recorded under their name. */
export interface ConfirmDown {
  readonly type: 'confirmDown';
  readonly requestId: string;
  readonly target: string;
  readonly by: string;
}

/** Which devices can fence a node, from where; answered by `devicesFound`. */
export interface FindDevices {
  readonly type: 'findDevices';
  readonly requestId: string;
  readonly target: string;
}

/** Runs a device's `monitor` or `status`, or asks what it can fence. */
export interface AskDevice {
  readonly type: 'askDevice';
  readonly requestId: string;
  readonly device: string;
  readonly action: 'monitor' | 'list' | 'status';
  readonly target?: string;
  readonly timeoutMs: number;
}

/** Forgets finished fencing, of one target or of all, on every node. */
export interface CleanHistory {
  readonly type: 'cleanHistory';
  readonly target?: string;
}

export interface PeerMessage {
  readonly type: 'peerMessage';
  readonly from: string;
  /** Checked here; anything that is no `FencerMessage` is rejected. */
  readonly message: unknown;
}

export type StonithInput =
  | DevicesChanged
  | TopologyChanged
  | MembersChanged
  | OptionsChanged
  | Fence
  | ConfirmDown
  | AskDevice
  | FindDevices
  | CleanHistory
  | PeerMessage
  | ProcessEnded
  | TimerExpired;

/** To one member, or to every member but ourselves if `to` is absent. */
export interface SendPeer {
  readonly type: 'sendPeer';
  readonly to?: string;
  readonly message: FencerMessage;
}

/** A request of ours may take so long in all: the caller's patience should match. */
export interface FenceAccepted {
  readonly type: 'fenceAccepted';
  readonly requestId: string;
  readonly totalTimeoutMs: number;
}

export type FenceOutcome =
  /** Done, with proof: a device said so and its exit code agreed, the watchdog's time has passed, or a person said so. */
  | 'ok'
  /** Every way was tried and failed. */
  | 'failed'
  | 'timedOut'
  /** No device, or no node, can do it. */
  | 'noDevice'
  /** The request itself makes no sense. */
  | 'refused';

/** The answer to a request made on this node. Exactly one a request. */
export interface FenceEnded {
  readonly type: 'fenceEnded';
  readonly requestId: string;
  readonly target: string;
  readonly action: FenceAction;
  readonly outcome: FenceOutcome;
  /** The devices that did it. */
  readonly devices: readonly string[];
  /** The node whose fencer ran them. */
  readonly executor?: string;
  /** For an operator: what happened, or why not. */
  readonly reason: string;
}

/** Some node's fencing has ended, ours or another's: every node hears of each once. */
export interface FencingHeard {
  readonly type: 'fencingHeard';
  readonly event: FencingEvent;
}

export interface DeviceAnswered {
  readonly type: 'deviceAnswered';
  readonly requestId: string;
  readonly device: string;
  readonly isOk: boolean;
  /** For `status`: whether the target has power; for `list`: what the device can fence. */
  readonly isOn?: boolean;
  readonly targets?: readonly string[];
  readonly reason: string;
}

export interface DevicesFound {
  readonly type: 'devicesFound';
  readonly requestId: string;
  readonly target: string;
  /** Those this node can use. */
  readonly devices: readonly string[];
}

/** What has been fenced, newest first; bounded. */
export interface HistoryChanged {
  readonly type: 'historyChanged';
  readonly history: readonly FencingEvent[];
}

/** One fencing, as history and peers know it. */
export interface FencingEvent {
  readonly id: string;
  readonly target: string;
  readonly action: FenceAction;
  readonly state: 'pending' | 'ok' | 'failed';
  readonly outcome?: FenceOutcome;
  readonly devices: readonly string[];
  readonly executor?: string;
  readonly originator: string;
  readonly client: string;
  readonly startedAt: Epoch;
  readonly endedAt?: Epoch;
  readonly reason: string;
}

/** This node is to reset itself, now and without saving anything: it is being fenced by its watchdog. */
export interface ResetSelf {
  readonly type: 'resetSelf';
  readonly reason: string;
}

export interface Rejected {
  readonly type: 'rejected';
  readonly subsystem: 'stonith';
  readonly reason: string;
}

export type StonithEffect =
  | StartProcess
  | KillProcess
  | StartTimer
  | StopTimer
  | SendPeer
  | FenceAccepted
  | FenceEnded
  | FencingHeard
  | DeviceAnswered
  | DevicesFound
  | HistoryChanged
  | ResetSelf
  | Rejected;

/** What the fencer is told when it is made. */
export interface StonithOptions {
  readonly node: string;
  readonly places: AgentPlaces;
  readonly firstExisting: FirstExisting;
  readonly random: Random;
  readonly wallClock: () => Epoch;
}

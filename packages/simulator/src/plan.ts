/**
 * What will go wrong in a run, as data: all that the run consumes. A plan can be printed, edited, shortened and run again.
 */
import type { AgentFault } from './agents.ts';
import type { FenceFault } from './fence-devices.ts';
import type { Weather } from './network.ts';

export interface ResourceSettings {
  readonly id: string;
  readonly kind: 'primitive' | 'group' | 'clone' | 'promotable';
  /** Of a group. */
  readonly members: readonly string[];
  readonly stickiness: number;
  readonly migrationThreshold: number;
  /** The node it prefers, by number, if any. */
  readonly prefers?: number;
  /** Must be where this one is, and start after it. */
  readonly with?: string;
}

export interface ClusterSettings {
  readonly nodes: number;
  readonly links: number;
  readonly multicast: boolean;
  readonly fencing: boolean;
  /** Fencing is by each machine's watchdog alone: there are no devices. */
  readonly watchdog?: boolean;
  /** How many fence devices reach every machine; absent: two. */
  readonly fenceDevices?: number;
  readonly noQuorumPolicy: 'stop' | 'freeze' | 'demote' | 'suicide';
  readonly quorum:
    | 'majority'
    | 'twoNode'
    | 'waitForAll'
    | 'tieBreaker'
    | 'lastManStanding'
    /** A third site votes where nodes are split in half (`arbiter`), or for the last that is left (`arbiterLast`). */
    | 'arbiter'
    | 'arbiterLast';
  readonly resources: readonly ResourceSettings[];
  /** A change of the configuration is submitted about so often; 0: never. */
  readonly loadMs: number;
  /** Seal datagrams for real; else only their frame is there, which is quicker. */
  readonly isSealed: boolean;
}

export const hasArbiter = ({ quorum }: ClusterSettings): boolean => quorum === 'arbiter' || quorum === 'arbiterLast';

/** A person's command, given through a random node that is up. */
export type OperatorCommand =
  | { readonly type: 'standby' | 'online'; readonly node: number }
  | { readonly type: 'cleanUp'; readonly resource: string }
  | { readonly type: 'move'; readonly resource: string; readonly node: number }
  | { readonly type: 'clear'; readonly resource: string }
  | { readonly type: 'stop' | 'start'; readonly resource: string }
  /** Of one node, or of the whole cluster. Ends with the faults. */
  | { readonly type: 'maintenance'; readonly node?: number; readonly isOn: boolean }
  /** Forgets all that is known of a resource. */
  | { readonly type: 'refresh'; readonly resource: string }
  /** Takes a node out of the configuration, whether it runs or not; it comes back by itself when it joins. */
  | { readonly type: 'removeNode'; readonly node: number }
  | { readonly type: 'fence'; readonly node: number; readonly action: 'off' | 'reboot' }
  /** A new cluster key for all. */
  | { readonly type: 'rotateKey' }
  /** A link more, or less, for all. What came to no end is asked for again after the faults. */
  | { readonly type: 'addLink' | 'removeLink'; readonly link: number }
  /** Ends the wait for nodes that have not been seen. */
  | { readonly type: 'quorumProceed' }
  | { readonly type: 'parameter'; readonly resource: string; readonly value: number };

export type Fault =
  /** The daemon dies; its services go on. It starts again after `forMs`. */
  | { readonly kind: 'crash'; readonly node: number; readonly forMs: number }
  | { readonly kind: 'power'; readonly node: number; readonly forMs: number }
  /** Before the power goes, all disks stand still for `stallMs`. */
  | { readonly kind: 'powerAll'; readonly forMs: number; readonly stallMs?: number }
  | { readonly kind: 'pause'; readonly node: number; readonly forMs: number }
  /**
   * Where the DC is, something is under way; then the machine stands still, and is still cut off from the others
   * when it goes on: a virtual machine that is moved to another host.
   */
  | { readonly kind: 'stun'; readonly leadMs: number; readonly cutMs: number; readonly forMs: number }
  | { readonly kind: 'leave'; readonly node: number; readonly forMs: number }
  | { readonly kind: 'partition'; readonly side: readonly number[]; readonly forMs: number }
  | { readonly kind: 'cut'; readonly from: readonly number[]; readonly to: readonly number[]; readonly forMs: number }
  | { readonly kind: 'linkDown'; readonly link: number; readonly forMs: number }
  | { readonly kind: 'clog'; readonly side: readonly number[]; readonly forMs: number }
  /** Swizzle-clogging: one node after another is clogged, and they are released in another order. */
  | { readonly kind: 'swizzle'; readonly nodes: readonly number[]; readonly gapMs: number; readonly forMs: number }
  | { readonly kind: 'weather'; readonly weather: Weather; readonly forMs: number }
  | { readonly kind: 'multicastLost'; readonly node: number; readonly forMs: number }
  | { readonly kind: 'mtu'; readonly bytes: number; readonly forMs: number }
  | { readonly kind: 'replay' }
  | { readonly kind: 'clockStep'; readonly node: number; readonly byMs: number }
  /** How fast its monotonic clock runs, in parts per million, from its next boot on. */
  | { readonly kind: 'clockSkew'; readonly node: number; readonly ppm: number }
  /** The machine is starved: its daemon's turns come up to so late. */
  | { readonly kind: 'starved'; readonly node: number; readonly lagMs: number; readonly forMs: number }
  /** The daemon leaves, and comes back speaking a newer protocol beside the old one. */
  | { readonly kind: 'upgrade'; readonly node: number; readonly forMs: number }
  | { readonly kind: 'arbiterDown'; readonly forMs: number }
  | { readonly kind: 'arbiterCut'; readonly side: readonly number[]; readonly forMs: number }
  | { readonly kind: 'diskFull'; readonly node: number; readonly forMs: number }
  | { readonly kind: 'diskSlow'; readonly node: number; readonly flushMs: number; readonly forMs: number }
  | { readonly kind: 'agent'; readonly fault: AgentFault; readonly forMs: number }
  | { readonly kind: 'serviceDies'; readonly resource: string }
  | { readonly kind: 'fence'; readonly fault: FenceFault; readonly forMs: number }
  | { readonly kind: 'operator'; readonly command: OperatorCommand };

export type FaultKind = Fault['kind'];

export interface PlanEntry {
  /** Milliseconds after the cluster was set up. */
  readonly at: number;
  readonly fault: Fault;
}

export interface Plan {
  readonly seed: number;
  readonly settings: ClusterSettings;
  /** How long faults happen; then everything heals and the cluster must settle. */
  readonly faultsMs: number;
  readonly entries: readonly PlanEntry[];
}

/** Ids that agents see: of a group its members, of a clone its primitive. */
export const primitivesOf = (resources: readonly ResourceSettings[]): readonly string[] =>
  resources.flatMap(({ id, kind, members }) =>
    kind === 'group' ? members : kind === 'primitive' ? [id] : [`${id}-p`],
  );

/** A short line for a transcript or a scenario. */
export function describeFault(fault: Fault): string {
  const { kind, ...details } = fault;
  const words = Object.entries(details).map(
    ([name, value]) => `${name} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`,
  );
  return [kind, ...words].join(' ');
}

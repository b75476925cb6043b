/**
 * What will go wrong in a run, as data: made from the seed before the run begins, and all that the run consumes.
 *
 * Each seed is a swarm of its own: it draws which kinds of fault exist in its world at all, how often, how large the
 * cluster is and what it runs. A plan can be printed, edited, shortened and run again.
 */
import { byNumber } from '@systole/kernel';
import type { AgentFault } from './agents.ts';
import { between, pick, share } from './draw.ts';
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
  readonly noQuorumPolicy: 'stop' | 'freeze' | 'demote' | 'suicide';
  readonly quorum: 'majority' | 'twoNode' | 'waitForAll' | 'tieBreaker' | 'lastManStanding';
  readonly resources: readonly ResourceSettings[];
  /** A change of the configuration is submitted about so often; 0: never. */
  readonly loadMs: number;
  /** Seal datagrams for real; else only their frame is there, which is quicker. */
  readonly isSealed: boolean;
}

/** A person's command, given through a random node that is up. */
export type OperatorCommand =
  | { readonly type: 'standby' | 'online'; readonly node: number }
  | { readonly type: 'cleanUp'; readonly resource: string }
  | { readonly type: 'move'; readonly resource: string; readonly node: number }
  | { readonly type: 'clear'; readonly resource: string }
  | { readonly type: 'stop' | 'start'; readonly resource: string }
  | { readonly type: 'parameter'; readonly resource: string; readonly value: number };

export type Fault =
  /** The daemon dies; its services go on. It starts again after `forMs`. */
  | { readonly kind: 'crash'; readonly node: number; readonly forMs: number }
  | { readonly kind: 'power'; readonly node: number; readonly forMs: number }
  | { readonly kind: 'powerAll'; readonly forMs: number }
  | { readonly kind: 'pause'; readonly node: number; readonly forMs: number }
  | { readonly kind: 'leave'; readonly node: number; readonly forMs: number }
  | { readonly kind: 'partition'; readonly side: readonly number[]; readonly forMs: number }
  | { readonly kind: 'cut'; readonly from: readonly number[]; readonly to: readonly number[]; readonly forMs: number }
  | { readonly kind: 'linkDown'; readonly link: number; readonly forMs: number }
  | { readonly kind: 'clog'; readonly side: readonly number[]; readonly forMs: number }
  | { readonly kind: 'weather'; readonly weather: Weather; readonly forMs: number }
  | { readonly kind: 'multicastLost'; readonly node: number; readonly forMs: number }
  | { readonly kind: 'mtu'; readonly bytes: number; readonly forMs: number }
  | { readonly kind: 'replay' }
  | { readonly kind: 'clockStep'; readonly node: number; readonly byMs: number }
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

export interface PlanLimits {
  /** Length of the phase with faults, in milliseconds. */
  readonly faultsMs: number;
  readonly nodesMax: number;
}

export const quickLimits: PlanLimits = { faultsMs: 30_000, nodesMax: 5 };
export const soakLimits: PlanLimits = { faultsMs: 300_000, nodesMax: 16 };

export function planFor(seed: number, limits: PlanLimits = quickLimits): Plan {
  const settings = settingsFor(seed, limits);
  const faultsMs = between(Math.floor(limits.faultsMs / 3), limits.faultsMs, seed, 'faultsMs');
  const enabled = faultKinds.filter((kind) => share(seed, 'enabled', kind) < 0.45);
  const meanGap = between(800, 6000, seed, 'gap');
  const entries: PlanEntry[] = [];
  let at = between(0, 2000, seed, 'first');
  for (let index = 0; at < faultsMs && enabled.length > 0; index += 1) {
    const kind = pick(enabled, seed, 'kind', index);
    const fault = faultFor(kind, seed, index, settings);
    if (fault !== undefined) entries.push({ at, fault });
    at += between(1, 2 * meanGap, seed, 'next', index);
  }
  return { seed, settings, faultsMs, entries };
}

const faultKinds = [
  'crash',
  'power',
  'powerAll',
  'pause',
  'leave',
  'partition',
  'cut',
  'linkDown',
  'clog',
  'weather',
  'multicastLost',
  'mtu',
  'replay',
  'clockStep',
  'diskFull',
  'diskSlow',
  'agent',
  'serviceDies',
  'fence',
  'operator',
] as const satisfies readonly FaultKind[];

function settingsFor(seed: number, limits: PlanLimits): ClusterSettings {
  const size = share(seed, 'nodes');
  const wanted =
    size < 0.03 ? 1 : size < 0.18 ? 2 : size < 0.6 ? 3 : size < 0.75 ? 4 : size < 0.97 ? 5 : size < 0.99 ? 7 : 16;
  const nodes = Math.min(wanted, limits.nodesMax);
  const kinds: readonly ClusterSettings['quorum'][] =
    nodes === 2
      ? ['twoNode', 'twoNode', 'tieBreaker', 'majority']
      : ['majority', 'majority', 'majority', 'waitForAll', 'tieBreaker', 'lastManStanding'];
  return {
    nodes,
    links: share(seed, 'links') < 0.75 ? 1 : 2,
    multicast: share(seed, 'multicast') < 0.6,
    fencing: share(seed, 'fencing') < 0.93,
    ...(share(seed, 'watchdog') < 0.1 ? { watchdog: true } : {}),
    noQuorumPolicy: pick(['stop', 'stop', 'stop', 'freeze', 'demote', 'suicide'] as const, seed, 'policy'),
    quorum: nodes === 1 ? 'majority' : pick(kinds, seed, 'quorum'),
    resources: resourcesFor(seed, nodes),
    loadMs: share(seed, 'load') < 0.7 ? between(100, 2000, seed, 'loadMs') : 0,
    isSealed: share(seed, 'sealed') < 0.05,
  };
}

function resourcesFor(seed: number, nodes: number): readonly ResourceSettings[] {
  const count = between(1, 5, seed, 'resources');
  const resources: ResourceSettings[] = [];
  for (let index = 0; index < count; index += 1) {
    const kind = pick(
      ['primitive', 'primitive', 'primitive', 'group', 'clone', 'promotable'] as const,
      seed,
      'kindOf',
      index,
    );
    const id = `${kind === 'primitive' ? 'web' : kind}${index}`;
    const before = resources.find((resource) => resource.kind === 'primitive');
    resources.push({
      id,
      kind,
      members: kind === 'group' ? [`${id}-a`, `${id}-b`] : [],
      stickiness: pick([0, 1, 100], seed, 'stickiness', index),
      migrationThreshold: pick([0, 1, 3], seed, 'threshold', index),
      ...(share(seed, 'prefers', index) < 0.4 ? { prefers: between(1, nodes, seed, 'prefersNode', index) } : {}),
      ...(kind === 'primitive' && before !== undefined && share(seed, 'with', index) < 0.3 ? { with: before.id } : {}),
    });
  }
  return resources;
}

/** Ids that agents see: of a group its members, of a clone its primitive. */
export const primitivesOf = (resources: readonly ResourceSettings[]): readonly string[] =>
  resources.flatMap(({ id, kind, members }) =>
    kind === 'group' ? members : kind === 'primitive' ? [id] : [`${id}-p`],
  );

function faultFor(kind: FaultKind, seed: number, index: number, settings: ClusterSettings): Fault | undefined {
  const all = Array.from({ length: settings.nodes }, (_, each) => each + 1);
  const node = pick(all, seed, 'node', index);
  const resource = pick(primitivesOf(settings.resources), seed, 'resource', index);
  const forMs = durationFor(seed, index);
  const several = settings.nodes > 1;
  const side = (): readonly number[] => {
    const chosen = all.filter((each) => share(seed, 'side', index, each) < 0.5);
    return chosen.length === 0 || chosen.length === all.length ? [node] : chosen.toSorted(byNumber);
  };
  const others = all.filter((each) => each !== node);
  switch (kind) {
    case 'crash':
    case 'power':
    case 'leave':
      return { kind, node, forMs };
    case 'powerAll':
      return share(seed, 'all', index) < 0.3 ? { kind, forMs } : undefined;
    case 'pause':
      return { kind, node, forMs: pick([20, 100, 200, 400, 800, 2000, 5000, 15_000], seed, 'pause', index) };
    case 'partition':
    case 'clog':
      return several ? { kind, side: side(), forMs } : undefined;
    case 'cut': {
      if (!several) return undefined;
      const shape = pick(['pair', 'deaf', 'mute', 'isolate'] as const, seed, 'cut', index);
      if (shape === 'pair') return { kind, from: [node], to: [pick(others, seed, 'other', index)], forMs };
      if (shape === 'deaf') return { kind, from: others, to: [node], forMs };
      if (shape === 'mute') return { kind, from: [node], to: others, forMs };
      return { kind: 'partition', side: [node], forMs };
    }
    case 'linkDown':
      return settings.links > 1
        ? { kind, link: between(0, settings.links - 1, seed, 'link', index), forMs }
        : undefined;
    case 'weather':
      return { kind, weather: weatherFor(seed, index), forMs };
    case 'multicastLost':
      return settings.multicast ? { kind, node, forMs } : undefined;
    case 'mtu':
      return { kind, bytes: pick([1300, 1400, 1450], seed, 'mtu', index), forMs };
    case 'replay':
      return { kind };
    case 'clockStep':
      return { kind, node, byMs: pick([-3_600_000, -60_000, -1500, 900, 60_000, 86_400_000], seed, 'step', index) };
    case 'diskFull':
      return { kind, node, forMs };
    case 'diskSlow':
      return { kind, node, flushMs: pick([5, 50, 500, 3000], seed, 'flush', index), forMs };
    case 'agent':
      return { kind, fault: agentFaultFor(seed, index, resource, node), forMs };
    case 'serviceDies':
      return { kind, resource };
    case 'fence': {
      const fault = pick(['fails', 'hangs', 'slow'] as const, seed, 'fenceKind', index);
      const device = pick(['fence1', 'fence2'], seed, 'device', index);
      return settings.fencing
        ? { kind, fault: { kind: fault, device, ...(share(seed, 'from', index) < 0.5 ? { from: node } : {}) }, forMs }
        : undefined;
    }
    case 'operator':
      return { kind, command: commandFor(seed, index, settings, node) };
  }
}

const durationFor = (seed: number, index: number): number =>
  pick([100, 300, 600, 1000, 2000, 5000, 10_000, 20_000], seed, 'for', index) + between(0, 200, seed, 'forMore', index);

function weatherFor(seed: number, index: number): Weather {
  return {
    loss: pick([0, 0.01, 0.05, 0.2], seed, 'w-loss', index),
    duplication: pick([0, 0.01, 0.1], seed, 'w-dup', index),
    spikes: pick([0, 0.01, 0.1], seed, 'w-spikes', index),
    spikeMs: pick([20, 100, 400], seed, 'w-spikeMs', index),
    corruption: pick([0, 0, 0.01], seed, 'w-corrupt', index),
  };
}

function agentFaultFor(seed: number, index: number, resource: string, node: number): AgentFault {
  return {
    kind: pick(['fails', 'hangs', 'slow', 'lies'] as const, seed, 'agentKind', index),
    resource,
    ...(share(seed, 'anyOperation', index) < 0.3
      ? {}
      : { operation: pick(['start', 'stop', 'monitor', 'promote', 'demote'], seed, 'agentOp', index) }),
    ...(share(seed, 'anywhere', index) < 0.4 ? {} : { machine: node }),
  };
}

function commandFor(seed: number, index: number, settings: ClusterSettings, node: number): OperatorCommand {
  const resource = pick(settings.resources, seed, 'commandOn', index).id;
  const type = pick(
    ['standby', 'online', 'cleanUp', 'move', 'clear', 'stop', 'start', 'parameter'] as const,
    seed,
    'command',
    index,
  );
  switch (type) {
    case 'standby':
    case 'online':
      return { type, node };
    case 'move':
      return { type, resource, node };
    case 'parameter':
      return { type, resource, value: index };
    default:
      return { type, resource };
  }
}

/** A short line for a transcript or a scenario. */
export function describeFault(fault: Fault): string {
  const { kind, ...details } = fault;
  const words = Object.entries(details).map(
    ([name, value]) => `${name} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`,
  );
  return [kind, ...words].join(' ');
}

/**
 * Plans from seeds, made before the run begins. Each seed is a swarm of its own: it draws which kinds of fault exist in its
 * world at all, how often, how large the cluster is and what it runs.
 */
import { byNumber } from '@systole/kernel';
import type { AgentFault } from './agents.ts';
import { between, draw, pick, share } from './draw.ts';
import { rareFaultsFor } from './rare-faults.ts';
import type { Weather } from './network.ts';
import {
  type ClusterSettings,
  type Fault,
  type FaultKind,
  hasArbiter,
  type OperatorCommand,
  type Plan,
  type PlanEntry,
  primitivesOf,
  type ResourceSettings,
} from './plan.ts';

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
  const rare = rareFaultsFor(seed, settings, faultsMs);
  return { seed, settings, faultsMs, entries: [...entries, ...rare].toSorted((a, b) => byNumber(a.at, b.at)) };
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
  'swizzle',
  'weather',
  'multicastLost',
  'mtu',
  'replay',
  'clockStep',
  'clockSkew',
  'starved',
  'upgrade',
  'arbiterDown',
  'arbiterCut',
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
      ? ['twoNode', 'twoNode', 'tieBreaker', 'majority', 'arbiter']
      : [
          ...(['majority', 'majority', 'majority', 'waitForAll', 'tieBreaker', 'lastManStanding'] as const),
          ...(nodes % 2 === 0 ? (['arbiter', 'arbiter'] as const) : []),
          'arbiterLast',
        ];
  return {
    nodes,
    links: share(seed, 'links') < 0.75 ? 1 : 2,
    multicast: share(seed, 'multicast') < 0.6,
    fencing: share(seed, 'fencing') < 0.93,
    ...(share(seed, 'watchdog') < 0.1 ? { watchdog: true } : {}),
    ...(share(seed, 'fenceDevices') < 0.3 ? { fenceDevices: 1 } : {}),
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
    case 'stun':
      return undefined; // among the rare ones
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
    case 'swizzle': {
      const nodes = all
        .filter((each) => share(seed, 'swizzled', index, each) < 0.7)
        .toSorted((a, b) => byNumber(draw(seed, 'swizzleOrder', index, a), draw(seed, 'swizzleOrder', index, b)));
      const gapMs = pick([20, 100, 300, 1000], seed, 'swizzleGap', index);
      return several && nodes.length > 0 ? { kind, nodes, gapMs, forMs: Math.min(forMs, 5000) } : undefined;
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
    case 'clockSkew':
      return { kind, node, ppm: between(-200, 200, seed, 'skew', index) };
    case 'starved':
      return { kind, node, lagMs: pick([5, 20, 60, 150], seed, 'lag', index), forMs };
    case 'upgrade':
      return { kind, node, forMs: Math.min(forMs, 5000) };
    case 'arbiterDown':
      return hasArbiter(settings) ? { kind, forMs } : undefined;
    case 'arbiterCut':
      return hasArbiter(settings) ? { kind, side: side(), forMs } : undefined;
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
      const device = settings.fenceDevices === 1 ? 'fence1' : pick(['fence1', 'fence2'], seed, 'device', index);
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
    [
      ...(['standby', 'online', 'cleanUp', 'move', 'clear', 'stop', 'start', 'parameter'] as const),
      ...(['maintenance', 'maintenance', 'refresh', 'removeNode', 'fence', 'quorumProceed'] as const),
      // With an arbiter it is among the rare faults.
      ...(hasArbiter(settings) ? [] : (['rotateKey', 'rotateKey'] as const)),
    ],
    seed,
    'command',
    index,
  );
  switch (type) {
    case 'standby':
    case 'online':
    case 'removeNode':
      return { type, node };
    case 'maintenance': {
      const isOn = share(seed, 'maintained', index) < 0.6;
      return { type, isOn, ...(share(seed, 'ofOneNode', index) < 0.5 ? { node } : {}) };
    }
    case 'fence':
      return { type, node, action: share(seed, 'off', index) < 0.3 ? 'off' : 'reboot' };
    case 'quorumProceed':
    case 'rotateKey':
      return { type };
    case 'move':
      return { type, resource, node };
    case 'parameter':
      return { type, resource, value: index };
    default:
      return { type, resource };
  }
}

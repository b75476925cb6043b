/** The settings of a run as what a cluster understands: each node's own file, and the configuration in the CIB. */
import { type Configuration, emptyConfiguration, type Primitive, type Resource } from '@systole/cib';
import { type NodeConfiguration, nodeIdOf } from '@systole/daemon/node';
import { type ClusterKey, protocolRange, timingProfiles } from '@systole/messaging';
import type { DeviceOptions } from '@systole/quorum';
import type { AgentPlaces } from '@systole/ra';
import { linksOf } from './link-file.ts';
import type { Machine } from './machine.ts';
import { hostOf } from './network.ts';
import type { ClusterSettings, ResourceSettings } from './plan.ts';

/** A machine whose watchdog is not fed for so long resets itself; its peers wait twice as long. */
export const WATCHDOG_MS = 4000;

const places: AgentPlaces = {
  ocfRoot: '/sim/ocf',
  ocf: ['/sim/ocf/agents'],
  own: '/sim/own',
  lsb: ['/sim/lsb'],
  systemdUnits: [],
  systemdDriver: '/sim/systemd',
  fence: ['/sim/fence'],
  external: '/sim/external',
  helpers: '/sim/helpers',
};

/** Every file the simulated machines have. */
export const installed: ReadonlySet<string> = new Set(['/sim/ocf/agents/sim/service', '/sim/fence/fence_sim']);

/** What a newer program would speak: the present protocol still, and its successor. */
export const nextProtocol = { min: protocolRange.min, max: protocolRange.max + 1 } as const;

export const clusterName = 'simulated';
export const clusterKeys: readonly ClusterKey[] = [{ id: 1, key: new Uint8Array(32).fill(7), primary: true }];

export const machineName = (machine: number): string => `n${machine}`;

/** One set of pairs; ids are made from where it stands. */
export const attributeSets = (id: string, values: Readonly<Record<string, string>>): Configuration['options'] => {
  const pairs = Object.entries(values).map(([name, value]) => ({ id: `${id}-${name}`, name, value }));
  return pairs.length === 0 ? [] : [{ id, pairs }];
};

function primitive(id: string, meta: Readonly<Record<string, string>>, isPromotable: boolean): Primitive {
  const operation = (name: string, interval: string, timeout: string, role?: 'Promoted' | 'Unpromoted') => ({
    id: `${id}-${name}-${interval}`,
    name,
    interval,
    timeout,
    ...(role === undefined ? {} : { role }),
    parameters: [],
    meta: [],
  });
  const monitors = isPromotable
    ? [operation('monitor', '5s', '3s', 'Promoted'), operation('monitor', '6s', '3s', 'Unpromoted')]
    : [operation('monitor', '5s', '3s')];
  return {
    kind: 'primitive',
    id,
    agent: { class: 'ocf', provider: 'sim', type: 'service' },
    meta: attributeSets(`${id}-meta`, meta),
    parameters: attributeSets(`${id}-parameters`, { value: '0' }),
    operations: { list: [operation('start', '0', '4s'), operation('stop', '0', '4s'), ...monitors] },
    utilization: [],
  };
}

function resource({ id, kind, members, stickiness, migrationThreshold }: ResourceSettings): Resource {
  const meta = {
    'resource-stickiness': String(stickiness),
    ...(migrationThreshold === 0 ? {} : { 'migration-threshold': String(migrationThreshold) }),
    'failure-timeout': '20s',
  };
  const common = { id, meta: attributeSets(`${id}-meta`, meta), parameters: [] };
  switch (kind) {
    case 'primitive':
      return primitive(id, meta, false);
    case 'group':
      return { ...common, kind: 'group', members: members.map((member) => primitive(member, {}, false)) };
    case 'clone':
      return { ...common, kind: 'clone', member: primitive(`${id}-p`, {}, false) };
    case 'promotable':
      return {
        ...common,
        kind: 'clone',
        meta: attributeSets(`${id}-meta`, { ...meta, promotable: 'true' }),
        member: primitive(`${id}-p`, {}, true),
      };
  }
}

const fenceDevice = (id: string): Primitive => ({
  kind: 'primitive',
  id,
  agent: { class: 'stonith', type: 'fence_sim' },
  meta: [],
  parameters: attributeSets(`${id}-parameters`, { device: id, pcmk_host_check: 'none' }),
  operations: { list: [] },
  utilization: [],
});

/** What the operator loads when the cluster has formed. */
export function configurationFor(settings: ClusterSettings, before: Configuration): Configuration {
  const { resources, fencing, watchdog = false, fenceDevices = 2, noQuorumPolicy } = settings;
  const options = {
    'stonith-enabled': String(fencing),
    'no-quorum-policy': noQuorumPolicy,
    'stonith-timeout': '10s',
    'cluster-recheck-interval': '15s',
    ...(fencing && watchdog ? { 'stonith-watchdog-timeout': `${2 * WATCHDOG_MS}ms` } : {}),
  };
  return {
    ...emptyConfiguration,
    ...before,
    options: attributeSets('cluster-options', options),
    resources: [
      ...resources.map(resource),
      ...(fencing && !watchdog ? ['fence1', 'fence2'].slice(0, fenceDevices).map(fenceDevice) : []),
    ],
    fencingLevels: [],
    constraints: resources.flatMap(({ id, prefers, with: beside }) => [
      ...(prefers === undefined
        ? []
        : [
            {
              kind: 'location' as const,
              id: `${id}-prefers`,
              resource: id,
              node: machineName(prefers),
              score: 50,
              rules: [],
            },
          ]),
      ...(beside === undefined
        ? []
        : [
            {
              kind: 'colocation' as const,
              id: `${id}-with-${beside}`,
              score: 1_000_000,
              dependent: id,
              primary: beside,
            },
            { kind: 'order' as const, id: `${id}-after-${beside}`, first: beside, then: id },
          ]),
    ]),
  };
}

/** The arbiter's vote, where there is one. */
export function deviceFor({ quorum, nodes }: ClusterSettings): DeviceOptions | undefined {
  if (quorum === 'arbiter') return { kind: 'arbiter', algorithm: 'ffsplit', votes: 1, tieBreaker: 'lowest' };
  if (quorum === 'arbiterLast')
    return { kind: 'arbiter', algorithm: 'lastManStanding', votes: Math.max(1, nodes - 1), tieBreaker: 'lowest' };
  return undefined;
}

function quorumFor(settings: ClusterSettings): NodeConfiguration['quorum'] {
  switch (settings.quorum) {
    case 'majority':
      return {};
    case 'twoNode':
      return { twoNode: true };
    case 'waitForAll':
      return { waitForAll: true };
    case 'tieBreaker':
      return { autoTieBreaker: 'lowest' };
    case 'lastManStanding':
      return { lastManStanding: true, autoTieBreaker: 'lowest' };
    case 'arbiter':
    case 'arbiterLast': {
      const device = deviceFor(settings);
      return device === undefined ? {} : { device };
    }
  }
}

/** What stands in a node's own file. */
export function nodeConfigurationFor(
  settings: ClusterSettings,
  machine: Machine,
  all: readonly Machine[],
): NodeConfiguration {
  const { links, multicast } = settings;
  return {
    self: machine.name,
    nodes: all.map(({ name }) => name),
    messaging: {
      clusterName,
      keys: clusterKeys,
      links: linksOf(machine, links).map((id) => ({
        id,
        mode: multicast ? ('auto' as const) : ('unicast' as const),
        priority: Math.max(1, links - id),
        mtu: 1500,
        family: 4 as const,
        peers: all
          .filter((other) => other !== machine)
          .map((other) => ({ node: nodeIdOf(other.name), address: hostOf(other.id, id) })),
      })),
      linkMode: 'passive',
      timing: timingProfiles.lan,
      messageBytesMax: 1024 * 1024,
      protocol: machine.protocol ?? protocolRange,
    },
    quorum: quorumFor(settings),
    places,
  };
}

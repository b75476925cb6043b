/** The settings of a run as what a cluster understands: a CIB's configuration, options of quorum, and operators' changes. */
import {
  type Cib,
  type Configuration,
  type ConfiguredNode,
  emptyConfiguration,
  type Primitive,
  type Resource,
} from '@systole/cib';
import type { NodeConfiguration } from '@systole/daemon/node';
import type { ClusterSettings, OperatorCommand, ResourceSettings } from './plan.ts';

/** A machine whose watchdog is not fed for so long resets itself; its peers wait twice as long. */
export const WATCHDOG_MS = 4000;

export const machineName = (machine: number): string => `n${machine}`;

type AttributeSets = Configuration['options'];

/** One set of pairs; ids are made from where it stands. */
const set = (id: string, values: Readonly<Record<string, string>>): AttributeSets => {
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
    meta: set(`${id}-meta`, meta),
    parameters: set(`${id}-parameters`, { value: '0' }),
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
  const common = { id, meta: set(`${id}-meta`, meta), parameters: [] };
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
        meta: set(`${id}-meta`, { ...meta, promotable: 'true' }),
        member: primitive(`${id}-p`, {}, true),
      };
  }
}

const fenceDevice = (id: string): Primitive => ({
  kind: 'primitive',
  id,
  agent: { class: 'stonith', type: 'fence_sim' },
  meta: [],
  parameters: set(`${id}-parameters`, { device: id, pcmk_host_check: 'none' }),
  operations: { list: [] },
  utilization: [],
});

/** What the operator loads when the cluster has formed. */
export function configurationFor(settings: ClusterSettings, before: Configuration): Configuration {
  const { resources, fencing, watchdog = false, noQuorumPolicy } = settings;
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
    options: set('cluster-options', options),
    resources: [
      ...resources.map(resource),
      ...(fencing && !watchdog ? [fenceDevice('fence1'), fenceDevice('fence2')] : []),
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

export function quorumFor(settings: ClusterSettings): NodeConfiguration['quorum'] {
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
  }
}

/** The CIB after an operator's command; undefined where the command changes no configuration, or nothing at all. */
export function commanded(cib: Cib, command: OperatorCommand): Cib | undefined {
  const { configuration } = cib;
  const withNode = (name: string, value: string | undefined): Cib | undefined => {
    if (!configuration.nodes.some((node) => node.name === name)) return undefined;
    const nodes = configuration.nodes.map((node): ConfiguredNode =>
      node.name === name
        ? { ...node, attributes: value === undefined ? [] : set(`${node.id}-attributes`, { standby: value }) }
        : node,
    );
    return { ...cib, configuration: { ...configuration, nodes } };
  };
  const withMeta = (id: string, name: string, value: string): Cib => ({
    ...cib,
    configuration: {
      ...configuration,
      resources: configuration.resources.map((each) => (each.id === id ? withPair(each, 'meta', name, value) : each)),
    },
  });
  const moveId = (id: string): string => `cli-prefer-${id}`;
  switch (command.type) {
    case 'standby':
      return withNode(machineName(command.node), 'on');
    case 'online':
      return withNode(machineName(command.node), undefined);
    case 'stop':
      return withMeta(command.resource, 'target-role', 'Stopped');
    case 'start':
      return withMeta(command.resource, 'target-role', 'Started');
    case 'move': {
      const { resource: id, node } = command;
      const others = configuration.constraints.filter((constraint) => constraint.id !== moveId(id));
      const location = {
        kind: 'location' as const,
        id: moveId(id),
        resource: id,
        node: machineName(node),
        score: 1_000_000,
        rules: [],
      };
      return { ...cib, configuration: { ...configuration, constraints: [...others, location] } };
    }
    case 'clear': {
      const constraints = configuration.constraints.filter((constraint) => constraint.id !== moveId(command.resource));
      return constraints.length === configuration.constraints.length
        ? undefined
        : { ...cib, configuration: { ...configuration, constraints } };
    }
    case 'parameter': {
      const change = (each: Resource): Resource => {
        if (each.kind === 'primitive' && each.id === command.resource)
          return withPair(each, 'parameters', 'value', String(command.value));
        return each;
      };
      return { ...cib, configuration: { ...configuration, resources: configuration.resources.map(change) } };
    }
    case 'cleanUp':
      return undefined;
  }
}

function withPair<R extends Resource>(resource: R, where: 'meta' | 'parameters', name: string, value: string): R {
  const first = resource[where][0];
  const id = first?.id ?? `${resource.id}-${where}`;
  const pairs = [...(first?.pairs ?? []).filter((pair) => pair.name !== name), { id: `${id}-${name}`, name, value }];
  return { ...resource, [where]: [{ ...first, id, pairs }, ...resource[where].slice(1)] };
}

/** What an operator's commands make of a CIB. */
import type { Cib, ConfiguredNode, Resource } from '@systole/cib';
import type { NodeRequest } from '@systole/daemon/node';
import { attributeSets, machineName } from './cluster-configuration.ts';
import { hostOf } from './network.ts';
import type { OperatorCommand } from './plan.ts';

/** The CIB after an operator's command; undefined where the command changes no configuration, or nothing at all. */
export function commanded(cib: Cib, command: OperatorCommand): Cib | undefined {
  const { configuration } = cib;
  const withNode = (name: string, attribute: string, value: string | undefined): Cib | undefined => {
    if (!configuration.nodes.some((node) => node.name === name)) return undefined;
    const nodes = configuration.nodes.map((node): ConfiguredNode => {
      if (node.name !== name) return node;
      const pairs = node.attributes.flatMap((set) => set.pairs).filter((pair) => pair.name !== attribute);
      const values = Object.fromEntries(pairs.map((pair) => [pair.name ?? '', pair.value ?? ''] as const));
      const wanted = value === undefined ? values : { ...values, [attribute]: value };
      return { ...node, attributes: attributeSets(`${node.id}-attributes`, wanted) };
    });
    return { ...cib, configuration: { ...configuration, nodes } };
  };
  const withOption = (name: string, value: string | undefined): Cib => {
    const [first, ...rest] = configuration.options;
    const pairs = (first?.pairs ?? []).filter((pair) => pair.name !== name);
    const id = first?.id ?? 'cluster-options';
    const wanted = value === undefined ? pairs : [...pairs, { id: `${id}-${name}`, name, value }];
    return { ...cib, configuration: { ...configuration, options: [{ ...first, id, pairs: wanted }, ...rest] } };
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
      return withNode(machineName(command.node), 'standby', 'on');
    case 'online':
      return withNode(machineName(command.node), 'standby', undefined);
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
    case 'maintenance':
      return command.node === undefined
        ? withOption('maintenance-mode', command.isOn ? 'true' : undefined)
        : withNode(machineName(command.node), 'maintenance', command.isOn ? 'true' : undefined);
    case 'removeNode': {
      const name = machineName(command.node);
      if (!configuration.nodes.some((node) => node.name === name)) return undefined;
      const nodes = configuration.nodes.filter((node) => node.name !== name);
      return { ...cib, configuration: { ...configuration, nodes } };
    }
    case 'cleanUp':
    case 'refresh':
    case 'fence':
    case 'rotateKey':
    case 'addLink':
    case 'removeLink':
    case 'quorumProceed':
      return undefined;
  }
}

/** Commands that are requests to a node, not changes of the configuration. */
export function requestOf(command: OperatorCommand, nodes: number): NodeRequest | undefined {
  switch (command.type) {
    case 'cleanUp':
      return { type: 'cleanUp', resource: command.resource, isWhole: false };
    case 'refresh':
      return { type: 'cleanUp', resource: command.resource, isWhole: true };
    case 'fence':
      return { type: 'fence', target: machineName(command.node), action: command.action, user: 'root' };
    case 'rotateKey':
      return { type: 'rotateKey', without: [] };
    case 'addLink': {
      const { link } = command;
      const all = Array.from({ length: nodes }, (_, index) => index + 1);
      const addresses = Object.fromEntries(all.map((node) => [machineName(node), hostOf(node, link).host] as const));
      return { type: 'changeNetwork', change: { type: 'setLink', link, isNew: true, addresses, options: {} } };
    }
    case 'removeLink':
      return { type: 'changeNetwork', change: { type: 'removeLink', link: command.link } };
    case 'quorumProceed':
      return { type: 'quorumProceed' };
    default:
      return undefined;
  }
}

/** Commands that end all maintenance that a CIB knows of. */
export function maintained({ configuration }: Cib): readonly OperatorCommand[] {
  const has = (pairs: readonly { readonly name?: string }[], name: string): boolean =>
    pairs.some((pair) => pair.name === name);
  const all = has(configuration.options[0]?.pairs ?? [], 'maintenance-mode') ? [{}] : [];
  const nodes = configuration.nodes
    .filter(({ attributes }) => attributes.some(({ pairs }) => has(pairs, 'maintenance')))
    .map(({ name }) => ({ node: Number(name.slice(1)) }));
  return [...all, ...nodes].map((which) => ({ type: 'maintenance', isOn: false, ...which }));
}

function withPair<R extends Resource>(resource: R, where: 'meta' | 'parameters', name: string, value: string): R {
  const first = resource[where][0];
  const id = first?.id ?? `${resource.id}-${where}`;
  const pairs = [...(first?.pairs ?? []).filter((pair) => pair.name !== name), { id: `${id}-${name}`, name, value }];
  return { ...resource, [where]: [{ ...first, id, pairs }, ...resource[where].slice(1)] };
}

/** What an operator's commands make of a CIB. */
import type { Cib, ConfiguredNode, Resource } from '@systole/cib';
import { attributeSets, machineName } from './cluster-configuration.ts';
import type { OperatorCommand } from './plan.ts';

/** The CIB after an operator's command; undefined where the command changes no configuration, or nothing at all. */
export function commanded(cib: Cib, command: OperatorCommand): Cib | undefined {
  const { configuration } = cib;
  const withNode = (name: string, value: string | undefined): Cib | undefined => {
    if (!configuration.nodes.some((node) => node.name === name)) return undefined;
    const nodes = configuration.nodes.map((node): ConfiguredNode =>
      node.name === name
        ? { ...node, attributes: value === undefined ? [] : attributeSets(`${node.id}-attributes`, { standby: value }) }
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

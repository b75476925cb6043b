/** Traps in resources: fencing that is missing, agents without monitor, promotable clones. */
import type { Configuration, Primitive, Resource } from '@systole/cib';
import { readOption } from '../commands/options.ts';
import type { Item } from '../language/items.ts';
import { type Finding, isDevice, isNo, isYes, values } from './finding.ts';

export function fencing(items: readonly Item[], primitives: readonly Primitive[]): readonly Finding[] {
  const devices = primitives.filter((primitive) => isDevice(primitive, items));
  if (isNo(readOption(items, 'fencing-enabled'))) {
    return [
      {
        level: 'error',
        text: 'fencing is off: a node that is lost may still run its services, and they are then not started elsewhere, or run twice',
        advice: 'configure a fence device for every node, then: property fencing-enabled=true',
      },
    ];
  }
  const glued = devices.filter(({ agent }) => /^(?:external\/|ibmhmc$|meatware$)/.test(agent?.type ?? ''));
  const old = glued.map(({ id, agent }): Finding => ({
    level: 'error',
    id,
    text: `${id}: ${agent?.type ?? ''} is a plugin of cluster-glue, which is not here; the device cannot work`,
    advice: `use a fence agent, such as fence_sbd, fence_aws or fence_ipmilan: systole ra list stonith`,
  }));
  if (devices.length > 0) return old;
  return [
    {
      level: 'error',
      text: 'fencing is on, but there is no fence device: nothing will be started',
      advice: 'configure one, for example: primitive power stonith:fence_ipmilan params …',
    },
  ];
}

export function nodes(configuration: Configuration, items: readonly Item[]): readonly Finding[] {
  const found: Finding[] = [];
  const policy = readOption(items, 'no-quorum-policy');
  if (policy === 'ignore') {
    found.push({
      level: 'error',
      text: 'no-quorum-policy=ignore: both halves of a cluster that is cut in two go on',
      advice: 'remove it; a cluster of two nodes needs two_node and fencing, or an arbiter, not this',
    });
  }
  const members = configuration.nodes.filter((node) => node.type === undefined || node.type === 'member');
  const isTwoNode = members.length === 2 && readOption(items, 'priority-fencing-delay') === '0';
  const delays = configuration.resources.some((resource) =>
    resource.parameters.some((set) => set.pairs.some((pair) => pair.name?.startsWith('pcmk_delay_') === true)),
  );
  if (isTwoNode && !delays) {
    found.push({
      level: 'warning',
      text: 'two nodes that lose sight of each other fence each other at the same time',
      advice: 'property priority-fencing-delay=15s, or pcmk_delay_max on the fence devices; or an arbiter',
    });
  }
  return found;
}

export function monitors(primitive: Primitive): readonly Finding[] {
  const { id, operations, template } = primitive;
  const found: Finding[] = [];
  const own = operations.list.filter((operation) => operation.name === 'monitor' && operation.enabled !== false);
  const isRecurring = own.some((operation) => !/^0+\s*[a-z]*$/i.test(operation.interval ?? '0'));
  if (!isRecurring && template === undefined && operations.idRef === undefined) {
    found.push({
      level: 'warning',
      id,
      text: `${id} has no monitor: the cluster will not notice when it dies`,
      advice: `monitor ${id} 10s:20s`,
    });
  }
  const twins = own.filter(
    (operation, index) =>
      own.findIndex((other) => other.interval === operation.interval && other.role === operation.role) < index,
  );
  for (const twin of twins)
    found.push({
      level: 'error',
      id,
      text: `${id} has two monitors every ${twin.interval ?? '0'}`,
      advice: 'give them different intervals',
    });
  const stop = operations.list.find((operation) => operation.name === 'stop');
  if (stop?.onFail === 'ignore') {
    found.push({
      level: 'error',
      id,
      text: `${id} ignores failures of stop: it may then run on two nodes`,
      advice: `remove on-fail=ignore from its stop`,
    });
  }
  return found;
}

export function promotable(resources: readonly Resource[]): readonly Finding[] {
  return resources.flatMap((resource): readonly Finding[] => {
    if (resource.kind !== 'clone' || !isYes(values(resource.meta, 'promotable'))) return [];
    const member = resource.member.kind === 'group' ? resource.member.members : [resource.member];
    return member.flatMap((primitive): readonly Finding[] => {
      const intervals = new Map<string, string>();
      for (const operation of primitive.operations.list) {
        if (operation.name !== 'monitor') continue;
        const role = operation.role ?? 'Started';
        const interval = operation.interval ?? '0';
        const other = intervals.get(interval);
        if (other !== undefined && other !== role) {
          return [
            {
              level: 'error',
              id: primitive.id,
              text: `${primitive.id}: monitors of different roles need different intervals; both have ${interval}`,
              advice: 'make one of them a second longer',
            },
          ];
        }
        intervals.set(interval, role);
      }
      const isWatched = primitive.operations.list.some(
        (operation) => operation.name === 'monitor' && operation.role === 'Promoted',
      );
      return isWatched || primitive.template !== undefined
        ? []
        : [
            {
              level: 'warning',
              id: primitive.id,
              text: `${primitive.id} is promotable, but no monitor watches the promoted instance`,
              advice: `monitor ${primitive.id}:Promoted 9s`,
            },
          ];
    });
  });
}

/** S1: what must be one is never two. */
import type { WorldEvent } from '../events.ts';
import type { ClusterSettings } from '../plan.ts';
import type { Law } from './law.ts';

export function exclusive(settings: ClusterSettings): Law {
  const single = new Set(
    settings.resources.flatMap(({ id, kind, members }) =>
      kind === 'primitive' ? [id] : kind === 'group' ? members : [],
    ),
  );
  const promotable = new Set(settings.resources.filter(({ kind }) => kind === 'promotable').map(({ id }) => `${id}-p`));
  const running = new Map<string, Set<number>>();
  const promoted = new Map<string, Set<number>>();
  const enter = (
    map: Map<string, Set<number>>,
    resource: string,
    machine: number,
    isIn: boolean,
  ): ReadonlySet<number> => {
    const machines = map.get(resource) ?? new Set<number>();
    map.set(resource, machines);
    if (isIn) machines.add(machine);
    else machines.delete(machine);
    return machines;
  };
  return {
    id: 'S1',
    statement: 'a resource that is not a clone never runs on two machines; never two instances are promoted',
    see: (event: WorldEvent, world) => {
      if (event.type !== 'service') return undefined;
      const { resource, machine, after } = event;
      const names = (machines: ReadonlySet<number>): string =>
        [...machines].map((each) => world.nameOf(each)).join(' and ');
      if (single.has(resource)) {
        const machines = enter(running, resource, machine, after !== 'stopped');
        if (machines.size > 1 && after !== 'stopping') return `${resource} runs on ${names(machines)} at once`;
      }
      if (promotable.has(resource)) {
        const machines = enter(
          promoted,
          resource,
          machine,
          after === 'promoting' || after === 'promoted' || after === 'demoting',
        );
        if (machines.size > 1 && after !== 'demoting') return `${resource} is promoted on ${names(machines)} at once`;
      }
      return undefined;
    },
  };
}

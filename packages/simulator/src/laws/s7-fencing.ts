/** S7 and S8: fencing is ordered only with quorum, and called done only when the machine was really without power. */
import type { WorldEvent } from '../events.ts';
import type { Law } from './law.ts';
import { Standings } from './standing.ts';

export function fencingNeedsQuorum(): Law {
  const standings = new Standings();
  return {
    id: 'S7',
    statement: 'only who holds quorum orders a node to be fenced',
    see: (event, world) => {
      const standing = standings.see(event, world.now);
      if (event.type !== 'seen' || event.seen.part !== 'crm' || event.seen.effect.type !== 'fence') return undefined;
      if (standing === undefined || standing.quorum === 'held' || event.seen.effect.action === 'on') return undefined;
      return `${world.nameOf(event.machine)} orders ${event.seen.effect.target} to be fenced while its quorum is ${standing.quorum}`;
    },
  };
}

export function fencedMeansOff(): Law {
  const ordered = new Map<string, number>();
  const lastOff = new Map<number, number>();
  const running = new Map<number, Set<string>>();
  return {
    id: 'S8',
    statement: 'fencing is reported as done only if the machine was off since it was ordered',
    see: (event, world) => {
      if (event.type === 'power' && !event.isOn) lastOff.set(event.machine, world.now);
      if (event.type === 'service') {
        const here = running.get(event.machine) ?? new Set<string>();
        running.set(event.machine, here);
        if (event.after === 'stopped') here.delete(event.instance);
        else here.add(event.instance);
      }
      if (event.type !== 'seen') return undefined;
      const { seen, life } = event;
      if (seen.part === 'crm' && seen.effect.type === 'fence')
        ordered.set(`${life}/${seen.effect.requestId}`, world.now);
      const told = believed(seen);
      if (told === undefined) return undefined;
      const { requestId, action, target, devices } = told;
      const orderedAt = ordered.get(`${life}/${requestId}`);
      const machine = world.machineOf(target);
      if (action === 'on' || machine === undefined || orderedAt === undefined) return undefined;
      // A watchdog spares a node that has lost quorum and runs nothing: it is as good as off.
      if (devices.includes('watchdog') && (running.get(machine)?.size ?? 0) === 0) return undefined;
      if (!world.isPowered(machine) || (lastOff.get(machine) ?? -1) >= orderedAt) return undefined;
      return `${world.nameOf(event.machine)} takes ${target} for fenced, but it has had power since the order`;
    },
  };
}

/** The fencer says that it is done, or the controller tells the cluster so. */
function believed(seen: Extract<WorldEvent, { type: 'seen' }>['seen']): Fenced | undefined {
  if (seen.part === 'stonith' && seen.effect.type === 'fenceEnded')
    return seen.effect.outcome === 'ok' ? seen.effect : undefined;
  if (seen.part !== 'crm' || seen.effect.type !== 'send') return undefined;
  return seen.effect.message.type === 'fenced' ? seen.effect.message : undefined;
}

interface Fenced {
  readonly requestId: string;
  readonly target: string;
  readonly action: string;
  readonly devices: readonly string[];
}

/**
 * S9: a partition that has lost quorum does what no-quorum-policy says, in time; where a watchdog is the only fencing, its
 * machine goes down if it does not.
 *
 * Times count while nothing else speaks against it: a pause, a slow disk or a broken agent may make any stop late, and a
 * stop that failed leaves its service to the fencing that only the others can do.
 */
import { WATCHDOG_MS } from '../cluster-configuration.ts';
import type { WorldEvent } from '../events.ts';
import { type ClusterSettings, type Fault, primitivesOf } from '../plan.ts';
import type { Law, TrueWorld } from './law.ts';
import { Standings } from './standing.ts';

/** A new view, its CIB and a plan; a start that is under way; what each stop waits for. */
const ORDERLY_MS = 10_000;
const ORDERLY_EACH_MS = 1000;
/** An uncertain node feeds its watchdog for a second; the watchdog is looked at each half second. */
const WATCHDOG_SLACK_MS = 2000;
/** A machine that resets itself is down in the same instant. */
const RESET_MS = 50;

/** Instances on a machine, by state. */
type Running = ReadonlyMap<string, string>;

export function obeysPolicy(settings: ClusterSettings): Law {
  const standings = new Standings();
  const running = new Map<number, Map<string, string>>();
  /** Since when each life is without quorum, in one view and undisturbed. */
  const lostSince = new Map<number, number>();
  const heldQuorum = new Set<number>();
  /** Since when each life does not hold quorum, whatever else there may be. */
  const notHeldSince = new Map<number, number>();
  /** Who was told to leave stops its services by itself. */
  const leaving = new Set<number>();
  /** Machines on which a stop has failed. */
  const stuck = new Set<number>();
  const single = new Set(primitivesOf(settings.resources.filter(({ kind }) => kind !== 'promotable')));
  const orderlyMs = ORDERLY_MS + ORDERLY_EACH_MS * primitivesOf(settings.resources).length;
  let disturbedUntil = 0;
  let nextLook = Infinity;
  const hasWatchdog = settings.fencing && settings.watchdog === true;

  const wrong = (machine: number, life: number, forMs: number): string | undefined => {
    if (settings.noQuorumPolicy === 'suicide' && settings.fencing)
      return heldQuorum.has(life) && forMs > RESET_MS ? 'it has not reset itself' : undefined;
    const here: Running = running.get(machine) ?? new Map();
    if (here.size === 0) return undefined;
    const names = [...here].map(([instance, state]) => `${instance} (${state})`).join(', ');
    if (forMs <= orderlyMs || stuck.size > 0 || settings.noQuorumPolicy === 'freeze') return undefined;
    if (settings.noQuorumPolicy !== 'demote') return `still there: ${names}`;
    const bad = [...here].filter(([instance, state]) => single.has(instance) || /promot|demot/.test(state));
    return bad.length === 0 ? undefined : `still there: ${bad.map(([instance]) => instance).join(', ')}`;
  };

  const noteQuorum = (life: number, isHeld: boolean, now: number): void => {
    if (isHeld) {
      heldQuorum.add(life);
      notHeldSince.delete(life);
    } else if (!notHeldSince.has(life)) notHeldSince.set(life, now);
  };

  const look = (world: TrueWorld): string | undefined => {
    nextLook = Infinity;
    for (const { machine, life } of standings.all) {
      const notHeld = notHeldSince.get(life);
      if (hasWatchdog && notHeld !== undefined && (running.get(machine)?.size ?? 0) > 0) {
        const forMs = world.now - notHeld;
        if (forMs > WATCHDOG_MS + WATCHDOG_SLACK_MS)
          return `${world.nameOf(machine)} has not held quorum for ${forMs / 1000} s, and its watchdog has not reset it`;
        nextLook = Math.min(nextLook, world.now + 250);
      }
      const since = leaving.has(life) ? undefined : lostSince.get(life);
      if (since === undefined) continue;
      const begin = Math.max(since, disturbedUntil);
      const text = wrong(machine, life, world.now - begin);
      if (text !== undefined)
        return `${world.nameOf(machine)} has been without quorum for ${(world.now - begin) / 1000} s under ${settings.noQuorumPolicy}: ${text}`;
      nextLook = Math.min(nextLook, world.now + 250);
    }
    return undefined;
  };

  return {
    id: 'S9',
    statement: 'a partition without quorum is in the state that no-quorum-policy demands, or its machines are down',
    see: (event, world) => {
      const standing = standings.see(event, world.now);
      switch (event.type) {
        case 'service':
          note(running, event);
          break;
        case 'power':
          stuck.delete(event.machine);
          break;
        case 'lifeBegan':
          notHeldSince.set(event.life, world.now);
          break;
        case 'lifeEnded':
          lostSince.delete(event.life);
          notHeldSince.delete(event.life);
          break;
        case 'fault':
          disturbedUntil = Math.max(disturbedUntil, disturbedBy(event.fault, world.now));
          break;
        case 'seen': {
          const { seen, life, machine } = event;
          if (seen.part === 'lrm' && seen.effect.type === 'operationEnded' && !seen.effect.hasSucceeded) {
            const { operation } = seen.effect.record;
            if (operation === 'stop' || operation === 'demote') stuck.add(machine);
          }
          if (seen.part === 'crm' && seen.effect.type === 'report' && seen.effect.event === 'node.leaving')
            leaving.add(life);
          if (seen.part !== 'messaging') break;
          if (seen.effect.type === 'quorum') noteQuorum(life, standing?.quorum === 'held', world.now);
          const isNews =
            seen.effect.type === 'quorum' || seen.effect.type === 'view' || seen.effect.type === 'viewActive';
          if (!isNews) break;
          if (standing?.quorum !== 'lost' || !standing.isActive) lostSince.delete(life);
          else if (!lostSince.has(life)) lostSince.set(life, world.now);
          nextLook = Math.min(nextLook, world.now + 1);
          break;
        }
        default:
          break;
      }
      return world.now >= nextLook ? look(world) : undefined;
    },
  };
}

function note(running: Map<number, Map<string, string>>, event: Extract<WorldEvent, { type: 'service' }>): void {
  const here = running.get(event.machine) ?? new Map<string, string>();
  running.set(event.machine, here);
  if (event.after === 'stopped') here.delete(event.instance);
  else here.set(event.instance, event.after);
}

/** Until when a fault may make what a node does late, or keep it from doing it. */
function disturbedBy(fault: Fault, now: number): number {
  switch (fault.kind) {
    case 'pause':
    case 'agent':
    case 'diskFull':
    case 'diskSlow':
    case 'starved':
      return now + fault.forMs;
    case 'stun':
      return now + fault.leadMs + fault.forMs;
    case 'powerAll':
      return now + (fault.stallMs ?? 0);
    case 'operator':
      return fault.command.type === 'maintenance' && fault.command.isOn ? Infinity : 0;
    default:
      return 0;
  }
}

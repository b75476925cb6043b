/**
 * Liveness: some time after the faults have stopped there is one quorate view of all machines, one DC, one CIB, nothing
 * left to do, and what really runs is what the CIB says (L1); told to leave, all are gone in order some time later (L2).
 */
import { type Cib, type NodeState } from '@systole/cib';
import { byNumber } from '@systole/kernel';
import type { KeyRing } from '@systole/messaging';
import { digestOf } from '../digest.ts';
import { linksOf } from '../link-file.ts';
import { maintained } from '../operator-commands.ts';
import type { WorldEvent } from '../events.ts';
import type { World } from '../world.ts';
import { Standings, tagText } from './standing.ts';

export class Settlement {
  readonly #standings = new Standings();

  see(event: WorldEvent, now: number): void {
    this.#standings.see(event, now);
  }

  /** What is not as it must be in the end; undefined when all is. */
  missing(world: World, leftToDo: (cib: Cib) => readonly string[]): string | undefined {
    const machines = world.machines;
    const down = machines.filter(({ id }) => !world.isRunning(id));
    if (down.length > 0) return `no daemon on ${down.map(({ name }) => name).join(', ')}`;
    const standings = this.#standings.all;
    const [first] = standings;
    if (first?.view === undefined) return 'no view';
    const { view } = first;
    for (const standing of standings) {
      const who = world.nameOf(standing.machine);
      if (standing.view === undefined || tagText(standing.view) !== tagText(view))
        return `${who} is in view ${standing.view?.number}, another in ${view.number}`;
      if (!standing.isActive) return `view ${view.number} is not active at ${who}`;
      if (standing.members.length !== machines.length)
        return `view ${view.number} has ${standing.members.length} of ${machines.length} members`;
      if (standing.quorum !== 'held') return `quorum is ${standing.quorum} at ${who}`;
      if (standing.integrated === undefined) return `${who} has no agreed CIB`;
      if (standing.integrated.dc !== first.integrated?.dc) return `${who} has another DC`;
    }
    const cib = world.cibOf(first.machine);
    if (cib === undefined) return 'no CIB';
    for (const { machine } of standings) {
      if (digestOf(world.cibOf(machine)) === digestOf(cib)) continue;
      return `the CIBs of ${world.nameOf(first.machine)} and ${world.nameOf(machine)} differ`;
    }
    if (maintained(cib).length > 0) return 'a maintenance has not been ended'; // what runs may be left behind during it
    const fencing = machines.find(({ processes }) => processes.some((id) => id.startsWith('stonith/')));
    if (fencing !== undefined) return `a fence agent is at work on ${fencing.name}`; // perhaps an operator's order
    const rings = machines.map(({ disk }) => disk.read('keys') as KeyRing | undefined);
    if (rings.some((ring) => ring?.rotation !== undefined))
      return 'a change of the cluster key has not come to its end';
    if (new Set(rings.map(keysOf)).size > 1) return 'the nodes have different cluster keys';
    const links = machines.map((machine) => linksOf(machine, world.settings.links).toSorted(byNumber).join(' '));
    if (new Set(links).size > 1) return `the nodes have different links: ${links.join(', ')}`;
    const left = leftToDo(asTheDcAsks(cib, first.integrated?.dc, world.settings.watchdog === true));
    if (left.length > 0) return `left to do: ${left.slice(0, 8).join(', ')}`;
    return this.#untrue(cib, world);
  }

  /** What is still there after all have been told to leave. */
  leftBehind(world: World): string | undefined {
    const daemons = world.machines.filter(({ id }) => world.isRunning(id));
    if (daemons.length > 0) return `there is a daemon on ${daemons.map(({ name }) => name).join(', ')}`;
    const off = world.machines.filter(({ id }) => !world.isPowered(id));
    if (off.length > 0) return `${off.map(({ name }) => name).join(', ')} did not leave but lost power`;
    for (const { id, name } of world.machines) {
      const [first] = world.services.running(id);
      if (first !== undefined) return `${first[0]} still runs on ${name}`;
    }
    return undefined;
  }

  /** Where the CIB is wrong about the world. */
  #untrue(cib: Cib, world: World): string | undefined {
    for (const { id, name } of world.machines) {
      const state = cib.status.nodes.find((node) => node.name === name);
      const believed = new Set(activeOn(state).map((instance) => instance));
      const running = world.services.running(id).map(([instance]) => instance);
      for (const instance of running)
        if (!believed.has(instance)) return `${instance} runs on ${name}, and the CIB does not know`;
      for (const instance of believed)
        if (!running.includes(instance)) return `${instance} does not run on ${name}, and the CIB says so`;
    }
    return undefined;
  }
}

const keysOf = (ring: KeyRing | undefined): string =>
  ring === undefined ? 'those of the configuration' : ring.keys.map(({ id, key }) => `${id} ${key.join()}`).join('; ');

/** The CIB with what the DC adds to it before it asks the policy engine. */
function asTheDcAsks(cib: Cib, dc: string | undefined, hasWatchdog: boolean): Cib {
  const dcId = cib.configuration.nodes.find(({ name }) => name === dc)?.id;
  const facts = hasWatchdog
    ? [{ id: 'facts', pairs: [{ id: 'facts-have-watchdog', name: 'have-watchdog', value: 'true' }] }]
    : [];
  return {
    ...cib,
    header: { ...cib.header, hasQuorum: true, ...(dcId === undefined ? {} : { dcId }) },
    configuration: { ...cib.configuration, options: [...cib.configuration.options, ...facts] },
  };
}

/** Resources whose newest finished operation in the history leaves them running. Fence devices are no services. */
function activeOn(state: NodeState | undefined): readonly string[] {
  const active: string[] = [];
  for (const { id, agent, operations } of state?.history ?? []) {
    if (agent.class === 'stonith') continue;
    const newest = operations.filter(({ status }) => status !== -1).toSorted((a, b) => b.callId - a.callId)[0];
    if (newest === undefined) continue;
    const { operation, exitCode, status } = newest;
    const runs =
      operation === 'stop' ? exitCode !== 0 : operation === 'monitor' ? exitCode !== 7 : status === 0 && exitCode === 0;
    if (runs) active.push(id);
  }
  return active;
}

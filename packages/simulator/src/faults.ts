/** What each fault of a plan does to the world, and how it ends. */
import type { Agenda } from './agenda.ts';
import type { Agents } from './agents.ts';
import type { Arbiter } from './arbiter.ts';
import { nextProtocol } from './cluster-configuration.ts';
import type { Daemons } from './daemons.ts';
import type { FenceDevices } from './fence-devices.ts';
import type { MachineRoom } from './machine-room.ts';
import { arbiterAddress, calm, type Network } from './network.ts';
import type { Operator } from './operator.ts';
import type { Fault } from './plan.ts';
import type { Services } from './services.ts';

export interface FaultyParts {
  readonly agenda: Agenda;
  readonly room: MachineRoom;
  readonly daemons: Daemons;
  readonly network: Network;
  readonly services: Services;
  readonly agents: Agents;
  readonly fence: FenceDevices;
  readonly operator: Operator;
  readonly arbiter: Arbiter | undefined;
  /** Faults are over: what would end a fault later has been undone already. */
  readonly isQuiet: () => boolean;
}

export function inject(fault: Fault, parts: FaultyParts): void {
  const { agenda, room, daemons, network, services, agents, fence, operator, arbiter } = parts;
  const all = room.all.map(({ id }) => id);
  const allBut = (side: readonly number[]): readonly number[] => all.filter((node) => !side.includes(node));
  const undo = (forMs: number, run: () => void): void =>
    agenda.after(forMs, () => (parts.isQuiet() ? undefined : run()));
  switch (fault.kind) {
    case 'crash': {
      const machine = room.machine(fault.node);
      daemons.end(machine, 'killed');
      undo(fault.forMs, () => daemons.begin(machine));
      break;
    }
    case 'power':
      room.losePower(fault.node, fault.forMs);
      break;
    case 'powerAll': {
      const { stallMs = 0 } = fault;
      if (stallMs === 0) {
        for (const node of all) room.losePower(node, fault.forMs);
        break;
      }
      for (const { disk } of room.all) disk.flushMs = 10 * stallMs;
      undo(stallMs, () => {
        for (const node of all) room.losePower(node, fault.forMs);
        for (const { disk } of room.all) disk.flushMs = 1;
      });
      break;
    }
    case 'pause':
      if (room.isOn(fault.node)) room.machine(fault.node).pause(fault.forMs);
      break;
    case 'stun': {
      const node = daemons.dc;
      if (node === undefined) break;
      operator.touch(services.running(node).map(([instance]) => instance));
      undo(fault.leadMs, () => {
        if (!room.isOn(node)) return;
        network.cut([node], allBut([node]), fault.forMs + fault.cutMs);
        network.cut(allBut([node]), [node], fault.forMs + fault.cutMs);
        room.machine(node).pause(fault.forMs);
      });
      break;
    }
    case 'leave':
      daemons.leave(room.machine(fault.node), fault.forMs);
      break;
    case 'partition': {
      const rest = allBut(fault.side);
      network.cut(fault.side, rest, fault.forMs);
      network.cut(rest, fault.side, fault.forMs);
      break;
    }
    case 'cut':
      network.cut(fault.from, fault.to, fault.forMs);
      break;
    case 'linkDown':
      network.cut(all, all, fault.forMs, fault.link);
      break;
    case 'clog':
      network.clog(fault.side, allBut(fault.side), fault.forMs);
      break;
    case 'swizzle':
      for (const [index, node] of fault.nodes.entries())
        agenda.after(index * fault.gapMs, () =>
          parts.isQuiet() ? undefined : network.clog([node], allBut([node]), fault.forMs),
        );
      break;
    case 'weather':
      network.weather(fault.weather);
      undo(fault.forMs, () => network.weather(calm));
      break;
    case 'multicastLost':
      network.loseMulticast(fault.node, fault.forMs);
      break;
    case 'mtu':
      network.limit(fault.bytes);
      undo(fault.forMs, () => network.limit(Infinity));
      break;
    case 'replay':
      network.replay();
      break;
    case 'clockStep':
      room.machine(fault.node).stepWallClock(fault.byMs);
      break;
    case 'clockSkew':
      room.machine(fault.node).nextPpm = fault.ppm;
      break;
    case 'starved': {
      const machine = room.machine(fault.node);
      machine.lagMs = fault.lagMs;
      undo(fault.forMs, () => (machine.lagMs = 0));
      break;
    }
    case 'upgrade': {
      const machine = room.machine(fault.node);
      machine.protocol = nextProtocol;
      daemons.leave(machine, fault.forMs);
      break;
    }
    case 'arbiterDown':
      arbiter?.stop();
      undo(fault.forMs, () => arbiter?.start());
      break;
    case 'arbiterCut':
      network.cut(fault.side, [arbiterAddress], fault.forMs);
      network.cut([arbiterAddress], fault.side, fault.forMs);
      break;
    case 'diskFull': {
      const { disk } = room.machine(fault.node);
      disk.isFull = true;
      undo(fault.forMs, () => (disk.isFull = false));
      break;
    }
    case 'diskSlow': {
      const { disk } = room.machine(fault.node);
      disk.flushMs = fault.flushMs;
      undo(fault.forMs, () => (disk.flushMs = 1));
      break;
    }
    case 'agent':
      agents.add(fault.fault);
      undo(fault.forMs, () => agents.remove(fault.fault));
      break;
    case 'serviceDies': {
      for (const { machine, instance } of services.where(fault.resource))
        services.set(machine, instance, 'stopped', 'died');
      break;
    }
    case 'fence':
      fence.add(fault.fault);
      undo(fault.forMs, () => fence.remove(fault.fault));
      break;
    case 'operator':
      operator.command(fault.command);
      break;
  }
}

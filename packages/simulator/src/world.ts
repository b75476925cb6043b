/**
 * The world of a run: machines, their network, disks, services and fence devices, with the real node code on each
 * machine. It executes a plan and shows everything that happens to laws and the transcript.
 *
 * Phases: all machines boot; when one is quorate the operator loads the configuration; faults as planned; quiet.
 */
import type { Cib } from '@systole/cib';
import type { ScheduleOutcome } from '@systole/crm';
import type { Epoch, Filling } from '@systole/kernel';
import { cryptoSeal, type KeyRing } from '@systole/messaging';
import { Agenda } from './agenda.ts';
import { Agents } from './agents.ts';
import { Arbiter } from './arbiter.ts';
import { deviceFor, machineName, nodeConfigurationFor } from './cluster-configuration.ts';
import { Daemons } from './daemons.ts';
import type { WorldEvent } from './events.ts';
import { type FaultyParts, inject } from './faults.ts';
import { fastSeal } from './fast-seal.ts';
import { FenceDevices } from './fence-devices.ts';
import type { TrueWorld } from './laws/law.ts';
import type { MakeNode } from './life.ts';
import { MachineRoom } from './machine-room.ts';
import type { Machine } from './machine.ts';
import { arbiterAddress, Network } from './network.ts';
import { Operator } from './operator.ts';
import type { Fault, Plan } from './plan.ts';
import { Services } from './services.ts';

export interface WorldParts {
  readonly plan: Plan;
  readonly makeNode: MakeNode;
  /** The policy engine. */
  readonly schedule: (cib: Cib, at: Epoch) => ScheduleOutcome;
  readonly see: (event: WorldEvent) => void;
}

/** The operator looks for the first time whether the cluster has formed. */
const SETUP_FROM_MS = 1000;

export class World implements TrueWorld {
  readonly agenda = new Agenda();
  readonly services: Services;
  readonly #plan: Plan;
  readonly #see: (event: WorldEvent) => void;
  readonly #parts: FaultyParts;
  #isQuiet = false;
  /** When the cluster was set up: the plan's times count from here. */
  startedAt: number | undefined;

  constructor({ plan, makeNode, schedule, see }: WorldParts) {
    this.#plan = plan;
    this.#see = see;
    const { agenda } = this;
    const { seed, settings } = plan;
    const ids = Array.from({ length: settings.nodes }, (_, index) => index + 1);
    const network = new Network(seed, agenda, ids, (to, datagram) => {
      if (to === arbiterAddress) arbiter?.arrived(datagram.from, datagram.bytes);
      else daemons.arrived(room.machine(to), datagram);
    });
    const services = new Services((event) => see({ type: 'service', ...event }));
    const agents = new Agents(seed, services);
    const fence = new FenceDevices(seed, {
      names: ids.map(machineName),
      isOn: (name) => this.isPowered(this.machineOf(name) ?? 0),
      off: (name, by) => room.powerOff(this.machineOf(name) ?? 0, 'fenced', by),
      on: (name) => room.powerOn(this.machineOf(name) ?? 0),
    });
    const device = deviceFor(settings);
    const seal = settings.isSealed ? cryptoSeal : fastSeal;
    const arbiter = device && new Arbiter({ seed, agenda, network, seal });
    const daemons = new Daemons({
      seed,
      seal,
      device,
      agenda,
      network,
      makeNode,
      schedule,
      see,
      links: settings.links,
      configurationOf: (machine) => nodeConfigurationFor(settings, machine, room.all),
      resetMachine: (id, why) => room.reset(id, why),
    });
    const room = new MachineRoom({
      seed,
      ids,
      agenda,
      agents,
      services,
      fence,
      see,
      hasWatchdogs: settings.fencing && settings.watchdog === true,
      booted: (machine) => daemons.begin(machine),
      goesDown: (machine, why) => {
        daemons.end(machine, why);
        daemons.poweredOff(machine);
      },
      feedsWatchdog: (id) => daemons.of(id)?.life.feedsWatchdog === true,
    });
    const operator = new Operator({
      plan,
      agenda,
      daemons,
      arbiter,
      primaryKeyOf: (id) =>
        (room.machine(id).disk.read('keys') as KeyRing | undefined)?.keys.find(({ primary }) => primary),
      see,
    });
    this.services = services;
    this.#parts = {
      agenda,
      room,
      daemons,
      network,
      services,
      agents,
      fence,
      operator,
      arbiter,
      isQuiet: () => this.#isQuiet,
    };
    agenda.after(SETUP_FROM_MS, () => operator.setUp(() => this.#begin()));
  }

  // --- what laws may ask ------------------------------------------------------------------------------------------

  get now(): number {
    return this.agenda.now;
  }

  get settings(): Plan['settings'] {
    return this.#plan.settings;
  }

  get machines(): readonly Machine[] {
    return this.#parts.room.all;
  }

  isPowered(machine: number): boolean {
    return this.#parts.room.isOn(machine);
  }

  nameOf(machine: number): string {
    return machineName(machine);
  }

  machineOf(name: string): number | undefined {
    return this.machines.find((machine) => machine.name === name)?.id;
  }

  /** The CIB that the daemon of a machine last showed; undefined while it is down. */
  cibOf(machine: number): Cib | undefined {
    return this.#parts.daemons.of(machine)?.cib;
  }

  hasSleptThroughItsVote(id: number): boolean {
    const { room, daemons } = this.#parts;
    return room.machine(id).isPaused && daemons.of(id)?.life.deviceLeaseMs === 0;
  }

  fillings(machine: number): readonly Filling[] {
    return this.#parts.daemons.of(machine)?.life.fillings ?? [];
  }

  isRunning(machine: number): boolean {
    return this.#parts.daemons.of(machine) !== undefined;
  }

  get isQuiet(): boolean {
    return this.#isQuiet;
  }

  // --- phases -----------------------------------------------------------------------------------------------------

  /** The cluster is set up: from here on the plan counts. */
  #begin(): void {
    this.startedAt = this.now;
    const { entries, faultsMs } = this.#plan;
    for (const { at, fault } of entries) this.agenda.after(at, () => this.#inject(fault));
    this.agenda.after(faultsMs, () => this.#quiet());
  }

  /** All nodes are told to leave, and nobody calls them back. */
  shutDown(): void {
    const { room, daemons } = this.#parts;
    for (const machine of room.all) daemons.leave(machine, Infinity);
  }

  #inject(fault: Fault): void {
    if (this.#isQuiet) return;
    this.#see({ type: 'fault', fault });
    inject(fault, this.#parts);
  }

  /** All faults stop: networks heal, machines get power, disks and agents work, daemons start. */
  #quiet(): void {
    this.#isQuiet = true;
    const { network, agents, fence, room, daemons, operator, arbiter } = this.#parts;
    operator.rest();
    arbiter?.start();
    network.heal();
    agents.heal();
    fence.heal();
    room.heal();
    daemons.callBack();
    for (const machine of room.all) daemons.begin(machine);
    this.#see({ type: 'quiet' });
  }
}

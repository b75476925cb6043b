/**
 * The machines and their power: who is on, what a power cut takes along, how long a boot takes, and the watchdogs, which
 * reset a machine whose daemon does not feed them.
 */
import type { Agenda } from './agenda.ts';
import type { Agents } from './agents.ts';
import { machineName, WATCHDOG_MS } from './cluster-configuration.ts';
import { Disk } from './disk.ts';
import { between } from './draw.ts';
import type { WorldEvent } from './events.ts';
import type { FenceDevices } from './fence-devices.ts';
import { Machine } from './machine.ts';
import type { Services } from './services.ts';

/** How often a watchdog is looked at. */
const WATCH_EVERY_MS = 500;
/** After the faults a machine that was switched off stays so no longer than this. */
const RETURN_MS = 10_000;

export interface MachineRoomParts {
  readonly seed: number;
  readonly ids: readonly number[];
  readonly agenda: Agenda;
  readonly agents: Agents;
  readonly services: Services;
  readonly fence: FenceDevices;
  readonly hasWatchdogs: boolean;
  readonly see: (event: WorldEvent) => void;
  /** The machine is up: its init system starts the daemon. */
  readonly booted: (machine: Machine) => void;
  /** The machine goes down, and everything on it. */
  readonly goesDown: (machine: Machine, why: string) => void;
  /** The daemon lives and says that the watchdog may be fed. */
  readonly feedsWatchdog: (id: number) => boolean;
}

export class MachineRoom {
  readonly #parts: MachineRoomParts;
  readonly #machines = new Map<number, Machine>();
  /** Machines that the plan keeps down, and until when. */
  readonly #downUntil = new Map<number, number>();
  #isHealed = false;

  constructor(parts: MachineRoomParts) {
    this.#parts = parts;
    const { seed, ids, agenda, agents, fence } = parts;
    for (const id of ids) {
      const disk = new Disk(seed, id, agenda);
      const machine = new Machine({ id, name: machineName(id), seed, agenda, disk, agents, fence });
      machine.nextPpm = between(-200, 200, seed, 'ppm', id);
      this.#machines.set(id, machine);
      agenda.at(between(0, 400, seed, 'firstBoot', id), () => this.#boot(machine));
    }
  }

  get all(): readonly Machine[] {
    return [...this.#machines.values()];
  }

  machine(id: number): Machine {
    const machine = this.#machines.get(id);
    if (machine === undefined) throw new RangeError(`no machine ${id}`);
    return machine;
  }

  isOn(id: number): boolean {
    return this.#machines.get(id)?.power === 'on';
  }

  powerOff(id: number, why: string, fencedBy?: number): void {
    const machine = this.machine(id);
    if (machine.power === 'off') return;
    const { goesDown, services, see } = this.#parts;
    goesDown(machine, why);
    machine.powerOff();
    services.powerOff(id);
    see({ type: 'power', machine: id, isOn: false, why, ...(fencedBy === undefined ? {} : { fencedBy }) });
    // An operator's `off` that was under way when the faults ended (seed 2561): somebody switches it on again.
    if (this.#isHealed) this.#parts.agenda.after(RETURN_MS, () => this.powerOn(id));
  }

  powerOn(id: number): void {
    const machine = this.machine(id);
    const { agenda, seed } = this.#parts;
    if (machine.power !== 'off' || (this.#downUntil.get(id) ?? 0) > agenda.now) return;
    machine.power = 'booting';
    agenda.after(between(3000, 10_000, seed, 'boot', id, machine.boots), () => {
      if (machine.power === 'booting') this.#boot(machine);
    });
  }

  /** Off and on again. */
  reset(id: number, why: string): void {
    this.powerOff(id, why);
    this.powerOn(id);
  }

  /** The plug is pulled; nobody can switch it on before `forMs` are over. */
  losePower(id: number, forMs: number): void {
    const { agenda } = this.#parts;
    this.#downUntil.set(id, agenda.now + forMs);
    this.powerOff(id, 'power lost');
    agenda.after(forMs, () => this.powerOn(id));
  }

  /** All have power, working disks and the right time, and nobody is paused. */
  heal(): void {
    this.#isHealed = true;
    this.#downUntil.clear();
    for (const machine of this.#machines.values()) {
      machine.disk.isFull = false;
      machine.disk.flushMs = 1;
      machine.lagMs = 0;
      machine.setWallClock();
      if (machine.isPaused) machine.resume();
      this.powerOn(machine.id);
    }
  }

  #boot(machine: Machine): void {
    machine.boot();
    const { see, booted, hasWatchdogs, agenda } = this.#parts;
    see({ type: 'power', machine: machine.id, isOn: true, why: 'booted' });
    booted(machine);
    if (hasWatchdogs) this.#watch(machine, machine.boots, agenda.now);
  }

  /** The machine's watchdog: hardware, which a pause does not stop. A daemon that lives feeds it if the node says so. */
  #watch(machine: Machine, boots: number, fedAt: number): void {
    if (machine.power !== 'on' || machine.boots !== boots) return;
    const { agenda, feedsWatchdog } = this.#parts;
    const feeds = !machine.isPaused && feedsWatchdog(machine.id);
    if (!feeds && agenda.now - fedAt >= WATCHDOG_MS) {
      this.reset(machine.id, 'its watchdog was not fed');
      return;
    }
    agenda.after(WATCH_EVERY_MS, () => this.#watch(machine, boots, feeds ? agenda.now : fedAt));
  }
}

/**
 * The world of a run: machines, their network, disks, services and fence devices, with the real node code on each
 * machine. It executes a plan and shows everything that happens to laws and the transcript.
 *
 * Phases: all machines boot; when one is quorate the operator loads the configuration; faults as planned; quiet.
 */
import type { Cib } from '@systole/cib';
import { diff } from '@systole/cib';
import type { Answer, ClientRequest, ScheduleOutcome } from '@systole/crm';
import {
  type CibRecord,
  nodeIdOf,
  type NodeConfiguration,
  type NodeEffect,
  type NodeStart,
} from '@systole/daemon/node';
import { type Epoch, epoch, seededRandom } from '@systole/kernel';
import type { SavedResource } from '@systole/lrm';
import { cryptoSeal, protocolRange, type StateRecord, timingProfiles } from '@systole/messaging';
import type { AgentPlaces } from '@systole/ra';
import { Agenda } from './agenda.ts';
import { Agents } from './agents.ts';
import { commanded, configurationFor, machineName, quorumFor, WATCHDOG_MS } from './cluster-configuration.ts';
import { Disk } from './disk.ts';
import { between, draw, pick } from './draw.ts';
import type { WorldEvent } from './events.ts';
import { fastSeal } from './fast-seal.ts';
import { FenceDevices } from './fence-devices.ts';
import type { TrueWorld } from './laws/law.ts';
import { Life, type MakeNode } from './life.ts';
import { Machine } from './machine.ts';
import { calm, type Datagram, Network } from './network.ts';
import { describeFault, type Fault, type OperatorCommand, type Plan } from './plan.ts';
import { Services } from './services.ts';

export interface WorldParts {
  readonly plan: Plan;
  readonly makeNode: MakeNode;
  /** The policy engine. */
  readonly schedule: (cib: Cib, at: Epoch) => ScheduleOutcome;
  readonly see: (event: WorldEvent) => void;
}

interface Running {
  readonly number: number;
  readonly life: Life;
  wakeAt: number;
  /** Its newest CIB, as it told. */
  cib: Cib | undefined;
  quorum: 'held' | 'uncertain' | 'lost';
  scheduled: number;
}

const PORT = 5405;
const SETUP_MAX_MS = 60_000;

const places: AgentPlaces = {
  ocfRoot: '/sim/ocf',
  ocf: ['/sim/ocf/agents'],
  own: '/sim/own',
  lsb: ['/sim/lsb'],
  systemdUnits: [],
  systemdDriver: '/sim/systemd',
  fence: ['/sim/fence'],
  external: '/sim/external',
  helpers: '/sim/helpers',
};

/** Every file the simulated machines have. */
const installed: ReadonlySet<string> = new Set(['/sim/ocf/agents/sim/service', '/sim/fence/fence_sim']);

export class World implements TrueWorld {
  readonly agenda = new Agenda();
  readonly #parts: WorldParts;
  readonly #machines = new Map<number, Machine>();
  readonly #running = new Map<number, Running>();
  readonly #runFiles = new Map<number, Map<string, SavedResource>>();
  readonly #bootOfLastLife = new Map<number, number>();
  readonly #requests = new Map<string, (answer: Answer) => void>();
  /** Machines that the plan keeps down, and until when. */
  readonly #downUntil = new Map<number, number>();
  readonly network: Network;
  readonly services: Services;
  readonly agents: Agents;
  readonly fence: FenceDevices;
  #lives = 0;
  #requestNumber = 0;
  #isConfigured = false;
  #isQuiet = false;
  /** When the cluster was set up: the plan's times count from here. */
  startedAt: number | undefined;

  constructor(parts: WorldParts) {
    this.#parts = parts;
    const { plan } = parts;
    const ids = Array.from({ length: plan.settings.nodes }, (_, index) => index + 1);
    this.network = new Network(plan.seed, this.agenda, ids, (to, datagram) => this.#arrived(to, datagram));
    this.services = new Services((event) => parts.see({ type: 'service', ...event }));
    this.agents = new Agents(plan.seed, this.services);
    this.fence = new FenceDevices(plan.seed, {
      names: ids.map(machineName),
      isOn: (name) => this.isPowered(this.machineOf(name) ?? 0),
      off: (name, by) => this.powerOff(this.machineOf(name) ?? 0, 'fenced', by),
      on: (name) => this.powerOn(this.machineOf(name) ?? 0),
    });
    for (const id of ids) {
      const disk = new Disk(plan.seed, id, this.agenda);
      const machine = new Machine({
        id,
        name: machineName(id),
        seed: plan.seed,
        agenda: this.agenda,
        disk,
        agents: this.agents,
        fence: this.fence,
      });
      machine.nextPpm = between(-200, 200, plan.seed, 'ppm', id);
      this.#machines.set(id, machine);
      this.agenda.at(between(0, 400, plan.seed, 'firstBoot', id), () => this.#boot(machine));
    }
    this.agenda.after(1000, () => this.#setUp());
  }

  // --- what laws may ask ------------------------------------------------------------------------------------------

  get now(): number {
    return this.agenda.now;
  }

  get settings(): Plan['settings'] {
    return this.#parts.plan.settings;
  }

  get machines(): readonly Machine[] {
    return [...this.#machines.values()];
  }

  isPowered(machine: number): boolean {
    return this.#machines.get(machine)?.power === 'on';
  }

  nameOf(machine: number): string {
    return machineName(machine);
  }

  machineOf(name: string): number | undefined {
    return [...this.#machines.values()].find((machine) => machine.name === name)?.id;
  }

  /** The CIB that the daemon of a machine last showed; undefined while it is down. */
  cibOf(machine: number): Cib | undefined {
    return this.#running.get(machine)?.cib;
  }

  isRunning(machine: number): boolean {
    return this.#running.has(machine);
  }

  // --- power ------------------------------------------------------------------------------------------------------

  powerOff(id: number, why: string, fencedBy?: number): void {
    const machine = this.#machine(id);
    if (machine.power === 'off') return;
    this.#endLife(id, why);
    machine.powerOff();
    this.services.powerOff(id);
    this.#runFiles.delete(id);
    this.#parts.see({ type: 'power', machine: id, isOn: false, why, ...(fencedBy === undefined ? {} : { fencedBy }) });
  }

  powerOn(id: number): void {
    const machine = this.#machine(id);
    if (machine.power !== 'off' || (this.#downUntil.get(id) ?? 0) > this.now) return;
    machine.power = 'booting';
    const { seed } = this.#parts.plan;
    this.agenda.after(between(3000, 10_000, seed, 'boot', id, machine.boots), () => {
      if (machine.power === 'booting') this.#boot(machine);
    });
  }

  #boot(machine: Machine): void {
    machine.boot();
    this.#parts.see({ type: 'power', machine: machine.id, isOn: true, why: 'booted' });
    this.#beginLife(machine);
    if (this.settings.fencing && this.settings.watchdog === true) this.#watch(machine, machine.boots, this.now);
  }

  /** The machine's watchdog: hardware, which a pause does not stop. A daemon that lives feeds it if the node says so. */
  #watch(machine: Machine, boots: number, fedAt: number): void {
    if (machine.power !== 'on' || machine.boots !== boots) return;
    const feeds = !machine.isPaused && this.#running.get(machine.id)?.life.feedsWatchdog === true;
    if (!feeds && this.now - fedAt >= WATCHDOG_MS) {
      this.powerOff(machine.id, 'its watchdog was not fed');
      this.powerOn(machine.id);
      return;
    }
    this.agenda.after(500, () => this.#watch(machine, boots, feeds ? this.now : fedAt));
  }

  // --- lives of daemons -------------------------------------------------------------------------------------------

  #beginLife(machine: Machine): void {
    if (machine.power !== 'on' || this.#running.has(machine.id)) return;
    const number = (this.#lives += 1);
    const hasRebooted = this.#bootOfLastLife.get(machine.id) !== machine.boots;
    this.#bootOfLastLife.set(machine.id, machine.boots);
    const membership = machine.disk.read('membership') as StateRecord | undefined;
    const cib = machine.disk.read('cib') as CibRecord | undefined;
    const start: Omit<NodeStart, 'now'> = {
      configuration: this.#configurationOf(machine),
      ports: {
        random: seededRandom(draw(this.#parts.plan.seed, 'node', machine.id, number)),
        seal: this.settings.isSealed ? cryptoSeal : fastSeal,
        wallClock: () => epoch(machine.wall()),
        firstExisting: (paths) => paths.find((path) => installed.has(path)),
      },
      saved: {
        ...(membership === undefined ? {} : { membership: copied(membership) }),
        ...(cib === undefined ? {} : { cib: copied(cib) }),
        resources: copied([...(this.#runFiles.get(machine.id)?.values() ?? [])]),
        survivors: machine.processes,
        hasRebooted,
      },
    };
    this.#parts.see({ type: 'lifeBegan', machine: machine.id, life: number });
    let early: (() => void)[] | undefined = [];
    const running = (): Running | undefined =>
      this.#running.get(machine.id)?.number === number ? this.#running.get(machine.id) : undefined;
    const around: ConstructorParameters<typeof Life>[2] = {
      now: () => machine.monotonic(),
      wall: () => machine.wall(),
      wake: (at) => {
        const self = running();
        if (self === undefined) early?.push(() => around.wake(at));
        else this.#wake(machine, self, at);
      },
      carryOut: (effect) => this.#carryOut(machine, number, effect),
      saveMembership: ({ record }, done) => this.#saveUntilDone(machine, number, record, done),
      failed: (error) => {
        this.#parts.see({ type: 'threw', machine: machine.id, life: number, error });
        this.#endLife(machine.id, 'threw');
        this.agenda.after(2000, () => this.#beginLife(machine));
      },
    };
    let life: Life;
    try {
      life = new Life(this.#parts.makeNode, start, around, (seen) => {
        const self = running();
        if (self !== undefined && seen.part === 'messaging' && seen.effect.type === 'quorum')
          self.quorum = seen.effect.state.state;
        this.#parts.see({ type: 'seen', machine: machine.id, life: number, seen });
      });
    } catch (error) {
      this.#parts.see({ type: 'threw', machine: machine.id, life: number, error });
      return;
    }
    this.#running.set(machine.id, { number, life, wakeAt: Infinity, cib: undefined, quorum: 'lost', scheduled: 0 });
    for (const each of early.splice(0)) each();
    early = undefined;
  }

  #endLife(id: number, why: string): void {
    const running = this.#running.get(id);
    if (running === undefined) return;
    running.life.isOver = true;
    this.#running.delete(id);
    this.#machine(id).disk.abandon();
    this.#parts.see({ type: 'lifeEnded', machine: id, life: running.number, why });
  }

  #wake(machine: Machine, running: Running, at: number): void {
    const time = Math.max(this.now, machine.trueTime(at));
    if (time >= running.wakeAt) return;
    running.wakeAt = time;
    this.agenda.at(time, () => {
      if (running.wakeAt !== time || running.life.isOver) return;
      machine.whenAwake(() => {
        if (running.wakeAt !== time || running.life.isOver) return;
        running.wakeAt = Infinity;
        running.life.turn();
      });
    });
  }

  #configurationOf(machine: Machine): NodeConfiguration {
    const { links, multicast } = this.settings;
    const all = [...this.#machines.values()];
    return {
      self: machine.name,
      nodes: all.map(({ name }) => name),
      messaging: {
        clusterName: 'simulated',
        keys: [{ id: 1, key: new Uint8Array(32).fill(7), primary: true }],
        links: Array.from({ length: links }, (_, id) => ({
          id,
          mode: multicast ? ('auto' as const) : ('unicast' as const),
          priority: links - id,
          mtu: 1500,
          family: 4 as const,
          peers: all
            .filter((other) => other !== machine)
            .map((other) => ({ node: nodeIdOf(other.name), address: { host: `10.${id}.0.${other.id}`, port: PORT } })),
        })),
        linkMode: 'passive',
        timing: timingProfiles.lan,
        messageBytesMax: 1024 * 1024,
        protocol: protocolRange,
      },
      quorum: quorumFor(this.settings),
      places,
    };
  }

  // --- effects ----------------------------------------------------------------------------------------------------

  #carryOut(machine: Machine, number: number, effect: Exclude<NodeEffect, { type: 'saveMembership' }>): void {
    const running = this.#running.get(machine.id);
    if (running?.number !== number) return;
    const { life } = running;
    const { seed } = this.#parts.plan;
    switch (effect.type) {
      case 'transmit': {
        if (effect.to === 'multicast') this.network.multicast(machine.id, effect.link, effect.bytes);
        else this.network.unicast(machine.id, effect.link, Number(effect.to.host.split('.')[3]), effect.bytes);
        break;
      }
      case 'saveCib':
        machine.disk.replace('cib', effect.record, ({ ok }) =>
          machine.whenAwake(() =>
            life.give({ type: 'saved', token: effect.token, isOk: ok, ...(ok ? {} : { problem: 'ENOSPC' }) }),
          ),
        );
        break;
      case 'saveResource': {
        const files = this.#runFiles.get(machine.id) ?? new Map<string, SavedResource>();
        this.#runFiles.set(machine.id, files);
        if (effect.saved === undefined) files.delete(effect.resource);
        else files.set(effect.resource, effect.saved);
        break;
      }
      case 'startProcess': {
        const instance = effect.environment['OCF_RESOURCE_INSTANCE'];
        const operation = effect.argv[1];
        if (instance !== undefined && operation !== undefined && operation !== 'meta-data') {
          this.#parts.see({ type: 'operation', machine: machine.id, life: number, instance, operation });
        }
        machine.start(effect, (ended) => this.#running.get(machine.id)?.life.give(ended));
        break;
      }
      case 'killProcess':
        machine.kill(effect.id, effect.signal);
        break;
      case 'readSecrets':
        life.give({ type: 'secretsRead', id: effect.id, outcome: { type: 'read', values: {} } });
        break;
      case 'schedule': {
        const { scheduleId, cib, at } = effect;
        running.scheduled = scheduleId;
        this.agenda.after(between(2, 40, seed, 'schedule', machine.id, scheduleId), () =>
          machine.whenAwake(() => {
            if (life.isOver || running.scheduled !== scheduleId) return;
            life.give({ type: 'scheduled', scheduleId, outcome: this.#parts.schedule(cib, at) });
          }),
        );
        break;
      }
      case 'answer': {
        const waiting = this.#requests.get(effect.requestId);
        this.#requests.delete(effect.requestId);
        waiting?.(effect.answer);
        break;
      }
      case 'cibChanged':
        running.cib = effect.cib;
        this.#parts.see({
          type: 'cib',
          machine: machine.id,
          life: number,
          cib: effect.cib,
          isConfiguration: effect.isConfiguration,
        });
        break;
      case 'stop': {
        this.#endLife(machine.id, `stopped: ${effect.reason}`);
        // The init system starts again what did not end in order.
        if (effect.exitCode !== 0)
          this.agenda.after(between(1000, 3000, seed, 'restart', number), () => this.#beginLife(machine));
        break;
      }
      case 'resetSelf':
        this.powerOff(machine.id, `resets itself: ${effect.reason}`);
        this.powerOn(machine.id);
        break;
      case 'report':
      case 'rejoinGroup':
        break; // seen by the observer; groups never forget their members here
    }
  }

  /** The host tries again while the disk is full: without its memory a node may promise nothing. */
  #saveUntilDone(machine: Machine, number: number, record: StateRecord, done: () => void): void {
    machine.disk.replace('membership', record, ({ ok }) =>
      machine.whenAwake(() => {
        if (this.#running.get(machine.id)?.number !== number) return;
        if (ok) done();
        else this.agenda.after(200, () => this.#saveUntilDone(machine, number, record, done));
      }),
    );
  }

  #arrived(to: number, { from, link, via, bytes }: Datagram): void {
    const machine = this.#machines.get(to);
    if (machine?.power !== 'on') return;
    this.#running
      .get(to)
      ?.life.give({ type: 'datagram', link, via, from: { host: `10.${link}.0.${from}`, port: PORT }, bytes });
  }

  // --- the operator -----------------------------------------------------------------------------------------------

  /** Asks through one node that runs; the answer may never come. */
  ask(machine: number, request: ClientRequest, answered: (answer: Answer) => void): void {
    const running = this.#running.get(machine);
    if (running === undefined) return;
    const requestId = `r${(this.#requestNumber += 1)}`;
    this.#requests.set(requestId, answered);
    running.life.give({ type: 'request', requestId, request });
  }

  /** Some running node that has a CIB, those with quorum first. */
  #someNode(...names: readonly (string | number)[]): readonly [number, Running] | undefined {
    const able = [...this.#running].filter(([, running]) => running.cib !== undefined);
    const quorate = able.filter(([, running]) => running.quorum === 'held');
    const from = quorate.length > 0 ? quorate : able;
    return from.length === 0 ? undefined : pick(from, this.#parts.plan.seed, 'someNode', ...names);
  }

  #setUp(): void {
    if (this.#isConfigured) return;
    const { plan } = this.#parts;
    const chosen =
      this.now > SETUP_MAX_MS
        ? undefined
        : [...this.#running].find(([, { quorum, cib }]) => quorum === 'held' && cib !== undefined);
    this.agenda.after(500, () => this.#setUp());
    if (chosen === undefined) return;
    const [machine, { cib }] = chosen;
    // Nodes enter the CIB by themselves; the operator waits until all are known.
    if (cib === undefined || cib.configuration.nodes.length < plan.settings.nodes) return;
    const wanted = { ...cib, configuration: configurationFor(plan.settings, cib.configuration) };
    this.ask(machine, { type: 'change', change: diff(cib, wanted), user: 'root', command: 'set up' }, (answer) => {
      if (!answer.ok || this.#isConfigured) return;
      this.#isConfigured = true;
      this.startedAt = this.now;
      for (const { at, fault } of plan.entries) this.agenda.after(at, () => this.#inject(fault));
      if (plan.settings.loadMs > 0) this.agenda.after(plan.settings.loadMs, () => this.#load(1));
      this.agenda.after(plan.faultsMs, () => this.quiet());
    });
  }

  /** A client changes something again and again; what it was told is safe must never be lost. */
  #load(count: number): void {
    if (this.#isQuiet) return;
    const { seed, settings } = this.#parts.plan;
    this.agenda.after(between(1, 2 * settings.loadMs, seed, 'load', count), () => this.#load(count + 1));
    const chosen = this.#someNode('load', count);
    const cib = chosen?.[1].cib;
    if (chosen === undefined || cib === undefined) return;
    const marker = `m${count}`;
    const tags = [...cib.configuration.tags.slice(-40), { id: marker, members: [] }];
    this.#change(chosen[0], { ...cib, configuration: { ...cib.configuration, tags } }, cib, marker);
  }

  #change(machine: number, wanted: Cib, cib: Cib, marker: string | undefined): void {
    const change = diff(cib, wanted);
    if (change.edits.length === 0) return;
    this.ask(machine, { type: 'change', change, user: 'root' }, (answer) => {
      if (answer.ok) this.#parts.see({ type: 'acknowledged', machine, marker, change });
    });
  }

  #operate(command: OperatorCommand): void {
    const chosen = this.#someNode('operator', this.now);
    const cib = chosen?.[1].cib;
    if (chosen === undefined || cib === undefined) return;
    const [machine] = chosen;
    if (command.type === 'cleanUp') {
      this.ask(machine, { type: 'cleanUp', resource: command.resource, isWhole: false }, () => undefined);
      return;
    }
    const wanted = commanded(cib, command);
    if (wanted !== undefined) this.#change(machine, wanted, cib, undefined);
  }

  // --- faults -----------------------------------------------------------------------------------------------------

  #inject(fault: Fault): void {
    if (this.#isQuiet) return;
    this.#parts.see({ type: 'fault', fault });
    const all = [...this.#machines.keys()];
    const undo = (forMs: number, run: () => void): void =>
      this.agenda.after(forMs, () => (this.#isQuiet ? undefined : run()));
    switch (fault.kind) {
      case 'crash': {
        this.#endLife(fault.node, 'killed');
        undo(fault.forMs, () => this.#beginLife(this.#machine(fault.node)));
        break;
      }
      case 'power':
        this.#lose(fault.node, fault.forMs);
        break;
      case 'powerAll':
        for (const node of all) this.#lose(node, fault.forMs);
        break;
      case 'pause':
        if (this.isPowered(fault.node)) this.#machine(fault.node).pause(fault.forMs);
        break;
      case 'leave': {
        this.#running.get(fault.node)?.life.give({ type: 'shutDown', reason: 'operator' });
        undo(fault.forMs + 5000, () => this.#beginLife(this.#machine(fault.node)));
        break;
      }
      case 'partition': {
        const rest = all.filter((node) => !fault.side.includes(node));
        this.network.cut(fault.side, rest, fault.forMs);
        this.network.cut(rest, fault.side, fault.forMs);
        break;
      }
      case 'cut':
        this.network.cut(fault.from, fault.to, fault.forMs);
        break;
      case 'linkDown':
        this.network.cut(all, all, fault.forMs, fault.link);
        break;
      case 'clog': {
        const rest = all.filter((node) => !fault.side.includes(node));
        this.network.clog(fault.side, rest, fault.forMs);
        break;
      }
      case 'weather':
        this.network.weather(fault.weather);
        undo(fault.forMs, () => this.network.weather(calm));
        break;
      case 'multicastLost':
        this.network.loseMulticast(fault.node, fault.forMs);
        break;
      case 'mtu':
        this.network.limit(fault.bytes);
        undo(fault.forMs, () => this.network.limit(Infinity));
        break;
      case 'replay':
        this.network.replay();
        break;
      case 'clockStep':
        this.#machine(fault.node).stepWallClock(fault.byMs);
        break;
      case 'diskFull': {
        const { disk } = this.#machine(fault.node);
        disk.isFull = true;
        undo(fault.forMs, () => (disk.isFull = false));
        break;
      }
      case 'diskSlow': {
        const { disk } = this.#machine(fault.node);
        disk.flushMs = fault.flushMs;
        undo(fault.forMs, () => (disk.flushMs = 1));
        break;
      }
      case 'agent':
        this.agents.add(fault.fault);
        undo(fault.forMs, () => this.agents.remove(fault.fault));
        break;
      case 'serviceDies': {
        for (const { machine, instance } of this.services.where(fault.resource))
          this.services.set(machine, instance, 'stopped', 'died');
        break;
      }
      case 'fence':
        this.fence.add(fault.fault);
        undo(fault.forMs, () => this.fence.remove(fault.fault));
        break;
      case 'operator':
        this.#operate(fault.command);
        break;
    }
  }

  #lose(node: number, forMs: number): void {
    this.#downUntil.set(node, this.now + forMs);
    this.powerOff(node, 'power lost');
    this.agenda.after(forMs, () => this.powerOn(node));
  }

  /** All faults stop: networks heal, machines get power, disks and agents work, daemons start. */
  quiet(): void {
    this.#isQuiet = true;
    this.network.heal();
    this.agents.heal();
    this.fence.heal();
    this.#downUntil.clear();
    for (const machine of this.#machines.values()) {
      machine.disk.isFull = false;
      machine.disk.flushMs = 1;
      machine.setWallClock();
      if (machine.isPaused) machine.resume();
      if (machine.power === 'off') this.powerOn(machine.id);
      else this.#beginLife(machine);
    }
    this.#parts.see({ type: 'quiet' });
    // Who was leaving when the faults stopped comes back too.
    this.agenda.after(10_000, () => {
      for (const machine of this.#machines.values()) {
        if (machine.power === 'off') this.powerOn(machine.id);
        else this.#beginLife(machine);
      }
    });
  }

  get isQuiet(): boolean {
    return this.#isQuiet;
  }

  describe(fault: Fault): string {
    return describeFault(fault);
  }

  #machine(id: number): Machine {
    const machine = this.#machines.get(id);
    if (machine === undefined) throw new RangeError(`no machine ${id}`);
    return machine;
  }
}

/** A copy as a disk gives it back: nothing shared with the life that wrote it. */
const copied = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/**
 * The daemons on the machines: begins their lives with what the disk kept, wakes them, gives them what arrives, and
 * carries out what they ask of the world.
 */
import type { Cib } from '@systole/cib';
import type { Answer, ScheduleOutcome } from '@systole/crm';
import {
  type CibRecord,
  type NodeConfiguration,
  type NodeEffect,
  nodeIdOf,
  type NodeRequest,
  type NodeStart,
} from '@systole/daemon/node';
import { type Epoch, epoch, seededRandom } from '@systole/kernel';
import type { SavedResource } from '@systole/lrm';
import type { KeyRing, Seal, StateRecord } from '@systole/messaging';
import type { DeviceOptions } from '@systole/quorum';
import type { Agenda } from './agenda.ts';
import { installed, machineName } from './cluster-configuration.ts';
import { between, draw } from './draw.ts';
import type { WorldEvent } from './events.ts';
import { Life, type MakeNode } from './life.ts';
import { LinkFile } from './link-file.ts';
import type { Machine } from './machine.ts';
import { arbiterAddress, type Datagram, hostOf, type Network, numberOf } from './network.ts';
import { Voter } from './voter.ts';

/** A daemon that runs. */
export interface Running {
  readonly number: number;
  readonly life: Life;
  readonly linkFile: LinkFile;
  wakeAt: number;
  /** Its newest CIB, as it told. */
  cib: Cib | undefined;
  quorum: 'held' | 'uncertain' | 'lost';
  /** The DC of its view, as it told last. */
  dc: string | undefined;
  scheduled: number;
  isLeaving: boolean;
}

export interface DaemonsParts {
  readonly seed: number;
  readonly seal: Seal;
  readonly agenda: Agenda;
  readonly network: Network;
  readonly makeNode: MakeNode;
  readonly schedule: (cib: Cib, at: Epoch) => ScheduleOutcome;
  readonly configurationOf: (machine: Machine) => NodeConfiguration;
  /** How many links the machines' files begin with. */
  readonly links: number;
  /** Set where an arbiter has a vote. */
  readonly device: DeviceOptions | undefined;
  readonly see: (event: WorldEvent) => void;
  /** A node resets its machine. */
  readonly resetMachine: (id: number, why: string) => void;
}

/** The init system starts a daemon again that did not end in order, and a person one that did, after so long. */
const RESTART_MIN_MS = 1000;
const RESTART_MAX_MS = 3000;
/** A full disk is tried again so often. */
const SAVE_AGAIN_MS = 200;

export class Daemons {
  readonly #parts: DaemonsParts;
  readonly #running = new Map<number, Running>();
  readonly #runFiles = new Map<number, Map<string, SavedResource>>();
  readonly #bootOfLastLife = new Map<number, number>();
  readonly #requests = new Map<string, (answer: Answer) => void>();
  /** How long a machine stays without its daemon once that has left in order. */
  readonly #awayMs = new Map<number, number>();
  /** Counts the call-backs: a return that was arranged before does not come on top. */
  #calls = 0;
  #lives = 0;
  #requestNumber = 0;

  constructor(parts: DaemonsParts) {
    this.#parts = parts;
  }

  of(machine: number): Running | undefined {
    return this.#running.get(machine);
  }

  /** The machine of a node that holds quorum and takes itself for the DC. */
  get dc(): number | undefined {
    return this.all.find(([machine, { quorum, dc }]) => quorum === 'held' && dc === machineName(machine))?.[0];
  }

  get all(): readonly (readonly [machine: number, Running])[] {
    return [...this.#running];
  }

  // --- lives ------------------------------------------------------------------------------------------------------

  begin(machine: Machine): void {
    if (machine.power !== 'on' || this.#running.has(machine.id)) return;
    const { makeNode, see, links } = this.#parts;
    const number = (this.#lives += 1);
    see({ type: 'lifeBegan', machine: machine.id, life: number });
    let early: (() => void)[] | undefined = [];
    const around: ConstructorParameters<typeof Life>[2] = {
      now: () => machine.monotonic(),
      wall: () => machine.wall(),
      wake: (at) => {
        const self = this.#running.get(machine.id);
        if (self?.number === number) this.#wake(machine, self, at);
        else early?.push(() => around.wake(at));
      },
      carryOut: (effect) => this.#carryOut(machine, number, effect),
      saveMembership: ({ record }, done) => this.#saveUntilDone(machine, number, record, done),
      failed: (error) => {
        see({ type: 'threw', machine: machine.id, life: number, error });
        this.end(machine, 'threw');
        this.#beginAgain(machine, 2000);
      },
    };
    let life: Life;
    const start = this.#startOf(machine, number);
    const { device } = this.#parts;
    try {
      life = new Life(makeNode, start, around, (seen) => {
        const self = this.#running.get(machine.id);
        if (self?.number === number && seen.part === 'messaging' && seen.effect.type === 'quorum')
          self.quorum = seen.effect.state.state;
        if (self?.number === number && seen.part === 'crm' && seen.effect.type === 'integrated')
          self.dc = seen.effect.dc;
        see({ type: 'seen', machine: machine.id, life: number, seen });
      });
    } catch (error) {
      see({ type: 'threw', machine: machine.id, life: number, error });
      return;
    }
    const fresh = { wakeAt: Infinity, cib: undefined, dc: undefined } as const;
    this.#running.set(machine.id, {
      number,
      life,
      linkFile: new LinkFile(machine, links),
      ...fresh,
      quorum: 'lost',
      scheduled: 0,
      isLeaving: false,
    });
    for (const each of early.splice(0)) each();
    early = undefined;
    if (device !== undefined) life.hire((status) => this.#voterOf(machine, start, device, status.incarnation));
  }

  end(machine: Machine, why: string): void {
    const running = this.#running.get(machine.id);
    if (running === undefined) return;
    running.life.isOver = true;
    this.#running.delete(machine.id);
    machine.disk.abandon();
    this.#parts.see({ type: 'lifeEnded', machine: machine.id, life: running.number, why });
  }

  /** Told to leave in order; a person starts it again some time after it has, however long that takes. */
  leave(machine: Machine, awayMs: number): void {
    this.#awayMs.set(machine.id, awayMs);
    const running = this.#running.get(machine.id);
    if (running === undefined || running.isLeaving) return; // told twice it would leave at once, whatever runs there
    running.isLeaving = true;
    running.life.give({ type: 'shutDown', reason: 'operator' });
  }

  /** Whoever leaves from now on comes back soon; whoever is away is started by the caller. */
  callBack(): void {
    this.#awayMs.clear();
    this.#calls += 1;
  }

  /** What only this boot of the machine knew. */
  poweredOff(machine: Machine): void {
    this.#runFiles.delete(machine.id);
  }

  #beginAgain(machine: Machine, afterMs: number): void {
    if (afterMs === Infinity) return;
    const calls = this.#calls;
    this.#parts.agenda.after(afterMs, () => (calls === this.#calls ? this.begin(machine) : undefined));
  }

  #startOf(machine: Machine, number: number): Omit<NodeStart, 'now'> {
    const { seed, seal, configurationOf } = this.#parts;
    const hasRebooted = this.#bootOfLastLife.get(machine.id) !== machine.boots;
    this.#bootOfLastLife.set(machine.id, machine.boots);
    const membership = machine.disk.read('membership') as StateRecord | undefined;
    const cib = machine.disk.read('cib') as CibRecord | undefined;
    return {
      configuration: withSavedKeys(configurationOf(machine), machine.disk.read('keys') as KeyRing | undefined),
      ports: {
        random: seededRandom(draw(seed, 'node', machine.id, number)),
        seal,
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
  }

  #voterOf(
    machine: Machine,
    { configuration, ports }: Omit<NodeStart, 'now'>,
    device: DeviceOptions,
    incarnation: number,
  ): Voter {
    const { clusterName: cluster, keys } = configuration.messaging;
    const { random, seal } = ports;
    return new Voter(
      { cluster, self: nodeIdOf(machine.name), keys, arbiters: 1, device, incarnation, seal, random },
      (datagram) => this.#parts.network.unicast(machine.id, 0, arbiterAddress, datagram),
    );
  }

  #wake(machine: Machine, running: Running, at: number): void {
    const { agenda, seed } = this.#parts;
    const lag = machine.lagMs === 0 ? 0 : between(0, machine.lagMs, seed, 'lag', machine.id, agenda.now);
    const time = Math.max(agenda.now, machine.trueTime(at)) + lag;
    if (time >= running.wakeAt) return;
    running.wakeAt = time;
    agenda.at(time, () => {
      if (running.wakeAt !== time || running.life.isOver) return;
      machine.whenAwake(() => {
        if (running.wakeAt !== time || running.life.isOver) return;
        running.wakeAt = Infinity;
        running.life.turn();
      });
    });
  }

  // --- what comes in ----------------------------------------------------------------------------------------------

  arrived(to: Machine, { from, link, via, bytes }: Datagram): void {
    if (to.power !== 'on') return;
    if (from === arbiterAddress) {
      to.whenAwake(() => this.#running.get(to.id)?.life.letter(bytes));
      return;
    }
    this.#running.get(to.id)?.life.give({ type: 'datagram', link, via, from: hostOf(from, link), bytes });
  }

  /** Asks through one node that runs; the answer may never come. */
  ask(machine: number, request: NodeRequest, answered: (answer: Answer) => void): void {
    const running = this.#running.get(machine);
    if (running === undefined) return;
    const requestId = `r${(this.#requestNumber += 1)}`;
    this.#requests.set(requestId, answered);
    running.life.give({ type: 'request', requestId, request });
  }

  // --- effects ----------------------------------------------------------------------------------------------------

  #carryOut(machine: Machine, number: number, effect: Exclude<NodeEffect, { type: 'saveMembership' }>): void {
    const running = this.#running.get(machine.id);
    if (running?.number !== number) return;
    const { life } = running;
    const { network, see, resetMachine } = this.#parts;
    switch (effect.type) {
      case 'transmit': {
        if (effect.to === 'multicast') network.multicast(machine.id, effect.link, effect.bytes);
        else network.unicast(machine.id, effect.link, numberOf(effect.to), effect.bytes);
        break;
      }
      case 'saveCib':
        machine.disk.replace('cib', effect.record, ({ ok }) =>
          machine.whenAwake(() =>
            life.give({ type: 'saved', token: effect.token, isOk: ok, ...(ok ? {} : { problem: 'ENOSPC' }) }),
          ),
        );
        break;
      case 'saveKeys':
        machine.disk.replace('keys', effect.ring, ({ ok }) =>
          machine.whenAwake(() => {
            life.give({ type: 'saved', token: effect.token, isOk: ok });
            if (ok) life.useKeys(effect.ring.keys);
          }),
        );
        break;
      case 'changeFile':
        running.linkFile.change(effect, (problem, isChanged) => {
          const { id, step } = effect;
          const { links, linkMode, timing } = this.#parts.configurationOf(machine).messaging;
          const news = isChanged ? { messaging: { links, linkMode, timing } } : {};
          life.give({ type: 'fileChanged', id, step, ...news, ...(problem === undefined ? {} : { problem }) });
        });
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
        if (instance !== undefined && operation !== undefined && operation !== 'meta-data')
          see({ type: 'operation', machine: machine.id, life: number, instance, operation });
        machine.start(effect, (ended) => this.#running.get(machine.id)?.life.give(ended));
        break;
      }
      case 'killProcess':
        machine.kill(effect.id, effect.signal);
        break;
      case 'collect':
        life.give({ type: 'collected', id: effect.id, asker: effect.asker, body: '' });
        break;
      case 'readSecrets':
        life.give({ type: 'secretsRead', id: effect.id, outcome: { type: 'read', values: {} } });
        break;
      case 'schedule':
        this.#schedule(machine, running, effect);
        break;
      case 'answer': {
        const waiting = this.#requests.get(effect.requestId);
        this.#requests.delete(effect.requestId);
        waiting?.(effect.answer);
        break;
      }
      case 'cibChanged': {
        const { cib, isConfiguration } = effect;
        running.cib = cib;
        see({ type: 'cib', machine: machine.id, life: number, cib, isConfiguration });
        break;
      }
      case 'stop':
        this.#stopped(machine, number, effect);
        break;
      case 'resetSelf':
        resetMachine(machine.id, `resets itself: ${effect.reason}`);
        break;
      case 'report':
      case 'rejoinGroup':
      case 'keepInput':
        break; // seen by the observer; groups never forget their members here, and a seed is input enough
    }
  }

  #stopped(machine: Machine, number: number, { reason, exitCode }: Extract<NodeEffect, { type: 'stop' }>): void {
    this.end(machine, `stopped: ${reason}`);
    const restartMs = between(RESTART_MIN_MS, RESTART_MAX_MS, this.#parts.seed, 'restart', number);
    this.#beginAgain(machine, exitCode === 0 ? (this.#awayMs.get(machine.id) ?? restartMs) : restartMs);
  }

  #schedule(machine: Machine, running: Running, effect: Extract<NodeEffect, { type: 'schedule' }>): void {
    const { agenda, seed, schedule } = this.#parts;
    const { scheduleId, cib, at } = effect;
    const { life } = running;
    running.scheduled = scheduleId;
    agenda.after(between(2, 40, seed, 'schedule', machine.id, scheduleId), () =>
      machine.whenAwake(() => {
        if (life.isOver || running.scheduled !== scheduleId) return;
        life.give({ type: 'scheduled', scheduleId, outcome: schedule(cib, at) });
      }),
    );
  }

  /** The host tries again while the disk is full: without its memory a node may promise nothing. */
  #saveUntilDone(machine: Machine, number: number, record: StateRecord, done: () => void): void {
    machine.disk.replace('membership', record, ({ ok }) =>
      machine.whenAwake(() => {
        if (this.#running.get(machine.id)?.number !== number) return;
        if (ok) done();
        else this.#parts.agenda.after(SAVE_AGAIN_MS, () => this.#saveUntilDone(machine, number, record, done));
      }),
    );
  }
}

/** A copy as a disk gives it back: nothing shared with the life that wrote it. */
const copied = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/** The key file holds what the last change of the key left there; without any the cluster's first key. */
const withSavedKeys = (configuration: NodeConfiguration, ring: KeyRing | undefined): NodeConfiguration =>
  ring === undefined
    ? configuration
    : {
        ...configuration,
        messaging: { ...configuration.messaging, keys: ring.keys },
        ...(ring.rotation === undefined ? {} : { rotation: ring.rotation }),
      };

/**
 * Engines on a virtual network: seeded loss, duplication, delay, cuts, pauses, crashes with restart. Time is whole
 * milliseconds; everything that happens is an entry of one queue, in the order of (time, number).
 */
import { type Epoch, type Instant, type Random, seededRandom } from '@systole/kernel';
import type { ClusterKey, Configuration, LinkConfiguration } from '../../src/configuration.ts';
import { protocolRange, timingProfiles } from '../../src/configuration.ts';
import { createEngine } from '../../src/engine.ts';
import { majorityPolicy } from '../../src/majority.ts';
import type { QuorumPolicy } from '../../src/quorum-port.ts';
import { identitySeal, type Seal } from '../../src/seal.ts';
import type { Engine, EngineEffect, EngineInput, NodeId, Service, StateRecord, View } from '../../src/surface.ts';
import { LawBroken, Laws } from './laws.ts';

export type Filter = (
  from: NodeId,
  to: NodeId,
  link: number,
  via: 'multicast' | 'unicast',
  bytes: Uint8Array,
) => boolean | Uint8Array;

export interface ClusterOptions {
  readonly nodes: number;
  readonly seed?: number;
  readonly seal?: Seal;
  readonly loss?: number;
  readonly duplicate?: number;
  /** Delay of a datagram: the first number plus up to the second. */
  readonly delayMs?: readonly [number, number];
  readonly links?: readonly LinkConfiguration[];
  readonly linkMode?: Configuration['linkMode'];
  readonly configuration?: Partial<Configuration>;
  /** Where a machine receives unicast, and sends from; 5400 and the link if not given. */
  readonly portOf?: (id: NodeId) => number;
  readonly policy?: (nodes: readonly NodeId[]) => QuorumPolicy;
  /** Milliseconds a save takes, at most. */
  readonly saveMs?: number;
  /** Called for each datagram: false drops it. */
  readonly filter?: (
    from: NodeId,
    to: NodeId,
    link: number,
    via: 'multicast' | 'unicast',
    bytes: Uint8Array,
  ) => boolean;
}

export const aKey = (id: number, primary = true): ClusterKey => ({ id, key: new Uint8Array(32).fill(id + 7), primary });

export const aLink = (id: number, more: Partial<LinkConfiguration> = {}): LinkConfiguration => ({
  id,
  mode: 'multicast',
  priority: 10 - id,
  mtu: 1500,
  family: 4,
  ...more,
});

interface Entry {
  readonly at: number;
  readonly number: number;
  readonly run: () => void;
}

class Queue {
  readonly #heap: Entry[] = [];
  #number = 0;

  get next(): Entry | undefined {
    return this.#heap[0];
  }

  add(at: number, run: () => void): void {
    const heap = this.#heap;
    const entry = { at, number: this.#number++, run };
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#before(entry, heap[parent] as Entry)) break;
      heap[index] = heap[parent] as Entry;
      index = parent;
    }
    heap[index] = entry;
  }

  take(): Entry | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.#before(heap[child + 1] as Entry, heap[child] as Entry)) child += 1;
      if (!this.#before(heap[child] as Entry, last)) break;
      heap[index] = heap[child] as Entry;
      index = child;
    }
    heap[index] = last;
    return top;
  }

  #before(a: Entry, b: Entry): boolean {
    return a.at < b.at || (a.at === b.at && a.number < b.number);
  }
}

export interface Delivery {
  readonly at: number;
  readonly view: number;
  readonly sequence: number;
  readonly origin: NodeId;
  readonly text: string;
  readonly transitional: boolean;
}

/** One machine: its disk outlives its engines. */
export class Machine {
  readonly id: NodeId;
  engine: Engine | undefined;
  life = '';
  saved: StateRecord | undefined;
  pausedUntil = -1;
  inbox: (() => void)[] = [];
  held: EngineEffect[] | undefined;
  wakeAt = Number.MAX_SAFE_INTEGER;
  generation = 0;
  sameInstant = 0;
  lastTick = -1;
  diskWorks = true;
  configuration: Configuration;
  view: View | undefined;
  active = false;
  quorum = 'lost';
  handles = new Map<number, Uint8Array>();
  readonly views: { at: number; view: View }[] = [];
  readonly activations: { at: number; number: number; members: string }[] = [];
  readonly quorums: { at: number; state: string; exclusiveAfterMs?: number }[] = [];
  readonly deliveries: Delivery[] = [];
  readonly reports: { at: number; event: string; fields: Readonly<Record<string, unknown>> }[] = [];
  readonly rejected: { handle: number; reason: string }[] = [];
  readonly unreliable: string[] = [];
  hasLeft = false;
  /** Why the engine told its host to stop for good. */
  stopped: string | undefined;
  drained = 0;

  constructor(id: NodeId, configuration: Configuration) {
    this.id = id;
    this.configuration = configuration;
  }
}

export class Cluster {
  readonly options: ClusterOptions;
  readonly random: Random;
  readonly machines = new Map<NodeId, Machine>();
  readonly laws: Laws;
  readonly #queue = new Queue();
  readonly #seal: Seal;
  now = 0;
  loss: number;
  duplicate: number;
  delayMs: readonly [number, number];
  /** `from>to` or `from>to/link`: nothing gets through. */
  readonly cuts = new Set<string>();
  filter: Filter | undefined;
  #messages = 0;
  datagrams = 0;
  steps = 0;
  /** Called after each effect of each node. */
  watch: ((machine: Machine, effect: EngineEffect) => void) | undefined;

  constructor(options: ClusterOptions) {
    this.options = options;
    this.random = seededRandom(options.seed ?? 1);
    this.loss = options.loss ?? 0;
    this.duplicate = options.duplicate ?? 0;
    this.delayMs = options.delayMs ?? [0, 1];
    this.filter = options.filter;
    this.#seal = options.seal ?? identitySeal;
    this.laws = new Laws(options.nodes);
    this.#checkExclusive();
    const nodes = Array.from({ length: options.nodes }, (_, index) => index + 1);
    for (const self of nodes) {
      this.machines.set(
        self,
        new Machine(self, {
          clusterName: 'test',
          self,
          revision: 1,
          nodes,
          keys: [aKey(1)],
          links: options.links ?? [aLink(0)],
          linkMode: options.linkMode ?? 'passive',
          timing: timingProfiles.lan,
          messageBytesMax: 1024 * 1024,
          protocol: protocolRange,
          ...options.configuration,
        }),
      );
    }
  }

  #checkExclusive(): void {
    const paused = new Set(this.up.filter(({ pausedUntil }) => pausedUntil >= 0).map(({ life }) => life));
    this.laws.exclusive(this.now, (life) => !paused.has(life));
    this.at(this.now + 10, () => this.#checkExclusive());
  }

  machine(id: NodeId): Machine {
    return this.machines.get(id) as Machine;
  }

  /** One more machine, whatever it is configured as; `id` is the harness's name for it. */
  addMachine(id: NodeId, configuration: Configuration): Machine {
    const machine = new Machine(id, configuration);
    this.machines.set(id, machine);
    return machine;
  }

  get up(): Machine[] {
    return [...this.machines.values()].filter(({ engine }) => engine !== undefined);
  }

  at(time: number, run: () => void): void {
    this.#queue.add(Math.max(time, this.now), run);
  }

  start(id: NodeId): void {
    const machine = this.machine(id);
    if (machine.engine !== undefined) return;
    const wall = (1_700_000_000_000 + this.now) as Epoch;
    machine.engine = createEngine({
      configuration: machine.configuration,
      seal: this.#seal,
      random: seededRandom((this.options.seed ?? 1) * 1000 + id + 31 * machine.generation),
      quorum: this.options.policy?.(machine.configuration.nodes) ?? majorityPolicy(machine.configuration.nodes),
      ...(machine.saved === undefined ? {} : { saved: machine.saved }),
      wall,
      now: this.now as Instant,
    });
    machine.generation += 1;
    machine.view = undefined;
    machine.active = false;
    machine.quorum = 'lost';
    machine.handles = new Map();
    machine.held = undefined;
    machine.inbox = [];
    machine.pausedUntil = -1;
    machine.wakeAt = Number.MAX_SAFE_INTEGER;
    machine.hasLeft = false;
    machine.life = `${machine.configuration.self}@${Math.max((machine.saved?.incarnation ?? 0) + 1, wall)}`;
    this.laws.started(machine.configuration.self, machine.life);
    this.input(machine, { type: 'tick' });
  }

  startAll(): this {
    for (const id of this.machines.keys()) this.start(id);
    return this;
  }

  crash(id: NodeId): void {
    const machine = this.machine(id);
    machine.engine = undefined;
    machine.generation += 1;
    this.laws.crashed(machine.life);
  }

  /** The machine stands still until then; what arrives waits. */
  pause(id: NodeId, ms: number): void {
    const machine = this.machine(id);
    if (machine.engine === undefined || machine.pausedUntil > this.now) return;
    machine.pausedUntil = this.now + ms;
    const { generation } = machine;
    this.at(machine.pausedUntil, () => {
      if (machine.generation !== generation || machine.engine === undefined) return;
      machine.pausedUntil = -1;
      const inbox = machine.inbox;
      machine.inbox = [];
      for (const run of inbox) run();
      this.#wake(machine, generation);
    });
  }

  cut(from: NodeId, to: NodeId, link?: number): void {
    this.cuts.add(link === undefined ? `${from}>${to}` : `${from}>${to}/${link}`);
  }

  cutBoth(a: NodeId, b: NodeId, link?: number): void {
    this.cut(a, b, link);
    this.cut(b, a, link);
  }

  partition(...sides: readonly (readonly NodeId[])[]): void {
    for (const side of sides) {
      for (const other of sides) {
        if (side !== other) for (const a of side) for (const b of other) this.cut(a, b);
      }
    }
  }

  heal(): void {
    this.cuts.clear();
  }

  /** The body names its submission; the handle is returned. */
  submit(id: NodeId, service: Service = 'agreed', size = 0): number {
    const machine = this.machine(id);
    this.#messages += 1;
    const handle = this.#messages;
    if (machine.engine === undefined || machine.pausedUntil > this.now) return 0;
    const body = Buffer.alloc(Math.max(size, 24), 46);
    body.write(`m${id}.${machine.generation}.${handle};`, 'latin1');
    machine.handles.set(handle, body);
    // While a save holds its effects back, the application still sees the view before the engine's.
    const tag = machine.held === undefined ? machine.view?.tag : machine.engine.status(this.now as Instant).view.tag;
    this.laws.submitted(machine.life, body, tag);
    this.input(machine, { type: 'submit', handle, service, body });
    return handle;
  }

  input(machine: Machine, input: EngineInput): void {
    const { engine } = machine;
    if (engine === undefined) return;
    this.steps += 1;
    const effects = engine.step(input, this.now as Instant);
    for (const effect of effects) this.#effect(machine, effect);
    this.#schedule(machine);
  }

  #schedule(machine: Machine): void {
    const { engine, generation } = machine;
    if (engine === undefined) return;
    const at = Math.max(engine.wakeAt(), this.now);
    if (at >= machine.wakeAt) return;
    machine.wakeAt = at;
    this.at(at, () => {
      if (machine.wakeAt === at) this.#wake(machine, generation); // else an earlier one has replaced it
    });
  }

  #wake(machine: Machine, generation: number): void {
    if (machine.generation !== generation || machine.engine === undefined) return;
    machine.wakeAt = Number.MAX_SAFE_INTEGER;
    if (machine.pausedUntil > this.now) return; // resumption wakes it
    if (machine.engine.wakeAt() <= this.now) {
      machine.sameInstant = machine.lastTick === this.now ? machine.sameInstant + 1 : 0;
      machine.lastTick = this.now;
      if (machine.sameInstant > 5000) throw new Error(`node ${machine.id} asks for ticks without end at ${this.now}`);
      this.input(machine, { type: 'tick' });
    } else this.#schedule(machine);
  }

  #effect(machine: Machine, effect: EngineEffect): void {
    if (machine.held !== undefined) {
      machine.held.push(effect);
      return;
    }
    if (effect.type === 'save') {
      machine.held = [];
      const { generation } = machine;
      this.at(this.now + this.random.integer((this.options.saveMs ?? 2) + 1), () => {
        if (machine.generation !== generation) return;
        machine.saved = effect.record;
        this.#whenAwake(machine, () => {
          const held = machine.held ?? [];
          machine.held = undefined;
          for (const later of held) this.#effect(machine, later);
          this.input(machine, { type: 'saved', token: effect.token });
        });
      });
      return;
    }
    this.#carryOut(machine, effect);
  }

  #whenAwake(machine: Machine, run: () => void): void {
    if (machine.engine === undefined) return;
    if (machine.pausedUntil > this.now) machine.inbox.push(run);
    else run();
  }

  #carryOut(machine: Machine, effect: EngineEffect): void {
    if (effect.type === 'transmit') {
      this.#transmit(machine, effect);
      return;
    }
    this.laws.effect(machine.life, effect, this.now);
    this.watch?.(machine, effect);
    switch (effect.type) {
      case 'view':
        machine.view = effect.view;
        machine.active = false;
        machine.views.push({ at: this.now, view: effect.view });
        break;
      case 'viewActive':
        machine.active = true;
        machine.activations.push({
          at: this.now,
          number: effect.view.number,
          members: (machine.view?.members ?? []).map(({ node }) => node).toString(),
        });
        break;
      case 'quorum':
        if (effect.state.state === 'held' && machine.saved?.quorum.lineage !== effect.state.view.number) {
          throw new LawBroken(
            `quorum: ${machine.id} holds quorum in ${effect.state.view.number} with ${machine.saved?.quorum.lineage} on disk`,
          );
        }
        machine.quorum = effect.state.state;
        machine.quorums.push({ at: this.now, ...effect.state });
        break;
      case 'deliver':
        machine.deliveries.push({
          at: this.now,
          view: effect.view.number,
          sequence: effect.sequence,
          origin: effect.origin,
          text: Buffer.from(effect.body.subarray(0, 24)).toString('latin1'),
          transitional: effect.transitional,
        });
        break;
      case 'accepted':
      case 'rejected': {
        const body = machine.handles.get(effect.handle);
        if (body !== undefined) this.laws.fate(body, effect.type);
        machine.handles.delete(effect.handle);
        if (effect.type === 'rejected') machine.rejected.push({ handle: effect.handle, reason: effect.reason });
        break;
      }
      case 'storeDurable': {
        const { generation } = machine;
        this.at(this.now + 1 + this.random.integer(3), () => {
          if (machine.generation !== generation) return;
          if (machine.diskWorks) this.laws.persisted(machine.id, effect.view, effect.sequence);
          this.#whenAwake(machine, () => {
            this.input(machine, {
              type: 'persisted',
              view: effect.view,
              sequence: effect.sequence,
              ok: machine.diskWorks,
            });
          });
        });
        break;
      }
      case 'unreliable':
        machine.unreliable.push(Buffer.from(effect.body).toString('latin1'));
        break;
      case 'report':
        machine.reports.push({ at: this.now, event: effect.event, fields: effect.fields });
        break;
      case 'left':
        machine.hasLeft = true;
        this.crash(machine.id);
        break;
      case 'stopped':
        machine.stopped = effect.reason;
        this.crash(machine.id);
        break;
      case 'restart':
        machine.saved = effect.record;
        this.crash(machine.id);
        this.at(this.now + 1, () => this.start(machine.id));
        break;
      case 'drained':
        machine.drained += 1;
        break;
      default:
        break;
    }
  }

  #transmit(machine: Machine, { link, to, bytes }: Extract<EngineEffect, { type: 'transmit' }>): void {
    const via = to === 'multicast' ? 'multicast' : 'unicast';
    for (const receiver of this.machines.values()) {
      if (receiver === machine) continue;
      if (to !== 'multicast' && (to.host !== `node${receiver.id}` || to.port !== this.#portOf(receiver.id, link)))
        continue;
      this.send(machine.id, receiver.id, link, via, bytes);
    }
  }

  #portOf(id: NodeId, link: number): number {
    return this.options.portOf?.(id) ?? 5400 + link;
  }

  /** Puts a datagram on the wire; also for tests that forge or replay. */
  send(from: NodeId, to: NodeId, link: number, via: 'multicast' | 'unicast', bytes: Uint8Array): void {
    const pair = `${from}>${to}`;
    if (this.cuts.has(pair) || this.cuts.has(`${pair}/${link}`)) return;
    const filtered = this.filter?.(from, to, link, via, bytes) ?? true;
    if (filtered === false) return;
    const sent = filtered === true ? bytes : filtered;
    const copies = this.duplicate > 0 && this.random.integer(10_000) < this.duplicate * 10_000 ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      if (this.loss > 0 && this.random.integer(10_000) < this.loss * 10_000) continue;
      const [least, spread] = this.delayMs;
      this.at(this.now + least + this.random.integer(spread + 1), () => this.arrive(from, to, link, via, sent));
    }
  }

  arrive(from: NodeId, to: NodeId, link: number, via: 'multicast' | 'unicast', bytes: Uint8Array): void {
    const receiver = this.machine(to);
    this.datagrams += 1;
    this.#whenAwake(receiver, () => {
      this.input(receiver, {
        type: 'datagram',
        link,
        via,
        from: { host: `node${from}`, port: this.#portOf(from, link) },
        bytes: bytes.slice(),
      });
    });
  }

  /** Runs what happens in the next `ms` milliseconds. */
  run(ms: number): this {
    const end = this.now + ms;
    for (let next = this.#queue.next; next !== undefined && next.at <= end; next = this.#queue.next) {
      this.#queue.take();
      this.now = Math.max(this.now, next.at);
      next.run();
    }
    this.now = end;
    return this;
  }

  /** Runs until `condition` holds; the milliseconds it took, or undefined after `limit`. */
  runUntil(condition: () => boolean, limit: number): number | undefined {
    const start = this.now;
    while (!condition()) {
      const next = this.#queue.next;
      if (next === undefined || next.at > start + limit) return undefined;
      this.#queue.take();
      this.now = Math.max(this.now, next.at);
      next.run();
    }
    return this.now - start;
  }

  /** All nodes that are up share one active view of exactly themselves, quorate if they are a majority. */
  isSettled(): boolean {
    const up = this.up;
    const [first] = up;
    if (first?.view === undefined) return up.length === 0;
    const { tag, members } = first.view;
    if (members.length !== up.length) return false;
    const isQuorate = 2 * up.length > this.machines.size;
    return up.every(
      ({ view, active, quorum }) =>
        active &&
        view !== undefined &&
        view.tag.number === tag.number &&
        view.tag.hash === tag.hash &&
        (!isQuorate || quorum === 'held'),
    );
  }

  finish(): void {
    this.laws.finish(new Set(this.up.map(({ life }) => life)));
  }
}

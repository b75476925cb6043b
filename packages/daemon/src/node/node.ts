/**
 * One cluster member: messaging, the cluster resource manager, the local resource manager and the fencer put together.
 * What one of them wants from another is handed over here; what none of them can do is an effect of the node.
 *
 * A step takes one input to the part it is for, and then goes round: each effect that is meant for another part becomes
 * that part's next input, in the order in which they came, until all that is left is for the world. So an order that
 * arrives in a datagram leads to the start of a process in the same step.
 *
 * Messaging comes first: after a pause of the whole node its view of quorum is brought up to date before anything else
 * is looked at, so that nothing old is acted on.
 */
import { type Cib, emptyCib } from '@systole/cib';
import { Controller, mayRun } from '@systole/crm';
import { elapsed, type Filling, type Instant, invariant, later, type ProcessEnded, unreachable } from '@systole/kernel';
import { LocalResourceManager } from '@systole/lrm';
import {
  type EngineStatus,
  KeyRotation,
  type KeyStatus,
  messageBytesCeiling,
  pendingBytes,
  pendingEntries,
  windowBytes,
  windowEntries,
} from '@systole/messaging';
import { Fencer, type FencingEvent, historyLengthMax } from '@systole/stonith';
import type { NodeEffect, NodeInput, NodeStart } from './contract.ts';
import { CrmDesk } from './crm-desk.ts';
import { restored } from './durable.ts';
import { FencingDesk } from './fencing-desk.ts';
import { fromLrm } from './lrm-desk.ts';
import { MessagingDesk } from './messaging-desk.ts';
import { allNames, localMessaging, type MessagingPort, messagingSetup } from './messaging-port.ts';
import { MessagingSettings } from './messaging-settings.ts';
import { Network, type NetworkSettings } from './network.ts';
import { NodeIds } from './node-ids.ts';
import type { Outlets, Work } from './outlets.ts';
import { Persistence } from './persistence.ts';
import { RequestDesk } from './request-desk.ts';
import { Standing } from './standing.ts';
import { TimerTable } from './timer-table.ts';

/** A gap between two steps longer than this is a pause of this node: messaging hears of it before anything else. */
const pauseMs = 150;

export class ClusterNode {
  readonly #start: NodeStart;
  /** Messaging runs in this thread, and learns of a pause from the first step after it. */
  readonly #isLocal: boolean;
  // The parts that decide.
  readonly #engine: MessagingPort;
  readonly #crm: Controller;
  readonly #lrm: LocalResourceManager;
  readonly #fencer: Fencer;
  readonly #keys: KeyRotation;
  readonly #network: Network;
  // Their places in the node.
  readonly #messagingDesk: MessagingDesk;
  readonly #crmDesk: CrmDesk;
  readonly #fencing: FencingDesk;
  readonly #requests: RequestDesk;
  readonly #settings: MessagingSettings;
  readonly #persistence: Persistence;
  readonly #standing: Standing;
  readonly #timers = new TimerTable();
  #lastStep: Instant;
  #isStopping = false;
  #hasStopped = false;
  #work: Work[] = [];
  #effects: NodeEffect[] = [];
  readonly #outlets: Outlets = {
    now: () => this.#lastStep,
    give: (work) => void this.#work.push(work),
    want: (effect) => void this.#effects.push(effect),
    submit: (letter, view) => this.#messagingDesk.submit(letter, view),
    startTimer: (id, delayMs) => this.#timers.start(id, later(this.#lastStep, delayMs)),
    stopTimer: (id) => this.#timers.stop(id),
    stop: (exitCode, reason) => this.#stop(exitCode, reason),
    report: (subsystem, level, event, text, fields) =>
      void this.#effects.push({ type: 'report', subsystem, level, event, text, fields }),
  };

  constructor(start: NodeStart) {
    const { configuration, ports, saved, now } = start;
    const { self, places, messaging, rotation } = configuration;
    const { random, wallClock, firstExisting } = ports;
    this.#start = start;
    this.#isLocal = ports.messaging === undefined;
    this.#lastStep = now;
    const cib = restored(saved.cib);
    const names = allNames(configuration, cib?.state.cib ?? emptyCib);
    const ids = NodeIds.of(names);
    invariant(ids.ok, ids.ok ? '' : ids.error);
    const setup = messagingSetup(configuration, names);
    invariant(setup.ok, setup.ok ? '' : setup.error);

    this.#engine = ports.messaging ?? localMessaging(setup.value, ports, saved.membership, now);
    this.#crm = new Controller({
      self,
      incarnation: this.#engine.status(now).incarnation,
      expectedNodes: configuration.nodes,
      random,
      wallClock,
      isQuorumHeldNow: () => this.#engine.isQuorumHeldNow(),
      ...(cib === undefined ? {} : { saved: cib }),
      now,
    });
    this.#lrm = new LocalResourceManager({ node: self, nodeId: self, places, firstExisting, wallClock });
    this.#fencer = new Fencer({ node: self, random, wallClock, places, firstExisting });
    this.#network = new Network(self, names, messaging, (id) => this.#name(id));
    this.#keys = new KeyRotation({
      self,
      clusterName: messaging.clusterName,
      ring: { keys: messaging.keys, ...(rotation === undefined ? {} : { rotation }) },
      nodes: names,
      random,
    });

    this.#standing = new Standing(this.#outlets);
    this.#persistence = new Persistence(this.#crm, this.#outlets);
    const isTwoNode = configuration.quorum.twoNode === true;
    this.#fencing = new FencingDesk({ self, isTwoNode, wallClock }, this.#outlets);
    this.#settings = new MessagingSettings(
      {
        configuration,
        ids: ids.value,
        engine: this.#engine,
        keys: this.#keys,
        network: this.#network,
        persistence: this.#persistence,
        take: (effect) => this.#messagingDesk.take(effect),
        viewNumber: () => this.#messagingDesk.view?.tag.number,
      },
      this.#outlets,
    );
    const shared = {
      self,
      engine: this.#engine,
      crm: this.#crm,
      fencing: this.#fencing,
      persistence: this.#persistence,
      settings: this.#settings,
      standing: this.#standing,
      nameOf: (id: number) => this.#name(id),
    };
    const members = (): readonly number[] => this.#messagingDesk.view?.members.map(({ node }) => node) ?? [];
    this.#requests = new RequestDesk({ ...shared, members }, this.#outlets);
    this.#messagingDesk = new MessagingDesk(
      {
        ...shared,
        isLocal: this.#isLocal,
        requests: this.#requests,
        observe: (effect) => ports.observe?.({ part: 'messaging', effect }),
      },
      this.#outlets,
    );
    this.#crmDesk = new CrmDesk({ ...shared, messaging: this.#messagingDesk }, this.#outlets);

    const { resources, survivors, hasRebooted } = saved;
    this.#work.push({ for: 'lrm', input: { type: 'restore', saved: resources, survivors, hasRebooted } });
    this.#fencing.configurationChanged(emptyCib, this.#crm.cib, { isWhole: true });
  }

  // ---- what others may look at ------------------------------------------------------------------------------------

  get self(): string {
    return this.#start.configuration.self;
  }

  get cib(): Cib {
    return this.#crm.cib;
  }

  get controller(): Controller {
    return this.#crm;
  }

  get fencingHistory(): readonly FencingEvent[] {
    return this.#fencing.history;
  }

  /** The local resource manager has nothing queued or in flight. */
  get isLocallyIdle(): boolean {
    return this.#lrm.isIdle();
  }

  messagingStatus(now: Instant): EngineStatus {
    return this.#engine.status(now);
  }

  /** Which cluster keys this node has, and how far a change of them has come. Without the keys. */
  get keyStatus(): KeyStatus {
    return this.#keys.status();
  }

  /** What is in force of the links and the timing. */
  get network(): NetworkSettings {
    return this.#network.settings;
  }

  /** How full each bounded queue is. */
  fillings(now: Instant): readonly Filling[] {
    const { logEntries, logBytes, pendingEntries: entries, pendingBytes: bytes } = this.#engine.status(now).order;
    return [
      // What is not stable: the sequencer waits at the window, and a whole message may be under way when it fills.
      { queue: 'messaging log entries', count: logEntries, max: 2 * windowEntries },
      { queue: 'messaging log bytes', count: logBytes, max: windowBytes + messageBytesCeiling },
      { queue: 'messaging submissions', count: entries, max: pendingEntries },
      { queue: 'messaging submitted bytes', count: bytes, max: pendingBytes + messageBytesCeiling },
      ...this.#crm.fillings,
      ...this.#lrm.fillings,
      ...this.#messagingDesk.fillings,
      { queue: 'fencing history', count: this.#fencing.history.length, max: historyLengthMax },
    ];
  }

  nodeName(id: number): string | undefined {
    return this.#settings.ids.name(id);
  }

  /**
   * Whether the watchdog may be fed: this node may act, or what it must stop is stopped. A node that has lost quorum
   * and cannot stop its services in time goes down with them.
   */
  get mayFeedWatchdog(): boolean {
    // An operation in flight may yet start something after the others have counted this node as reset.
    return this.#standing.mayAct(this.#crm.state.quorum === 'lost') || this.isAtRest;
  }

  /** Nothing runs here, and nothing is on the way. */
  get isAtRest(): boolean {
    return !this.#lrm.history().some(mayRun) && this.#lrm.isIdle();
  }

  /** Whether this partition has quorum and no other can have it: with `two_node` one that is alone is not the only one. */
  get isQuorumExclusive(): boolean {
    const isAlone = (this.#messagingDesk.view?.members.length ?? 0) < 2;
    return this.#crm.state.quorum === 'held' && !(this.#start.configuration.quorum.twoNode === true && isAlone);
  }

  // ---- stepping ---------------------------------------------------------------------------------------------------

  /** When `step({ type: 'tick' })` is due at the latest. */
  wakeAt(): Instant {
    if (this.#hasStopped) return Number.MAX_SAFE_INTEGER as Instant; // nothing is due any more (simulator, seed 6027)
    const timer = this.#timers.next();
    const engine = this.#engine.wakeAt();
    return timer === undefined || engine < timer ? engine : timer;
  }

  step(input: NodeInput, now: Instant): readonly NodeEffect[] {
    if (this.#hasStopped) return [];
    this.#effects = [];
    const hasPaused = elapsed(this.#lastStep, now) > pauseMs;
    this.#lastStep = now;
    if (hasPaused && input.type !== 'datagram' && input.type !== 'tick' && this.#isLocal) {
      this.#work.push({ for: 'messaging', input: { type: 'tick' } });
      this.#goRound(now);
    }
    this.#take(input, now);
    this.#goRound(now);
    return this.#effects;
  }

  #take(input: NodeInput, now: Instant): void {
    switch (input.type) {
      case 'tick':
        this.#work.push({ for: 'messaging', input });
        this.#goRound(now);
        for (let id = this.#timers.takeDue(now); id !== undefined; id = this.#timers.takeDue(now)) {
          this.#timerExpired(id);
          this.#goRound(now);
        }
        break;
      case 'datagram':
      case 'linkChanged':
      case 'sendFailed':
      case 'clockStepped':
      case 'wallClock':
      case 'backlog':
      case 'readmit':
      case 'deviceVerdict':
        this.#work.push({ for: 'messaging', input });
        break;
      case 'messaging':
        for (const effect of input.effects) this.#messagingDesk.take(effect);
        break;
      case 'saved':
        this.#persistence.saved(input);
        break;
      case 'processEnded':
        this.#processEnded(input);
        break;
      case 'secretsRead':
      case 'agentsChanged':
        this.#work.push({ for: 'lrm', input });
        break;
      case 'arbiters':
        this.#work.push({ for: 'keys', input });
        break;
      case 'fileChanged':
        this.#work.push({ for: 'network', input });
        break;
      case 'collected':
        this.#requests.collected(input);
        break;
      case 'scheduled':
        this.#work.push({ for: 'crm', input });
        break;
      case 'request':
        this.#requests.take(input.requestId, input.request);
        break;
      case 'shutDown':
        if (this.#isStopping) this.#leaveAtOnce();
        this.#isStopping = true;
        this.#work.push({ for: 'crm', input });
        break;
      default:
        unreachable(input);
    }
  }

  #goRound(now: Instant): void {
    for (let work = this.#work.shift(); work !== undefined; work = this.#work.shift()) {
      switch (work.for) {
        case 'messaging':
          this.#messagingDesk.step(work.input, work.view);
          break;
        case 'crm':
          for (const effect of this.#crm.step(work.input, now)) {
            this.#start.ports.observe?.({ part: 'crm', effect });
            this.#crmDesk.take(effect);
          }
          if (work.input.type === 'delivered') this.#persistence.delivered(work.input.position);
          break;
        case 'lrm':
          for (const effect of this.#lrm.step(work.input, now)) {
            this.#start.ports.observe?.({ part: 'lrm', effect });
            fromLrm(effect, this.#outlets);
          }
          break;
        case 'stonith':
          for (const effect of this.#fencer.step(work.input, now)) {
            this.#start.ports.observe?.({ part: 'stonith', effect });
            this.#fencing.take(effect);
          }
          break;
        case 'keys':
          for (const effect of this.#keys.step(work.input)) this.#settings.fromKeys(effect);
          break;
        case 'network':
          for (const effect of this.#network.step(work.input, this.#engine.status(now), now))
            this.#settings.fromNetwork(effect);
          break;
        default:
          unreachable(work);
      }
    }
  }

  #processEnded(input: ProcessEnded): void {
    this.#work.push(input.id.startsWith('stonith/') ? { for: 'stonith', input } : { for: 'lrm', input });
  }

  #timerExpired(id: string): void {
    const isTheNodes =
      this.#persistence.timerExpired(id) ||
      this.#settings.timerExpired(id) ||
      this.#requests.timerExpired(id) ||
      this.#standing.timerExpired(id);
    if (isTheNodes) return;
    const input = { type: 'timerExpired', id } as const;
    if (id.startsWith('lrm/')) this.#work.push({ for: 'lrm', input });
    else if (id.startsWith('stonith/')) this.#work.push({ for: 'stonith', input });
    else this.#work.push({ for: 'crm', input });
  }

  // ---- the end ----------------------------------------------------------------------------------------------------

  /**
   * A person has no more patience. With services running here, going quietly would let the others start second copies:
   * then this node goes without a word, and is fenced like any that is lost.
   */
  #leaveAtOnce(): void {
    if (this.isAtRest) this.#work.push({ for: 'messaging', input: { type: 'leave', reason: 'told twice to leave' } });
    else this.#stop(1, 'told twice to leave, while resources run here: the others will fence this node');
  }

  #stop(exitCode: number, reason: string): void {
    this.#hasStopped = true;
    this.#work = [];
    this.#effects.push({ type: 'stop', exitCode, reason });
  }

  #name(id: number): string {
    return this.nodeName(id) ?? `#${id}`;
  }
}

export const createNode = (start: NodeStart): ClusterNode => new ClusterNode(start);

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
import { Controller, type CrmEffect, type CrmInput, mayRun, type Report } from '@systole/crm';
import { elapsed, type Filling, type Instant, invariant, later, type ProcessEnded, unreachable } from '@systole/kernel';
import { LocalResourceManager } from '@systole/lrm';
import {
  type EngineEffect,
  type EngineInput,
  type EngineStatus,
  type KeyEffect,
  type KeyInput,
  KeyRotation,
  type KeyStatus,
  messageBytesCeiling,
  pendingBytes,
  pendingEntries,
  type View,
  windowBytes,
  windowEntries,
} from '@systole/messaging';
import { Fencer, type FencingEvent, historyLengthMax } from '@systole/stonith';
import type { NodeEffect, NodeInput, NodeRequest, NodeStart } from './contract.ts';
import { decoded, DurableCib, restored } from './durable.ts';
import { readFileMessage } from './file-change.ts';
import { FencingDesk } from './fencing-desk.ts';
import { Gathering, gatherTimeoutMs, isGatheringTimer, type Outcome } from './gathering.ts';
import { fromLrm } from './lrm-desk.ts';
import { type Letter, Mail, readEnvelope } from './mail.ts';
import { messagingWords } from './messaging-words.ts';
import { allNames, localMessaging, type MessagingPort, messagingSetup } from './messaging-port.ts';
import { Network, type NetworkEffect, type NetworkInput, type NetworkSettings } from './network.ts';
import { NodeIds } from './node-ids.ts';
import type { Outlets, Subsystem, Work } from './outlets.ts';
import { forced, proceeding } from './quorum-commands.ts';
import { TimerTable } from './timer-table.ts';

/** A gap between two steps longer than this is a pause of this node: messaging hears of it before anything else. */
const pauseMs = 150;

/** A CIB that could not be written is tried again: the disk may have room by then, and durable entries wait for it. */
const retrySaveTimer = 'node/retrySave';
const retrySaveMs = 1000;

/** A changed link is looked at again. */
const lookTimer = 'network/look';

/** Keys that could not be written are tried again. */
const retryKeysTimer = 'keys/retrySave';

/**
 * Quorum that is uncertain for longer does not feed the watchdog: others, who count its time-out from this node's last
 * word, must not come to their end before it does. A change of the membership takes some milliseconds.
 */
const uncertainFeedMs = 1000;
const uncertainFeedTimer = 'node/uncertainFeed';

export class ClusterNode {
  readonly #start: NodeStart;
  #ids: NodeIds;
  readonly #engine: MessagingPort;
  readonly #crm: Controller;
  readonly #lrm: LocalResourceManager;
  readonly #fencer: Fencer;
  readonly #durable: DurableCib;
  readonly #keys: KeyRotation;
  readonly #network: Network;
  #keysToken: number | undefined;
  readonly #timers = new TimerTable();
  readonly #mail = new Mail();
  readonly #gathering: Gathering;
  #nextToken = 1;
  #view: View | undefined;
  readonly #membershipSaves = new Map<number, number>();
  readonly #fencing: FencingDesk;
  #lastStep: Instant;
  #isQuorate = false;
  #hasHeldLately = false;
  #isStopping = false;
  #hasStopped = false;
  #work: Work[] = [];
  #effects: NodeEffect[] = [];
  readonly #outlets: Outlets = {
    give: (work) => void this.#work.push(work),
    want: (effect) => void this.#effects.push(effect),
    submit: (letter, view) => this.#submit(letter, view),
    startTimer: (id, delayMs) => this.#timers.start(id, later(this.#lastStep, delayMs)),
    stopTimer: (id) => this.#timers.stop(id),
    report: (...report) => this.#report(...report),
  };

  constructor(start: NodeStart) {
    const { configuration, ports, saved, now } = start;
    const { self } = configuration;
    this.#start = start;
    this.#gathering = new Gathering(self);
    this.#lastStep = now;
    const cib = restored(saved.cib);
    const names = allNames(configuration, cib?.state.cib ?? emptyCib);
    const ids = NodeIds.of(names);
    invariant(ids.ok, ids.ok ? '' : ids.error);
    this.#ids = ids.value;
    const setup = messagingSetup(configuration, names);
    invariant(setup.ok, setup.ok ? '' : setup.error);
    const { membership } = saved;
    this.#engine = ports.messaging ?? localMessaging(setup.value, ports, membership, now);
    const { random, wallClock } = ports;
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
    const { places } = configuration;
    this.#lrm = new LocalResourceManager({
      node: self,
      nodeId: self,
      places,
      firstExisting: ports.firstExisting,
      wallClock,
    });
    this.#fencer = new Fencer({ node: self, random, wallClock, places, firstExisting: ports.firstExisting });
    const isTwoNode = configuration.quorum.twoNode === true;
    this.#fencing = new FencingDesk({ self, isTwoNode, wallClock }, this.#outlets);
    this.#durable = new DurableCib(() => this.#nextToken++);
    const { messaging, rotation } = configuration;
    this.#network = new Network(self, names, messaging, (id) => this.#name(id));
    this.#keys = new KeyRotation({
      self,
      clusterName: messaging.clusterName,
      ring: { keys: messaging.keys, ...(rotation === undefined ? {} : { rotation }) },
      nodes: names,
      random,
    });
    const { resources, survivors, hasRebooted } = saved;
    this.#work.push({ for: 'lrm', input: { type: 'restore', saved: resources, survivors, hasRebooted } });
    this.#fencing.configurationChanged(emptyCib, this.#crm.cib, { isWhole: true });
  }

  /** Messaging runs in this thread, and learns of a pause from the first step after it. */
  get #isLocal(): boolean {
    return this.#start.ports.messaging === undefined;
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
      ...this.#mail.fillings,
      { queue: 'fencing history', count: this.#fencing.history.length, max: historyLengthMax },
    ];
  }

  nodeName(id: number): string | undefined {
    return this.#ids.name(id);
  }

  /**
   * Whether the watchdog may be fed: this node may act, or what it must stop is stopped. A node that has lost quorum
   * and cannot stop its services in time goes down with them.
   */
  get mayFeedWatchdog(): boolean {
    const mayAct = this.#isQuorate || (this.#crm.state.quorum !== 'lost' && this.#hasHeldLately);
    // An operation in flight may yet start something after the others have counted this node as reset.
    return mayAct || this.isAtRest;
  }

  /** Nothing runs here, and nothing is on the way. */
  get isAtRest(): boolean {
    return this.#runsNothing() && this.#lrm.isIdle();
  }

  /** Whether this partition has quorum and no other can have it: with `two_node` one that is alone is not the only one. */
  get isQuorumExclusive(): boolean {
    const isAlone = (this.#view?.members.length ?? 0) < 2;
    return this.#crm.state.quorum === 'held' && !(this.#start.configuration.quorum.twoNode === true && isAlone);
  }

  #runsNothing(): boolean {
    return !this.#lrm.history().some(mayRun);
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
        for (const effect of input.effects) this.#fromMessaging(effect);
        break;
      case 'saved':
        this.#saved(input, now);
        break;
      case 'processEnded':
        this.#processEnded(input);
        break;
      case 'secretsRead':
        this.#work.push({ for: 'lrm', input });
        break;
      case 'arbiters':
        this.#keyInput(input);
        break;
      case 'fileChanged':
        this.#networkInput(input);
        break;
      case 'collected':
        this.#gathered(this.#gathering.collected(input.id, input.asker, input.body));
        break;
      case 'agentsChanged':
        this.#work.push({ for: 'lrm', input });
        break;
      case 'scheduled':
        this.#work.push({ for: 'crm', input });
        break;
      case 'request':
        this.#request(input.requestId, input.request, now);
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
          this.#toMessaging(work.input, work.view, now);
          break;
        case 'crm':
          for (const effect of this.#crm.step(work.input, now)) this.#fromCrm(effect, now);
          // What was delivered is part of the state now: it need not be stored beside it any more.
          if (work.input.type === 'delivered') this.#durable.delivered(work.input.position);
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
          for (const effect of this.#keys.step(work.input)) this.#fromKeys(effect, now);
          break;
        case 'network':
          for (const effect of this.#network.step(work.input, this.#engine.status(now), now))
            this.#fromNetwork(effect, now);
          break;
        default:
          unreachable(work);
      }
    }
  }

  // ---- messaging --------------------------------------------------------------------------------------------------

  #fromMessaging(effect: EngineEffect): void {
    this.#start.ports.observe?.({ part: 'messaging', effect });
    switch (effect.type) {
      case 'transmit':
      case 'rejoinGroup':
        this.#effects.push(effect);
        break;
      case 'save': {
        const token = this.#nextToken++;
        this.#membershipSaves.set(token, effect.token);
        this.#effects.push({ type: 'saveMembership', token, record: effect.record });
        break;
      }
      case 'deliver':
        this.#delivered(effect);
        break;
      case 'accepted':
        break; // its delivery has said so
      case 'rejected':
        this.#rejected(effect);
        break;
      case 'storeDurable': {
        const { replica, lineage } = this.#crm;
        this.#durable.store(effect, replica.state, lineage, decoded(effect), this.#effects);
        break;
      }
      case 'unreliable':
        break; // nobody sends any
      case 'keyInUse':
        this.#keyInput({ type: 'keyInUse', keyId: effect.keyId });
        break;
      case 'viewEnding':
        this.#keyInput({ type: 'viewEnded' });
        this.#networkInput({ type: 'viewEnded' });
        this.#crmInput({ type: 'viewEnding', survivors: effect.survivors.map((id) => this.#name(id)) });
        break;
      case 'view':
        this.#viewInstalled(effect);
        break;
      case 'viewActive':
        this.#viewActive();
        break;
      case 'quorum': {
        const { state, reason, exclusiveAfterMs } = effect.state;
        if (state === 'held') {
          this.#hasHeldLately = true;
          this.#timers.stop(uncertainFeedTimer);
        } else if (this.#isQuorate) {
          this.#timers.start(uncertainFeedTimer, later(this.#lastStep, uncertainFeedMs));
        }
        this.#isQuorate = state === 'held';
        this.#crmInput({
          type: 'quorum',
          state,
          reason,
          ...(exclusiveAfterMs === undefined ? {} : { exclusiveAfterMs }),
        });
        this.#tellFencerMembers();
        break;
      }
      case 'drained':
        break;
      case 'left':
        this.#stop(0, 'has left the membership');
        break;
      case 'restart': {
        const token = this.#nextToken++;
        if (this.#isLocal) this.#effects.push({ type: 'saveMembership', token, record: effect.record });
        this.#stop(75, 'another life of this node was newer (a clock set back, or a copied disk): start again');
        break;
      }
      case 'stopped':
        this.#stop(
          78,
          `${effect.from.host} runs as this same node, and was there before: correct the configuration of one`,
        );
        break;
      case 'report':
        this.#reportMessaging(effect);
        break;
      default:
        unreachable(effect);
    }
  }

  #delivered(effect: Extract<EngineEffect, { type: 'deliver' }>): void {
    const { origin, view, sequence, transitional, handle, body } = effect;
    const from = this.#name(origin);
    const sent = this.#mail.take(handle);
    const envelope = readEnvelope(body);
    if (envelope === undefined) {
      this.#report('messaging', 'error', 'message.malformed', `a message of ${from} is no envelope`, { from });
      return;
    }
    if (envelope.to === 'crm') {
      this.#crmInput({
        type: 'delivered',
        from,
        position: { view: view.number, sequence },
        isTransitional: transitional,
        message: envelope.message,
        ...(sent?.crmId === undefined ? {} : { messageId: sent.crmId }),
      });
    } else if (envelope.to === 'keys') {
      this.#keyInput({ type: 'delivered', from, message: envelope.message });
    } else if (envelope.to === 'files') {
      const message = readFileMessage(envelope.message);
      if (message !== undefined) this.#networkInput({ type: 'delivered', from, message });
    } else if (envelope.to === 'gathering') {
      if (envelope.node === undefined || envelope.node === this.self)
        this.#gathered(this.#gathering.delivered(from, envelope.message));
    } else if (from !== this.self && (envelope.node === undefined || envelope.node === this.self)) {
      this.#work.push({ for: 'stonith', input: { type: 'peerMessage', from, message: envelope.message } });
    }
  }

  #rejected({ handle, reason }: Extract<EngineEffect, { type: 'rejected' }>): void {
    const sent = this.#mail.take(handle);
    if (sent === undefined) return;
    if (reason === 'tooLarge') {
      this.#report(
        'messaging',
        'error',
        'message.tooLarge',
        'a message is larger than messages may be; it is not sent',
        {},
      );
    }
    if (sent.crmId !== undefined) this.#crmInput({ type: 'rejected', messageId: sent.crmId, reason });
    else if (reason !== 'tooLarge' && sent.envelope.to === 'stonith') this.#mail.keep(sent);
  }

  #viewInstalled({ view, departed }: Extract<EngineEffect, { type: 'view' }>): void {
    this.#view = view;
    this.#keyInput({ type: 'viewEnded' });
    this.#networkInput({ type: 'viewEnded' });
    this.#durable.viewEnded();
    this.#crmInput({
      type: 'viewInstalled',
      number: view.tag.number,
      members: view.members.map(({ node, incarnation }) => ({ name: this.#name(node), incarnation })),
      departed: departed.map(({ node, incarnation, cause }) => ({ name: this.#name(node), incarnation, cause })),
    });
  }

  #viewActive(): void {
    this.#crmInput({ type: 'viewActive' });
    const { tag, members } = this.#view ?? { tag: { number: 0 }, members: [] };
    const memberNames = members.map(({ node }) => this.#name(node));
    this.#keyInput({ type: 'view', number: tag.number, members: memberNames });
    this.#networkInput({ type: 'view', members: memberNames });
    this.#tellFencerMembers();
    for (const letter of this.#mail.takeWaiting()) this.#submit(letter);
  }

  /**
   * A message of the controller is meant for the view that the controller is in. Messaging may be further by now; then
   * it is rejected like any other whose view has ended. (A durable change that slipped into a view before its members
   * had agreed on a CIB could be stored by none of them, and would hold up everything behind it.)
   */
  #submit(letter: Letter, view?: number): void {
    const input = this.#mail.submit(letter);
    this.#work.push({ for: 'messaging', input, ...(view === undefined ? {} : { view }) });
  }

  #toMessaging(input: EngineInput, view: number | undefined, now: Instant): void {
    if (input.type === 'submit' && view !== undefined && view !== this.#view?.tag.number) {
      this.#rejected({ type: 'rejected', handle: input.handle, reason: 'viewEnded' });
      return;
    }
    for (const effect of this.#engine.step(input, now, view)) this.#fromMessaging(effect);
  }

  // ---- the cluster resource manager -------------------------------------------------------------------------------

  #crmInput(input: CrmInput): void {
    this.#work.push({ for: 'crm', input });
  }

  #fromCrm(effect: CrmEffect, now: Instant): void {
    this.#start.ports.observe?.({ part: 'crm', effect });
    switch (effect.type) {
      case 'send': {
        const { message, service, messageId } = effect;
        const view = this.#crm.state.viewNumber ?? 0;
        this.#submit({ envelope: { to: 'crm', message }, service, crmId: messageId }, view);
        break;
      }
      case 'schedule':
        this.#effects.push(effect);
        break;
      case 'execute':
      case 'cancel':
      case 'forget':
        this.#work.push({ for: 'lrm', input: effect });
        break;
      case 'fence':
        this.#work.push({ for: 'stonith', input: effect });
        break;
      case 'confirmDown':
        this.#work.push({ for: 'stonith', input: effect });
        break;
      case 'cibChanged':
        this.#cibChanged(effect, now);
        break;
      case 'integrated': {
        const { replica, lineage } = this.#crm;
        this.#durable.agreed(effect.number, replica.state, lineage, this.#effects);
        break;
      }
      case 'answer':
      case 'resetSelf':
        this.#effects.push(effect);
        break;
      case 'leave':
        if (effect.isClean) this.#leaveMembership(effect.reason);
        else this.#stop(1, effect.reason);
        break;
      case 'report':
        this.#effects.push({ ...effect, subsystem: 'crm' });
        break;
      case 'startTimer':
        this.#timers.start(effect.id, later(now, effect.delayMs));
        break;
      case 'stopTimer':
        this.#timers.stop(effect.id);
        break;
      default:
        unreachable(effect);
    }
  }

  #cibChanged(
    { before, after, isConfiguration, isWhole }: Extract<CrmEffect, { type: 'cibChanged' }>,
    now: Instant,
  ): void {
    this.#effects.push({ type: 'cibChanged', cib: after, isConfiguration });
    if (isConfiguration) {
      const isNews = this.#fencing.configurationChanged(before, after, { isWhole });
      if (isNews && this.#view !== undefined) this.#tellFencerMembers();
      this.#knowNodes(after, now);
    }
  }

  /** Nodes that the configuration has gained (or lost) are listened to (or not) from now on. */
  #knowNodes(cib: Cib, now: Instant): void {
    const names = allNames(this.#start.configuration, cib);
    if (names.length === this.#ids.names.length && names.every((name) => this.#ids.has(name))) return;
    const ids = NodeIds.of(names);
    if (!ids.ok) {
      this.#report('node', 'error', 'nodes.refused', ids.error, {});
      return;
    }
    const setup = this.#messagingSetup(names);
    if (!setup.ok) {
      this.#report('node', 'error', 'nodes.refused', setup.error, {});
      return;
    }
    this.#ids = ids.value;
    for (const effect of this.#engine.reconfigure(setup.value, now)) this.#fromMessaging(effect);
    this.#keyInput({ type: 'nodes', nodes: names });
    this.#networkInput({ type: 'nodes', nodes: names });
  }

  /** As configured, with the keys that are in use now. */
  #messagingSetup(names: readonly string[]): ReturnType<typeof messagingSetup> {
    const { configuration } = this.#start;
    return messagingSetup(
      { ...configuration, messaging: { ...configuration.messaging, ...this.#network.settings, keys: this.#keys.keys } },
      names,
    );
  }

  /** Keys, links or timing are others now. */
  #reconfigure(now: Instant): void {
    const setup = this.#messagingSetup(this.#ids.names);
    invariant(setup.ok, 'other keys and links do not make the set of nodes wrong');
    for (const each of this.#engine.reconfigure(setup.value, now)) this.#fromMessaging(each);
  }

  // ---- the network ------------------------------------------------------------------------------------------------

  #networkInput(input: NetworkInput): void {
    this.#work.push({ for: 'network', input });
  }

  #fromNetwork(effect: NetworkEffect, now: Instant): void {
    switch (effect.type) {
      case 'send':
        this.#submit({ envelope: { to: 'files', message: effect.message }, service: 'agreed' }, this.#view?.tag.number);
        break;
      case 'changeFile':
      case 'answer':
        this.#effects.push(effect);
        break;
      case 'reconfigure':
        this.#reconfigure(now);
        break;
      case 'lookAgain':
        this.#timers.start(lookTimer, later(now, effect.delayMs));
        break;
      default:
        unreachable(effect);
    }
  }

  // ---- the cluster's keys -----------------------------------------------------------------------------------------

  #keyInput(input: KeyInput): void {
    this.#work.push({ for: 'keys', input });
  }

  #fromKeys(effect: KeyEffect, now: Instant): void {
    switch (effect.type) {
      case 'send':
        this.#submit({ envelope: { to: 'keys', message: effect.message }, service: 'agreed' }, this.#view?.tag.number);
        break;
      case 'saveKeys':
        this.#keysToken = this.#nextToken++;
        this.#effects.push({ type: 'saveKeys', token: this.#keysToken, ring: effect.ring });
        break;
      case 'useKeys':
        this.#reconfigure(now);
        break;
      case 'answer':
        this.#effects.push(effect);
        break;
      case 'report':
        this.#effects.push({ ...effect, subsystem: 'messaging' });
        break;
      default:
        unreachable(effect);
    }
  }

  #tellFencerMembers(): void {
    const members = this.#view?.members.map(({ node }) => this.#name(node)) ?? [this.self];
    this.#fencing.membersChanged(members, this.#isQuorate, this.#crm.cib);
  }

  // ---- the world --------------------------------------------------------------------------------------------------

  #request(requestId: string, request: NodeRequest, now: Instant): void {
    switch (request.type) {
      case 'askDevice':
      case 'findDevices':
        this.#fencing.expect(requestId);
        this.#work.push({ for: 'stonith', input: { ...request, requestId } });
        break;
      case 'gather': {
        const members = this.#view?.members.map(({ node }) => this.#name(node)) ?? [];
        const { what, since } = request;
        this.#gathered(this.#gathering.ask(requestId, { what, since }, members));
        break;
      }
      case 'cleanFencingHistory':
        this.#work.push({
          for: 'stonith',
          input: { type: 'cleanHistory', ...(request.target === undefined ? {} : { target: request.target }) },
        });
        this.#effects.push({ type: 'answer', requestId, answer: { ok: true, value: {} } });
        break;
      case 'quorumProceed':
      case 'quorumForce':
        this.#quorumRequest(requestId, request.type, now);
        break;
      case 'changeNetwork': {
        const { change } = request;
        this.#networkInput({ type: 'request', requestId, change, isQuorate: this.#isQuorate });
        break;
      }
      case 'rotateKey': {
        const { without } = request;
        this.#keyInput({ type: 'rotate', requestId, without, isQuorate: this.#isQuorate });
        break;
      }
      case 'change':
      case 'setAttributes':
      case 'cleanUp':
      case 'fence':
      case 'confirmDown':
        this.#crmInput({ type: 'request', requestId, request });
        break;
      default:
        unreachable(request);
    }
  }

  #gathered({ letters, collect, answer, timer }: Outcome): void {
    for (const envelope of letters) this.#submit({ envelope, service: 'agreed' });
    if (collect !== undefined) this.#effects.push(collect);
    if (answer !== undefined) this.#effects.push({ type: 'answer', ...answer });
    if (timer !== undefined) this.#timers.start(timer, later(this.#lastStep, gatherTimeoutMs));
  }

  #quorumRequest(requestId: string, type: 'quorumProceed' | 'quorumForce', now: Instant): void {
    const { memory } = this.#engine.status(now);
    const members = this.#view?.members.map(({ node }) => node) ?? [];
    const after = type === 'quorumProceed' ? proceeding(memory) : forced(memory, members);
    this.#work.push({ for: 'messaging', input: { type: 'quorumMemory', memory: after } });
    this.#effects.push({ type: 'answer', requestId, answer: { ok: true, value: {} } });
  }

  #saved({ token, isOk, problem }: Extract<NodeInput, { type: 'saved' }>, now: Instant): void {
    if (!isOk) {
      this.#report('node', 'error', 'disk.failed', `could not write what must survive: ${problem ?? 'unknown'}`, {});
    }
    const engineToken = this.#membershipSaves.get(token);
    if (engineToken !== undefined) {
      // What is not on disk must not be promised: messaging goes on waiting, and stays uncertain of its quorum.
      if (!isOk) return;
      this.#membershipSaves.delete(token);
      this.#work.push({ for: 'messaging', input: { type: 'saved', token: engineToken } });
      return;
    }
    if (token === this.#keysToken) {
      this.#keyInput({ type: 'saved', isOk, ...(problem === undefined ? {} : { problem }) });
      if (!isOk) this.#timers.start(retryKeysTimer, later(now, retrySaveMs));
      return;
    }
    for (const told of this.#durable.saved(token, isOk)) this.#work.push({ for: 'messaging', input: told });
    if (!isOk) this.#timers.start(retrySaveTimer, later(now, retrySaveMs));
  }

  #processEnded(input: ProcessEnded): void {
    this.#work.push(input.id.startsWith('stonith/') ? { for: 'stonith', input } : { for: 'lrm', input });
  }

  #timerExpired(id: string): void {
    if (id === retrySaveTimer) {
      const { replica, lineage } = this.#crm;
      this.#durable.retry(replica.state, lineage, this.#effects);
      return;
    }
    if (id === retryKeysTimer) return this.#keyInput({ type: 'retry' });
    if (id === lookTimer) return this.#networkInput({ type: 'look' });
    if (isGatheringTimer(id)) return this.#gathered(this.#gathering.expired(id));
    if (id === uncertainFeedTimer) {
      this.#hasHeldLately = false;
      return;
    }
    const input = { type: 'timerExpired', id } as const;
    if (id.startsWith('lrm/')) this.#work.push({ for: 'lrm', input });
    else if (id.startsWith('stonith/')) this.#work.push({ for: 'stonith', input });
    else this.#work.push({ for: 'crm', input });
  }

  /**
   * A person has no more patience. With services running here, going quietly would let the others start second copies:
   * then this node goes without a word, and is fenced like any that is lost.
   */
  #leaveAtOnce(): void {
    if (this.#runsNothing() && this.#lrm.isIdle()) this.#leaveMembership('told twice to leave');
    else this.#stop(1, 'told twice to leave, while resources run here: the others will fence this node');
  }

  #leaveMembership(reason: string): void {
    this.#work.push({ for: 'messaging', input: { type: 'leave', reason } });
  }

  #stop(exitCode: number, reason: string): void {
    this.#hasStopped = true;
    this.#work = [];
    this.#effects.push({ type: 'stop', exitCode, reason });
  }

  #reportMessaging({ event, fields }: Extract<EngineEffect, { type: 'report' }>): void {
    const { level, text } = messagingWords(event, fields, (id) => this.#name(id));
    this.#report('messaging', level, event, text, fields);
  }

  #report(
    subsystem: Subsystem,
    level: Report['level'],
    event: string,
    text: string,
    fields: Readonly<Record<string, unknown>>,
  ): void {
    this.#effects.push({ type: 'report', subsystem, level, event, text, fields });
  }

  #name(id: number): string {
    return this.#ids.name(id) ?? `#${id}`;
  }
}

export const createNode = (start: NodeStart): ClusterNode => new ClusterNode(start);

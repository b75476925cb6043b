/**
 * The cluster resource manager of one node: keeps this node's copy of the CIB equal to all members' by applying what
 * is delivered in the agreed order, knows who leads, carries out what the DC orders for this node, and is the DC when
 * it is its turn.
 *
 * The life of a view:
 *
 *   viewInstalled   departures enter the status (all survivors do the same)
 *   viewActive      all came from one view together → agreed at once; else `hello`, then the newest CIB as `state`
 *   agreed          one CIB everywhere; what was delivered meanwhile is applied now; the DC is known to all
 *   join            members that the CIB does not count as such tell what runs on them
 *
 * While a view is not agreed nothing is applied: messages wait, in their order. So a `state` is at its delivery what it
 * was at its sending, and no member applies a change to a CIB that others do not have.
 *
 * A node that was asleep is the dangerous one: it believes in a quorum that has moved on. Messaging says `uncertain` in
 * the first step after a pause; and an order to start something is carried out only while quorum is held here and now.
 */
import { type Cib, compareVersions, formatVersion, Replica } from '@systole/cib';
import {
  type Filling,
  type Instant,
  later,
  start,
  stateName,
  step,
  type Subsystem,
  unreachable,
} from '@systole/kernel';
import { applyDepartures, applyMessage, reconciled } from './apply.ts';
import { ClientRequests, requestsMax } from './client-requests.ts';
import type { CrmEffect, CrmInput, CrmOptions, Position, Report, ViewMember } from './contract.ts';
import { type ControllerEvent, controllerMachine } from './controller.machine.ts';
import { DcDuties, type Office } from './dc.ts';
import { Fitness, registrar } from './fitness.ts';
import { escalationTimer, Leaving } from './leaving.ts';
import { checkMessage, type ControllerMessage, type Hello, type Perform } from './messages.ts';
import {
  configurationChanged,
  memberDeparted,
  nodeFenced,
  operationEnded,
  operationName,
  report,
} from './narration.ts';
import { booleanOption, clusterOption } from './options.ts';
import { readOrder } from './orders.ts';
import { Outbox, outboxMax } from './outbox.ts';
import { OwnLife } from './own-life.ts';
import { fenced, nodeState } from './status/node-state.ts';
import { donorOf, leaderOf } from './sync.ts';
import { candidates, type View } from './view.ts';

/** What this program's controllers can do; raised when a message or its effect on the CIB changes. */
export const featureSet = 1;

/** How long after the policy engine could not plan it is asked again where no news comes: its thread may be up again by then. */
const planRetryMs = 10_000;
const bufferedMax = 16_384; // messages waiting for agreement; beyond it the view is of no use, and we say so

interface Delivered {
  readonly from: string;
  readonly position: Position;
  readonly isTransitional: boolean;
  readonly messageId?: number;
  readonly message: ControllerMessage;
}

/** What others may know of a controller, for status and tests. */
export interface ControllerState {
  readonly state: string;
  readonly dc: string | undefined;
  readonly quorum: 'held' | 'uncertain' | 'lost' | 'unknown';
  readonly quorumReason: string;
  readonly viewNumber: number | undefined;
  readonly members: readonly ViewMember[];
  readonly isAgreed: boolean;
  readonly isSettled: boolean;
  readonly isLeaving: boolean;
}

export class Controller implements Subsystem<CrmInput, CrmEffect> {
  readonly #options: CrmOptions;
  readonly #replica: Replica;
  readonly #outbox = new Outbox();
  readonly #dc: DcDuties;
  readonly #requests: ClientRequests;
  #machine = start(controllerMachine, { self: '' }).snapshot;
  #view: View | undefined;
  readonly #fitness: Fitness;
  readonly #life: OwnLife;
  readonly #leaving: Leaving;
  /** Those who came with us out of the last view, if our CIB was the view's. */
  #companions: readonly string[] = [];
  #lineage: number;
  #features: ReadonlyMap<string, number>;
  #quorum: 'held' | 'uncertain' | 'lost' | 'unknown' = 'unknown';
  #quorumReason = 'no view yet';
  #exclusiveAt: Instant | undefined;
  #quorateSince: Instant | undefined;
  /** In this life of the daemon. */
  #hasHeldQuorum = false;
  #buffered: Delivered[] = [];
  #position: Position = { view: 0, sequence: 0 };
  #lastChange: Position = { view: 0, sequence: 0 };
  #settledAsOf: Position | undefined;
  #effects: CrmEffect[] = [];
  #now: Instant;

  constructor(options: CrmOptions) {
    this.#options = options;
    this.#replica = new Replica(options.saved?.state);
    this.#lineage = options.saved?.lineage ?? 0;
    this.#features = new Map([[options.self, featureSet]]);
    this.#dc = new DcDuties(options);
    this.#requests = new ClientRequests(options);
    this.#fitness = new Fitness(options);
    this.#life = new OwnLife(options.self, options.incarnation);
    this.#leaving = new Leaving(options, this.#life);
    this.#machine = start(controllerMachine, { self: options.self }).snapshot;
    this.#now = options.now;
  }

  get cib(): Cib {
    return this.#replica.cib;
  }

  get replica(): Replica {
    return this.#replica;
  }

  get lineage(): number {
    return this.#lineage;
  }

  get transitions(): DcDuties {
    return this.#dc;
  }

  get state(): ControllerState {
    const view = this.#view;
    return {
      state: stateName(this.#machine),
      dc: this.#machine.context.dc,
      quorum: this.#quorum,
      quorumReason: this.#quorumReason,
      viewNumber: view?.number,
      members: view?.members ?? [],
      isAgreed: view?.agreedAt !== undefined,
      isSettled: this.#isSettled(),
      isLeaving: this.#leaving.isUnderWay,
    };
  }

  get fillings(): readonly Filling[] {
    return [
      { queue: 'crm outbox', count: this.#outbox.waitingCount, max: outboxMax },
      { queue: 'crm messages before agreement', count: this.#buffered.length, max: bufferedMax },
      { queue: 'crm requests', count: this.#requests.waitingCount, max: requestsMax },
    ];
  }

  step(input: CrmInput, now: Instant): readonly CrmEffect[] {
    this.#effects = [];
    this.#now = now;
    this.#take(input);
    this.#takeTransitionEnd();
    return this.#effects;
  }

  #take(input: CrmInput): void {
    switch (input.type) {
      case 'lrmReady':
        this.#life.found(input.history);
        this.#joinIfNeeded();
        break;
      case 'viewEnding':
        this.#viewEnding(input.survivors);
        break;
      case 'viewInstalled':
        this.#viewInstalled(input);
        break;
      case 'viewActive':
        this.#viewActive();
        break;
      case 'quorum':
        this.#quorumChanged(input);
        break;
      case 'delivered':
        this.#delivered(input);
        break;
      case 'rejected':
        this.#rejected(input.messageId);
        break;
      case 'scheduled':
        this.#scheduled(input);
        break;
      case 'operationEnded': {
        const { type: _type, ...result } = input;
        this.#post({ type: 'result', ...result });
        break;
      }
      case 'operationCancelled':
        if (input.operationId !== undefined || input.removed.length > 0) {
          const { operationId = '', resource, removed } = input;
          this.#post({ type: 'cancelled', operationId, resource, removed });
        }
        break;
      case 'historyForgotten': {
        const { operationId = '', resource, records } = input;
        if (operationId !== '') {
          this.#post({ type: 'forgotten', operationId, resource, ...(records === undefined ? {} : { records }) });
        }
        break;
      }
      case 'fenceEnded':
        this.#fenceEnded(input);
        break;
      case 'request':
        if (!this.#takeEarly(input)) {
          this.#requests.take(input.requestId, input.request, this.#desk());
        }
        break;
      case 'shutDown':
        this.#shutDown(input.reason);
        break;
      case 'timerExpired':
        this.#timerExpired(input.id);
        break;
      default:
        unreachable(input);
    }
  }

  // ---- views ------------------------------------------------------------------------------------------------------

  #viewEnding(survivors: readonly string[]): void {
    const view = this.#view;
    // A view that never became active here may have been so elsewhere, and agreed on at once by those who had come into it
    // together. Nothing was said in it, else it would have become active here too: they have one CIB still. (Simulator,
    // seed 2888: one of them waited in the next view for hellos that the others saw no need for.)
    const isOne = view?.agreedAt !== undefined || (view?.isActive === false && this.#cameTogether(view));
    this.#companions = isOne ? survivors : [];
    this.#outbox.close();
  }

  #viewInstalled(input: Extract<CrmInput, { type: 'viewInstalled' }>): void {
    this.#outbox.close();
    // What this view's members could not apply was applied by nobody: those who sent it send it again.
    for (const { message, messageId } of this.#buffered.splice(0)) {
      if (messageId !== undefined) this.#outbox.again(messageId, message, serviceOf(message));
    }
    this.#view = { number: input.number, members: input.members, isActive: false, hellos: new Map() };
    this.#settledAsOf = undefined;
    this.#position = { view: input.number, sequence: 0 };
    this.#lastChange = this.#position;
    this.#quorum = this.#quorum === 'unknown' ? 'unknown' : 'uncertain';
    const self = this.#options.self;
    const departed = input.departed.filter(({ name }) => name !== self);
    const gone = departed.map(({ name, cause }) => `${name} ${cause === 'left' ? 'has left' : 'is lost'}`);
    if (gone.length > 0) this.#dc.noteCause(gone.join(', '));
    for (const member of departed) this.#effects.push(memberDeparted(member));
    this.#replace(applyDepartures(this.cib, departed), { isWhole: false });
    this.#feed({ type: 'viewEnded' });
    for (const { name } of departed) this.#dc.nodeGone(name, this.#now, this.#office());
  }

  #viewActive(): void {
    const view = this.#view;
    if (view === undefined || view.isActive) return;
    view.isActive = true;
    this.#feed({ type: 'viewActivated' });
  }

  /** All of them were in one view before this one, and had its CIB. */
  #cameTogether({ members }: View): boolean {
    return members.every(({ name }) => this.#companions.includes(name));
  }

  /** Entered with `electing`: are the CIBs known to be equal, or must they be compared first? */
  #compareCibs(): void {
    const view = this.#view;
    if (view === undefined) return;
    if (this.#cameTogether(view)) {
      this.#agreed(view);
      return;
    }
    const { incarnation } = this.#options;
    const hello: Hello = {
      type: 'hello',
      incarnation,
      lineage: this.#lineage,
      version: this.cib.version,
      digest: this.#replica.digest(),
      featureSet,
    };
    this.#outbox.post(hello, 'agreed', this.#effects, true);
  }

  #hello(from: string, hello: Hello): void {
    const view = this.#view;
    if (view === undefined || view.agreedAt !== undefined) return;
    view.hellos.set(from, hello);
    if (!view.members.every(({ name }) => view.hellos.has(name))) return;
    const donor = donorOf(candidates(view));
    this.#features = new Map([...view.hellos].map(([name, member]) => [name, member.featureSet]));
    if (donor.name === this.#options.self) {
      this.#outbox.post({ type: 'state', replica: this.#replica.state }, 'agreed', this.#effects, true);
    }
  }

  /** The newest CIB is here: everyone, its donor too, goes on from it. */
  #stateDelivered(from: string, replica: Extract<ControllerMessage, { type: 'state' }>['replica']): void {
    const view = this.#view;
    if (view === undefined || view.agreedAt !== undefined) return;
    const heard = candidates(view);
    if (heard.length < view.members.length || donorOf(heard).name !== from) return;
    this.#life.remember(this.cib);
    const before = this.cib;
    const order = compareVersions(replica.cib.version, before.version);
    if (from !== this.#options.self && (order !== 0 || heard.some(({ lineage }) => lineage !== this.#lineage))) {
      const text = `taking over CIB ${formatVersion(replica.cib.version)} from ${from}; ours was ${formatVersion(before.version)}`;
      this.#report('info', 'cib.takenOver', text, { from });
    }
    // What a member did while it had another CIB is not in this one: until its join tells, nobody knows what it runs.
    // (Simulator, seed 1778: a minority had stopped its services, and the CIB it came back to said that they ran.)
    const digest = heard.find(({ name }) => name === from)?.digest;
    const together = heard.filter((candidate) => candidate.digest === digest).map(({ name }) => name);
    const cib = reconciled(
      replica.cib,
      view.members.filter(({ name }) => together.includes(name)),
    );
    this.#replica.install({ cib, records: replica.records }, { force: true });
    if (from !== this.#options.self) this.#requests.replaced(before, cib, this.#desk());
    this.#effects.push({ type: 'cibChanged', before, after: cib, isConfiguration: true, isWhole: true });
    this.#agreed(view);
  }

  #agreed(view: View): void {
    view.agreedAt = this.#now;
    if (this.#quorum === 'held') this.#lineage = view.number;
    const ranked = view.members.map(({ name }) => ({ name, featureSet: this.#features.get(name) ?? featureSet }));
    const dc = leaderOf(ranked) ?? this.#options.self;
    this.#effects.push({ type: 'integrated', number: view.number, dc });
    const names = view.members.map(({ name }) => name);
    this.#report('info', 'dc.elected', `${dc} leads ${names.join(' ')} (view ${view.number})`, {
      dc,
      members: names,
      view: view.number,
    });
    if (dc !== this.#options.self) this.#dc.stepDown(this.#office());
    // What runs here as the CIB knew it comes first, then what has become of it since (simulator, seed 21390: a failure
    // that was told before the join was undone by it, and never told again).
    this.#joinIfNeeded();
    this.#outbox.open(this.#effects);
    this.#askToLeave();
    for (const waiting of this.#buffered.splice(0)) this.#apply(waiting);
    this.#requests.agreed(this.#desk());
    this.#feed({ type: 'agreed', dc });
  }

  /** True if it was kept: it goes out with the join. */
  #takeEarly({ requestId, request }: Extract<CrmInput, { type: 'request' }>): boolean {
    if (request.type !== 'setAttributes' || request.node !== this.#options.self || this.#life.isKnown) return false;
    this.#life.keepAttributes(request.values);
    this.#effects.push({ type: 'answer', requestId, answer: { ok: true, value: {} } });
    return true;
  }

  /** Tells what runs here, where the cluster's CIB does not count this life of the node as a member. */
  #joinIfNeeded(): void {
    if (this.#view?.agreedAt === undefined) return;
    const join = this.#life.join(this.cib, this.#view.number);
    if (join !== undefined) this.#outbox.post(join, 'agreed', this.#effects, true);
  }

  // ---- quorum -----------------------------------------------------------------------------------------------------

  #quorumChanged(input: Extract<CrmInput, { type: 'quorum' }>): void {
    const before = this.#quorum;
    this.#quorum = input.state;
    this.#quorumReason = input.reason;
    const after = input.exclusiveAfterMs;
    if (input.state === 'held' && before !== 'held') {
      this.#exclusiveAt = after === undefined ? undefined : later(this.#now, after);
      this.#quorateSince ??= this.#now;
      if (this.#view?.agreedAt !== undefined) this.#lineage = this.#view.number;
    }
    if (before !== input.state) {
      const level = input.state === 'lost' ? 'warn' : input.state === 'held' ? 'info' : 'debug';
      this.#report(level, `quorum.${input.state}`, `quorum ${input.state}: ${input.reason}`);
      if (input.state !== 'uncertain') this.#news(`quorum ${input.state}`);
    }
    if (input.state === 'held') this.#hasHeldQuorum = true;
    else if (input.state === 'lost' && before !== 'lost') this.#resetIfPolicySaysSo();
    this.#outbox.quorum(input.state === 'held', this.#effects);
    if (input.state === 'uncertain') this.#feed({ type: 'unfit' });
    this.#requests.quorumChanged(this.#desk());
    this.#checkFitness();
  }

  /**
   * `no-quorum-policy=fence` (`suicide`): a partition that had quorum and lost it is no more. Each of its nodes resets
   * itself: no partition without quorum may order fencing, and a device may be out of reach.
   */
  #resetIfPolicySaysSo(): void {
    const policy = clusterOption(this.cib, 'no-quorum-policy');
    const isAsked = policy === 'fence' || policy === 'suicide';
    if (
      !isAsked ||
      !this.#hasHeldQuorum ||
      this.#leaving.isUnderWay ||
      !booleanOption(this.cib, true, 'fencing-enabled', 'stonith-enabled')
    )
      return;
    const reason = `quorum is lost (${this.#quorumReason}), and no-quorum-policy is ${policy}`;
    this.#report('error', 'node.resets', reason);
    this.#effects.push({ type: 'resetSelf', reason });
  }

  /** True if an operation that makes something run may begin on this node now. */
  #mayStart(): boolean {
    if (this.#quorum === 'held') return this.#options.isQuorumHeldNow?.() ?? true;
    const policy = clusterOption(this.cib, 'no-quorum-policy') ?? 'stop';
    return this.#quorum === 'lost' && (policy === 'ignore' || policy === 'freeze' || policy === 'demote');
  }

  // ---- messages ---------------------------------------------------------------------------------------------------

  #delivered(input: Extract<CrmInput, { type: 'delivered' }>): void {
    const { from, position, isTransitional, messageId } = input;
    if (messageId !== undefined) this.#outbox.delivered(messageId);
    const checked = checkMessage(input.message);
    if (!checked.ok) {
      this.#report('error', 'message.refused', `a message of ${from} makes no sense: ${checked.error}`, { from });
      return;
    }
    const message = checked.value;
    this.#position = position;
    if (message.type === 'hello') {
      if (!isTransitional) this.#hello(from, message);
    } else if (message.type === 'state') {
      if (!isTransitional) this.#stateDelivered(from, message.replica);
    } else {
      const delivered = { from, position, isTransitional, message, ...(messageId === undefined ? {} : { messageId }) };
      if (this.#view?.agreedAt !== undefined) this.#apply(delivered);
      else if (this.#buffered.length < bufferedMax) this.#buffered.push(delivered);
      else this.#report('error', 'message.dropped', 'too many messages wait for the members to agree on a CIB');
    }
  }

  #apply(delivered: Delivered): void {
    const { from, message, messageId, position, isTransitional } = delivered;
    const before = this.cib;
    if (message.type === 'change' && message.change.edits.length > 0) {
      this.#applyChange(delivered);
      return;
    }
    const applied = applyMessage(before, from, message);
    const after = applied.ok ? applied.value.cib : before;
    this.#replace(after, { isWhole: false });
    if (after !== before) this.#lastChange = position;
    if (applied.ok) {
      const here = applied.value.forgotten.filter(({ node }) => node === this.#options.self);
      for (const { resource } of here) this.#effects.push({ type: 'forget', resource });
    }
    if (messageId !== undefined) this.#requests.delivered(messageId, { isTransitional }, this.#desk());
    this.#follow(delivered, after !== before);
  }

  #applyChange({ from, message, messageId, position, isTransitional }: Delivered): void {
    if (message.type !== 'change') return;
    const before = this.cib;
    const isOfEpoch = message.ifEpoch === undefined || message.ifEpoch === before.version.epoch;
    const author = {
      at: message.at as Author['at'],
      user: message.user,
      ...(message.command === undefined ? {} : { command: message.command }),
    };
    const accepted = isOfEpoch
      ? this.#replica.accept(message.change, author)
      : ({
          ok: false,
          error: [{ path: 'version.epoch', expected: message.ifEpoch, found: before.version.epoch }],
        } as const);
    if (accepted.ok && accepted.value !== before) {
      this.#lastChange = position;
      this.#effects.push({ type: 'cibChanged', before, after: accepted.value, isConfiguration: true, isWhole: false });
      this.#effects.push(configurationChanged(from, message, accepted.value));
    }
    if (messageId !== undefined) {
      const conflict = accepted.ok ? undefined : accepted.error;
      this.#requests.delivered(
        messageId,
        { isTransitional, ...(conflict === undefined ? {} : { conflict }) },
        this.#desk(),
      );
    }
    if (!accepted.ok || message.user === registrar) this.#fitness.registrationEnded();
    if (accepted.ok && message.user !== registrar) this.#newNodes(before);
    if (accepted.ok) {
      this.#dc.resetAttempts();
      this.#news(message.command ?? 'a change of the configuration');
    }
  }

  /**
   * Nodes that an operator has just added have never run anything for this cluster: they count as down, not as lost.
   * (Those that the cluster enters itself, at its start, may be running: nobody has seen them yet.)
   */
  #newNodes(before: Cib): void {
    const known = new Set(before.configuration.nodes.map(({ name }) => name));
    const added = this.cib.configuration.nodes.filter(
      ({ name, type }) => !known.has(name) && (type ?? 'member') === 'member',
    );
    const after = added.reduce(
      (cib, { name }) => (nodeState(cib, name) === undefined ? fenced(cib, name) : cib),
      this.cib,
    );
    this.#replace(after, { isWhole: false });
  }

  /** What follows from a message beyond its effect on the CIB: deeds of this node, duties of the DC. */
  #follow({ from, message, position }: Delivered, hasChanged: boolean): void {
    switch (message.type) {
      case 'join':
        this.#report('info', 'node.joined', `${from} is a member`, { node: from });
        this.#dc.resetAttempts();
        if (from === this.#options.self) this.#askToLeave();
        this.#news(`${from} joined`);
        this.#checkFitness();
        break;
      case 'perform':
        if (message.to === this.#options.self) this.#perform(message);
        break;
      case 'result':
        this.#resultDelivered(from, message, hasChanged);
        break;
      case 'refused':
        this.#report('warn', 'operation.refused', `${from} did not begin ${message.operationId}: ${message.reason}`, {
          node: from,
        });
        this.#dc.actionEnded(message.operationId, false, undefined, this.#now, this.#office());
        break;
      case 'cancelled':
      case 'forgotten':
        // In a transition these follow from its own stops; otherwise somebody has asked for them.
        if (
          !this.#dc.actionEnded(message.operationId, true, undefined, this.#now, this.#office()) &&
          hasChanged &&
          this.#dc.progress === undefined
        ) {
          this.#news(`history of ${message.resource} on ${from}`);
        }
        break;
      case 'attributes': {
        const { operationId = '' } = message;
        const wasOurs = this.#dc.actionEnded(operationId, true, undefined, this.#now, this.#office());
        if (hasChanged && !wasOurs)
          this.#news(`attributes of ${message.node}: ${Object.keys(message.values).join(' ')}`);
        break;
      }
      case 'cleaned':
        this.#dc.resetAttempts();
        this.#news(`clean-up of ${message.resource ?? 'all resources'}`);
        break;
      case 'fenced': {
        this.#effects.push(nodeFenced(message));
        if (!this.#dc.actionEnded(message.requestId, true, undefined, this.#now, this.#office()))
          this.#news(`${message.target} was fenced`);
        break;
      }
      case 'settled':
        if (position.view === this.#view?.number) this.#settledAsOf = message.asOf;
        if (this.#isSettled()) this.#report('info', 'cluster.settled', 'nothing is left to do');
        break;
      case 'hello':
      case 'state':
      case 'change':
        break;
      default:
        unreachable(message);
    }
  }

  #resultDelivered(from: string, message: Extract<ControllerMessage, { type: 'result' }>, hasChanged: boolean): void {
    const { operationId, record, hasSucceeded } = message;
    this.#effects.push(operationEnded(from, message));
    const isAwaited = this.#dc.isAwaited(operationId);
    this.#dc.actionEnded(operationId, hasSucceeded, record.exitCode, this.#now, this.#office());
    if (!isAwaited && hasChanged) this.#news(`${operationName(from, message)} gave ${record.exitCode}`);
  }

  /** The DC's order for this node. */
  #perform(message: Perform): void {
    const order = readOrder(message, this.#mayStart() ? undefined : `quorum is ${this.#quorum} here`);
    if (order.type === 'leave') this.#leaving.go('its resources are stopped', true, this.#effects);
    else if (order.type === 'refused') this.#post(order);
    else this.#effects.push(order);
  }

  #rejected(messageId: number): void {
    const message = this.#outbox.rejected(messageId);
    if (message?.type === 'join') this.#life.joinRejected();
    if (message?.type === 'perform') this.#dc.orderRejected(messageId, this.#now, this.#office());
  }

  #post(message: ControllerMessage): number {
    return this.#outbox.post(message, serviceOf(message), this.#effects);
  }

  // ---- being the DC -----------------------------------------------------------------------------------------------

  #feed(event: ControllerEvent): void {
    const { snapshot, effects } = step(controllerMachine, this.#machine, event);
    const before = stateName(this.#machine);
    this.#machine = snapshot;
    const after = stateName(snapshot);
    if (before !== after)
      this.#report('debug', 'controller.state', `${before} → ${after} on ${event.type}`, { from: before, to: after });
    for (const { type, params } of effects) {
      switch (type) {
        case 'compareCibs':
          this.#compareCibs();
          break;
        case 'lead':
          this.#dc.lead();
          break;
        case 'stepDown':
          this.#dc.abort('the view ended', this.#now, this.#office());
          break;
        case 'checkFitness':
          this.#checkFitness();
          break;
        case 'schedule':
          this.#dc.schedule(this.#office());
          break;
        case 'discardSchedule':
          this.#dc.discardSchedule();
          break;
        case 'carryOut':
          this.#dc.carryOut(this.#now, this.#office());
          break;
        case 'abortTransition':
          this.#dc.abort(String(params['reason']), this.#now, this.#office());
          break;
        case 'settle':
          this.#settle();
          break;
        case 'lookAgain':
          this.#effects.push({ type: 'startTimer', id: 'crm.recheck', delayMs: planRetryMs });
          break;
      }
    }
  }

  #news(reason: string): void {
    this.#dc.noteCause(reason);
    this.#feed({ type: 'news', reason });
  }

  #takeTransitionEnd(): void {
    for (let end = this.#dc.takeEnd(); end !== undefined; end = this.#dc.takeEnd()) {
      this.#feed({ type: 'transitionEnded', isDone: end.isDone });
      this.#checkFitness();
    }
  }

  /** Says `fit` if nothing speaks against planning now; else sees to it that the obstacle goes or is looked at again. */
  #checkFitness(): void {
    if (stateName(this.#machine) !== 'dc.integrating') return;
    const obstacle = this.#fitness.obstacle({
      cib: this.cib,
      view: this.#view,
      quorum: this.#quorum,
      quorateSince: this.#quorateSince,
      exclusiveAt: this.#exclusiveAt,
      isFinishing: this.#dc.progress !== undefined,
      breathLeftMs: this.#dc.breathLeftMs(this.#now),
      now: this.#now,
    });
    switch (obstacle.type) {
      case 'clear':
        this.#effects.push({ type: 'stopTimer', id: 'crm.fitness' });
        this.#feed({ type: 'fit' });
        break;
      case 'wait':
        this.#effects.push({ type: 'startTimer', id: 'crm.fitness', delayMs: obstacle.delayMs });
        break;
      case 'announced':
        if (obstacle.ask !== undefined) this.#post(obstacle.ask);
        break;
      default:
        unreachable(obstacle);
    }
  }

  #scheduled({ scheduleId, outcome }: Extract<CrmInput, { type: 'scheduled' }>): void {
    if (outcome.type === 'failed') {
      this.#report('error', 'schedule.failed', `nothing is planned: the policy engine failed: ${outcome.message}`);
      if (this.#dc.takePlan(scheduleId, emptyTransition) !== 'stale') this.#feed({ type: 'planFailed' });
      return;
    }
    const plan = this.#dc.takePlan(scheduleId, outcome.transition);
    if (plan !== 'stale') this.#feed({ type: 'scheduled', isEmpty: plan === 'empty' });
  }

  #settle(): void {
    const delayMs = Math.min(this.#dc.rest(this.#office()), 2 ** 31 - 1);
    this.#effects.push({ type: 'startTimer', id: 'crm.recheck', delayMs });
    const last = this.#dc.records.at(-1)?.id;
    this.#post({ type: 'settled', asOf: this.#position, ...(last === undefined ? {} : { transitionId: last }) });
  }

  #isSettled(): boolean {
    const asOf = this.#settledAsOf;
    return (
      this.#view?.agreedAt !== undefined &&
      asOf !== undefined &&
      asOf.view === this.#view.number &&
      asOf.sequence >= this.#lastChange.sequence
    );
  }

  #fenceEnded(input: Extract<CrmInput, { type: 'fenceEnded' }>): void {
    const { requestId, target, action, outcome, devices, executor, reason } = input;
    this.#dc.fencingEnded(target, outcome, this.#office());
    if (outcome === 'ok') {
      const at = Math.floor(this.#options.wallClock() / 1000);
      this.#post({
        type: 'fenced',
        requestId,
        target,
        action,
        devices,
        at,
        ...(executor === undefined ? {} : { executor }),
      });
    } else {
      this.#report('error', 'fencing.failed', `could not fence ${target} (${action}): ${reason}`, {
        target,
        action,
        outcome,
      });
      this.#dc.actionEnded(requestId, false, undefined, this.#now, this.#office());
    }
    this.#requests.fenceEnded(input, this.#desk());
  }

  // ---- leaving ----------------------------------------------------------------------------------------------------

  #shutDown(reason: string): void {
    if (this.#leaving.isUnderWay) return;
    this.#leaving.begin(reason, this.cib, this.#effects);
    if (this.#view?.agreedAt === undefined) return; // asked as soon as there is somebody to ask
    this.#askToLeave();
  }

  #askToLeave(): void {
    this.#leaving.ask(this.cib, (message) => this.#post(message), this.#effects);
  }

  // ---- the rest ---------------------------------------------------------------------------------------------------

  #timerExpired(id: string): void {
    if (id === 'crm.fitness') {
      this.#checkFitness();
    } else if (id === 'crm.recheck') {
      this.#dc.noteCause('time to look again');
      this.#feed({ type: 'recheck' });
    } else if (id === escalationTimer) {
      this.#leaving.escalate(this.#effects);
    } else if (id.startsWith('te.')) {
      this.#dc.timerExpired(id, this.#now, this.#office());
    } else if (id.startsWith('crm.request.')) {
      this.#requests.timerExpired(id, this.#desk());
    }
  }

  #replace(after: Cib, { isWhole }: { readonly isWhole: boolean }): void {
    const before = this.cib;
    if (after === before) return;
    this.#replica.install({ cib: after, records: this.#replica.state.records }, { force: true });
    const isConfiguration = after.configuration !== before.configuration;
    this.#effects.push({ type: 'cibChanged', before, after, isConfiguration, isWhole });
  }

  #office(): Office {
    return {
      cib: () => this.cib,
      quorum: () => this.#quorum,
      isQuorumHeldNow: () => this.#quorum === 'held' && (this.#options.isQuorumHeldNow?.() ?? true),
      post: (message) => this.#post(message),
      effects: this.#effects,
    };
  }

  #desk(): Parameters<ClientRequests['agreed']>[0] {
    return {
      cib: () => this.cib,
      quorum: () => this.#quorum,
      quorumReason: () => this.#quorumReason,
      isAgreed: () => this.#view?.agreedAt !== undefined,
      post: (message) => this.#post(message),
      withdraw: (messageId) => this.#outbox.withdraw(messageId),
      effects: this.#effects,
    };
  }

  #report(level: Report['level'], event: string, text: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.#effects.push(report(level, event, text, fields));
  }
}

type Author = Parameters<Replica['accept']>[1];

const serviceOf = (message: ControllerMessage): 'agreed' | 'durable' =>
  message.type === 'change' ? 'durable' : 'agreed';

const emptyTransition = {
  settings: {
    clusterDelayMs: 60_000,
    fencingTimeoutMs: 60_000,
    batchLimit: 0,
    migrationLimit: -1,
    failedStopOffset: 0,
    failedStartOffset: 0,
  },
  actions: [],
  orderings: [],
} as const;

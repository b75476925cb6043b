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
import { executorMeta } from '@systole/pe';
import { type Cib, compareVersions, formatVersion, Replica, type ResourceHistory } from '@systole/cib';
import { elapsed, type Instant, later, start, stateName, step, type Subsystem, unreachable } from '@systole/kernel';
import { agentName, cancelled, historyName } from './action.ts';
import { applyDepartures, applyMessage, reconciled } from './apply.ts';
import { ClientRequests } from './client-requests.ts';
import type { CrmEffect, CrmInput, CrmOptions, Position, Report, ViewMember } from './contract.ts';
import { type ControllerEvent, controllerMachine } from './controller.machine.ts';
import { DcDuties, type Office, report } from './dc.ts';
import { checkMessage, type ControllerMessage, type Hello, type Perform } from './messages.ts';
import { booleanOption, clusterOption, durationOption } from './options.ts';
import { Outbox } from './outbox.ts';
import { fenced, isJoined, nodeState, transientAttributes } from './status/node-state.ts';
import { mayActivate } from './status/operations.ts';
import { donorOf, leaderOf } from './sync.ts';

/** What this program's controllers can do; raised when a message or its effect on the CIB changes. */
export const featureSet = 1;

/** The feature set of Pacemaker whose agents' environment we offer. */
export const agentFeatureSet = '3.20.0';

const joinPatienceMs = 1000; // a member that has not said what runs on it delays planning no longer than this
const startupPatienceMs = 20_000; // dc-deadtime: nodes unseen since the cluster started may still be booting
const bufferedMax = 16_384; // messages waiting for agreement; beyond it the view is of no use, and we say so

/** The author of changes that the cluster makes itself. */
const registrar = 'systole';

interface View {
  readonly number: number;
  readonly members: readonly ViewMember[];
  isActive: boolean;
  /** All members have the same CIB since then. */
  agreedAt?: Instant;
  readonly hellos: Map<string, Hello>;
}

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
  /** Those who came with us out of the last view, if our CIB was the view's. */
  #companions: readonly string[] = [];
  #lineage: number;
  #features: ReadonlyMap<string, number>;
  #quorum: 'held' | 'uncertain' | 'lost' | 'unknown' = 'unknown';
  #quorumReason = 'no view yet';
  #exclusiveAt: Instant | undefined;
  #quorateSince: Instant | undefined;
  #buffered: Delivered[] = [];
  #lrmHistory: readonly ResourceHistory[] | undefined;
  /** What the CIB last said of this node while it counted it as a member: the truth about what runs here. */
  #own:
    | { readonly history: readonly ResourceHistory[]; readonly attributes: Readonly<Record<string, string>> }
    | undefined;
  #position: Position = { view: 0, sequence: 0 };
  #lastChange: Position = { view: 0, sequence: 0 };
  #settledAsOf: Position | undefined;
  #leaving: { readonly reason: string; hasAsked: boolean; hasLeft: boolean } | undefined;
  #effects: CrmEffect[] = [];
  #now: Instant;

  constructor(options: CrmOptions) {
    this.#options = options;
    this.#replica = new Replica(options.saved?.state);
    this.#lineage = options.saved?.lineage ?? 0;
    this.#features = new Map([[options.self, featureSet]]);
    this.#dc = new DcDuties(options);
    this.#requests = new ClientRequests(options);
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
      isLeaving: this.#leaving !== undefined,
    };
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
        this.#lrmHistory = input.history;
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
    const wasAgreed = this.#view?.agreedAt !== undefined;
    this.#companions = wasAgreed ? survivors : [];
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
    for (const { name, cause } of departed) {
      const isClean = cause === 'left';
      const text = isClean
        ? `${name} has left`
        : `${name} is lost (${cause}): it must be fenced before its resources are recovered`;
      this.#report(isClean ? 'info' : 'warn', isClean ? 'node.left' : 'node.lost', text, { node: name, cause });
    }
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

  /** Entered with `electing`: are the CIBs known to be equal, or must they be compared first? */
  #compareCibs(): void {
    const view = this.#view;
    if (view === undefined) return;
    const cameTogether = view.members.every(({ name }) => this.#companions.includes(name));
    if (cameTogether) {
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
    const donor = donorOf(this.#candidates(view));
    this.#features = new Map([...view.hellos].map(([name, member]) => [name, member.featureSet]));
    if (donor.name === this.#options.self) {
      this.#outbox.post({ type: 'state', replica: this.#replica.state }, 'agreed', this.#effects, true);
    }
  }

  #candidates(view: View): readonly (Hello & { readonly name: string })[] {
    return view.members.flatMap(({ name }) => {
      const hello = view.hellos.get(name);
      return hello === undefined ? [] : [{ ...hello, name }];
    });
  }

  /** The newest CIB is here: everyone, its donor too, goes on from it. */
  #stateDelivered(from: string, replica: Extract<ControllerMessage, { type: 'state' }>['replica']): void {
    const view = this.#view;
    if (view === undefined || view.agreedAt !== undefined) return;
    const candidates = this.#candidates(view);
    if (candidates.length < view.members.length || donorOf(candidates).name !== from) return;
    this.#rememberOwn();
    const before = this.cib;
    const order = compareVersions(replica.cib.version, before.version);
    if (from !== this.#options.self && (order !== 0 || candidates.some(({ lineage }) => lineage !== this.#lineage))) {
      const text = `taking over CIB ${formatVersion(replica.cib.version)} from ${from}; ours was ${formatVersion(before.version)}`;
      this.#report('info', 'cib.takenOver', text, { from });
    }
    // What a member did while it had another CIB is not in this one: until its join tells, nobody knows what it runs.
    // (Simulator, seed 1778: a minority had stopped its services, and the CIB it came back to said that they ran.)
    const digest = candidates.find(({ name }) => name === from)?.digest;
    const together = candidates.filter((candidate) => candidate.digest === digest).map(({ name }) => name);
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
    this.#outbox.open(this.#effects);
    this.#joinIfNeeded();
    if (this.#leaving !== undefined) this.#askToLeave();
    for (const waiting of this.#buffered.splice(0)) this.#apply(waiting);
    this.#requests.agreed(this.#desk());
    this.#feed({ type: 'agreed', dc });
  }

  #rememberOwn(): void {
    const { self, incarnation } = this.#options;
    const state = nodeState(this.cib, self);
    if (state === undefined || !isJoined(this.cib, self, incarnation)) return;
    this.#own = { history: state.history, attributes: Object.fromEntries(transientAttributes(state)) };
  }

  /** Attributes of this node that agents told while it was still looking at what its former life left running. */
  readonly #early = new Map<string, string>();

  /** True if it was kept: it goes out with the join, so that a promoted instance is not demoted for want of a score. */
  #takeEarly({ requestId, request }: Extract<CrmInput, { type: 'request' }>): boolean {
    const { self } = this.#options;
    if (request.type !== 'setAttributes' || request.node !== self || this.#lrmHistory !== undefined) return false;
    for (const [name, value] of Object.entries(request.values)) {
      if (value === null) this.#early.delete(name);
      else this.#early.set(name, value);
    }
    this.#effects.push({ type: 'answer', requestId, answer: { ok: true, value: {} } });
    return true;
  }

  /** The view in which this node has asked to be counted as a member. */
  #joiningIn: number | undefined;

  /** Tells what runs here, where the cluster's CIB does not count this life of the node as a member. */
  #joinIfNeeded(): void {
    const { self, incarnation } = this.#options;
    if (this.#view?.agreedAt === undefined || this.#lrmHistory === undefined) return;
    if (isJoined(this.cib, self, incarnation) || this.#joiningIn === this.#view.number) return;
    this.#joiningIn = this.#view.number;
    const early = { history: this.#lrmHistory, attributes: Object.fromEntries(this.#early) };
    const { history, attributes } = this.#own ?? early;
    this.#outbox.post({ type: 'join', incarnation, history, attributes }, 'agreed', this.#effects);
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
    this.#outbox.quorum(input.state === 'held', this.#effects);
    if (input.state === 'uncertain') this.#feed({ type: 'unfit' });
    this.#requests.quorumChanged(this.#desk());
    this.#checkFitness();
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
      const what = message.command ?? `${message.change.edits.length} edits`;
      const text = `CIB ${formatVersion(accepted.value.version)} by ${message.user} on ${from}: ${what}`;
      this.#report('info', 'cib.changed', text, { user: message.user, version: formatVersion(accepted.value.version) });
    }
    if (messageId !== undefined) {
      const conflict = accepted.ok ? undefined : accepted.error;
      this.#requests.delivered(
        messageId,
        { isTransitional, ...(conflict === undefined ? {} : { conflict }) },
        this.#desk(),
      );
    }
    if (!accepted.ok) this.#registering = undefined;
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
        if (this.#leaving !== undefined && from === this.#options.self) this.#askToLeave();
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
        const { target, action, devices, executor, requestId } = message;
        const by = devices.length === 0 ? '' : ` by ${devices.join(', ')}`;
        const text = `${target} was fenced (${action})${by}${executor === undefined ? '' : ` from ${executor}`}`;
        this.#report('warn', 'node.fenced', text, { node: target, action, devices });
        if (!this.#dc.actionEnded(requestId, true, undefined, this.#now, this.#office()))
          this.#news(`${target} was fenced`);
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
    const { operationId, resource, record, hasSucceeded } = message;
    const { operation, intervalMs, exitCode, exitReason } = record;
    const isProbe = operation === 'monitor' && intervalMs === 0;
    const name = intervalMs > 0 ? `${operation} (every ${intervalMs / 1000} s)` : operation;
    const reason = exitReason === undefined || exitReason === '' ? '' : `: ${exitReason}`;
    const fields = { resource, node: from, operation, intervalMs, exitCode, status: record.status };
    if (hasSucceeded)
      this.#report(
        isProbe || intervalMs > 0 ? 'debug' : 'info',
        'operation.done',
        `${name} of ${resource} on ${from} done`,
        fields,
      );
    else if (isProbe)
      this.#report('info', 'resource.found', `${resource} on ${from}: probe says ${exitCode}${reason}`, fields);
    else
      this.#report(
        'warn',
        'resource.failed',
        `${name} of ${resource} on ${from} failed with ${exitCode}${reason}`,
        fields,
      );
    const isAwaited = this.#dc.isAwaited(operationId);
    this.#dc.actionEnded(operationId, hasSucceeded, exitCode, this.#now, this.#office());
    if (!isAwaited && hasChanged) this.#news(`${name} of ${resource} on ${from} gave ${exitCode}`);
  }

  /** The DC's order for this node. */
  #perform({ operationId, transitionKey, action }: Perform): void {
    if (action.kind === 'cluster' && action.operation === 'do_shutdown') {
      this.#leave('its resources are stopped', true);
      return;
    }
    const resource = historyName(action);
    if (action.operation === 'delete' || action.operation === 'lrm_delete') {
      this.#effects.push({ type: 'forget', operationId, resource });
      return;
    }
    if (action.operation === 'cancel') {
      this.#effects.push({ type: 'cancel', operationId, ...cancelled(action) });
      return;
    }
    const agent = agentName(action);
    if (agent === undefined) {
      this.#post({ type: 'refused', operationId, resource, reason: `"${action.agent ?? ''}" names no agent` });
      return;
    }
    if (mayActivate(action.operation) && !this.#mayStart()) {
      this.#post({ type: 'refused', operationId, resource, reason: `quorum is ${this.#quorum} here` });
      return;
    }
    const startDelayMs = Number(action.meta['start_delay'] ?? 0);
    this.#effects.push({
      type: 'execute',
      operationId,
      resource,
      agent,
      operation: action.operation,
      intervalMs: action.intervalMs ?? 0,
      timeoutMs: action.timeoutMs ?? 20_000,
      ...(startDelayMs > 0 ? { startDelayMs } : {}),
      parameters: action.parameters,
      meta: executorMeta(action),
      transitionKey,
      expectedExitCode: action.expectedExitCode ?? 0,
      featureSet: agentFeatureSet,
    });
  }

  #rejected(messageId: number): void {
    const message = this.#outbox.rejected(messageId);
    if (message?.type === 'join') this.#joiningIn = undefined;
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
          this.#dc.noteCause('a new view');
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
    const wait = this.#obstacle();
    if (wait === undefined) {
      this.#effects.push({ type: 'stopTimer', id: 'crm.fitness' });
      this.#feed({ type: 'fit' });
    } else if (wait > 0) {
      this.#effects.push({ type: 'startTimer', id: 'crm.fitness', delayMs: wait });
    }
  }

  /** Undefined: none. 0: it will announce its own end. Else milliseconds after which it no longer counts. */
  #obstacle(): number | undefined {
    const view = this.#view;
    if (view?.agreedAt === undefined || this.#quorum === 'unknown' || this.#quorum === 'uncertain') return 0;
    if (this.#dc.progress !== undefined) return 0; // what is left of an old transition
    const breath = this.#breath();
    if (breath > 0) return breath;
    const joining = view.members.some(({ name, incarnation }) => !isJoined(this.cib, name, incarnation));
    const patience = joinPatienceMs - elapsed(view.agreedAt, this.#now);
    if (joining && patience > 0) return patience;
    if (this.#quorum !== 'held') return undefined;
    if (this.#registerNodes(view)) return 0;
    return this.#unseenPatience() ?? this.#exclusivePatience();
  }

  #breathUntil: Instant | undefined;

  #breath(): number {
    const wanted = this.#dc.breathMs();
    if (wanted === 0) {
      this.#breathUntil = undefined;
      return 0;
    }
    this.#breathUntil ??= later(this.#now, wanted);
    return Math.max(0, elapsed(this.#now, this.#breathUntil));
  }

  /** Members and expected nodes that the configuration does not know are entered. True if that is under way. */
  #registerNodes(view: View): boolean {
    const known = new Set(this.cib.configuration.nodes.map(({ name }) => name));
    const missing = [...this.#options.expectedNodes, ...view.members.map(({ name }) => name)].filter(
      (name, index, all) => !known.has(name) && all.indexOf(name) === index,
    );
    if (missing.length === 0) return false;
    if (this.#registering === view.number) return true;
    this.#registering = view.number;
    let last = this.cib.configuration.nodes.at(-1)?.id;
    const edits = missing.map((name) => {
      const behind = last === undefined ? {} : { behind: last };
      last = name;
      const value = { id: name, name, attributes: [], utilization: [] };
      return { type: 'insert', path: ['configuration', 'nodes'], ...behind, value } as const;
    });
    const at = Math.floor(this.#options.wallClock() / 1000);
    const command = `enter ${missing.join(' ')}`;
    this.#post({ type: 'change', change: { base: this.cib.version, edits }, user: registrar, command, at });
    return true;
  }

  #registering: number | undefined;

  /** Nodes never seen since the cluster started may be booting; only after a while are they taken for lost. */
  #unseenPatience(): number | undefined {
    const unseen = this.cib.configuration.nodes.some(
      ({ name, type }) => type !== 'remote' && type !== 'ping' && nodeState(this.cib, name) === undefined,
    );
    if (!unseen || this.#quorateSince === undefined) return undefined;
    const patience =
      durationOption(this.cib, startupPatienceMs, 'dc-deadtime') - elapsed(this.#quorateSince, this.#now);
    return patience > 0 ? patience : undefined;
  }

  /** Without fencing, the only proof that a lost node has given up is the time after which it must have. */
  #exclusivePatience(): number | undefined {
    if (booleanOption(this.cib, true, 'fencing-enabled', 'stonith-enabled') || this.#exclusiveAt === undefined)
      return undefined;
    const left = elapsed(this.#now, this.#exclusiveAt);
    return left > 0 ? left : undefined;
  }

  #scheduled({ scheduleId, outcome }: Extract<CrmInput, { type: 'scheduled' }>): void {
    if (outcome.type === 'failed') {
      this.#report('error', 'schedule.failed', `the policy engine cannot plan for this CIB: ${outcome.message}`);
      if (this.#dc.takePlan(scheduleId, emptyTransition) !== 'stale') this.#feed({ type: 'scheduled', isEmpty: true });
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
    if (this.#leaving !== undefined) return;
    this.#leaving = { reason, hasAsked: false, hasLeft: false };
    this.#report('info', 'node.leaving', `leaving: ${reason}`);
    const escalation = durationOption(this.cib, 20 * 60_000, 'shutdown-escalation');
    this.#effects.push({ type: 'startTimer', id: 'crm.escalation', delayMs: escalation });
    if (this.#view?.agreedAt === undefined) return; // asked as soon as there is somebody to ask
    this.#askToLeave();
  }

  /** Asks the DC to plan without this node; the attribute is the one that the policy engine reads. */
  #askToLeave(): void {
    const { self, incarnation, wallClock } = this.#options;
    const leaving = this.#leaving;
    if (leaving === undefined || leaving.hasLeft) return;
    if (!isJoined(this.cib, self, incarnation)) {
      // Nothing has been started here, in this life of the daemon or before it, and nobody counts on it. A member that
      // another's CIB does not count any more has its own memory of what runs here: it joins again, and leaves in order
      // (simulator, seed 6003: it left as if clean, and its services ran on).
      const known = this.#own?.history ?? this.#lrmHistory;
      if (known?.length === 0) this.#leave(leaving.reason, true);
      return;
    }
    if (leaving.hasAsked && transientAttributes(nodeState(this.cib, self)).has('shutdown')) return;
    leaving.hasAsked = true;
    const shutdown = String(Math.floor(wallClock() / 1000));
    this.#post({ type: 'attributes', node: self, values: { shutdown } });
  }

  #leave(reason: string, isClean: boolean): void {
    this.#leaving ??= { reason, hasAsked: true, hasLeft: false };
    if (this.#leaving.hasLeft) return;
    this.#leaving.hasLeft = true;
    this.#effects.push({ type: 'stopTimer', id: 'crm.escalation' }, { type: 'leave', reason, isClean });
  }

  // ---- the rest ---------------------------------------------------------------------------------------------------

  #timerExpired(id: string): void {
    if (id === 'crm.fitness') {
      this.#checkFitness();
    } else if (id === 'crm.recheck') {
      this.#dc.noteCause('time to look again');
      this.#feed({ type: 'recheck' });
    } else if (id === 'crm.escalation') {
      this.#report(
        'error',
        'node.leftBehind',
        'leaving although resources may still run here: the wait for them is over',
      );
      this.#leave('waited too long for its resources to stop', false);
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

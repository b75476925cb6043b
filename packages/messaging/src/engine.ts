/**
 * The engine: puts the parts together, gives each input to the one it concerns, and at the tick lets all of them act.
 *
 *     door ─► frames ─► membership (views) ─► order, sequencer, origin (messages)
 *                  └──► peers, links (who is heard, on which path)      standing (may this node act)
 *                                  all ─► outbox ─► sealed datagrams
 *
 * A step before a tick only takes in; what it wants sent waits in the outbox for the tick that is then due at once.
 */
import type { Instant } from '@systole/kernel';
import { checkConfiguration, type Configuration } from './configuration.ts';
import { Core, forever, never } from './core.ts';
import { Door } from './door.ts';
import { Duplicates } from './duplicates.ts';
import { EachSecond } from './each-second.ts';
import { Hearing } from './hearing.ts';
import { Leaving } from './leaving.ts';
import { unreliableBytesMax } from './limits.ts';
import { Links } from './links.ts';
import { Membership } from './membership.ts';
import { Outbox } from './outbox.ts';
import { Peers } from './peers.ts';
import { Pulse } from './pulse.ts';
import { Routing } from './routing.ts';
import { Stalls } from './stalls.ts';
import { Standing } from './standing.ts';
import { statusOf } from './status.ts';
import type {
  Address,
  Engine,
  EngineEffect,
  EngineInput,
  EngineOptions,
  EngineStatus,
  StateRecord,
} from './surface.ts';
import { sameTag } from './view-tag.ts';

/** A node whose application hangs looks around so often. */
const hungTickMs = 1000;
/** A higher incarnation of ours, told for so long, makes this one restart. Peers tell once a second. */
const staleWaitMs = 3000;
const staleForgetMs = 5000;
/** Starts an engine. Its first `tick` asks to save the new incarnation; nothing is sent before that is answered. */
export function createEngine(options: EngineOptions): Engine {
  checkConfiguration(options.configuration);
  return new MessagingEngine(options);
}

class MessagingEngine implements Engine {
  readonly #core: Core;
  readonly #peers: Peers;
  readonly #links: Links;
  readonly #outbox: Outbox;
  readonly #door: Door;
  readonly #standing: Standing;
  readonly #membership: Membership;
  readonly #stalls: Stalls;
  readonly #hearing: Hearing;
  readonly #routing: Routing;
  readonly #pulse: Pulse;
  readonly #leaving: Leaving;
  readonly #eachSecond: EachSecond;
  #phase: 'new' | 'starting' | 'running' | 'left' = 'new';
  #saves = new Map<number, () => void>();
  #nextToken = 1;
  #lastStep: number;
  #wake: number;
  #mustFlush = true;
  #staleSince = never;
  #staleLast = never;

  constructor(options: EngineOptions) {
    this.#core = new Core(options);
    this.#peers = new Peers(this.#core);
    this.#links = new Links(this.#core, this.#peers);
    this.#outbox = new Outbox(this.#core, this.#links);
    const duplicates = new Duplicates(this.#core, this.#peers, this.#outbox, (isOlder, from) => {
      if (isOlder) this.#stopFor(from);
    });
    this.#door = new Door(
      this.#core,
      this.#peers,
      (peer, link, to) => this.#outbox.toAddress(link, to, { type: 'staleIncarnation', mustExceed: peer.incarnation }),
      duplicates,
    );
    const memory = options.quorum.start(options.saved?.quorum);
    this.#standing = new Standing(this.#core, this.#peers, memory, (changed, done) => this.#save(changed, done));
    const highest = Math.max(options.saved?.highestNumber ?? 0, memory.lineage);
    this.#membership = new Membership(this.#core, this.#peers, this.#links, this.#outbox, this.#standing, highest);
    this.#stalls = new Stalls(this.#core);
    this.#hearing = new Hearing(this.#core, this.#links, this.#membership, this.#standing);
    this.#pulse = new Pulse(this.#core, this.#peers, this.#links, this.#outbox, this.#membership, this.#standing);
    this.#leaving = new Leaving(this.#core, this.#peers, this.#outbox, this.#membership, this.#pulse);
    this.#eachSecond = new EachSecond(
      this.#core,
      this.#peers,
      this.#links,
      this.#outbox,
      this.#membership,
      this.#standing,
    );
    this.#routing = new Routing(this.#core, this.#links, this.#outbox, this.#membership);
    this.#lastStep = options.now;
    this.#wake = options.now;
  }

  step(input: EngineInput, now: Instant): readonly EngineEffect[] {
    const core = this.#core;
    core.now = Math.max(now, this.#lastStep);
    core.effects = [];
    if (this.#phase === 'running') this.#notePause();
    this.#lastStep = core.now;
    this.#take(input);
    if (this.#phase === 'running') {
      this.#drainLoopback();
      this.#membership.order.deliver();
      this.#standing.review();
    }
    this.#wake = this.#nextDeadline();
    return core.effects;
  }

  wakeAt(): Instant {
    return this.#wake as Instant;
  }

  status(now: Instant): EngineStatus {
    this.#core.now = Math.max(now, this.#lastStep);
    const facts = { stallMs: this.#stalls.announced(), wallOffset: this.#hearing.wallOffset, phase: this.#phase };
    return statusOf(this.#core, this.#peers, this.#links, this.#membership, this.#standing, facts);
  }

  // ------------------------------------------------------------ inputs

  #take(input: EngineInput): void {
    if (input.type === 'tick') return this.#tick();
    if (input.type === 'saved') return this.#saved(input.token);
    if (this.#phase === 'left') return;
    if (input.type !== 'datagram') this.#mustFlush = true;
    switch (input.type) {
      case 'datagram':
        if (this.#phase === 'running') this.#datagram(input);
        return;
      case 'submit':
        return this.#submit(input);
      case 'unreliable':
        return this.#unreliable(input);
      case 'persisted':
        if (sameTag(input.view, this.#membership.view.tag)) this.#membership.order.persisted(input.sequence, input.ok);
        return;
      case 'leave':
        return this.#leaving.begin(input.reason);
      case 'reconfigure':
        return this.#reconfigure(input.configuration);
      case 'linkChanged':
        return this.#links.changed(input.link, input.up, input.mtu);
      case 'sendFailed':
        return this.#links.sendFailed(input.link, input.code);
      case 'clockStepped':
        if (input.wallAheadMs > this.#core.timing.leaseMs) this.#pause(input.wallAheadMs);
        return;
      case 'wallClock':
        this.#hearing.wallOffset = input.wall - this.#core.now;
        return;
      case 'applicationAlive':
        this.#pulse.applicationLives();
        return;
      case 'backlog':
        this.#membership.hasBacklog = input.present;
        if (!input.present) {
          this.#membership.judgeFrom = Math.max(
            this.#membership.judgeFrom,
            this.#core.now + this.#core.timing.heartbeatMs,
          );
        }
        return;
      case 'deviceVerdict':
        return this.#standing.deviceVerdict(input);
      case 'quorumMemory':
        return this.#standing.redecide(input.memory);
      default:
        return this.#membership.readmit(input.node);
    }
  }

  #save(memory: StateRecord['quorum'], done: () => void): void {
    const token = this.#nextToken;
    this.#nextToken += 1;
    this.#saves.set(token, done);
    const { highestNumber } = this.#membership;
    this.#core.emit({
      type: 'save',
      token,
      record: { incarnation: this.#core.incarnation, highestNumber, quorum: memory },
    });
  }

  #saved(token: number): void {
    const done = this.#saves.get(token);
    this.#saves.delete(token);
    this.#mustFlush = true;
    done?.();
  }

  #start(): void {
    this.#phase = 'starting';
    this.#save(this.#standing.memory, () => {
      this.#phase = 'running';
      this.#pulse.begin();
      this.#mustFlush = true;
    });
  }

  // ------------------------------------------------------------ pauses

  /** A step that comes much later than asked for: this node stood still, and judges nobody by that time. */
  #notePause(): void {
    const late = this.#core.now - Math.max(this.#wake, this.#lastStep);
    if (late <= 0) return;
    this.#stalls.note(late);
    if (late > this.#core.timing.pauseMs) this.#pause(this.#core.now - this.#lastStep);
  }

  #pause(gap: number): void {
    const { now, counters } = this.#core;
    counters.add('pauses');
    this.#stalls.note(gap);
    for (const peer of this.#peers.all) {
      if (peer.lastHeard !== never) peer.lastHeard = Math.min(now, peer.lastHeard + gap);
      if (peer.echoedSentAt !== never) peer.echoedSentAt = Math.min(now, peer.echoedSentAt + gap);
    }
    this.#membership.paused(gap);
    this.#membership.wantHeartbeat = true;
    this.#mustFlush = true;
    this.#standing.evaluate(); // before anything else of this step: after a long pause nothing is certain
    if (gap > this.#core.timing.leaseMs) this.#core.report('paused', { gapMs: gap });
  }

  // ------------------------------------------------------------ datagrams

  #datagram(input: Extract<EngineInput, { type: 'datagram' }>): void {
    const admitted = this.#door.admit(input);
    if (admitted === undefined) {
      this.#mustFlush ||= !this.#outbox.isEmpty;
      return;
    }
    const { peer, session, restarted, isNew } = admitted;
    if (restarted) this.#membership.touch();
    if (isNew) this.#membership.wantHeartbeat = true;
    if (session.proven) peer.lastHeard = this.#core.now;
    for (const frame of admitted.frames) {
      if (frame.type === 'heartbeat') {
        this.#hearing.heartbeat(admitted, frame);
        this.#pulse.heard(peer.node);
      } else if (frame.type === 'staleIncarnation') this.#staleIncarnation(frame.mustExceed);
      else if (session.proven) {
        this.#mustFlush = true;
        this.#routing.take(peer.node, peer.incarnation, frame, admitted);
      } else this.#core.counters.add('unproven');
    }
    const { order, sequencer } = this.#membership;
    if (!this.#outbox.isEmpty || (sequencer !== undefined && order.log.received > order.stable)) this.#mustFlush = true;
  }

  /**
   * A peer knows a later life of this node: this one must end, and the next be later still. But not at once: if that
   * later life is another machine running right now under our id, it is the one to stop, and needs the time to see us.
   */
  #staleIncarnation(mustExceed: number): void {
    const { now } = this.#core;
    if (mustExceed < this.#core.incarnation) return;
    if (now - this.#staleLast > staleForgetMs) this.#staleSince = now;
    this.#staleLast = now;
    if (now - this.#staleSince < staleWaitMs) return;
    this.#phase = 'left';
    const record = {
      incarnation: mustExceed,
      highestNumber: this.#membership.highestNumber,
      quorum: this.#standing.memory,
    };
    this.#core.emit({ type: 'restart', reason: 'staleIncarnation', record });
  }

  /** The other machine of this id was there before. */
  #stopFor(from: Address): void {
    this.#membership.order.origin.end();
    this.#phase = 'left';
    this.#core.emit({ type: 'stopped', reason: 'duplicateNode', from });
  }

  #drainLoopback(): void {
    const { loopback } = this.#membership;
    for (let frame = loopback.shift(); frame !== undefined; frame = loopback.shift()) {
      this.#routing.take(this.#core.self, this.#core.incarnation, frame, undefined);
      this.#mustFlush = true;
    }
  }

  // ------------------------------------------------------------ the application

  #submit({ handle, service, body }: Extract<EngineInput, { type: 'submit' }>): void {
    const membership = this.#membership;
    const { counters } = this.#core;
    counters.add('messagesSubmitted');
    const { active, frozen, isVisible, isLeaving, order, fragmentBytes } = membership;
    const isOpen = active && !frozen && isVisible && !isLeaving;
    const reason = isOpen
      ? order.origin.submit(service, body, handle, 'application', fragmentBytes)
      : isLeaving
        ? 'leaving'
        : 'notActive';
    if (reason === undefined) return;
    counters.add('messagesRejected');
    this.#core.emit({ type: 'rejected', handle, reason });
  }

  #unreliable({ to, body }: Extract<EngineInput, { type: 'unreliable' }>): void {
    if (this.#phase !== 'running') return;
    if (body.length > unreliableBytesMax) {
      this.#core.report('unreliableTooLarge', { bytes: body.length, max: unreliableBytesMax });
      return;
    }
    if (to === 'all') this.#outbox.toEveryone({ type: 'unreliable', bytes: body });
    else this.#outbox.toNode(to, { type: 'unreliable', bytes: body });
  }

  #reconfigure(configuration: Configuration): void {
    checkConfiguration(configuration);
    const keyBefore = this.#core.configuration.keys.find(({ primary }) => primary)?.id;
    this.#core.configure(configuration);
    this.#peers.configure();
    this.#links.configure();
    this.#door.forgetKeys();
    if (configuration.keys.find(({ primary }) => primary)?.id !== keyBefore) this.#outbox.newSession();
    this.#membership.reconfigured();
    this.#membership.wantHeartbeat = true;
  }

  // ------------------------------------------------------------ time

  #tick(): void {
    if (this.#phase === 'new') this.#start();
    if (this.#phase !== 'running') return;
    this.#mustFlush = false;
    const membership = this.#membership;
    this.#standing.review();
    membership.tick();
    this.#drainLoopback();
    this.#flushOrder();
    this.#eachSecond.tick(this.#pulse.isDue);
    this.#pulse.beat(this.#stalls.announced(), this.#hearing.wallOffset);
    membership.tick(); // what the flush delivered may have changed the membership: a departure
    this.#drainLoopback();
    this.#outbox.flush();
    if (this.#leaving.hasGone()) this.#phase = 'left';
    this.#mustFlush = false;
  }

  #flushOrder(): void {
    const { order, sequencer, active, frozen } = this.#membership;
    if (!active || frozen) return;
    const budget = this.#links.budget();
    if (sequencer === undefined) order.origin.flush(budget);
    else sequencer.flush(budget);
    order.deliver();
    order.askForGaps();
    order.sendReceipt();
  }

  #nextDeadline(): number {
    const { now } = this.#core;
    if (this.#phase === 'left') return forever;
    if (this.#phase === 'starting') return forever;
    if (this.#phase === 'new' || this.#mustFlush || this.#membership.wantHeartbeat) return now;
    const { order, sequencer, active, frozen } = this.#membership;
    let next = Math.min(
      this.#pulse.nextDeadline(),
      this.#eachSecond.nextDeadline(),
      this.#membership.nextDeadline(),
      this.#standing.nextDeadline(),
    );
    if (active && !frozen) {
      next = Math.min(next, order.nextDeadline(), sequencer?.nextDeadline() ?? order.origin.nextDeadline());
    }
    if (this.#membership.isLeaving) next = Math.min(next, this.#leaving.nextDeadline());
    if (this.#pulse.isApplicationHung) next = Math.max(next, now + hungTickMs);
    return Math.max(now, next);
  }
}

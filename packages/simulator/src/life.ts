/**
 * One life of a node's daemon: the real node, driven as the daemon's host drives it.
 *
 * The host's promises are kept here: datagrams are read before the clock is consulted, effects are carried out in their
 * order, and nothing that comes after a `saveMembership` happens before it is on disk.
 */
import type { NodeEffect, NodeInput, NodeObservation, NodeStart } from '@systole/daemon/node';
import { type Filling, instant, type Instant } from '@systole/kernel';
import type { ClusterKey, EngineStatus } from '@systole/messaging';
import type { Voter } from './voter.ts';

/** What the simulator needs of a node. `Node` of `@systole/daemon/node` is one. */
export interface SimNode {
  step(input: NodeInput, now: Instant): readonly NodeEffect[];
  wakeAt(): Instant;
  /** What an arbiter's voter looks at; only clusters with one need it. */
  messagingStatus?(now: Instant): EngineStatus;
  /** How full its queues are. */
  fillings?(now: Instant): readonly Filling[];
  /** Absent: always. */
  readonly mayFeedWatchdog?: boolean;
}

export type MakeNode = (start: NodeStart) => SimNode;

/** The machine's side: what a life asks of the world around it. */
export interface Surroundings {
  readonly now: () => number;
  readonly wall: () => number;
  /** Calls back when the machine's monotonic clock shows `at`, once; an earlier call replaces a later one. */
  readonly wake: (at: number) => void;
  readonly carryOut: (effect: Exclude<NodeEffect, { type: 'saveMembership' }>) => void;
  readonly saveMembership: (effect: Extract<NodeEffect, { type: 'saveMembership' }>, done: () => void) => void;
  /** The node threw: it is dead, and that is a broken law. */
  readonly failed: (error: unknown) => void;
}

/** A host that meets so many waiting datagrams says that it has a backlog: as many as a socket gives in a turn. */
const BACKLOG = 32;
const INBOX_MAX = 5000;
const STEPS_MAX = 2000;

/** After these the view, its activity or the base may be another. */
const newsForVoter: ReadonlySet<string> = new Set(['view', 'viewActive', 'quorum', 'save']);

export class Life {
  readonly #node: SimNode;
  readonly #around: Surroundings;
  #inbox: NodeInput[] = [];
  #held: NodeEffect[] | undefined;
  #wallToldAt = -Infinity;
  #wallAhead: number;
  #voter: Voter | undefined;
  #hasNews = true;
  isOver = false;

  constructor(
    make: MakeNode,
    start: Omit<NodeStart, 'now'>,
    around: Surroundings,
    observe: (seen: NodeObservation) => void,
  ) {
    this.#around = around;
    this.#wallAhead = around.wall() - around.now();
    const watch = (seen: NodeObservation): void => {
      this.#hasNews ||= seen.part === 'messaging' && newsForVoter.has(seen.effect.type);
      observe(seen);
    };
    const ports = { ...start.ports, observe: watch };
    this.#node = make({ ...start, ports, now: instant(around.now()) });
    this.#arm();
  }

  /** The arbiters' votes count from now on. */
  hire(makeVoter: (status: EngineStatus) => Voter): void {
    const status = this.#node.messagingStatus?.(instant(this.#around.now()));
    if (status !== undefined) this.#voter = makeVoter(status);
    this.#arm();
  }

  /** The cluster's keys are others now, and on disk. */
  useKeys(keys: readonly ClusterKey[]): void {
    this.#voter?.useKeys(keys);
  }

  /** A letter of the arbiter's arrives. */
  letter(datagram: Uint8Array): void {
    if (this.isOver) return;
    for (const input of this.#voter?.received(datagram, instant(this.#around.now())) ?? []) this.give(input);
  }

  /** Something arrives; it is handled in the next turn. */
  give(input: NodeInput): void {
    if (this.isOver) return;
    if (input.type === 'datagram' && this.#inbox.length >= INBOX_MAX) return; // the socket's buffer is full
    this.#inbox.push(input);
    this.#around.wake(this.#around.now());
  }

  /** Whether the host would feed the machine's watchdog now. */
  get feedsWatchdog(): boolean {
    return !this.isOver && this.#node.mayFeedWatchdog !== false;
  }

  /** So long a device's vote for its view still holds, by the machine's clock; undefined: it does not say. */
  get deviceLeaseMs(): number | undefined {
    return this.#node.messagingStatus?.(instant(this.#around.now())).deviceLeaseMs;
  }

  get fillings(): readonly Filling[] {
    const inbox = { queue: 'inbox', count: this.#inbox.length, max: INBOX_MAX };
    return [inbox, ...(this.#node.fillings?.(instant(this.#around.now())) ?? [])];
  }

  /** One turn of the host's loop. */
  turn(): void {
    if (this.isOver) return;
    const now = instant(this.#around.now());
    const inputs = this.#inbox;
    this.#inbox = [];
    const isBacklog = inputs.length > BACKLOG;
    this.#tellClock(now);
    if (isBacklog) this.#step({ type: 'backlog', present: true }, now);
    for (const input of inputs) this.#step(input, now);
    if (isBacklog) this.#step({ type: 'backlog', present: false }, now);
    let steps = 0;
    while (!this.isOver && this.#node.wakeAt() <= now) {
      this.#step({ type: 'tick' }, now);
      steps += 1;
      if (steps > STEPS_MAX) {
        this.isOver = true;
        this.#around.failed(new Error(`the node asks to be woken at ${this.#node.wakeAt()} again and again at ${now}`));
      }
    }
    this.#askArbiter(now);
    this.#arm();
  }

  #arm(): void {
    if (this.isOver) return;
    const due = Math.min(this.#node.wakeAt(), this.#voter?.wakeAt() ?? Infinity);
    this.#around.wake(this.#inbox.length > 0 ? this.#around.now() : due);
  }

  #askArbiter(now: Instant): void {
    if (this.isOver || this.#voter === undefined) return;
    const status = this.#hasNews ? this.#node.messagingStatus?.(now) : undefined;
    this.#hasNews = false;
    for (const input of this.#voter.turn(status, now)) this.#inbox.push(input);
  }

  /** The wall clock's reading each second, and a jump of it against the monotonic clock. */
  #tellClock(now: Instant): void {
    const ahead = this.#around.wall() - now;
    const jump = ahead - this.#wallAhead;
    this.#wallAhead = ahead;
    if (jump > 100) this.#step({ type: 'clockStepped', wallAheadMs: jump }, now);
    if (now - this.#wallToldAt >= 1000) {
      this.#wallToldAt = now;
      this.#step(
        { type: 'wallClock', wall: this.#around.wall() as Extract<NodeInput, { type: 'wallClock' }>['wall'] },
        now,
      );
    }
  }

  #step(input: NodeInput, now: Instant): void {
    if (this.isOver) return;
    try {
      for (const effect of this.#node.step(input, now)) this.#carryOut(effect);
    } catch (error) {
      this.isOver = true;
      this.#around.failed(error);
    }
  }

  #carryOut(effect: NodeEffect): void {
    if (this.isOver) return;
    // A reset waits for no disk.
    if (this.#held !== undefined && effect.type !== 'resetSelf') {
      this.#held.push(effect);
      return;
    }
    if (effect.type !== 'saveMembership') {
      this.#around.carryOut(effect);
      return;
    }
    this.#held = [];
    this.#around.saveMembership(effect, () => {
      if (this.isOver) return;
      const held = this.#held ?? [];
      this.#held = undefined;
      this.give({ type: 'saved', token: effect.token, isOk: true });
      for (const each of held) this.#carryOut(each);
    });
  }
}

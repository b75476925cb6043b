/**
 * What all parts of one engine share: who it is, what time it is in this step, where effects go. Set once a step by the
 * engine, read by its parts.
 */
import type { Random } from '@systole/kernel';
import { type Configuration, type DerivedTiming, derivedTiming } from './configuration.ts';
import { Counters } from './counters.ts';
import type { QuorumPolicy } from './quorum-port.ts';
import type { Seal } from './seal.ts';
import type { EngineEffect, EngineOptions, NodeId } from './surface.ts';

/** Earlier than any instant: for "never". */
export const never = -1e12;
/** Later than any instant. */
export const forever = 1e15;

export class Core {
  configuration: Configuration;
  timing: DerivedTiming;
  readonly self: NodeId;
  readonly seal: Seal;
  readonly random: Random;
  readonly policy: QuorumPolicy;
  readonly counters = new Counters();
  /** Tells this life of the node from earlier ones. */
  readonly incarnation: number;
  readonly startedAt: number;
  /** The instant of the step under way. */
  now: number;
  effects: EngineEffect[] = [];
  /** Optional features of this software, as bits; a view has those that all members have. */
  readonly features = 0;
  /** Nodes ascending; their positions are the bits of membership masks. */
  #nodes: readonly NodeId[] = [];
  #index = new Map<NodeId, number>();
  /** The newest heartbeat of this node, and when each of the last ones was sent. */
  heartbeatNumber = 0;
  readonly #sentAt = new Float64Array(1024);

  constructor(options: EngineOptions) {
    this.configuration = options.configuration;
    this.timing = derivedTiming(options.configuration.timing);
    this.self = options.configuration.self;
    this.seal = options.seal;
    this.random = options.random;
    this.policy = options.quorum;
    this.incarnation = Math.max((options.saved?.incarnation ?? 0) + 1, options.wall);
    this.now = options.now;
    this.startedAt = options.now;
    this.#sentAt.fill(never);
    this.configure(options.configuration);
  }

  configure(configuration: Configuration): void {
    this.configuration = configuration;
    this.timing = derivedTiming(configuration.timing);
    this.#nodes = configuration.nodes.toSorted((a, b) => a - b);
    this.#index = new Map(this.#nodes.map((node, index) => [node, index]));
  }

  get nodes(): readonly NodeId[] {
    return this.#nodes;
  }

  indexOf(node: NodeId): number | undefined {
    return this.#index.get(node);
  }

  emit(effect: EngineEffect): void {
    this.effects.push(effect);
  }

  report(event: string, fields: Readonly<Record<string, unknown>>): void {
    this.effects.push({ type: 'report', event, fields });
  }

  /** The number of the heartbeat being sent now. */
  nextHeartbeat(): number {
    this.heartbeatNumber += 1;
    this.#sentAt[this.heartbeatNumber % 1024] = this.now;
    return this.heartbeatNumber;
  }

  /** When own heartbeat `number` was sent; never, if it was not or too long ago to remember. */
  heartbeatSentAt(number: number): number {
    if (number <= 0 || number > this.heartbeatNumber || number <= this.heartbeatNumber - 1024) return never;
    return this.#sentAt[number % 1024] as number;
  }
}

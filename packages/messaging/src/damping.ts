/**
 * Keeps out, for a while, nodes that would only come to go again: each node for itself, by not proposing them and by
 * refusing proposals that bring them.
 *
 * - From the third unclean departure in ten minutes on, a node's return waits 10 s, 30 s, 60 s, 2 min, 5 min.
 * - A laggard (it held everyone's messages up for three seconds) is put out of the view, and waits 10 s.
 *
 * Never where the merge is needed for quorum; the caller sees to that.
 */
import { type Core, never } from './core.ts';
import type { NodeId } from './surface.ts';

const laggardHoldMs = 10_000;
const windowMs = 600_000;
const steps = [10_000, 30_000, 60_000, 120_000, 300_000] as const;
const tolerated = 2;
const remembered = 8;

export class Damping {
  readonly #core: Core;
  readonly #heldOut = new Map<NodeId, number>();
  /** Members to be put out, until then at the latest. */
  readonly #evicted = new Map<NodeId, number>();
  readonly #departures = new Map<NodeId, number[]>();

  constructor(core: Core) {
    this.#core = core;
  }

  evict(node: NodeId): void {
    if (this.#evicted.has(node)) return;
    this.#core.report('laggard', { node });
    this.#evicted.set(node, this.#core.now + laggardHoldMs);
  }

  isEvicted(node: NodeId): boolean {
    return (this.#evicted.get(node) ?? never) > this.#core.now;
  }

  /** A view without them is active. */
  evictionsDone(): void {
    this.#evicted.clear();
  }

  /** A member went, uncleanly. */
  departed(node: NodeId, wasLaggard: boolean): void {
    const { now } = this.#core;
    if (wasLaggard) this.#holdUntil(node, now + laggardHoldMs);
    const recent = [...(this.#departures.get(node) ?? []).filter((at) => now - at < windowMs), now].slice(-remembered);
    this.#departures.set(node, recent);
    const step = recent.length - tolerated - 1;
    if (step < 0) return;
    const delayMs = steps[Math.min(step, steps.length - 1)] as number;
    this.#holdUntil(node, now + delayMs);
    this.#core.report('readmissionDelayed', { node, delayMs, departures: recent.length });
  }

  #holdUntil(node: NodeId, until: number): void {
    this.#heldOut.set(node, Math.max(this.#heldOut.get(node) ?? never, until));
  }

  /** An operator's word: all is forgiven. */
  readmit(node: NodeId): void {
    this.#departures.delete(node);
    this.#heldOut.delete(node);
    this.#evicted.delete(node);
  }

  /** Milliseconds that the node still has to wait; 0: none. */
  heldOutMs(node: NodeId): number {
    const until = Math.max(this.#heldOut.get(node) ?? never, this.#evicted.get(node) ?? never);
    return Math.max(0, until - this.#core.now);
  }
}

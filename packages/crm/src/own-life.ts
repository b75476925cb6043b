/**
 * What this node knows of itself that the cluster's CIB may not: what its resource manager found running, what its
 * agents said meanwhile, and what the last CIB that counted it as a member said of it.
 *
 * A member whom the cluster's CIB does not count tells all that once a view (`join`), and only then is planned for.
 */
import type { Cib, ResourceHistory } from '@systole/cib';
import type { Join } from './messages.ts';
import { isJoined, nodeState, transientAttributes } from './status/node-state.ts';

export class OwnLife {
  readonly #self: string;
  readonly #incarnation: number;
  #found: readonly ResourceHistory[] | undefined;
  /** What the CIB last said of this node while it counted it as a member: the truth about what runs here. */
  #own:
    | { readonly history: readonly ResourceHistory[]; readonly attributes: Readonly<Record<string, string>> }
    | undefined;
  /** Attributes of this node that agents told while it was still looking at what its former life left running. */
  readonly #early = new Map<string, string>();
  /** The view in which this node has asked to be counted as a member. */
  #joiningIn: number | undefined;

  constructor(self: string, incarnation: number) {
    this.#self = self;
    this.#incarnation = incarnation;
  }

  /** The local resource manager knows what runs here. */
  found(history: readonly ResourceHistory[]): void {
    this.#found = history;
  }

  get isKnown(): boolean {
    return this.#found !== undefined;
  }

  /** Certain that nothing runs here, neither from this life of the daemon nor from one before it. */
  get isEmpty(): boolean {
    return (this.#own?.history ?? this.#found)?.length === 0;
  }

  isMember(cib: Cib): boolean {
    return isJoined(cib, this.#self, this.#incarnation);
  }

  /** Another CIB is about to replace `cib`: what it says of this node is kept, if it counts it as a member. */
  remember(cib: Cib): void {
    const state = nodeState(cib, this.#self);
    if (state === undefined || !this.isMember(cib)) return;
    this.#own = { history: state.history, attributes: Object.fromEntries(transientAttributes(state)) };
  }

  /** Kept for the join, so that a promoted instance is not demoted for want of a score. */
  keepAttributes(values: Readonly<Record<string, string | null>>): void {
    for (const [name, value] of Object.entries(values)) {
      if (value === null) this.#early.delete(name);
      else this.#early.set(name, value);
    }
  }

  /** What to tell the members of an agreed view whose CIB is `cib`, if anything; at most once a view. */
  join(cib: Cib, viewNumber: number): Join | undefined {
    if (this.#found === undefined || this.#joiningIn === viewNumber || this.isMember(cib)) return undefined;
    this.#joiningIn = viewNumber;
    const early = { history: this.#found, attributes: Object.fromEntries(this.#early) };
    const { history, attributes } = this.#own ?? early;
    return { type: 'join', incarnation: this.#incarnation, history, attributes };
  }

  joinRejected(): void {
    this.#joiningIn = undefined;
  }
}

/**
 * Who leaves the view and why: announced, lost, started anew, too slow. Only an announced leave is clean, and only where
 * all who go on together know of it: from the order of the old view, or from the installation of the new one. What this
 * node alone has heard decides nothing: members would hold different states of the cluster (simulator, seed 37825).
 */
import type { Damping } from './damping.ts';
import type { Identity } from './frames.ts';
import type { Peers } from './peers.ts';
import type { Departure, DepartureCause, Member, NodeId, View } from './surface.ts';

export class Departures {
  readonly #peers: Peers;
  readonly #damping: Damping;
  /** Nodes known to leave, by the incarnation that leaves. */
  readonly leaving = new Map<NodeId, number>();
  /** Those of them whose departure is delivered in the order of the present view. */
  readonly ordered = new Map<NodeId, number>();
  /** Nodes that left cleanly since the last view. */
  leftCleanly: readonly NodeId[] = [];

  constructor(peers: Peers, damping: Damping) {
    this.#peers = peers;
    this.#damping = damping;
  }

  /** Who has told this node that it leaves, for a view that it leads. Whom nobody configures needs no word of ours. */
  leavers(): Identity[] {
    return [...this.leaving]
      .filter(([node]) => this.#peers.get(node) !== undefined)
      .map(([node, incarnation]) => ({ node, incarnation }));
  }

  /** Why members of the present view are not in the next one, as this node sees it, for the log. */
  evidence(view: View, nodes: readonly NodeId[]): readonly Record<string, unknown>[] {
    return view.members.flatMap(({ node, incarnation }) => {
      const peer = this.#peers.get(node);
      if (nodes.includes(node) || peer === undefined) return [];
      const silenceMs = this.#peers.silence(peer);
      return [{ node, cause: this.#cause(node, incarnation), silenceMs, limitMs: this.#peers.limit(peer) }];
    });
  }

  /**
   * Who was in the old view and is not in the new one; remembered by the damping of those that were lost. `left` is what
   * the new view's installation says; the order of the old view has been delivered up to its cut.
   */
  between(old: View, members: readonly Member[], left: readonly Identity[]): Departure[] {
    const gone = old.members.filter(
      ({ node, incarnation }) => !members.some((member) => member.node === node && member.incarnation === incarnation),
    );
    const departures = gone.map(({ node, incarnation }) => ({
      node,
      incarnation,
      cause: this.#isAgreed(node, incarnation, left) ? 'left' : this.#observed(node, incarnation),
    }));
    this.ordered.clear();
    this.leftCleanly = departures.filter(({ cause }) => cause === 'left').map(({ node }) => node);
    for (const { node, cause } of departures) {
      if (cause !== 'left') this.#damping.departed(node, cause === 'laggard');
    }
    return departures;
  }

  #isAgreed(node: NodeId, incarnation: number, left: readonly Identity[]): boolean {
    if (this.ordered.get(node) === incarnation) return true;
    return left.some((life) => life.node === node && life.incarnation === incarnation);
  }

  #cause(node: NodeId, incarnation: number): DepartureCause {
    return this.leaving.get(node) === incarnation ? 'left' : this.#observed(node, incarnation);
  }

  #observed(node: NodeId, incarnation: number): DepartureCause {
    const peer = this.#peers.get(node);
    if (peer === undefined) return 'lost'; // no longer configured
    if (peer.incarnation !== incarnation) return 'restarted';
    if (this.#damping.isEvicted(node)) return 'laggard';
    return this.#peers.isHeard(peer) ? 'partial' : 'lost';
  }
}

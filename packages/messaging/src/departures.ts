/** Who leaves the view and why: announced, lost, started anew, too slow. Only an announced leave is clean. */
import type { Damping } from './damping.ts';
import type { Peers } from './peers.ts';
import type { Departure, DepartureCause, Member, NodeId, View } from './surface.ts';

export class Departures {
  readonly #peers: Peers;
  readonly #damping: Damping;
  /** Nodes known to leave, by the incarnation that leaves. */
  readonly leaving = new Map<NodeId, number>();
  /** Nodes that left cleanly since the last view. */
  leftCleanly: readonly NodeId[] = [];

  constructor(peers: Peers, damping: Damping) {
    this.#peers = peers;
    this.#damping = damping;
  }

  /** Why members of the present view are not in the next one, for the log. */
  evidence(view: View, nodes: readonly NodeId[]): readonly Record<string, unknown>[] {
    return view.members.flatMap(({ node, incarnation }) => {
      const peer = this.#peers.get(node);
      if (nodes.includes(node) || peer === undefined) return [];
      const silenceMs = this.#peers.silence(peer);
      return [{ node, cause: this.#cause(node, incarnation), silenceMs, limitMs: this.#peers.limit(peer) }];
    });
  }

  /** Who was in the old view and is not in the new one; remembered by the damping of those that were lost. */
  between(old: View, members: readonly Member[]): Departure[] {
    const gone = old.members.filter(
      ({ node, incarnation }) => !members.some((member) => member.node === node && member.incarnation === incarnation),
    );
    const departures = gone.map(({ node, incarnation }) => ({
      node,
      incarnation,
      cause: this.#cause(node, incarnation),
    }));
    this.leftCleanly = departures.filter(({ cause }) => cause === 'left').map(({ node }) => node);
    for (const { node, cause } of departures) {
      if (cause !== 'left') this.#damping.departed(node, cause === 'laggard');
    }
    return departures;
  }

  #cause(node: NodeId, incarnation: number): DepartureCause {
    const peer = this.#peers.get(node);
    if (this.leaving.get(node) === incarnation) return 'left';
    if (peer === undefined) return 'lost'; // no longer configured
    if (peer.incarnation !== incarnation) return 'restarted';
    if (this.#damping.isEvicted(node)) return 'laggard';
    return this.#peers.isHeard(peer) ? 'partial' : 'lost';
  }
}

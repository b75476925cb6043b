/** What speaks against promising to another node's attempt at a view. */
import type { Core } from './core.ts';
import type { Evaluation } from './evaluation.ts';
import type { Identity, ProposalFrame, RefusalFrame } from './frames.ts';
import { numberMax } from './limits.ts';
import type { Peers } from './peers.ts';
import type { Standing } from './standing.ts';
import type { NodeId, View } from './surface.ts';

/** Where this node stands at the moment. */
interface Present {
  readonly view: View;
  readonly active: boolean;
  readonly frozen: boolean;
  /** A pause of its own forbids to judge others. */
  readonly isHolding: boolean;
  rankOf(node: NodeId): number;
  isMember(node: NodeId): boolean;
  heldOutMs(node: NodeId): number;
}

export class Objections {
  readonly #core: Core;
  readonly #peers: Peers;
  readonly #standing: Standing;
  readonly #evaluation: Evaluation;
  readonly #at: Present;

  constructor(core: Core, peers: Peers, standing: Standing, evaluation: Evaluation, at: Present) {
    this.#core = core;
    this.#peers = peers;
    this.#standing = standing;
    this.#evaluation = evaluation;
    this.#at = at;
  }

  /** The only number that may be promised to is one greater than any promised before: never an equal one. */
  to(
    from: NodeId,
    { attempt: tag, members }: ProposalFrame,
    promisedNumber: number,
  ): Pick<RefusalFrame, 'why' | 'missing'> | undefined {
    const { counters, configuration, self } = this.#core;
    if (tag.number <= promisedNumber || tag.number > numberMax) {
      counters.add('refusedStale');
      return { why: 'stale', missing: [] };
    }
    const initiator = this.#peers.get(from);
    const isForeign = from !== self && !this.#at.isMember(from);
    if (isForeign && initiator !== undefined && initiator.revision !== configuration.revision) {
      counters.add('refusedConfiguration');
      return { why: 'configuration', missing: [] };
    }
    const missing = members.filter((member) => !this.#accepts(member)).map(({ node }) => node);
    if (missing.length > 0) {
      counters.add('refusedCannotHear');
      return { why: 'cannotHear', missing };
    }
    if (isForeign && this.#at.active && !this.#at.frozen && this.#standing.isViewQuorate) {
      const dropped = this.#at.view.members.some(({ node, incarnation }) => {
        if (node === self || members.some((member) => member.node === node)) return false;
        const peer = this.#peers.get(node);
        return (
          peer !== undefined &&
          peer.incarnation === incarnation &&
          !this.#evaluation.isLeaving(peer) &&
          this.#peers.isMutual(peer)
        );
      });
      if (dropped) {
        counters.add('refusedWouldDrop');
        return { why: 'wouldDrop', missing: [] };
      }
    }
    if (this.#at.active && !this.#at.frozen && this.#standing.isViewQuorate) {
      const heldOut = members.filter(({ node }) => !this.#at.isMember(node) && this.#at.heldOutMs(node) > 0);
      if (heldOut.length > 0) {
        counters.add('refusedWouldDrop');
        return { why: 'wouldDrop', missing: [] };
      }
    }
    return undefined;
  }

  /** No other life of a member of ours, which has to go first; and heard, unless a pause of our own forbids to judge. */
  #accepts({ node, incarnation }: Identity): boolean {
    const member = this.#at.view.members[this.#at.rankOf(node)];
    if (member !== undefined && member.incarnation !== incarnation) return false;
    return this.#at.isHolding || this.#peers.hears(node, incarnation);
  }
}

/**
 * Whether this node wants another view, with whom, and since when: target, hold and turn.
 *
 * A wish is acted on when it has lasted its hold (nothing for what is certain or confirmed by all, 300 ms for what may be
 * a path fault, 250 ms for a merge, so that several come in by one change) and, for all but the leader, the time that is
 * left to those before. If the target changes, the hold starts again.
 */
import { invariant } from '@systole/kernel';
import type { Core } from './core.ts';
import type { Damping } from './damping.ts';
import type { Peer, Peers } from './peers.ts';
import type { Standing } from './standing.ts';
import type { NodeId, View, ViewTag } from './surface.ts';
import { chooseTarget, type Neighbour } from './target.ts';
import { noView, sameTag } from './view-tag.ts';

/** What evaluation looks at, beside the peers. */
export interface Situation {
  readonly view: View;
  readonly active: boolean;
  /** The view has to change even if its members stay: an attempt failed, and its promises bind. */
  readonly needChange: boolean;
  readonly isLeaving: boolean;
  /** Nodes known to leave, by the incarnation that leaves. */
  readonly leaving: ReadonlyMap<NodeId, number>;
  /** Members seen in a newer view without us, and the heartbeat that said so. */
  readonly movedOn: ReadonlyMap<NodeId, number>;
}

export type Wish =
  | { readonly type: 'content'; readonly lookAgainAt: number }
  | { readonly type: 'waiting'; readonly lookAgainAt: number }
  | { readonly type: 'initiate'; readonly nodes: readonly NodeId[] };

interface Speaker {
  readonly protocolMin: number;
  readonly protocolMax: number;
}

/** They know a common protocol. Ranges that meet pairwise have a protocol in common all together. */
const speakAlike = (a: Speaker, b: Speaker): boolean =>
  a.protocolMax >= b.protocolMin && b.protocolMax >= a.protocolMin;

export class Evaluation {
  readonly #core: Core;
  readonly #peers: Peers;
  readonly #standing: Standing;
  readonly #damping: Damping;
  readonly #at: Situation;
  /** The target wanted at present, as a mask; 0: content. */
  #candidate = 0;
  #candidateSince = 0;

  constructor(core: Core, peers: Peers, standing: Standing, damping: Damping, situation: Situation) {
    this.#core = core;
    this.#peers = peers;
    this.#standing = standing;
    this.#damping = damping;
    this.#at = situation;
  }

  /** What was wanted is forgotten: its hold starts again. */
  restart(): void {
    this.#candidate = 0;
  }

  isLeaving(peer: Peer): boolean {
    return this.#at.leaving.get(peer.node) === peer.incarnation;
  }

  wish(): Wish {
    const { view, active, needChange } = this.#at;
    const present = this.#present();
    const members = this.#maskOf(view.members.map(({ node }) => node));
    const target = chooseTarget({
      self: this.#core.indexOf(this.#core.self) as number,
      graph: this.#graph(),
      present,
      quorate: active && this.#standing.isViewQuorate,
      neighbours: this.#core.nodes.map((node) => this.#neighbour(node)),
      votes: (mask) =>
        this.#nodesOf(mask).reduce((sum, node) => sum + this.#core.policy.votes(node, this.#standing.memory), 0),
      enough: (mask) => this.#standing.wouldBeQuorum(this.#nodesOf(mask)),
    });
    if (target === members && present === members && !needChange) {
      this.#candidate = 0;
      return { type: 'content', lookAgainAt: this.#nextExpiry() };
    }
    if (target !== this.#candidate) {
      this.#candidate = target;
      this.#candidateSince = this.#core.now;
    }
    const due = this.#candidateSince + this.#hold(target, members) + this.#turn(target, members);
    if (this.#core.now < due)
      return { type: 'waiting', lookAgainAt: Math.min(due, this.#core.now + this.#core.timing.evaluateMs) };
    this.#candidate = 0;
    return { type: 'initiate', nodes: this.#nodesOf(target) };
  }

  /** A node that may be in a view with us, for all but its hearing. */
  mayMerge(peer: Peer): boolean {
    const { configuration } = this.#core;
    if (this.isLeaving(peer)) return false;
    const member = this.#at.view.members.find(({ node }) => node === peer.node);
    // Another life of a member: the old one goes by one change of view, the new one comes by the next.
    if (member !== undefined && member.incarnation !== peer.incarnation) return false;
    if (this.#damping.isEvicted(peer.node)) return false;
    if (member !== undefined) return true;
    if (peer.revision !== configuration.revision) return false;
    const { min: protocolMin, max: protocolMax } = configuration.protocol;
    if (!speakAlike(peer, { protocolMin, protocolMax })) return false;
    return this.#damping.heldOutMs(peer.node) === 0 || this.#standing.decision?.ok !== true;
  }

  /** Mutual hearing as a graph over the bits of the node list. */
  #graph(): number[] {
    const { core, peers } = { core: this.#core, peers: this.#peers };
    const graph = core.nodes.map(() => 0);
    const me = core.indexOf(core.self) as number;
    const usable: { peer: Peer; index: number; lists: number }[] = [];
    for (const peer of peers.all) {
      const index = core.indexOf(peer.node);
      if (index === undefined || peer.heartbeat === undefined || !peers.isHeard(peer) || !this.mayMerge(peer)) continue;
      let lists = 0;
      for (const echo of peer.heartbeat.echoes) {
        const other = core.indexOf(echo.node);
        if (!echo.heard || other === undefined || other === me || peer.cannotHear.has(echo.node)) continue;
        if (peers.get(echo.node)?.incarnation === echo.incarnation) lists |= 1 << other;
      }
      usable.push({ peer, index, lists: lists >>> 0 });
    }
    for (const { peer, index, lists } of usable) {
      const moved = this.#at.movedOn.get(peer.node);
      const isUsable = moved === undefined || (peer.heartbeat?.number ?? 0) > moved;
      if (isUsable && peers.hearsMe(peer) && !peer.cannotHear.has(core.self)) {
        graph[me] = ((graph[me] as number) | (1 << index)) >>> 0;
        graph[index] = ((graph[index] as number) | (1 << me)) >>> 0;
      }
      for (const other of usable) {
        if (other.index === index || (lists & (1 << other.index)) === 0 || (other.lists & (1 << index)) === 0) continue;
        if (!speakAlike(peer, other.peer)) continue;
        graph[index] = ((graph[index] as number) | (1 << other.index)) >>> 0;
      }
    }
    return graph;
  }

  #nodesOf(mask: number): NodeId[] {
    return this.#core.nodes.filter((_, index) => (mask & (1 << index)) !== 0);
  }

  #maskOf(nodes: readonly NodeId[]): number {
    let mask = 0;
    for (const node of nodes) {
      const index = this.#core.indexOf(node);
      if (index !== undefined) mask |= 1 << index;
    }
    return mask >>> 0;
  }

  /** Members of the view that are what they were. */
  #present(): number {
    const nodes = this.#at.view.members.flatMap(({ node, incarnation }) => {
      if (node === this.#core.self) return this.#at.isLeaving ? [] : [node];
      const peer = this.#peers.get(node);
      const isPresent = peer?.incarnation === incarnation && !this.isLeaving(peer) && !this.#at.movedOn.has(node);
      return isPresent ? [node] : [];
    });
    return this.#maskOf(nodes);
  }

  #neighbour(node: NodeId): Neighbour | undefined {
    const heartbeat = this.#peers.get(node)?.heartbeat;
    if (heartbeat === undefined) return undefined;
    const heard = heartbeat.echoes.flatMap((echo) => (echo.heard ? [echo.node] : []));
    return {
      view: this.#maskOf(heartbeat.members),
      hears: this.#maskOf(heard),
      quorate: heartbeat.active && heartbeat.quorate,
    };
  }

  /** When the next peer now heard could fall silent or its echo grow stale. */
  #nextExpiry(): number {
    let next = this.#core.now + this.#core.timing.suspectMaxMs;
    for (const peer of this.#peers.all) {
      if (!this.#peers.isHeard(peer)) continue;
      next = Math.min(next, peer.lastHeard + this.#peers.limit(peer) + 1);
      if (this.#peers.hearsMe(peer)) next = Math.min(next, peer.echoedSentAt + this.#core.timing.freshMs + 1);
    }
    return Math.max(next, this.#core.now + 1);
  }

  /** How long the change must have been wanted. Zero for what is certain; time to settle for what may be a path fault. */
  #hold(target: number, members: number): number {
    const { timing } = this.#core;
    const gained = this.#nodesOf(target & ~members);
    const lost = this.#nodesOf(members & ~target);
    let hold = gained.length > 0 && lost.length === 0 && !this.#at.needChange ? timing.mergeMs : 0;
    if (this.#nodesOf(target).some((node) => this.#at.movedOn.has(node)))
      hold = Math.max(hold, timing.heartbeatMs + 10);
    for (const node of lost) hold = Math.max(hold, this.#lostHold(node, target));
    if (lost.length > 0 && hold < 2 * timing.suspectMs) {
      // Several lost at once become one change: whoever has been silent for long speaks or expires first.
      const wavering = this.#nodesOf(target).some((node) => {
        const peer = this.#peers.get(node);
        return peer !== undefined && this.#peers.silence(peer) > 2.5 * timing.heartbeatMs;
      });
      if (wavering) hold = Math.max(hold, Math.min(2 * timing.suspectMs, this.#core.now - this.#candidateSince + 1));
    }
    return hold;
  }

  #lostHold(node: NodeId, target: number): number {
    const { timing } = this.#core;
    const peer = this.#peers.get(node);
    const member = this.#at.view.members.find((one) => one.node === node);
    if (peer === undefined || member === undefined) return 0;
    if (peer.incarnation !== member.incarnation || this.isLeaving(peer) || this.#damping.isEvicted(node)) return 0;
    const moved = this.#at.movedOn.get(node);
    if (moved !== undefined) return (peer.heartbeat?.number ?? 0) > moved ? 0 : timing.partialMs;
    const recent = timing.suspectMs / 2;
    const heardLately = this.#nodesOf(target).some((witness) => {
      if (witness === this.#core.self) return this.#peers.silence(peer) <= recent;
      const observer = this.#peers.get(witness);
      const echo = observer?.heartbeat?.echoes.find((entry) => entry.node === node);
      if (observer === undefined || echo === undefined || echo.incarnation !== member.incarnation) return false;
      return echo.silenceMs + (this.#core.now - observer.heartbeatAt) <= recent;
    });
    return heardLately ? timing.partialMs : 0;
  }

  /** How much longer this node leaves the initiative to those before it. */
  #turn(target: number, members: number): number {
    const { timing, self } = this.#core;
    const leader = this.#leaderOf(target);
    if (leader === self) return 0;
    const others = this.#nodesOf(target).filter((node) => node !== leader);
    const gainedOnly = (members & ~target) === 0 && !this.#at.needChange;
    return timing.takeMs * (1 + others.indexOf(self)) + (gainedOnly ? 4 * timing.mergeMs : 0);
  }

  /** Who initiates: the coordinator of the best view among the target's, or the next of it. */
  #leaderOf(target: number): NodeId {
    const groups = new Map<string, { tag: ViewTag; nodes: NodeId[]; quorate: boolean; order: readonly NodeId[] }>();
    for (const node of this.#nodesOf(target)) {
      const heartbeat = this.#peers.get(node)?.heartbeat;
      const isMine =
        node === this.#core.self || (heartbeat !== undefined && sameTag(heartbeat.view, this.#at.view.tag));
      const tag = isMine ? this.#at.view.tag : (heartbeat?.view ?? noView);
      const order = isMine ? this.#at.view.members.map((member) => member.node) : (heartbeat?.members ?? [node]);
      const key = `${tag.number}/${tag.hash}`;
      const quorate = isMine
        ? this.#at.active && this.#standing.isViewQuorate
        : heartbeat?.active === true && heartbeat.quorate;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { tag, nodes: [node], quorate, order });
      else {
        group.nodes.push(node);
        group.quorate ||= quorate;
      }
    }
    const [best] = [...groups.values()].toSorted(
      (a, b) =>
        Number(b.quorate) - Number(a.quorate) ||
        b.nodes.length - a.nodes.length ||
        (a.nodes[0] as NodeId) - (b.nodes[0] as NodeId),
    );
    invariant(best !== undefined, 'a target contains at least this node');
    return best.order.find((node) => best.nodes.includes(node)) ?? (best.nodes[0] as NodeId);
  }
}

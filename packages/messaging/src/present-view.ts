/**
 * The view this node is in: its members, its order, whether all of them have installed it, and what the application has
 * been shown of it.
 *
 * A view is active only when all its members have installed it; nothing is ordered, and nobody is quorate, before.
 */
import type { Core } from './core.ts';
import type { Damping } from './damping.ts';
import type { Departures } from './departures.ts';
import type { InstallationFrame } from './frames.ts';
import { entryBytesMax } from './limits.ts';
import type { Links } from './links.ts';
import { Order } from './order.ts';
import { Origin } from './origin.ts';
import type { Outbox } from './outbox.ts';
import { Sequencer } from './sequencer.ts';
import type { Standing } from './standing.ts';
import type { Departure, Member, NodeId, View } from './surface.ts';
import { noView, tagOf } from './view-tag.ts';

/** What the rest of membership does when the view changes. */
export interface ViewHooks {
  /** A member's departure was delivered in the view's order. */
  readonly departed: (node: NodeId, incarnation: number) => void;
  /** A view is installed, before the application is shown it. */
  readonly installed: (view: View) => void;
  /** All members have installed the view; before the application is told so. */
  readonly begun: () => void;
}

export class PresentView {
  readonly #core: Core;
  readonly #links: Links;
  readonly #outbox: Outbox;
  readonly #standing: Standing;
  readonly #damping: Damping;
  readonly #departures: Departures;
  readonly #hooks: ViewHooks;
  view: View;
  active = false;
  /** The application has been shown a view. */
  isVisible = false;
  /** The last view the application saw. */
  #shown: View | undefined;
  order: Order;
  sequencer: Sequencer | undefined;
  #reports: readonly { node: NodeId; memory: InstallationFrame['memories'][number] }[] = [];

  /** Begins alone, in a view of this number. */
  constructor(
    core: Core,
    links: Links,
    outbox: Outbox,
    standing: Standing,
    damping: Damping,
    departures: Departures,
    number: number,
    hooks: ViewHooks,
  ) {
    this.#core = core;
    this.#links = links;
    this.#outbox = outbox;
    this.#standing = standing;
    this.#damping = damping;
    this.#departures = departures;
    this.#hooks = hooks;
    const me = { node: core.self, incarnation: core.incarnation };
    this.view = {
      tag: tagOf(number, core.self, core.incarnation, [me]),
      members: [{ ...me, previous: noView, lineage: standing.memory.lineage }],
      protocol: core.configuration.protocol.max,
      features: core.features,
    };
    this.order = this.#newOrder();
  }

  get frozen(): boolean {
    return this.order.frozen;
  }

  rankOf(node: NodeId): number {
    return this.view.members.findIndex((member) => member.node === node);
  }

  isMember(node: NodeId): boolean {
    return this.rankOf(node) >= 0;
  }

  /** Bytes of a fragment in this view. */
  get fragmentBytes(): number {
    return Math.min(entryBytesMax, this.#links.budget() - 40);
  }

  #newOrder(): Order {
    const sequencer = (this.view.members[0] as Member).node;
    const origin = new Origin(this.#core, this.#outbox, this.view.tag, sequencer);
    return new Order(this.#core, this.#outbox, this.view, origin, {
      departed: (rank) => {
        const { node, incarnation } = this.view.members[rank] as Member;
        this.#departures.ordered.set(node, incarnation);
        this.#hooks.departed(node, incarnation);
      },
      baseChangeReceived: (body, sequence) => {
        const { order } = this;
        const memory = this.#core.policy.changeReceived(body, this.#standing.newest, this.view);
        this.#standing.change(memory, () => order.baseChangeSaved(sequence));
      },
      baseChangeDelivered: (body, transitional) => {
        if (transitional) return; // not all have it: it stays pending, and the next view finds it in the reports
        this.#standing.rebase(this.#core.policy.changeDelivered(body, this.#standing.newest, this.view));
      },
    });
  }

  /** The old view ends at its cut, with those who go on together; the new one is shown, and waits to be active. */
  install(frame: InstallationFrame, cut: number, survivors: readonly NodeId[]): void {
    const { order: oldOrder, view: old } = this;
    if (!this.active && cut > 0) this.#activateLate(); // its activation was lost, but ordered entries prove it
    if (this.isVisible)
      oldOrder.end(
        cut,
        survivors.toSorted((a, b) => a - b),
      );

    const members = frame.members.map((identity, index): Member => ({
      ...identity,
      previous: frame.groups.find((group) => group.members.includes(identity.node))?.view ?? noView,
      lineage: frame.memories[index]?.lineage ?? 0,
    }));
    const departed = this.#departures.between(old, members, frame.left);
    this.view = { tag: frame.attempt, members, protocol: frame.protocol, features: frame.features };
    this.#reports = frame.members.map(({ node }, index) => ({
      node,
      memory: frame.memories[index] as InstallationFrame['memories'][number],
    }));
    this.active = false;
    this.sequencer = undefined;
    this.order = this.#newOrder();
    this.#hooks.installed(this.view);
    this.#standing.installed();
    this.#outbox.setMembers(members.map(({ node }) => node));
    this.#core.counters.add('viewsInstalled');
    this.show(departed);
  }

  /** Tells the application of the view. */
  show(departed: readonly Departure[]): void {
    const before = this.#shown;
    const isKnown = ({ node, incarnation }: Member): boolean =>
      before?.members.some((member) => member.node === node && member.incarnation === incarnation) === true;
    const joined = this.view.members.filter((member) => !isKnown(member)).map(({ node }) => node);
    this.isVisible = true;
    this.#shown = this.view;
    this.#core.emit({ type: 'view', view: this.view, previous: before?.tag ?? noView, joined, departed });
  }

  /** All members have installed the view. */
  activate(): void {
    this.#begin();
    const reports =
      this.#reports.length > 0 ? this.#reports : [{ node: this.#core.self, memory: this.#standing.memory }];
    this.#standing.activated(this.view, reports);
  }

  #activateLate(): void {
    this.#begin();
    this.order.frozen = true;
  }

  #begin(): void {
    this.active = true;
    this.order.active = true;
    this.#hooks.begun();
    this.#damping.evictionsDone();
    if (this.order.isSequencer) {
      this.sequencer = new Sequencer(this.#core, this.#outbox, this.order, (nodes) => this.#standing.isQuorum(nodes));
    }
    this.#core.counters.add('viewsActivated');
    this.#core.emit({ type: 'viewActive', view: this.view.tag });
  }
}

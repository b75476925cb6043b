/**
 * The workbench of the action stage: actions, the links between them, and the orders that are still to be turned into
 * links once all actions are known.
 *
 * A plan is made by `draftActions`, settled by `settle` and read by `buildTransition`; nothing outside sees it change.
 * It is one growing value rather than many, because drafts depend on each other in both directions: whether a node
 * must be fenced may turn out when a stop is drafted, and which action an order speaks of when all are there.
 *
 * Everything is found by index (a resource's drafts by key, a pair's links by the two numbers), so that each step
 * costs what it touches: Pacemaker's lists make the same steps quadratic.
 */
import type { Placement } from '../assign/placement.ts';
import type { Situation } from '../situation.ts';
import type { Node } from '../status/node.ts';
import { InstancePlaces } from './collective.ts';
import { deviceDigests } from './device-digests.ts';
import { changed, clear, type Draft, Flag, isPseudo, note, set } from './draft.ts';
import { type Link, Means } from './link.ts';
import {
  type OrderRequest,
  requestBetween,
  requestByOperation,
  requestsOfMigration,
  type Side,
} from './order-request.ts';
import { judge } from './runnable.ts';
import { Role, roleOf, type Subject } from './subject.ts';

/** A resource that must be with another one, wherever that is. */
export interface Dependent {
  readonly subject: Subject;
  /** It depends on the primary's being promoted, not just started. */
  readonly onPromotion: boolean;
  /** Only its own promotion depends on the primary. */
  readonly forPromotion: boolean;
}

export interface PlanInput {
  readonly situation: Situation;
  readonly placement: Placement;
  /**
   * The CIB may have had its secrets masked (a report that someone sent): a change of secret parameters alone is then
   * no change. Never for a live cluster.
   */
  readonly mayBeMasked: boolean;
  /** By `Instance.index`. */
  readonly subjects: readonly Subject[];
  readonly roots: readonly Subject[];
  /** Resources that must be with this one (score INFINITY), by its index; only outermost resources have any. */
  readonly dependentsOf: (subject: Subject) => readonly Dependent[];
  /** The nodes that a resource might have run on, the best first. */
  readonly nodesByScore: (subject: Subject) => readonly Node[];
}

const noExtra: ReadonlyMap<string, string> = new Map();
const none: readonly Draft[] = [];

export class Plan {
  readonly situation: Situation;
  readonly placement: Placement;
  readonly mayBeMasked: boolean;
  readonly subjects: readonly Subject[];
  readonly roots: readonly Subject[];
  readonly dependentsOf: (subject: Subject) => readonly Dependent[];
  readonly nodesByScore: (subject: Subject) => readonly Node[];
  readonly drafts: Draft[] = [];
  readonly requests: OrderRequest[] = [];
  readonly instancePlaces = new InstancePlaces();
  /** Nodes on which resources were looked for. */
  readonly probedNodes = new Set<Node>();
  /** Nodes found to need fencing while drafting, beyond those that were unclean before. */
  readonly #unclean: Uint8Array;
  readonly #reset: Uint8Array;
  readonly #singles = new Map<string, Draft>();
  readonly #stopsOn = new Map<Node, Draft[]>();

  constructor(input: PlanInput) {
    this.situation = input.situation;
    this.placement = input.placement;
    this.mayBeMasked = input.mayBeMasked;
    this.subjects = input.subjects;
    this.roots = input.roots;
    this.dependentsOf = input.dependentsOf;
    this.nodesByScore = input.nodesByScore;
    this.#unclean = Uint8Array.from(input.placement.nodes, (placed) => Number(placed.isUnclean));
    this.#reset = Uint8Array.from(input.situation.nodes, (node) => Number(node.needsReset));
  }

  /** Takes part, or will once its connection is up. */
  isOnline(node: Node): boolean {
    return this.placement.nodes[node.index]?.isOnline === true;
  }

  /** Is to leave. */
  isLeaving(node: Node): boolean {
    return this.placement.nodes[node.index]?.isShutdown === true;
  }

  isUnclean(node: Node): boolean {
    return this.#unclean[node.index] === 1;
  }

  /** A guest that is recovered with its resource, or a remote node that is fenced. */
  needsReset(node: Node): boolean {
    return this.#reset[node.index] === 1;
  }

  /** Could run resources: online, clean, and nobody wants it empty. */
  isAvailable(node: Node): boolean {
    return (
      this.isOnline(node) && !this.isLeaving(node) && !this.isUnclean(node) && !node.isStandby && !node.isMaintenance
    );
  }

  subjectOf(instance: { readonly index: number }): Subject {
    return this.subjects[instance.index] as Subject;
  }

  // ---------------------------------------------------------------- actions

  /** Actions of a resource by key, oldest first; with `node` those there, where a draft without a node gets it. */
  find(subject: Subject, key: string, node?: Node): readonly Draft[] {
    const all = subject.drafts.get(key) ?? none;
    if (node === undefined || all.length === 0) return all;
    return all.filter((draft) => this.#isOn(draft, node));
  }

  /** As `find`, and a draft without a node does not count. */
  findOn(subject: Subject, key: string, node: Node | undefined): readonly Draft[] {
    const all = subject.drafts.get(key) ?? none;
    if (node === undefined || all.length === 0) return none;
    return all.filter((draft) => draft.node === node);
  }

  /** The newest of its actions by that key, on that node if one is given. */
  newest(subject: Subject, key: string, node?: Node): Draft | undefined {
    const all = subject.drafts.get(key);
    if (all === undefined) return undefined;
    if (node === undefined) return all[all.length - 1];
    for (let at = all.length - 1; at >= 0; at--) if (all[at]?.node === node) return all[at];
    return undefined;
  }

  #oldest(subject: Subject, key: string, node: Node | undefined): Draft | undefined {
    const all = subject.drafts.get(key);
    if (all === undefined || node === undefined) return all?.[0];
    for (const draft of all) if (this.#isOn(draft, node)) return draft;
    return undefined;
  }

  #isOn(draft: Draft, node: Node): boolean {
    if (draft.node === undefined) this.#settleOn(draft, node);
    return draft.node === node;
  }

  /** Finds or makes an action of a resource, and looks again at whether it can be done. */
  action(
    subject: Subject,
    operation: string,
    options: { node?: Node | undefined; isOptional: boolean; intervalMs?: number; key?: string },
  ): Draft {
    const { node, isOptional, intervalMs = 0, key = `${operation}_${intervalMs}` } = options;
    let draft = this.#oldest(subject, key, node);
    if (draft === undefined) {
      draft = this.#make({ subject, operation, key, intervalMs, node, needs: needsOf(subject, operation) });
      set(draft, (operation === 'lrm_delete' ? Flag.onDc : 0) | Flag.runnable | (isOptional ? Flag.optional : 0));
      const known = subject.drafts.get(key);
      if (known === undefined) subject.drafts.set(key, [draft]);
      else known.push(draft);
    }
    if (draft.node !== undefined && !isPseudo(draft) && !subject.isManaged && intervalMs === 0)
      set(draft, Flag.optional);
    else if (!isOptional) clear(draft, Flag.optional);
    judge(this, draft, subject);
    return draft;
  }

  /** A point in time in the life of a resource: `running`, `stopped`, … */
  pseudo(
    subject: Subject,
    operation: string,
    options: { isOptional: boolean; isRunnable: boolean; key?: string },
  ): Draft {
    const draft = this.action(subject, operation, {
      isOptional: options.isOptional,
      ...(options.key === undefined ? {} : { key: options.key }),
    });
    set(draft, Flag.pseudo | (options.isRunnable ? Flag.runnable : 0));
    return draft;
  }

  /** A point in time that belongs to no resource, by its name. */
  point(name: string): Draft {
    let draft = this.#singles.get(name);
    if (draft === undefined) {
      draft = this.#make({ operation: name, key: name, intervalMs: 0, needs: 'nothing' });
      set(draft, Flag.pseudo | Flag.runnable | Flag.optional);
      this.#singles.set(name, draft);
    }
    return draft;
  }

  /** What is done to a node: `stonith`, `do_shutdown`. Optional until someone says otherwise. */
  deed(key: string, operation: string, node: Node, fencing?: string): Draft {
    let draft = this.#singles.get(key);
    if (draft === undefined) {
      draft = this.#make({ operation, key, intervalMs: 0, node, needs: 'nothing', fencing });
      set(draft, Flag.runnable | Flag.optional);
      this.#singles.set(key, draft);
    }
    return draft;
  }

  single(key: string): Draft | undefined {
    return this.#singles.get(key);
  }

  /** Stops that were drafted for a node, whatever their resource. */
  stopsOn(node: Node): readonly Draft[] {
    return this.#stopsOn.get(node) ?? [];
  }

  // ---------------------------------------------------------------- links and orders

  /** Links two actions; false if a link that means some of it is there already, or there is nothing to link. */
  link(first: Draft | undefined, then: Draft | undefined, meaning: number): boolean {
    if (meaning === Means.nothing || first === undefined || then === undefined || first === then) return false;
    // Both lists have the pair's links; the shorter one is gone through.
    if (first.after.length <= then.before.length) {
      for (const link of first.after) if (link.then === then && (link.meaning & meaning) !== 0) return false;
    } else {
      for (const link of then.before) if (link.first === first && (link.meaning & meaning) !== 0) return false;
    }
    const link: Link = { first, then, meaning, active: meaning };
    first.after.push(link);
    then.before.push(link);
    return true;
  }

  /** Asks for an order between actions that are found when all are there. */
  order(first: Side, then: Side, meaning: number): void {
    this.#request(requestBetween(first, then, meaning));
  }

  /** Orders actions of two resources by their operations. */
  orderActions(first: Subject, firstOperation: string, then: Subject, thenOperation: string, meaning: number): void {
    this.#request(requestByOperation(first, firstOperation, then, thenOperation, meaning));
  }

  #request(request: OrderRequest): void {
    this.requests.push(request);
    for (const further of requestsOfMigration(request)) this.requests.push(further);
  }

  // ---------------------------------------------------------------- fencing

  /** Whether this partition may and can fence the node. */
  canFence(node: Node): boolean {
    const { options, hasQuorum, nodes } = this.situation;
    if (node.kind === 'guest') {
      const launcher = this.launcherOf(node);
      return (launcher?.of.activeNodes ?? []).every((host) => this.isOnline(host) || this.canFence(host));
    }
    if (!options.isFencingEnabled || !options.hasFencing) return false;
    if (hasQuorum || options.noQuorumPolicy === 'ignore') return true;
    if (!this.isOnline(node)) return false;
    if (node.kind === 'remote' && !options.fencesRemoteWithoutQuorum && node.connection !== undefined) {
      const allowed = this.placement.places[node.connection.index]?.allowed ?? [];
      if (nodes.some((other) => allowed[other.index] !== undefined && !this.isOnline(other))) return false;
    }
    return true;
  }

  /** The resource that a guest node runs in. */
  launcherOf(node: Node): Subject | undefined {
    return node.connection === undefined ? undefined : this.subjectOf(node.connection).launcher;
  }

  connectionOf(node: Node): Subject | undefined {
    return node.connection === undefined ? undefined : this.subjectOf(node.connection);
  }

  /** Marks a node as one that must be fenced; a guest is marked by failing the resource it runs in. */
  mustFence(node: Node, reason: string): void {
    if (node.kind === 'guest') {
      const launcher = this.launcherOf(node);
      if (launcher !== undefined && !launcher.isFailed && launcher.isManaged) {
        this.#reset[node.index] = 1;
        launcher.isFailed = true;
        launcher.mustStopIfFailed = true;
      }
      return;
    }
    if (node.kind === 'remote') {
      const connection = this.connectionOf(node);
      if (connection === undefined || connection.isManaged) this.#reset[node.index] = 1;
    } else if (this.isUnclean(node)) return;
    this.#unclean[node.index] = 1;
    this.fencing(node, { isOptional: true, reason });
  }

  /** The fencing (or with `operation: 'on'`, unfencing) of a node; required if it can be done and is not optional. */
  fencing(node: Node, options: { operation?: string; isOptional: boolean; reason?: string | undefined }): Draft {
    const operation = options.operation ?? this.situation.options.fencingAction;
    const key = `stonith-${node.name}-${operation}`;
    const isNew = this.single(key) === undefined;
    const draft = this.deed(key, 'stonith', node, operation);
    let { isOptional } = options;
    if (isNew && this.situation.options.hasUnfencing) {
      const digests = deviceDigests(this.situation, this.roots, node);
      note(draft, 'digests_all', digests.all);
      note(draft, 'digests_secure', digests.secure);
      if (digests.hasChanged) isOptional = false;
    }
    if (!isOptional && this.canFence(node)) clear(draft, Flag.optional);
    if (options.reason !== undefined) draft.reason ??= options.reason;
    return draft;
  }

  // ---------------------------------------------------------------- inside

  #make(
    fields: Pick<Draft, 'operation' | 'key' | 'intervalMs' | 'needs'> & {
      subject?: Subject;
      node?: Node | undefined;
      fencing?: string | undefined;
    },
  ): Draft {
    const draft: Draft = {
      id: this.drafts.length,
      subject: fields.subject,
      key: fields.key,
      operation: fields.operation,
      madeAs: fields.operation,
      intervalMs: fields.intervalMs,
      cancels: undefined,
      node: undefined,
      flags: 0,
      needs: fields.needs,
      priority: 0,
      requiredBefore: 0,
      extra: noExtra,
      expectedExitCode: undefined,
      fencing: fields.fencing,
      reason: undefined,
      isQueued: false,
      memo: undefined,
      before: [],
      after: [],
    };
    this.drafts.push(draft);
    changed(draft.subject);
    if (fields.node !== undefined) this.#settleOn(draft, fields.node);
    return draft;
  }

  #settleOn(draft: Draft, node: Node): void {
    draft.node = node;
    changed(draft.subject);
    if (draft.operation !== 'stop') return;
    const stops = this.#stopsOn.get(node);
    if (stops === undefined) this.#stopsOn.set(node, [draft]);
    else stops.push(draft);
  }
}

/** What must be sure before a start or promotion: other actions need nothing. */
function needsOf(subject: Subject, operation: string): Draft['needs'] {
  if (operation !== 'start' && operation !== 'promote') return 'nothing';
  if (subject.of.needsFencing) return 'fencing';
  return subject.of.needsQuorum ? 'quorum' : 'nothing';
}

/** Whether all of it is active (a group's every member): what freezing for lack of quorum looks at. */
export const isActive = (subject: Subject): boolean => roleOf(subject, 'now') > Role.stopped;

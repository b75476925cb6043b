/**
 * The rules of quorum as one object that messaging plugs in: pure functions of the memory and the view they are given.
 *
 * Messaging carries the memories in promises and installations, saves them before they count, measures the lease and
 * orders changes of the base; this package answers. It satisfies messaging's `QuorumPolicy` by its shape alone, so that
 * neither package imports the other.
 */
import { bindingPending, isPendingFor, type NodeId, type PendingBase, votesOf } from './base.ts';
import { desiredBase } from './change.ts';
import { decodeChange, encodeChange } from './change-codec.ts';
import { decide, enoughVotes, tally } from './decide.ts';
import { adopt, memoryAtStart, type QuorumMemory, type QuorumReport } from './memory.ts';
import type { QuorumOptions } from './options.ts';

/** As much of a membership view as quorum looks at. */
export interface QuorumView {
  readonly tag: { readonly number: number };
  readonly members: readonly { readonly node: NodeId }[];
}

export interface QuorumDecisionInput {
  readonly view: QuorumView;
  readonly self: NodeId;
  /** One a member, in the view's order, as the installation carried them. */
  readonly reports: readonly QuorumReport[];
  /** This node's present memory, which takes the place of its own report. */
  readonly memory: QuorumMemory;
  readonly deviceGranted: boolean;
}

export interface QuorumDecision {
  readonly ok: boolean;
  readonly reason: string;
  readonly votes: number;
  readonly needed: number;
  readonly total: number;
  /** To be on disk before this node counts as quorate. */
  readonly memory: QuorumMemory;
  /** False with two_node, where the other side may hold quorum as well. */
  readonly exclusive: boolean;
  readonly pending?: PendingBase;
}

export interface QuorumChangeContext {
  readonly view: QuorumView;
  readonly self: NodeId;
  readonly memory: QuorumMemory;
  readonly reports: readonly QuorumReport[];
  readonly activeSince: number;
  readonly left: readonly NodeId[];
}

export interface Policy {
  start(saved: QuorumMemory | undefined): QuorumMemory;
  decide(input: QuorumDecisionInput): QuorumDecision;
  enough(
    nodes: readonly NodeId[],
    memory: QuorumMemory,
    deviceGranted: boolean,
    decision: QuorumDecision | undefined,
  ): boolean;
  votes(node: NodeId, memory: QuorumMemory): number;
  proposeChange(context: QuorumChangeContext, now: number): Uint8Array | undefined;
  changeReceived(body: Uint8Array, memory: QuorumMemory, view: QuorumView): QuorumMemory;
  changeDelivered(body: Uint8Array, memory: QuorumMemory, view: QuorumView): QuorumMemory;
}

export function quorumPolicy(options: QuorumOptions): Policy {
  return {
    start: (saved) => memoryAtStart(options, saved),
    decide: (input) => decideFor(input, options),
    enough: (nodes, memory, deviceGranted, decision) =>
      enoughVotes(nodes, memory, [decision?.pending], deviceGranted, options),
    votes: (node, memory) => votesOf(memory.base, node),
    proposeChange: (context, now) => proposeChange(context, now, options),
    changeReceived,
    changeDelivered: (body, memory) => {
      const change = decodeChange(body);
      return change === undefined ? memory : adopt(memory, change.next);
    },
  };
}

function decideFor(input: QuorumDecisionInput, options: QuorumOptions): QuorumDecision {
  const { view, self, memory, deviceGranted } = input;
  const members = view.members.map(({ node }) => node);
  const reports = input.reports.map((report) => (report.node === self ? { node: self, memory } : report));
  const {
    ok,
    reason,
    tally: count,
    pendingTally,
    base,
    pending,
  } = decide({ members, reports, options, deviceGranted });
  const adopted = adopt(memory, base);
  const quorate = {
    ...adopted,
    lineage: Math.max(adopted.lineage, view.tag.number),
    lastQuorateMembers: members.toSorted((a, b) => a - b),
    waiting: false,
  };
  return {
    ok,
    reason,
    votes: count.got,
    needed: count.needed,
    total: count.total,
    memory: ok ? quorate : adopted,
    exclusive: count.by !== 'twoNode' && pendingTally?.by !== 'twoNode',
    ...(pending === undefined ? {} : { pending }),
  };
}

/** An unfinished change of this or an earlier view comes first (rule 4 of §6.4), and only then what is desired. */
function proposeChange(context: QuorumChangeContext, now: number, options: QuorumOptions): Uint8Array | undefined {
  const { view, memory, reports, left, activeSince } = context;
  const { base } = memory;
  const members = view.members.map(({ node }) => node);
  const unfinished = bindingPending(base, [memory.pending, ...reports.map((report) => report.memory.pending)]);
  if (unfinished?.viewNumber === view.tag.number) return undefined; // on its way
  if (unfinished !== undefined) return encodeChange({ base, next: unfinished.base });
  const windowPassed = now - activeSince >= options.lastManStandingWindowMs;
  const next = desiredBase({ base, options, members, left, windowPassed })?.base;
  if (next === undefined) return undefined;
  // Only a base in which these members still are a quorum, the device apart: growing must not end what grows.
  const count = tally({ members, base: next, options, deviceGranted: true, tieFrom: memory.lastQuorateMembers });
  return count.enough ? encodeChange({ base, next }) : undefined;
}

/** Rule 2 of §6.4: adopt what the entry proves, then keep the change as pending; within one view the first one stays. */
function changeReceived(body: Uint8Array, memory: QuorumMemory, view: QuorumView): QuorumMemory {
  const change = decodeChange(body);
  if (change === undefined) return memory;
  const current = adopt(memory, change.base);
  const received: PendingBase = { base: change.next, viewNumber: view.tag.number };
  const known = current.pending;
  if (!isPendingFor(current.base, received)) return current;
  if (known !== undefined && known.viewNumber >= received.viewNumber) return current;
  return { ...current, pending: received };
}

/**
 * The changes that a decision makes, one for each resource and each node that is fenced, as an administrator would say
 * them: "move web from alpha to beta, because alpha is in standby". Fields are those of `systole-simulate/1`, `summary`.
 *
 * Semantics: Pacemaker's rsc_action_default() (lib/pacemaker/pcmk_output.c).
 */
import { currentNode } from '../actions/primitive.ts';
import type { Planned } from '../actions/plan-actions.ts';
import { type Draft, Flag, isOptional, isRunnable } from '../graph/draft.ts';
import { Role, type Subject } from '../graph/subject.ts';
import type { Plan } from '../graph/plan.ts';
import type { Node } from '../status/node.ts';

export type ChangeKind =
  | 'start'
  | 'stop'
  | 'restart'
  | 'recover'
  | 'move'
  | 'migrate'
  | 'promote'
  | 'demote'
  | 're-promote'
  | 'reload'
  | 'fence';

export interface Change {
  readonly change: ChangeKind;
  /** The resource or instance; with a fence, the resource whose recovery fences the guest node. */
  readonly rsc?: string;
  readonly from?: string;
  readonly to?: string;
  /** Only where promotion is involved. */
  readonly from_role?: string;
  readonly to_role?: string;
  /** It should happen and cannot. */
  readonly blocked?: true;
  readonly reason?: string;
  /** With a fence: the node, and `reboot`, `off` or `on`. */
  readonly node?: string;
  readonly fence?: string;
}

/** What is done to nodes first, then to resources in their order. */
export function summarize({ planned }: { readonly planned: Planned }): readonly Change[] {
  const { plan } = planned;
  const fences = plan.drafts.flatMap((draft) => fencing(draft));
  return [...fences, ...plan.roots.flatMap((root) => changesOf(plan, root))];
}

function fencing(draft: Draft): readonly Change[] {
  if (draft.operation !== 'stonith' || draft.subject !== undefined || isOptional(draft)) return [];
  if (draft.reason === undefined || draft.node === undefined) return [];
  const launcher = draft.node.connection?.launcher?.id;
  return [
    {
      change: 'fence',
      node: draft.node.name,
      fence: draft.fencing ?? 'reboot',
      reason: draft.reason,
      ...(launcher === undefined ? {} : { rsc: launcher }),
    },
  ];
}

function changesOf(plan: Plan, subject: Subject): readonly Change[] {
  if (subject.kind === 'bundle') {
    return subject.replicas.flatMap((replica) =>
      [replica.ip, replica.container, replica.remote, replica.child].flatMap((part) =>
        part === undefined ? [] : changesOf(plan, part),
      ),
    );
  }
  return subject.kind === 'primitive'
    ? changesOfPrimitive(plan, subject)
    : subject.children.flatMap((child) => changesOf(plan, child));
}

/** The newest draft of an operation, on one node or on any. */
function draftOf(subject: Subject, operation: string, node: Node | undefined): Draft | undefined {
  const drafts = subject.drafts.get(`${operation}_0`) ?? [];
  return drafts.find((draft) => node === undefined || draft.node === undefined || draft.node === node);
}

interface View {
  readonly subject: Subject;
  readonly role: number;
  readonly current: Node | undefined;
  readonly next: Node | undefined;
  readonly start: Draft | undefined;
  readonly stop: Draft | undefined;
  readonly promote: Draft | undefined;
  readonly demote: Draft | undefined;
}

function changesOfPrimitive(plan: Plan, subject: Subject): readonly Change[] {
  const next = subject.assigned;
  const isActive = subject.of.activeNodes.length > 0;
  const current = isActive ? currentNode(plan, subject) : undefined;
  if (!subject.isManaged || (current === undefined && (next === undefined || subject.of.isRemoved))) return [];
  const start = draftOf(subject, 'start', next);
  const stopNode = start === undefined || !isRunnable(start) ? undefined : current;
  const stop =
    draftOf(subject, 'stop', stopNode) ?? (subject.stopsUnexpected ? draftOf(subject, 'stop', undefined) : undefined);
  const view: View = {
    subject,
    // What is being recovered may have been called stopped on the way.
    role: isActive && subject.role === Role.stopped ? Role.started : subject.role,
    current,
    next,
    start,
    stop,
    promote: draftOf(subject, 'promote', next),
    demote: draftOf(subject, 'demote', next),
  };
  return view.role === subject.nextRole ? inSameRole(view) : inOtherRole(view);
}

function inSameRole(view: View): readonly Change[] {
  const { subject, current, next, start, stop, promote, demote } = view;
  if (next === undefined) return [];
  const arrival = draftOf(subject, 'migrate_from', next);
  if (arrival !== undefined && current !== undefined && isRunnable(arrival)) {
    return change(view, 'migrate', current, next, start);
  }
  if (subject.isReloading) return change(view, 'reload', current, next, start);
  if (start === undefined || isOptional(start)) {
    const isBoth = demote !== undefined && promote !== undefined && !isOptional(demote) && !isOptional(promote);
    return isBoth ? change(view, 're-promote', current, next, promote, demote) : [];
  }
  if (!isRunnable(start))
    return change(view, 'stop', current, undefined, stop, stop?.reason === undefined ? start : stop);
  if (current !== undefined && current !== next) {
    return change(view, subject.isFailed ? 'recover' : 'move', current, next, stop);
  }
  if (subject.isFailed) return change(view, 'recover', current, undefined, stop);
  return change(view, 'restart', current, next, start);
}

function inOtherRole(view: View): readonly Change[] {
  const { subject, role, current, next, start, stop, promote, demote } = view;
  const cannotStart = start !== undefined && !isRunnable(start);
  if (stop !== undefined && (subject.nextRole === Role.stopped || cannotStart)) {
    return subject.of.activeNodes.flatMap((node) => {
      const here = draftOf(subject, 'stop', node);
      return change(view, 'stop', node, undefined, here, here?.reason === undefined ? start : here);
    });
  }
  if (stop !== undefined && subject.isFailed && subject.mustStopIfFailed) {
    return change(view, 'recover', current, next, stop, start);
  }
  if (current !== undefined && next !== undefined && current !== next) return change(view, 'move', current, next, stop);
  if (subject.isReloading) return change(view, 'reload', current, next, start);
  if (stop !== undefined && !isOptional(stop)) return change(view, 'restart', current, next, start);
  if (role === Role.promoted) return change(view, 'demote', current, next, demote);
  if (subject.nextRole === Role.promoted) return change(view, 'promote', current, next, promote);
  if (role === Role.stopped && subject.nextRole > Role.stopped) return change(view, 'start', current, next, start);
  return [];
}

const roleNames: readonly string[] = ['Unknown', 'Stopped', 'Started', 'Unpromoted', 'Promoted'];

/** `why`: the draft whose reason counts, if it is not `done`'s own. */
function change(
  view: View,
  kind: ChangeKind,
  from: Node | undefined,
  to: Node | undefined,
  done: Draft | undefined,
  why: Draft | undefined = done,
): readonly Change[] {
  const { subject, role } = view;
  const showsRole = role > Role.started || subject.nextRole > Role.unpromoted;
  const before = roleNames[role];
  const after = roleNames[subject.nextRole];
  const isInPlace = kind !== 'stop' && to === undefined;
  const target = isInPlace ? from : to;
  // Started and promoted at once is called a promotion in place; a guest's failed host restarts where it was to start.
  const origin = from ?? (kind === 'start' ? undefined : to);
  const isStop = to === undefined && kind === 'stop';
  const isBlocked = done !== undefined && (done.flags & Flag.runnable) === 0;
  const roles = !showsRole
    ? {}
    : isStop
      ? { from_role: before }
      : { from_role: before, to_role: isInPlace || role === subject.nextRole ? before : after };
  return [
    {
      change: kind,
      rsc: subject.id,
      ...(origin === undefined ? {} : { from: origin.name }),
      ...(isStop || target === undefined ? {} : { to: target.name }),
      ...(roles as { readonly from_role?: string; readonly to_role?: string }),
      ...(isBlocked ? { blocked: true as const } : {}),
      ...(why?.reason === undefined ? {} : { reason: why.reason }),
    },
  ];
}

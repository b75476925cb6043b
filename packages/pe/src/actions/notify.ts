/**
 * Notifications: each instance of a clone with `notify=true` is told before and after instances start, stop, are
 * promoted or demoted, and what the others do. Drafted when the plan is settled, since only then is it known who does
 * what; and for stops that a fencing implies, at once.
 */
import { byCodeUnit } from '@systole/kernel';
import { INFINITY } from '@systole/cib';
import { clear, type Draft, Flag, isOptional, isPseudo, isRunnable, note } from '../graph/draft.ts';
import { Means } from '../graph/link.ts';
import type { Plan } from '../graph/plan.ts';
import { Role, type Subject } from '../graph/subject.ts';
import type { Node } from '../status/node.ts';
import { draftNotificationPoints, type NotificationPoints, type Notifications } from './notification-points.ts';

interface Entry {
  readonly subject: Subject;
  readonly node: Node | undefined;
}

type Doing = 'start' | 'stop' | 'promote' | 'demote';
const doings: readonly Doing[] = ['stop', 'start', 'demote', 'promote'];

/** Who is what now, and who does what in this transition. */
interface Facts {
  readonly active: Entry[];
  readonly inactive: Entry[];
  readonly unpromoted: Entry[];
  readonly promoted: Entry[];
  readonly doing: Record<Doing, Entry[]>;
}

/** Drafts all notifications of a clone, between the points that were drafted for it. */
export function draftNotifications(plan: Plan, clone: Subject, notifications: Notifications): void {
  for (const points of [notifications.start, notifications.stop, notifications.promote, notifications.demote]) {
    if (points === undefined) continue;
    const facts = collect(plan, clone, true);
    const meta = describe(plan, clone, facts);
    if (facts.doing[points.about as Doing].length > 0) {
      for (const one of [points.pre, points.preDone, points.post, points.postDone]) {
        if (one !== undefined) clear(one, Flag.optional);
      }
    }
    notifyAll(plan, clone, points, facts, meta);
  }
}

/** The instances that live on are told of a stop that a fencing implied. */
export function notifyAfterFencing(plan: Plan, subject: Subject, stop: Draft, fencing: Draft): void {
  const points = draftNotificationPoints(plan, subject, 'stop', undefined, fencing);
  if (points === undefined || stop.node === undefined) return;
  const facts = collect(plan, subject, false);
  const meta = new Map([
    ['notify_stop_uname', stop.node.name],
    ['notify_stop_resource', subject.id],
  ]);
  notifyAll(plan, subject.top, points, facts, meta);
}

function collect(plan: Plan, subject: Subject, withActions: boolean): Facts {
  const facts: Facts = {
    active: [],
    inactive: [],
    unpromoted: [],
    promoted: [],
    doing: { start: [], stop: [], promote: [], demote: [] },
  };
  add(plan, subject, withActions, facts);
  return facts;
}

function add(plan: Plan, subject: Subject, withActions: boolean, facts: Facts): void {
  if (subject.kind !== 'primitive') {
    for (const child of subject.children) add(plan, child, withActions, facts);
    return;
  }
  const entry: Entry = { subject, node: subject.of.activeNodes[0] };
  if (subject.role === Role.stopped) facts.inactive.push(entry);
  else if (subject.role > Role.stopped) facts.active.push(entry);
  if (subject.role === Role.unpromoted) facts.unpromoted.push(entry);
  if (subject.role === Role.promoted) facts.promoted.push(entry);
  if (!withActions) return;
  for (const doing of doings) {
    for (const draft of subject.drafts.get(`${doing}_0`) ?? []) {
      if (isOptional(draft) || draft.node === undefined) continue;
      const isLost = doing === 'stop' && plan.isUnclean(draft.node);
      if (isLost || isRunnable(draft)) facts.doing[doing].push({ subject, node: draft.node });
    }
  }
}

/** The lists as agents get them: names in order, a lone blank for none; instances and their nodes side by side. */
function describe(plan: Plan, clone: Subject, facts: Facts): ReadonlyMap<string, string> {
  const meta = new Map<string, string>();
  const put = (name: string, entries: readonly Entry[], withNodes = true): void => {
    const listed = sorted(entries).filter(({ node }) => !withNodes || node !== undefined);
    const once = listed.filter((entry, at) => entry.subject.id !== listed[at - 1]?.subject.id);
    meta.set(`notify_${name}_resource`, words(once.map(({ subject }) => subject.id)));
    if (withNodes) meta.set(`notify_${name}_uname`, words(once.map(({ node }) => (node as Node).name)));
  };
  for (const doing of doings) put(doing, facts.doing[doing]);
  put('active', facts.active);
  for (const name of ['unpromoted', 'slave']) put(name, facts.unpromoted);
  for (const name of ['promoted', 'master']) put(name, facts.promoted);
  put('inactive', facts.inactive, false);
  const allowed = plan.situation.nodes.filter((node) => mayRunOn(plan, clone, node));
  meta.set('notify_available_uname', words(allowed.map((node) => node.name)));
  const { nodes } = plan.situation;
  meta.set('notify_all_uname', words(nodes.map((node) => node.name)));
  if (clone.of.meta.get('container-attribute-target') === 'host') {
    meta.set('notify_all_hosts', words(nodes.map((node) => hostOf(plan, node).name)));
  }
  return meta;
}

/** Among the nodes that placement considered, without those that exclusive discovery leaves out. */
function mayRunOn(plan: Plan, clone: Subject, node: Node): boolean {
  const place = plan.placement.places[clone.of.index];
  const allowed = place?.allowed[node.index];
  if (allowed === undefined) return false;
  const wasProbed = plan.probedNodes.has(node);
  return !(place?.hasExclusiveProbes === true && wasProbed && allowed.discovery !== 'exclusive');
}

function hostOf(plan: Plan, node: Node): Node {
  const launcher = node.kind === 'guest' ? plan.launcherOf(node) : undefined;
  return launcher?.of.activeNodes[0] ?? node;
}

const words = (names: readonly string[]): string => (names.length === 0 ? ' ' : names.join(' '));

const sorted = (entries: readonly Entry[]): readonly Entry[] =>
  entries.toSorted((a, b) => byCodeUnit(a.subject.id, b.subject.id) || byCodeUnit(a.node?.id ?? '', b.node?.id ?? ''));

function notifyAll(
  plan: Plan,
  subject: Subject,
  points: NotificationPoints,
  facts: Facts,
  meta: ReadonlyMap<string, string>,
): void {
  if (subject.kind !== 'primitive') {
    for (const child of subject.children) notifyAll(plan, child, points, facts, meta);
    return;
  }
  for (const doing of doings) {
    for (const draft of subject.drafts.get(`${doing}_0`) ?? []) {
      if (isOptional(draft) || draft.node === undefined) continue;
      for (const [name, value] of meta) note(draft, name, value);
    }
  }
  const about = points.about as Doing;
  if (about !== 'stop' && facts.doing[about].length === 0) return;
  if (about === 'stop' || about === 'demote') {
    if (subject.role !== Role.stopped) notifyWhereActive(plan, subject, points, meta);
  } else if (subject.nextRole !== Role.stopped) {
    notifyWherePlaced(plan, subject, points, meta);
  }
}

/** Before a stop or demotion all are told; after it those that live on. */
function notifyWhereActive(
  plan: Plan,
  subject: Subject,
  points: NotificationPoints,
  meta: ReadonlyMap<string, string>,
): void {
  const stop = plan.newest(subject, 'stop_0');
  for (const node of subject.of.activeNodes) {
    const isLost = plan.isUnclean(node) || plan.needsReset(node);
    if (stop !== undefined && isPseudo(stop) && isLost) continue; // it is being fenced
    notify(plan, subject, node, points.pre, points.preDone, meta);
    if (points.about === 'demote' || stop === undefined || isOptional(stop)) {
      notifyAfter(plan, subject, node, points, meta);
    }
  }
}

/** Before a start those that run already are told; after it, and around a promotion, all that will run. */
function notifyWherePlaced(
  plan: Plan,
  subject: Subject,
  points: NotificationPoints,
  meta: ReadonlyMap<string, string>,
): void {
  const start = plan.newest(subject, 'start_0');
  const connection = start?.node === undefined ? undefined : plan.connectionOf(start.node);
  const connects = connection === undefined ? undefined : plan.newest(connection, 'start_0');
  if (connects !== undefined && !isRunnable(connects)) return; // its node stays out of reach
  const node = subject.assigned;
  if (node === undefined) return;
  if (points.about !== 'start' || start === undefined || isOptional(start)) {
    notify(plan, subject, node, points.pre, points.preDone, meta);
  }
  notifyAfter(plan, subject, node, points, meta);
}

function notifyAfter(
  plan: Plan,
  subject: Subject,
  node: Node,
  points: NotificationPoints,
  meta: ReadonlyMap<string, string>,
): void {
  const draft = notify(plan, subject, node, points.post, points.postDone, meta);
  if (draft !== undefined) draft.priority = INFINITY;
  // Monitors wait until everybody knows.
  for (const drafts of points.postDone === undefined ? [] : subject.drafts.values()) {
    for (const monitor of drafts) {
      if (monitor.intervalMs > 0 && monitor.operation !== 'cancel') plan.link(points.postDone, monitor, Means.ordered);
    }
  }
}

function notify(
  plan: Plan,
  subject: Subject,
  node: Node,
  point: Draft | undefined,
  pointDone: Draft | undefined,
  meta: ReadonlyMap<string, string>,
): Draft | undefined {
  if (point === undefined || pointDone === undefined || !plan.isOnline(node) || !isRunnable(point)) return undefined;
  const type = point.extra.get('notify_type') as string;
  const about = point.extra.get('notify_operation') as string;
  const key = `${type}_notify_${about}_0`;
  const draft = plan.action(subject, point.operation, { node, isOptional: isOptional(point), key });
  for (const [name, value] of point.extra) if (!draft.extra.has(name)) note(draft, name, value);
  for (const [name, value] of meta) note(draft, name, value);
  plan.link(point, draft, Means.ordered);
  plan.link(draft, pointDone, Means.ordered);
  return draft;
}

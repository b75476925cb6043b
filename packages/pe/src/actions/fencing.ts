/**
 * Fencing of nodes, and what it means for everything else: what ran there is down once the node is fenced, and may be
 * started elsewhere only then.
 */
import { clear, type Draft, Flag, note, set } from '../graph/draft.ts';
import { Means } from '../graph/link.ts';
import type { Plan } from '../graph/plan.ts';
import { isPrimitive, type Subject } from '../graph/subject.ts';
import type { Node } from '../status/node.ts';
import { notifyAfterFencing } from './notify.ts';

/** Fences unclean nodes and shuts down those that asked to leave; the DC last, so that there is one to do it. */
export function draftFencingAndShutdowns(plan: Plan): void {
  const hasManaged = plan.roots.some(isAnyManaged);
  const fenced: Draft[] = [];
  const left: Draft[] = [];
  let dc: Draft | undefined;
  for (const node of plan.situation.nodes) {
    if (node.kind === 'guest') {
      if (plan.needsReset(node) && hasManaged && plan.canFence(node)) fenceGuest(plan, node);
      continue;
    }
    if (hasManaged && plan.isUnclean(node) && plan.canFence(node)) {
      const fencing = plan.fencing(node, { isOptional: false, reason: 'node is unclean' });
      orderAllAroundFencing(plan, fencing, node);
      if (node.isDc) {
        dc = fencing;
      } else {
        const previous = fenced.at(-1);
        if (!plan.situation.options.hasConcurrentFencing) plan.link(previous, fencing, Means.ordered);
        fenced.push(fencing);
      }
    } else if (node.kind === 'member' && plan.isOnline(node) && plan.isLeaving(node)) {
      const shutdown = draftShutdown(plan, node);
      if (node.isDc) dc = shutdown;
      else left.push(shutdown);
    }
  }
  if (dc === undefined) return;
  if (dc.operation === 'do_shutdown') for (const one of left) plan.link(one, dc, Means.ordered);
  const earlier = plan.situation.options.hasConcurrentFencing ? fenced : fenced.slice(-1);
  for (const one of earlier) plan.link(one, dc, Means.ordered);
}

const isAnyManaged = (subject: Subject): boolean => subject.isManaged || subject.children.some(isAnyManaged);

function draftShutdown(plan: Plan, node: Node): Draft {
  const shutdown = plan.deed(`do_shutdown-${node.name}`, 'do_shutdown', node);
  clear(shutdown, Flag.optional);
  note(shutdown, 'op_no_wait', 'true');
  if (node.isMaintenance) return shutdown;
  for (const stop of plan.stopsOn(node)) {
    const subject = stop.subject as Subject;
    if (subject.of.isMaintenance || (!subject.isManaged && !subject.isBlocked)) continue; // not to be touched
    clear(stop, Flag.optional);
    plan.order({ draft: stop }, { draft: shutdown }, Means.ordered | Means.unrunnableFirstBlocks);
  }
  return shutdown;
}

/** A guest is not fenced by a device: the stop of what it runs in (or the fencing of its host) is its fencing. */
function fenceGuest(plan: Plan, node: Node): void {
  const launcher = plan.launcherOf(node);
  let stop = launcher === undefined ? undefined : plan.newest(launcher, 'stop_0');
  const restarts = launcher !== undefined && plan.newest(launcher, 'start_0') !== undefined;
  const operation = restarts ? 'reboot' : 'off';
  const fencing = plan.fencing(node, { operation, isOptional: false, reason: 'guest is unclean' });
  set(fencing, Flag.pseudo | Flag.runnable);
  const implied = Means.unrunnableFirstBlocks | Means.firstImpliesThen;
  if (stop?.node !== undefined && (stop.flags & Flag.pseudo) !== 0) {
    plan.link(plan.fencing(stop.node, { isOptional: false }), fencing, implied);
  } else if (stop !== undefined) {
    plan.link(stop, fencing, implied);
  } else {
    // It is thought to be down already. If that is wrong, its probe will say so before its connection is stopped.
    const connection = plan.connectionOf(node);
    stop = connection === undefined ? undefined : plan.newest(connection, 'stop_0');
    plan.link(stop, fencing, Means.ordered);
  }
  orderAllAroundFencing(plan, fencing, node);
}

function orderAllAroundFencing(plan: Plan, fencing: Draft, node: Node): void {
  for (const root of plan.roots) orderAroundFencing(plan, root, fencing, node);
}

function orderAroundFencing(plan: Plan, subject: Subject, fencing: Draft, node: Node): void {
  if (subject.children.length > 0) {
    for (const child of subject.children) orderAroundFencing(plan, child, fencing, node);
  } else if (subject.isManaged && isPrimitive(subject)) {
    orderStartsAfter(plan, subject, fencing, node);
    implyStops(plan, subject, fencing, node);
    implyDemotions(plan, subject, fencing, node);
  }
}

function orderStartsAfter(plan: Plan, subject: Subject, fencing: Draft, node: Node): void {
  const allowed = plan.placement.places[subject.of.index]?.allowed[node.index] !== undefined;
  for (const key of ['promote_0', 'start_0', 'migrate_to_0', 'migrate_from_0']) {
    for (const draft of subject.drafts.get(key) ?? []) {
      if (draft.needs === 'fencing') plan.link(fencing, draft, Means.ordered);
      else if (draft.needs === 'quorum' && draft.operation === 'start' && allowed && !isKnownOn(subject, node)) {
        // Nobody knows whether it runs there: as a probe would be waited for, so is the fencing.
        plan.link(fencing, draft, Means.ordered | Means.unrunnableFirstBlocks);
      }
    }
  }
}

const isKnownOn = (subject: Subject, node: Node): boolean =>
  subject.of.probedNodes.has(node) ||
  (subject.parent?.kind === 'clone' && !subject.parent.of.isUnique && subject.parent.of.probedNodes.has(node));

/** Whether a stop or demotion counts as done only after the fencing. */
const isAfterFencing = (subject: Subject, node: Node): boolean => subject.of.needsFencing || node.kind === 'guest';

function implyStops(plan: Plan, subject: Subject, fencing: Draft, node: Node): void {
  const stops = plan.find(subject, 'stop_0', node);
  if (stops.length === 0) return;
  const waits = isAfterFencing(subject, node);
  const wholeStop = waits ? plan.newest(subject.top, 'stop_0') : undefined;
  for (const stop of stops) {
    set(stop, Flag.pseudo | Flag.runnable);
    if (waits) {
      // Inside a bundle the bundle's stop is enough; more would make a circle.
      if (subject.bundle === undefined) plan.link(fencing, stop, Means.guestAllowed);
      plan.link(fencing, wholeStop, Means.guestAllowed);
    }
    if (subject.of.hasNotify) notifyAfterFencing(plan, subject, stop, fencing);
  }
}

function implyDemotions(plan: Plan, subject: Subject, fencing: Draft, node: Node): void {
  for (const demote of plan.find(subject, 'demote_0', node)) {
    if (plan.isOnline(node) && !plan.isUnclean(node) && !subject.isFailed) continue;
    set(demote, Flag.pseudo | Flag.runnable);
    if (subject.bundle === undefined && isAfterFencing(subject, node)) {
      plan.link(fencing, demote, Means.guestAllowed | Means.ordered);
    }
  }
}

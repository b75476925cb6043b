/**
 * Orders that follow from probes: nothing that depends on a resource is disturbed before it is known where that
 * resource runs.
 */
import { isTrue } from '../config/values.ts';
import { compatibleInstance } from '../graph/collective.ts';
import { type Draft, Flag, isPseudo, isRunnable } from '../graph/draft.ts';
import { has, type Link, Means } from '../graph/link.ts';
import type { OrderRequest, Plan } from '../graph/plan.ts';
import { isCollective, type Subject } from '../graph/subject.ts';

const probeKey = 'monitor_0';

/** Adds the links; orders must have been applied. */
export function orderProbes(plan: Plan): void {
  for (const root of plan.roots) beforeRestarts(plan, root);
  for (const request of plan.requests) beforeStops(plan, request);
}

function beforeRestarts(plan: Plan, subject: Subject): void {
  if (subject.kind !== 'primitive') {
    for (const child of subject.children) beforeRestarts(plan, child);
    return;
  }
  for (const probe of plan.find(subject, probeKey)) {
    const links = [...probe.after];
    for (let at = links.length - 1; at >= 0; at--) {
      const link = links[at] as Link;
      beforeInstanceStarts(plan, probe, link);
      beforeDependentRestarts(plan, probe, link.then);
    }
  }
}

/** No instance starts where too many might run because one node could not be asked. */
function beforeInstanceStarts(plan: Plan, probe: Draft, link: Link): void {
  const { then } = link;
  const collective = then.subject;
  if (
    collective === undefined ||
    !isCollective(collective) ||
    isRunnable(probe) ||
    has(link.meaning, Means.unrunnableFirstBlocks) ||
    probe.subject?.top !== collective ||
    then.operation !== 'start'
  ) {
    return;
  }
  for (const { then: start } of [...then.after]) {
    if (start.operation !== 'start' || start.subject === undefined) continue;
    if (start.subject.of.activeNodes.length > 0 || start.subject.top !== collective) continue;
    plan.link(probe, start, Means.ordered | Means.unrunnableFirstBlocks);
  }
}

/**
 * What a start that waits for the probe would force to restart is stopped only after the probe. Follows the chain of
 * actions that force each other; each action is visited once for a probe.
 */
function beforeDependentRestarts(plan: Plan, probe: Draft, start: Draft): void {
  const visited = new Set<Draft>();
  const waiting = [start];
  for (let after = waiting.pop(); after !== undefined; after = waiting.pop()) {
    if (visited.has(after)) continue;
    visited.add(after);
    const { subject } = after;
    if (subject?.kind === 'primitive' && subject !== probe.subject) {
      const undo = after.operation === 'start' ? 'stop_0' : after.operation === 'promote' ? 'demote_0' : undefined;
      for (const down of undo === undefined ? [] : plan.find(subject, undo)) {
        if (!isPseudo(down)) plan.link(probe, down, Means.ordered);
      }
    }
    const interleaved =
      subject !== undefined && isCollective(subject) && isTrue(subject.of.meta.get('interleave'))
        ? { with: compatibleInstance(plan, probe.subject as Subject, subject, 'next') }
        : undefined;
    for (const link of after.after) {
      if (leadsOn(probe, after, link, interleaved)) waiting.push(link.then);
    }
  }
}

function leadsOn(
  probe: Draft,
  after: Draft,
  link: Link,
  interleaved: { with: Subject | undefined } | undefined,
): boolean {
  if (has(link.meaning, Means.firstImpliesThen)) return true;
  const { subject } = after;
  const chained = link.then.subject;
  if (subject === undefined || subject.kind === 'primitive' || chained === undefined) return false;
  if (probe.subject?.parent === subject || isCollective(chained) || subject !== chained.parent) return false;
  return !isCollective(subject) || interleaved === undefined || interleaved.with === chained;
}

/** What must wait for a resource's stop waits for its probes too: they may show that it must be stopped first. */
function beforeStops(plan: Plan, { first, then, meaning }: OrderRequest): void {
  if (meaning === Means.nothing || first.subject === undefined || first.subject === then.subject) return;
  if (first.draft === undefined ? first.key !== 'stop_0' : first.draft.operation !== 'stop') return;
  const isThenStop = then.draft === undefined ? then.key === 'stop_0' : then.draft.operation === 'stop';
  if (then.subject !== undefined && first.subject.launcher === then.subject && isThenStop) return;
  let means: number = Means.ordered | (meaning & (Means.ifFirstUnmigratable | Means.ifOnSameNode));
  if (meaning === Means.ifRequiredOnSameNode || meaning === Means.ifOnSameNodeOrTarget) means = meaning;
  const probes = plan.find(first.subject, probeKey);
  if (probes.length === 0) return;
  const thens =
    then.draft !== undefined
      ? [then.draft]
      : then.subject === undefined
        ? []
        : plan.find(then.subject, then.key as string);
  for (const probe of probes) {
    for (const draft of thens) if (mustWaitForProbe(probe, draft)) plan.link(probe, draft, means);
  }
}

function mustWaitForProbe(probe: Draft, then: Draft): boolean {
  // A node is probed after its unfencing; and before its own shutdown, not before others'.
  if (then.operation === 'stonith' && then.fencing === 'on' && then.node === probe.node) return false;
  return !(then.operation === 'do_shutdown' && then.node !== probe.node);
}

export const isProbe = (draft: Draft): boolean =>
  draft.operation === 'monitor' && draft.intervalMs === 0 && !has(draft.flags, Flag.pseudo);

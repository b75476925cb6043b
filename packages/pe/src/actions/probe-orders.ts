/**
 * Orders that follow from probes: nothing that depends on a resource is disturbed before it is known where that
 * resource runs.
 */
import { isTrue } from '../config/values.ts';
import { compatibleInstance } from '../graph/collective.ts';
import { type Draft, isPseudo, isRunnable } from '../graph/draft.ts';
import { has, type Link, Means } from '../graph/link.ts';
import type { OrderRequest } from '../graph/order-request.ts';
import type { Plan } from '../graph/plan.ts';
import { isCollective, type Subject } from '../graph/subject.ts';

const probeKey = 'monitor_0';

/** Adds the links; orders must have been applied. */
export function orderProbes(plan: Plan): void {
  const leading = leadingToRestarts(plan);
  for (const root of plan.roots) beforeRestarts(plan, root, leading);
  for (const request of plan.requests) beforeStops(plan, request);
}

/** Every action from which a chain of orders may lead to one whose resource would have to be stopped or demoted. */
function leadingToRestarts(plan: Plan): ReadonlySet<Draft> {
  const leading = new Set<Draft>();
  const waiting: Draft[] = [];
  const add = (draft: Draft): void => {
    if (leading.has(draft)) return;
    leading.add(draft);
    waiting.push(draft);
  };
  for (const draft of plan.drafts) {
    const undo = undoOf(draft);
    if (undo !== undefined && draft.subject !== undefined && plan.find(draft.subject, undo).length > 0) add(draft);
  }
  for (let draft = waiting.pop(); draft !== undefined; draft = waiting.pop()) {
    for (const { first, meaning } of draft.before) {
      const isOfWhole = first.subject !== undefined && first.subject.kind !== 'primitive';
      if (has(meaning, Means.firstImpliesThen) || isOfWhole) add(first);
    }
  }
  return leading;
}

/** What must be undone before it is done again. */
function undoOf(draft: Draft): string | undefined {
  if (draft.subject?.kind !== 'primitive') return undefined;
  if (draft.operation === 'start') return 'stop_0';
  return draft.operation === 'promote' ? 'demote_0' : undefined;
}

function beforeRestarts(plan: Plan, subject: Subject, leading: ReadonlySet<Draft>): void {
  if (subject.kind !== 'primitive') {
    for (const child of subject.children) beforeRestarts(plan, child, leading);
    return;
  }
  for (const probe of plan.find(subject, probeKey)) {
    const { after } = probe;
    for (let at = after.length - 1; at >= 0; at--) {
      const link = after[at] as Link;
      beforeInstanceStarts(plan, probe, link);
      if (leading.has(link.then)) beforeDependentRestarts(plan, probe, link.then, leading);
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
  for (const { then: start } of then.after) {
    if (start.operation !== 'start' || start.subject === undefined) continue;
    if (start.subject.of.activeNodes.length > 0 || start.subject.top !== collective) continue;
    plan.link(probe, start, Means.ordered | Means.unrunnableFirstBlocks);
  }
}

/**
 * What a start that waits for the probe would force to restart is stopped only after the probe. Follows the chain of
 * actions that force each other; each action is visited once for a probe.
 */
function beforeDependentRestarts(plan: Plan, probe: Draft, start: Draft, leading: ReadonlySet<Draft>): void {
  const visited = new Set<Draft>();
  const waiting = [start];
  for (let after = waiting.pop(); after !== undefined; after = waiting.pop()) {
    if (visited.has(after)) continue;
    visited.add(after);
    const { subject } = after;
    const undo = undoOf(after);
    if (undo !== undefined && subject !== undefined && subject !== probe.subject) {
      for (const down of plan.find(subject, undo)) if (!isPseudo(down)) plan.link(probe, down, Means.ordered);
    }
    const interleaved =
      subject !== undefined && isCollective(subject) && isTrue(subject.of.meta.get('interleave'))
        ? { with: compatibleInstance(plan, probe.subject as Subject, subject, 'next') }
        : undefined;
    for (const link of after.after) {
      if (leading.has(link.then) && leadsOn(probe, after, link, interleaved)) waiting.push(link.then);
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
function beforeStops(plan: Plan, request: OrderRequest): void {
  const { first, firstKey, firstDraft, then, thenKey, thenDraft, meaning } = request;
  if (meaning === Means.nothing || first === undefined || first === then) return;
  if (firstDraft === undefined ? firstKey !== 'stop_0' : firstDraft.operation !== 'stop') return;
  const probes = plan.find(first, probeKey);
  if (probes.length === 0) return;
  const isThenStop = thenDraft === undefined ? thenKey === 'stop_0' : thenDraft.operation === 'stop';
  if (then !== undefined && first.launcher === then && isThenStop) return;
  let means: number = Means.ordered | (meaning & (Means.ifFirstUnmigratable | Means.ifOnSameNode));
  if (meaning === Means.ifRequiredOnSameNode || meaning === Means.ifOnSameNodeOrTarget) means = meaning;
  const thens = thenDraft !== undefined ? [thenDraft] : then === undefined ? [] : plan.find(then, thenKey);
  for (const probe of probes) {
    for (const draft of thens) if (mustWaitForProbe(probe, draft)) plan.link(probe, draft, means);
  }
}

function mustWaitForProbe(probe: Draft, then: Draft): boolean {
  // A node is probed after its unfencing; and before its own shutdown, not before others'.
  if (then.operation === 'stonith' && then.fencing === 'on' && then.node === probe.node) return false;
  return !(then.operation === 'do_shutdown' && then.node !== probe.node);
}

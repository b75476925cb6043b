/** Which of the settled actions are carried out, and which links between them count. */
import { Flag, type Draft, isOptional, isPseudo, isRunnable } from './draft.ts';
import { has, type Link, Means } from './link.ts';
import type { Plan } from './plan.ts';

/** Whether an action is in the graph. */
export function isInGraph(plan: Plan, draft: Draft): boolean {
  if (!isRunnable(draft)) return false;
  if (isOptional(draft) && !has(draft.flags, Flag.always)) return false;
  const { subject, node } = draft;
  // What is not managed is looked at, and nothing else.
  if (subject !== undefined && !subject.isManaged && draft.operation !== 'monitor' && draft.intervalMs === 0)
    return false;
  if (isPseudo(draft) || draft.operation === 'stonith' || draft.operation === 'do_shutdown') return true;
  if (node === undefined) return false;
  if (has(draft.flags, Flag.onDc)) return true;
  if (node.kind === 'guest' && !plan.needsReset(node)) return true;
  return plan.isOnline(node) && !plan.isUnclean(node);
}

/** What each action before this one means to it, its links taken together. */
export function forEachBefore(draft: Draft, use: (first: Draft, meaning: number) => void): void {
  const { before } = draft;
  if (before.length === 1) {
    const [link] = before;
    if (link !== undefined) use(link.first, link.active);
    return;
  }
  const meanings = new Map<Draft, number>();
  for (const { first, active } of before) meanings.set(first, (meanings.get(first) ?? 0) | active);
  for (const [first, meaning] of meanings) use(first, meaning);
}

const onlyOrder = Means.thenImpliesFirstGraphed | Means.firstImpliesThenGraphed | Means.ordered;

/** Whether `then` waits for `first`, given what their links mean in all and that both are in the graph. */
export function isWaitedFor(first: Draft, then: Draft, meaning: number): boolean {
  if (meaning === Means.nothing) return false;
  if (!isRunnable(first)) {
    if ((meaning & ~onlyOrder) === 0) return false;
    if (has(meaning, Means.minRunnable | Means.unmigratableThenBlocks)) return false;
  }
  const canMigrate = has(first.flags, Flag.migratable);
  if (has(meaning, Means.ifFirstUnmigratable) && canMigrate) return false;
  const isStop = first.key.endsWith('stop_0') && first.subject !== undefined;
  if (meaning === Means.ordered && canMigrate && isStop) return false;
  if (meaning === Means.ifOnSameNodeOrTarget) {
    if (then.subject !== undefined && then.operation === 'migrate_to') return first.node === then.subject.assigned;
    return first.node === then.node && !isOptional(first);
  }
  if (meaning === Means.ifRequiredOnSameNode) {
    const isElsewhere = first.node !== undefined && then.node !== undefined && first.node !== then.node;
    return !isElsewhere && !isOptional(first);
  }
  // A failed instance that nobody may stop does not keep its clone from stopping.
  const owner = first.subject;
  if (owner !== undefined && owner !== then.subject && owner.isFailed && !owner.isManaged && isStop) {
    if (then.subject?.kind === 'clone') return false;
  }
  return !isOptional(first) || has(first.flags, Flag.always);
}

/** Takes back orders that an operator must not give: between a guest's resource and what runs inside that guest. */
export function dropInvalid(plan: Plan): void {
  for (const draft of plan.drafts.toReversed()) {
    for (const link of draft.before.toReversed()) {
      if (link.active === Means.nothing) continue;
      if (isInsideOwnGuest(plan, draft, link)) link.active = Means.nothing;
      else if (link.active === Means.ifOnSameNodeOrTarget && draft.operation === 'migrate_to') {
        // Two resources that change places by migration cannot both wait for the other to have gone.
        if (isWaitedFor(link.first, draft, link.active) && leadsTo(draft, link.first)) link.active = Means.nothing;
      }
    }
  }
}

function isInsideOwnGuest(plan: Plan, draft: Draft, { first, active }: Link): boolean {
  if (has(active, Means.guestAllowed) || first.subject === undefined || first.node === undefined) return false;
  return first.node.kind !== 'member' && draft.subject !== undefined && plan.launcherOf(first.node) === draft.subject;
}

/** Whether `from` comes before `to` along links that count. */
function leadsTo(from: Draft, to: Draft): boolean {
  const visited = new Set<Draft>();
  const waiting = [to];
  for (let draft = waiting.pop(); draft !== undefined; draft = waiting.pop()) {
    if (draft === from) return true;
    if (visited.has(draft)) continue;
    visited.add(draft);
    for (const { first, active } of draft.before) if (isWaitedFor(first, draft, active)) waiting.push(first);
  }
  return false;
}

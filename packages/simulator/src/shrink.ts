/**
 * Makes a failing plan small: takes out faults, resources, nodes and links, halves durations, rounds times, as long as
 * the same law still breaks. Chance inside a run is named, not drawn in sequence, so what is taken out changes nothing else.
 */
import type { Fault, Plan, PlanEntry } from './plan.ts';

/** Whether a plan still breaks the law in question. */
export type Fails = (plan: Plan) => boolean;

export interface ShrinkLimits {
  /** Runs at most. */
  readonly runsMax: number;
  /** Asked before each run: whether there is no time left. */
  readonly isLate?: () => boolean;
}

export function shrink(plan: Plan, fails: Fails, { runsMax, isLate }: ShrinkLimits = { runsMax: 150 }): Plan {
  let runs = 0;
  const tryOut = (candidate: Plan): boolean =>
    runs < runsMax && isLate?.() !== true && (runs += 1) > 0 && fails(candidate);
  let best = plan;
  const keep = (candidate: Plan): boolean => {
    if (!tryOut(candidate)) return false;
    best = candidate;
    return true;
  };
  // Cut after the end: the run may stop as soon as the last fault that matters has begun.
  const last = best.entries.at(-1);
  if (last !== undefined) keep({ ...best, faultsMs: Math.min(best.faultsMs, last.at + 5000) });
  withoutEntries(() => best, keep);
  for (const resource of [...best.settings.resources].toReversed()) {
    const resources = best.settings.resources.filter((each) => each !== resource && each.with !== resource.id);
    if (resources.length > 0) keep({ ...best, settings: { ...best.settings, resources } });
  }
  if (best.settings.links > 1) keep({ ...best, settings: { ...best.settings, links: 1 } });
  if (best.settings.loadMs > 0) keep({ ...best, settings: { ...best.settings, loadMs: 0 } });
  while (best.settings.nodes > 2 && keep(withNodes(best, best.settings.nodes - 1))) continue;
  for (const index of best.entries.keys()) {
    for (let turn = 0; turn < 4; turn += 1) {
      const entry = best.entries[index];
      const shorter = entry && halved(entry);
      if (shorter === undefined || !keep(withEntry(best, index, shorter))) break;
    }
  }
  for (const [index, entry] of best.entries.entries()) {
    const at = Math.round(entry.at / 1000) * 1000;
    if (at !== entry.at) keep(withEntry(best, index, { ...entry, at }));
  }
  withoutEntries(() => best, keep);
  return best;
}

/** Delta debugging over the faults: halves first, then ever smaller parts. */
function withoutEntries(best: () => Plan, keep: (candidate: Plan) => boolean): void {
  let parts = 2;
  while (best().entries.length > 0) {
    const { entries } = best();
    const size = Math.ceil(entries.length / parts);
    let hasShrunk = false;
    for (let from = 0; from < entries.length; from += size) {
      const rest = entries.filter((_, index) => index < from || index >= from + size);
      if (keep({ ...best(), entries: rest })) {
        hasShrunk = true;
        break;
      }
    }
    if (hasShrunk) parts = Math.max(2, parts - 1);
    else if (size === 1) return;
    else parts = Math.min(entries.length, parts * 2);
  }
}

function halved({ at, fault }: PlanEntry): PlanEntry | undefined {
  if (!('forMs' in fault) || fault.forMs < 40) return undefined;
  return { at, fault: { ...fault, forMs: Math.floor(fault.forMs / 2) } };
}

const withEntry = (plan: Plan, index: number, entry: PlanEntry): Plan => ({
  ...plan,
  entries: plan.entries.map((each, at) => (at === index ? entry : each)),
});

/** Fewer machines; faults of those that are gone go too. */
function withNodes(plan: Plan, nodes: number): Plan {
  const isLeft = (node: number): boolean => node <= nodes;
  const entries = plan.entries.flatMap(({ at, fault }): PlanEntry[] => {
    const fits = fitted(fault, isLeft, nodes);
    return fits === undefined ? [] : [{ at, fault: fits }];
  });
  const resources = plan.settings.resources.map(({ prefers, ...resource }) => ({
    ...resource,
    ...(prefers !== undefined && isLeft(prefers) ? { prefers } : {}),
  }));
  return { ...plan, entries, settings: { ...plan.settings, nodes, resources } };
}

function fitted(fault: Fault, isLeft: (node: number) => boolean, nodes: number): Fault | undefined {
  if ('node' in fault) return isLeft(fault.node) ? fault : undefined;
  if ('side' in fault) {
    const side = fault.side.filter(isLeft);
    return side.length === 0 || side.length === nodes ? undefined : { ...fault, side };
  }
  if (fault.kind === 'swizzle') {
    const left = fault.nodes.filter(isLeft);
    return left.length === 0 ? undefined : { ...fault, nodes: left };
  }
  if (fault.kind === 'cut') {
    const [from, to] = [fault.from.filter(isLeft), fault.to.filter(isLeft)];
    return from.length === 0 || to.length === 0 ? undefined : { ...fault, from, to };
  }
  if (fault.kind === 'agent' && fault.fault.machine !== undefined && !isLeft(fault.fault.machine)) return undefined;
  if (fault.kind === 'fence' && fault.fault.from !== undefined && !isLeft(fault.fault.from)) return undefined;
  if (fault.kind === 'operator' && 'node' in fault.command && !isLeft(fault.command.node)) return undefined;
  return fault;
}

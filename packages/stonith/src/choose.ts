/**
 * Which device to use next, and from which node. A function of what was asked, what the members offered, and what has
 * been done so far, so that every way through a fencing can be tested without running one.
 *
 * Without topology any device will do: each is tried once, by the best node that has it, before any is tried from a
 * second node. With topology all devices of a level must work, in order; the first that fails ends the level. A
 * reboot by several devices (two power supplies) is split: all off, then all on, for else the node would never be
 * without power. Once all are off the node is fenced, and what `on` does cannot spoil that.
 *
 * Semantics: agents guide, section 7.2 and 7.3.
 */
import type { FenceAction } from './contract.ts';
import { sameName } from './device.ts';
import type { OfferedDevice } from './message.ts';

/** The device that stands for a target's own watchdog in levels. */
export const watchdogDevice = 'watchdog';

export interface Plan {
  readonly self: string;
  readonly target: string;
  readonly action: FenceAction;
  readonly timeoutMs: number;
  /** Added to the first device's own; -1: no delays. */
  readonly delayMs: number;
  /** Devices by level; empty: no topology. */
  readonly levels: readonly (readonly string[])[];
  /** What each member offered, by its name. */
  readonly offers: ReadonlyMap<string, readonly OfferedDevice[]>;
  /** Whether the target's watchdog counts as a device. */
  readonly hasWatchdog: boolean;
}

/** How far a plan has been carried out. */
export interface Progress {
  /** Index of the level at work. */
  readonly level: number;
  /** Index of the device at work within its level. */
  readonly device: number;
  readonly phase: 'whole' | 'off' | 'on';
  /** `device@peer`, each time one was asked; with topology the level and phase stand before it. */
  readonly tried: readonly string[];
  /** Devices that did their part. */
  readonly done: readonly string[];
}

export const atBegin: Progress = { level: 0, device: 0, phase: 'whole', tried: [], done: [] };

export interface Step {
  readonly device: string;
  /** The node whose fencer runs it. */
  readonly peer: string;
  readonly action: FenceAction;
  readonly timeoutMs: number;
  /** The longest that the device itself may wait before it acts. */
  readonly ownDelayMs: number;
  /** What is added to its delay; -1: none at all. */
  readonly delayMs: number;
}

export type Choice =
  | { readonly type: 'step'; readonly step: Step; readonly progress: Progress }
  | { readonly type: 'watchdog'; readonly progress: Progress }
  | { readonly type: 'fenced'; readonly progress: Progress }
  | { readonly type: 'exhausted'; readonly progress: Progress };

/** The next thing to do at `progress`. */
export function choose(plan: Plan, progress: Progress): Choice {
  const levels = effectiveLevels(plan);
  return levels === undefined ? chooseAny(plan, progress) : chooseInLevels(plan, levels, progress);
}

/** What follows when the step at work has succeeded. */
export function afterSuccess(plan: Plan, progress: Progress, device: string): Progress {
  const done = progress.done.includes(device) ? progress.done : [...progress.done, device];
  return effectiveLevels(plan) === undefined
    ? { ...progress, done }
    : { ...progress, done, device: progress.device + 1 };
}

/** Whether the target is fenced once this device has done its part as well. */
export function isLast(plan: Plan, progress: Progress, device: string): boolean {
  const next = choose(plan, afterSuccess(plan, progress, device));
  return next.type === 'fenced' || (progress.phase === 'off' && next.progress.phase === 'on');
}

/** What follows when it has failed. `wasHeard` is false if the node that was asked did not answer: another may. */
export function afterFailure(plan: Plan, progress: Progress, wasHeard: boolean): Progress {
  if (effectiveLevels(plan) === undefined || !wasHeard) return progress;
  if (progress.phase === 'on') return { ...progress, device: progress.device + 1 };
  return { ...progress, level: progress.level + 1, device: 0, phase: 'whole', done: [] };
}

/** The time that all of a plan may take, before the allowance for messages and scheduling. */
export function plannedMs(plan: Plan): number {
  const levels = effectiveLevels(plan);
  const all = [...plan.offers.values()].flat();
  const ids = levels === undefined ? [...new Set(all.map(({ id }) => id))] : levels.flat();
  const times = ids.map((id) => {
    const offer = all.find((candidate) => candidate.id === id);
    if (offer === undefined) return 0;
    const level = levels?.find((devices) => devices.includes(id));
    const action = plan.action === 'reboot' && (level?.length ?? 1) > 1 ? 'off' : plan.action;
    return timeoutFor(plan, offer, action) + (plan.delayMs < 0 || plan.action === 'on' ? 0 : offer.delayMs);
  });
  const devicesMs = times.reduce((sum, time) => sum + time, 0);
  return (devicesMs === 0 ? plan.timeoutMs : devicesMs) + Math.max(plan.delayMs, 0);
}

/** Whether nothing that is still to be heard could change the first choice. */
export function isDecided(plan: Plan): boolean {
  const offered = new Map([...plan.offers].map(([peer, devices]) => [peer, new Set(devices.map(({ id }) => id))]));
  if (plan.levels.length > 0) {
    const needed = plan.levels.flat().filter((id) => id !== watchdogDevice);
    return plan.action !== 'on' && needed.every((id) => [...offered.values()].some((ids) => ids.has(id)));
  }
  if (plan.action === 'on') return false;
  return [...plan.offers].some(
    ([peer, devices]) => !sameName(peer, plan.target) && devices.some(({ isVerified }) => isVerified),
  );
}

/** The levels to work through; for unfencing the devices that must run, wherever they stand. `undefined`: any device. */
function effectiveLevels(plan: Plan): readonly (readonly string[])[] | undefined {
  if (plan.action === 'on') {
    const needed = [...plan.offers.values()].flat().filter(({ isUnfencing }) => isUnfencing);
    const ids = [...new Set(needed.map(({ id }) => id))];
    if (ids.length > 0) return [ids];
  }
  return plan.levels.length === 0 ? undefined : plan.levels;
}

function chooseAny(plan: Plan, progress: Progress): Choice {
  if (progress.done.length > 0) return { type: 'fenced', progress };
  const tries = (device: string): number => progress.tried.filter((pair) => pair.startsWith(`${device}@`)).length;
  const best = candidates(plan)
    .filter(({ offer, peer }) => !progress.tried.includes(`${offer.id}@${peer}`))
    .toSorted((a, b) => tries(a.offer.id) - tries(b.offer.id) || a.rank - b.rank || a.order - b.order)[0];
  return best === undefined ? { type: 'exhausted', progress } : stepOf(plan, progress, best, plan.action);
}

function chooseInLevels(plan: Plan, levels: readonly (readonly string[])[], progress: Progress): Choice {
  let now = progress;
  for (;;) {
    const devices = levels[now.level];
    if (devices === undefined) return { type: 'exhausted', progress: now };
    if (now.phase === 'whole' && plan.action === 'reboot' && devices.length > 1) now = { ...now, phase: 'off' };
    const id = devices[now.device];
    if (id === undefined) {
      if (now.phase !== 'off') return { type: 'fenced', progress: now };
      now = { ...now, phase: 'on', device: 0 };
      continue;
    }
    if (id === watchdogDevice && plan.hasWatchdog) {
      if (now.phase !== 'on') return { type: 'watchdog', progress: now };
      now = { ...now, device: now.device + 1 };
      continue;
    }
    const action = now.phase === 'whole' ? plan.action : now.phase;
    const { tried } = now;
    const best = candidates(plan)
      .filter(({ offer }) => offer.id === id)
      .filter(({ peer }) => now.phase !== 'on' || !sameName(peer, plan.target))
      .filter(({ peer }) => !tried.includes(`${place(now)}${id}@${peer}`))
      .toSorted((a, b) => a.rank - b.rank || a.order - b.order)[0];
    const isSkipped = now.phase === 'on' && best !== undefined && !mustComeBack(best.offer);
    if (best !== undefined && !isSkipped) return stepOf(plan, now, best, action, place(now));
    // Nobody is left to run it. That fails the level, unless the node is fenced already.
    now = isSkipped || now.phase === 'on' ? { ...now, device: now.device + 1 } : afterFailure(plan, now, true);
  }
}

/** Whether a device that was switched off for a reboot is to be switched on by us. */
const mustComeBack = (offer: OfferedDevice): boolean =>
  !offer.isRebootOff && offer.supports.includes('on') && !offer.isUnfencing;

interface Candidate {
  readonly offer: OfferedDevice;
  readonly peer: string;
  /** Lower is better: a node that has seen the device work, not the target itself; ourselves before others. */
  readonly rank: number;
  readonly order: number;
}

function candidates(plan: Plan): readonly Candidate[] {
  return [...plan.offers].flatMap(([peer, devices]) =>
    devices.map((offer, order) => {
      const trust = sameName(peer, plan.target) ? 4 : offer.isVerified ? 0 : 2;
      return { offer, peer, order, rank: trust + (peer === plan.self ? 0 : 1) };
    }),
  );
}

const timeoutFor = (plan: Plan, offer: OfferedDevice, action: FenceAction): number => {
  const effective = action === 'reboot' && !offer.supports.includes('reboot') ? 'off' : action;
  return offer.timeoutMs[effective] ?? plan.timeoutMs;
};

const place = ({ level, phase }: Progress): string => `${level}.${phase}:`;

function stepOf(plan: Plan, progress: Progress, { offer, peer }: Candidate, action: FenceAction, mark = ''): Choice {
  const isFirst = progress.tried.length === 0;
  const hasDelay = action !== 'on' && plan.delayMs >= 0;
  return {
    type: 'step',
    step: {
      device: offer.id,
      peer,
      action,
      timeoutMs: timeoutFor(plan, offer, action),
      ownDelayMs: hasDelay ? offer.delayMs : 0,
      delayMs: plan.delayMs < 0 ? -1 : isFirst && action !== 'on' ? plan.delayMs : 0,
    },
    progress: { ...progress, tried: [...progress.tried, `${mark}${offer.id}@${peer}`] },
  };
}

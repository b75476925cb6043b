/**
 * What a meaning does to two actions: which flags one takes from the other.
 *
 * Semantics: Pacemaker's pcmk__update_ordered_actions() for primitives, and the parts of it that concern restarts and
 * orders without an inverse (lib/pacemaker/pcmk_sched_actions.c).
 */
import { clear, type Draft, Flag, giveReason, isOptional, isRunnable } from './draft.ts';
import { has, Means } from './link.ts';
import { Role, roleOf } from './subject.ts';

/** Which of two actions a meaning has changed, as bits. */
export const First = 1;
export const Then = 2;

/**
 * Whether a meaning can change anything, given the flags of the first: a clone has many instances, and most of what
 * leads to it (a probe for each node) changes none of them.
 */
export function canMatter(meaning: number, flags: number): boolean {
  switch (meaning) {
    case Means.ordered:
    case Means.minRunnable:
      return false;
    case Means.unrunnableFirstBlocks:
      return !has(flags, Flag.runnable);
    case Means.firstImpliesThen:
      return !has(flags, Flag.optional);
    default:
      return true;
  }
}

/** Carries one meaning out; `flags` are the first's as they count here, `filter` those that the meaning is about. */
export function applyMeaning(first: Draft, then: Draft, flags: number, filter: number, meaning: number): number {
  const thenBefore = then.flags;
  const firstBefore = first.flags;

  if (has(meaning, Means.asymmetric)) followAsymmetric(first, then);

  if (has(meaning, Means.thenImpliesFirst) && !has(thenBefore, Flag.optional)) {
    if (has(filter, Flag.optional) && !has(flags, Flag.optional) && has(firstBefore, Flag.optional)) {
      take(first, Flag.optional, then);
    }
    if (has(flags, Flag.migratable) && !has(then.flags, Flag.migratable)) take(first, Flag.migratable, then);
  }

  if (
    has(meaning, Means.promotedThenImpliesFirst) &&
    then.subject?.role === Role.promoted &&
    has(filter, Flag.optional) &&
    !isOptional(then)
  ) {
    take(first, Flag.optional, then);
    if (!has(then.flags, Flag.migratable)) take(first, Flag.migratable, then);
  }

  if (has(meaning, Means.unmigratableThenBlocks) && has(filter, Flag.optional)) {
    const both = Flag.migratable | Flag.runnable;
    if ((then.flags & both) !== both) take(first, Flag.runnable, then);
    if (!isOptional(then)) take(first, Flag.optional, then);
  }

  if (has(meaning, Means.firstElseThen) && has(filter, Flag.optional) && !isRunnable(first)) {
    take(then, Flag.migratable, first);
    clear(then, Flag.pseudo);
  }

  if (
    has(meaning, Means.unrunnableFirstBlocks) &&
    has(filter, Flag.runnable) &&
    isRunnable(then) &&
    !has(flags, Flag.runnable)
  ) {
    take(then, Flag.runnable, first);
    take(then, Flag.migratable, first);
  }

  if (
    has(meaning, Means.firstImpliesThen) &&
    has(filter, Flag.optional) &&
    isOptional(then) &&
    !has(flags, Flag.optional) &&
    !has(first.flags, Flag.migratable)
  ) {
    take(then, Flag.optional, first);
  }

  if (has(meaning, Means.restart)) followRestart(first, then, filter);

  let changed = 0;
  if (then.flags !== thenBefore) changed |= Then;
  if (first.flags !== firstBefore) changed |= First;
  return changed;
}

/** Takes a flag away because of another action, and says so if that is another resource's. */
function take(draft: Draft, flag: number, because: Draft): void {
  if (!has(draft.flags, flag)) return;
  clear(draft, flag);
  if (draft.subject === because.subject) return;
  const what = flag === Flag.runnable ? 'unrunnable' : flag === Flag.migratable ? 'unmigrateable' : 'required';
  const whose = because.subject === undefined ? '' : ` ${because.subject.id}`;
  giveReason(draft, `${what}${whose} ${because.operation}`);
}

/** "Then" waits for ever for a first that cannot run, unless it is as the order wants it already. */
function followAsymmetric(first: Draft, then: Draft): void {
  if (then.subject === undefined || isRunnable(first)) return;
  if (isOptional(then)) {
    const role = roleOf(then.subject, 'now');
    if (role === Role.stopped && then.operation === 'stop') return;
    const active = then.subject.of.activeNodes;
    const isOnlyHere = active.length === 1 && active[0] === then.node;
    if (role >= Role.started && then.operation === 'start' && isOnlyHere) return;
  }
  take(then, Flag.optional, first);
  take(then, Flag.runnable, first);
}

/** A stop on the way to a start (or to an earlier member's stop) is needed if that is. */
function followRestart(first: Draft, then: Draft, filter: number): void {
  const isThenRequired = has(filter, Flag.optional) && !isOptional(then);
  // What should restart and cannot start is stopped all the same.
  const isThenStuck =
    has(filter, Flag.runnable) &&
    !isRunnable(then) &&
    (then.subject?.isManaged ?? false) &&
    first.subject === then.subject;
  if (!isThenRequired && !isThenStuck) return;
  if (isRunnable(first)) take(first, Flag.optional, then);
  if (!isOptional(then)) take(first, Flag.optional, then);
  if (!has(then.flags, Flag.migratable)) take(first, Flag.migratable, then);
  if (!isOptional(first) && !isRunnable(first)) take(then, Flag.runnable, first);
}

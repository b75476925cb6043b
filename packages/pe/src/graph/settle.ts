/**
 * Decides which actions are needed and which can be done, by following what the links between them mean.
 *
 * Each action is looked at with all links that lead to it. Where that changes it, or one before it, all that come
 * after a changed action are looked at again, until nothing changes. Changes go one way (optional becomes required,
 * runnable becomes unrunnable), so the end is reached after few visits of each action.
 *
 * A change is followed at once, before the next link is looked at, and newer links before older ones, as Pacemaker does:
 * the first that changes an action is said to be its reason, and where several could be, the same one is said. A chain
 * too long for the call stack goes on from a work list, in which an action waits at most once.
 */
import { invariant } from '@systole/kernel';
import type { Node } from '../status/node.ts';
import { compatibleInstance, flagsOf, insideOf, instanceOperation, instancesOf } from './collective.ts';
import { clear, type Draft, Flag, giveReason, isOptional, isRunnable, set } from './draft.ts';
import { has, type Link, Means } from './link.ts';
import { applyMeaning, canMatter, First, Then } from './meaning.ts';
import type { Plan } from './plan.ts';
import type { Subject } from './subject.ts';
import { isInterleaved, orderingFlags, placeFor, standIn } from './stand-in.ts';
import { withdraw } from './withdraw.ts';

/** Dependents of dependents that are followed by recursion. */
const DEPTH_MAX = 400;

/** Changes of changes that are followed by recursion: some six frames each, so that the stack stays below a third. */
const LOOK_DEPTH_MAX = 200;

/** An action has some eight flags that each change once; each change visits those linked to it. With room to spare. */
const VISITS_PER_ACTION = 200;

/** Settles all drafts of the plan in place. */
export function settle(plan: Plan): void {
  new Settlement(plan).run();
}

class Settlement {
  readonly #plan: Plan;
  readonly #waiting: Draft[] = [];
  readonly #blocking: Draft[] = [];
  #depth = 0;
  #lookDepth = 0;
  #visitsLeft: number;

  constructor(plan: Plan) {
    this.#plan = plan;
    const links = plan.drafts.reduce((count, draft) => count + draft.after.length, 0);
    this.#visitsLeft = VISITS_PER_ACTION * (plan.drafts.length + links + 1);
  }

  run(): void {
    const { drafts } = this.#plan;
    for (const draft of drafts) this.#blockDependents(draft);
    this.#drain();
    for (let at = drafts.length - 1; at >= 0; at--) {
      this.#look(drafts[at] as Draft);
      this.#drain();
    }
  }

  /** Looks at an action now, or where changes have led too deep, when those are done. */
  #again(draft: Draft): void {
    if (this.#lookDepth >= LOOK_DEPTH_MAX) {
      this.#later(draft);
      return;
    }
    this.#lookDepth++;
    this.#look(draft);
    this.#lookDepth--;
  }

  #later(draft: Draft): void {
    if (draft.isQueued) return;
    draft.isQueued = true;
    this.#waiting.push(draft);
  }

  #drain(): void {
    for (let draft = this.#waiting.pop(); draft !== undefined; draft = this.#waiting.pop()) {
      draft.isQueued = false;
      this.#look(draft);
    }
  }

  #againAfter(draft: Draft): void {
    const { after } = draft;
    for (let at = after.length - 1; at >= 0; at--) this.#again((after[at] as Link).then);
  }

  /** Looks at one action with everything before it. */
  #look(then: Draft): void {
    invariant(--this.#visitsLeft > 0, `settling does not end; last looked at ${then.subject?.id ?? ''} ${then.key}`);
    const before = then.flags;
    const counts = then.requiredBefore > 0 ? { runnable: 0 } : undefined;
    if (counts !== undefined) clear(then, Flag.runnable); // until enough are counted
    let changed = 0;
    const links = then.before;
    for (let at = links.length - 1; at >= 0; at--) {
      const one = this.#follow(links[at] as Link, then, counts);
      if (has(one, First)) {
        const { first } = links[at] as Link;
        this.#againAfter(first);
        this.#again(first);
      }
      changed |= one;
    }
    if (counts !== undefined) {
      if (counts.runnable >= then.requiredBefore) set(then, Flag.runnable);
      changed = then.flags === before ? 0 : Then;
    }
    if (has(changed, Then)) {
      if (has(before, Flag.runnable) && !isRunnable(then)) this.#blockDependents(then);
      this.#again(then);
      this.#againAfter(then);
    }
  }

  /** Follows one link; says which of its two actions changed. */
  #follow(link: Link, then: Draft, counts: { runnable: number } | undefined): number {
    const plan = this.#plan;
    const { first } = link;
    const firstNode = placeFor(first);
    const thenNode = placeFor(then);
    if (
      has(link.active, Means.ifOnSameNode) &&
      firstNode !== undefined &&
      thenNode !== undefined &&
      firstNode !== thenNode
    ) {
      link.active = Means.nothing;
      return 0;
    }
    if (first.subject !== undefined && has(link.active, Means.thenCancelsFirst) && !isOptional(then)) {
      set(first, Flag.optional);
      if (first.operation === 'reload-agent') first.subject.isReloading = false;
    }
    const real = standIn(plan, first, then);
    if (real !== first) {
      // Others wait until all of a collective is done, not for its beginning.
      if (!plan.link(real, then, link.active)) return 0;
      link.active = Means.nothing;
      return Then;
    }
    const firstFlags = orderingFlags(plan, first, thenNode);
    const thenFlags = orderingFlags(plan, then, firstNode);
    return this.#apply(link, then, firstFlags, thenFlags, counts);
  }

  /** Everything that a link means, in turn. */
  #apply(
    link: Link,
    then: Draft,
    firstFlags: number,
    thenFlags: number,
    counts: { runnable: number } | undefined,
  ): number {
    const { first } = link;
    let { node } = then;
    let changed = 0;
    if (has(link.active, Means.firstImpliesSameNodeThen)) {
      link.active = (link.active & ~Means.firstImpliesSameNodeThen) | Means.firstImpliesThen;
      node = first.node;
    }
    const on = (subject: Subject, meaning: number, filter: number, flags = firstFlags): void => {
      if (has(link.active, meaning)) changed |= this.#update(subject, first, then, node, flags, filter, meaning);
    };
    const owner = then.subject;

    if (owner !== undefined) on(owner, Means.firstImpliesThen, Flag.optional, firstFlags & Flag.optional);
    else if (has(link.active, Means.firstImpliesThen) && !has(firstFlags, Flag.optional) && isOptional(then)) {
      clear(then, Flag.optional);
      changed |= Then;
    }
    if (owner !== undefined) on(owner, Means.restart, Flag.optional | Flag.runnable);
    if (has(link.active, Means.thenImpliesFirst)) {
      if (first.subject !== undefined) on(first.subject, Means.thenImpliesFirst, Flag.optional);
      else if (!has(firstFlags, Flag.optional) && isRunnable(first)) {
        clear(first, Flag.runnable);
        changed |= First;
      }
    }
    if (owner !== undefined) {
      on(owner, Means.promotedThenImpliesFirst, Flag.optional, firstFlags & Flag.optional);
      on(owner, Means.minRunnable, Flag.runnable);
    } else if (has(link.active, Means.minRunnable) && has(firstFlags, Flag.runnable) && counts !== undefined) {
      counts.runnable++;
    }
    if (has(link.active, Means.nestedRemoteProbe) && owner !== undefined) {
      if (!has(firstFlags, Flag.runnable) && (first.subject?.of.activeNodes.length ?? 0) > 0) {
        link.active = Means.nothing;
      } else {
        changed |= this.#update(owner, first, then, node, firstFlags, Flag.runnable, Means.unrunnableFirstBlocks);
      }
    }
    if (owner !== undefined) {
      on(owner, Means.unrunnableFirstBlocks, Flag.runnable);
      on(owner, Means.unmigratableThenBlocks, Flag.optional);
      on(owner, Means.firstElseThen, Flag.optional);
      on(owner, Means.ordered, Flag.runnable);
      on(owner, Means.asymmetric, Flag.runnable);
    } else if (has(link.active, Means.unrunnableFirstBlocks) && !has(firstFlags, Flag.runnable) && isRunnable(then)) {
      clear(then, Flag.runnable);
      changed |= Then;
    }
    if (isRunnable(first) && has(link.active, Means.firstImpliesThenGraphed) && !has(firstFlags, Flag.optional)) {
      set(then, Flag.always);
    }
    if (has(link.active, Means.thenImpliesFirstGraphed) && !has(thenFlags, Flag.optional)) set(first, Flag.always);

    // A stop that an operator must do first keeps everything back that would follow from it.
    const implies = Means.firstImpliesThen | Means.thenImpliesFirst | Means.restart;
    if (
      has(link.active, implies) &&
      first.subject !== undefined &&
      !first.subject.isManaged &&
      first.subject.isBlocked &&
      !isRunnable(first) &&
      first.operation === 'stop' &&
      isRunnable(then)
    ) {
      clear(then, Flag.runnable);
      changed |= Then;
    }
    return changed;
  }

  /** Applies one meaning in the way of the resource's kind. */
  #update(
    subject: Subject,
    first: Draft,
    then: Draft,
    node: Node | undefined,
    flags: number,
    filter: number,
    meaning: number,
  ): number {
    switch (subject.kind) {
      case 'primitive':
        return this.#updatePair(first, then, flags, filter, meaning);
      case 'group':
        return this.#updateGroup(first, then, node, flags, filter, meaning);
      default:
        return this.#updateInstances(first, then, node, flags, filter, meaning);
    }
  }

  #updateGroup(
    first: Draft,
    then: Draft,
    node: Node | undefined,
    flags: number,
    filter: number,
    meaning: number,
  ): number {
    let changed = this.#updatePair(first, then, flags, filter, meaning);
    const key = `${then.operation}_0`;
    for (const member of then.subject?.children ?? []) {
      const action = this.#plan.newest(member, key, node);
      if (action !== undefined) changed |= this.#update(member, first, action, node, flags, filter, meaning);
    }
    return changed;
  }

  #updateInstances(
    first: Draft,
    then: Draft,
    node: Node | undefined,
    flags: number,
    filter: number,
    meaning: number,
  ): number {
    if (then.subject === undefined) return 0;
    if (isInterleaved(first, then)) return this.#updateInterleaved(first, then, node, filter, meaning);
    const instances = instancesOf(then.subject);
    if (!canMatter(meaning, flags) && instances[0]?.kind === 'primitive') return 0;
    let changed = this.#updatePair(first, then, flags, filter, meaning);
    const key = `${then.operation}_0`;
    for (const instance of instances) {
      const action = this.#plan.newest(instance, key, node);
      if (action === undefined || !has(flagsOf(this.#plan, action, node), Flag.runnable)) continue;
      const one = this.#update(instance, first, action, node, flags, filter, meaning);
      if (has(one, Then)) this.#againAfter(action);
      changed |= one;
    }
    return changed;
  }

  /** Each instance waits only for the other clone's instance on its node. */
  #updateInterleaved(first: Draft, then: Draft, node: Node | undefined, filter: number, meaning: number): number {
    const plan = this.#plan;
    const firstSubject = first.subject as Subject;
    const thenSubject = then.subject as Subject;
    const operation = instanceOperation(first);
    const isDown = first.key.endsWith('stopped_0') || first.key.endsWith('demoted_0');
    let changed = 0;
    for (const thenInstance of instancesOf(thenSubject)) {
      const firstInstance = compatibleInstance(plan, thenInstance, firstSubject, isDown ? 'now' : 'next');
      if (firstInstance === undefined) {
        // Nothing to go with: an instance that needs a partner cannot come up.
        if (!isDown && has(meaning, Means.unrunnableFirstBlocks | Means.firstImpliesThen)) {
          const withdrawn = withdraw(thenInstance);
          for (const draft of withdrawn.drafts) this.#touch(draft);
          if (withdrawn.wasPlaced) changed |= Then;
        }
        continue;
      }
      const firstAction = this.#instanceAction(first, firstInstance, operation, node, true);
      if (firstAction === undefined) continue;
      const thenAction = this.#instanceAction(then, thenInstance, then.operation, node, false);
      if (thenAction === undefined) continue;
      if (plan.link(firstAction, thenAction, meaning)) changed |= First | Then;
      const flags = flagsOf(plan, firstAction, node);
      const one = this.#update(thenInstance, firstAction, thenAction, node, flags, filter, meaning);
      changed |= one;
      if (has(one, First)) this.#touch(firstAction);
      if (has(one, Then)) this.#touch(thenAction);
    }
    return changed;
  }

  #touch(draft: Draft): void {
    this.#again(draft);
    this.#againAfter(draft);
  }

  /** Of a bundle's instance, the container acts for some operations and what is inside it for others. */
  #instanceAction(
    of: Draft,
    instance: Subject,
    operation: string,
    node: Node | undefined,
    isFirst: boolean,
  ): Draft | undefined {
    const goesInside = isFirst
      ? of.operation !== 'stop' && of.operation !== 'stopped'
      : ['promote', 'promoted', 'demote', 'demoted'].includes(of.operation);
    const inside = goesInside ? insideOf(instance) : undefined;
    return this.#plan.newest(inside ?? instance, `${operation}_0`, inside === undefined ? node : undefined);
  }

  #updatePair(first: Draft, then: Draft, flags: number, filter: number, meaning: number): number {
    const changed = applyMeaning(first, then, flags, filter, meaning);
    if (has(changed, Then) && then.subject?.parent !== undefined) this.#again(then); // members of cloned groups restart with it
    return changed;
  }

  /** What must run beside something that cannot start (or be promoted) cannot either. */
  #blockDependents(draft: Draft): void {
    if (isRunnable(draft) || draft.subject === undefined) return;
    if (draft.operation !== 'start' && draft.operation !== 'promote') return;
    const whole = draft.subject.bundle ?? draft.subject.top;
    for (const child of whole.children) {
      const own = this.#plan.newest(child, `${draft.operation}_0`);
      if (own === undefined || isRunnable(own)) return; // a part of it can
    }
    // What depends on it, and on that, and so on; a chain that is too long for the stack goes on from the list.
    if (this.#depth >= DEPTH_MAX) {
      this.#blocking.push(draft);
      return;
    }
    this.#depth++;
    this.#blockAll(draft);
    this.#depth--;
    if (this.#depth > 0) return;
    for (let next = this.#blocking.pop(); next !== undefined; next = this.#blocking.pop()) this.#blockDependents(next);
  }

  #blockAll(draft: Draft): void {
    const owner = draft.subject as Subject;
    const whole = owner.bundle ?? owner.top;
    for (const dependent of this.#plan.dependentsOf(whole)) {
      if (draft.operation === 'promote' && !dependent.onPromotion) continue;
      this.#block(dependent.subject, dependent.forPromotion ? 'promote' : 'start', owner);
    }
  }

  #block(subject: Subject, operation: string, reason: Subject): void {
    for (const draft of subject.drafts.get(`${operation}_0`) ?? []) {
      if (!isRunnable(draft)) continue;
      clear(draft, Flag.runnable);
      giveReason(draft, `colocation with ${reason.id}`);
      this.#blockDependents(draft);
      this.#again(draft);
      for (const link of draft.after) this.#later(link.then);
    }
    for (const child of subject.children) this.#block(child, operation, reason);
  }
}

/**
 * Turns asked-for orders into links, once all actions are drafted. An order whose second action does not exist means
 * nothing; one whose first does not exist may still mean that the second cannot be done.
 */
import { clear, type Draft, Flag } from './draft.ts';
import { has, Means } from './link.ts';
import type { OrderRequest, Plan } from './plan.ts';
import { Role, roleOf, type Subject } from './subject.ts';

/** In the order of creation: a first that is made for one order is there for the later ones. */
export function applyOrders(plan: Plan): void {
  for (const request of plan.requests) apply(plan, request);
}

function apply(plan: Plan, request: OrderRequest): void {
  const { first, then, meaning } = request;
  if (first.subject === undefined) {
    if (then.subject === undefined) plan.link(first.draft, then.draft as Draft, meaning);
    else orderAfter(plan, first.draft, then.subject, request);
    return;
  }
  const firsts = first.draft === undefined ? firstsOf(plan, first.subject, request) : [first.draft];
  const thenSubject = then.subject;
  for (const draft of firsts) {
    if (thenSubject === undefined) plan.link(draft, then.draft, meaning);
    else orderAfter(plan, draft, thenSubject, request);
  }
}

/** The first actions that an order speaks of; made, unrunnable, where their absence must hold others back. */
function firstsOf(plan: Plan, subject: Subject, { first, then }: OrderRequest): readonly Draft[] {
  const key = first.key as string;
  const found = plan.find(subject, key);
  if (found.length > 0 || subject === then.subject) return found;
  const at = key.lastIndexOf('_');
  const operation = key.slice(0, at);
  const role = roleOf(subject, 'now');
  if (role === Role.stopped && operation === 'stop') return [];
  if (role === Role.unpromoted && operation === 'demote') return [];
  return [plan.action(subject, operation, { isOptional: true, intervalMs: Number(key.slice(at + 1)), key })];
}

function orderAfter(plan: Plan, first: Draft | undefined, subject: Subject, { then, meaning }: OrderRequest): void {
  const thens = then.draft === undefined ? plan.find(subject, then.key as string) : [then.draft];
  if (thens.length === 0) return;
  let means = meaning;
  // The stop that cleans up a half-done migration is no reason to restart.
  if (first?.subject === subject && has(first.flags, Flag.migrationAbort)) means &= ~Means.firstImpliesThen;
  if (first === undefined && !has(means, Means.firstImpliesThen)) return;
  for (const draft of thens) {
    if (first === undefined) clear(draft, Flag.runnable);
    else plan.link(first, draft, means);
  }
}

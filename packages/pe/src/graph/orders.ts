/**
 * Turns asked-for orders into links, once all actions are drafted. An order whose second action does not exist means
 * nothing; one whose first does not exist may still mean that the second cannot be done.
 */
import { clear, type Draft, Flag } from './draft.ts';
import { has, Means } from './link.ts';
import type { OrderRequest } from './order-request.ts';
import type { Plan } from './plan.ts';
import { Role, roleOf, type Subject } from './subject.ts';

/** In the order of creation: a first that is made for one order is there for the later ones. */
export function applyOrders(plan: Plan): void {
  for (const request of plan.requests) apply(plan, request);
}

function apply(plan: Plan, request: OrderRequest): void {
  const { first, firstDraft, then, thenDraft, meaning } = request;
  if (first === undefined) {
    if (then === undefined) plan.link(firstDraft, thenDraft, meaning);
    else orderAfter(plan, firstDraft, then, request);
    return;
  }
  if (firstDraft !== undefined) link(plan, firstDraft, request);
  else for (const draft of firstsOf(plan, first, request)) link(plan, draft, request);
}

function link(plan: Plan, first: Draft, request: OrderRequest): void {
  if (request.then === undefined) plan.link(first, request.thenDraft, request.meaning);
  else orderAfter(plan, first, request.then, request);
}

/** The first actions that an order speaks of; made, unrunnable, where their absence must hold others back. */
function firstsOf(plan: Plan, subject: Subject, { firstKey: key, then }: OrderRequest): readonly Draft[] {
  const found = plan.find(subject, key);
  if (found.length > 0 || subject === then) return found;
  const at = key.lastIndexOf('_');
  const operation = key.slice(0, at);
  const role = roleOf(subject, 'now');
  if (role === Role.stopped && operation === 'stop') return [];
  if (role === Role.unpromoted && operation === 'demote') return [];
  return [plan.action(subject, operation, { isOptional: true, intervalMs: Number(key.slice(at + 1)), key })];
}

function orderAfter(plan: Plan, first: Draft | undefined, subject: Subject, request: OrderRequest): void {
  const { thenKey, thenDraft, meaning } = request;
  let means = meaning;
  // The stop that cleans up a half-done migration is no reason to restart.
  if (first?.subject === subject && has(first.flags, Flag.migrationAbort)) means &= ~Means.firstImpliesThen;
  if (first === undefined && !has(means, Means.firstImpliesThen)) return;
  if (thenDraft !== undefined) linkOrBlock(plan, first, thenDraft, means);
  else for (const draft of plan.find(subject, thenKey)) linkOrBlock(plan, first, draft, means);
}

function linkOrBlock(plan: Plan, first: Draft | undefined, then: Draft, meaning: number): void {
  if (first === undefined) clear(then, Flag.runnable);
  else plan.link(first, then, meaning);
}

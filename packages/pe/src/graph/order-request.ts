/**
 * Orders that are asked for while actions are drafted. They become links once all actions are there (`orders.ts`), since
 * an order speaks of actions that may not exist yet, or never.
 */
import { type Draft } from './draft.ts';
import { Means } from './link.ts';
import { isWithin, type Subject } from './subject.ts';

/** One side of an order: actions of a resource by key, or one action. */
export interface Side {
  readonly subject?: Subject;
  readonly key?: string;
  readonly draft?: Draft;
}

/** An order between actions that may not exist (yet). Applied in the order of creation. */
export interface OrderRequest {
  readonly first: Subject | undefined;
  readonly firstKey: string;
  /** In place of whatever the key finds. */
  readonly firstDraft: Draft | undefined;
  readonly then: Subject | undefined;
  readonly thenKey: string;
  readonly thenDraft: Draft | undefined;
  readonly meaning: number;
}

export const requestBetween = (first: Side, then: Side, meaning: number): OrderRequest => ({
  first: first.subject ?? first.draft?.subject,
  firstKey: first.key ?? first.draft?.key ?? '',
  firstDraft: first.draft,
  then: then.subject ?? then.draft?.subject,
  thenKey: then.key ?? then.draft?.key ?? '',
  thenDraft: then.draft,
  meaning,
});

export const requestByOperation = (
  first: Subject,
  firstOperation: string,
  then: Subject,
  thenOperation: string,
  meaning: number,
): OrderRequest => ({
  first,
  firstKey: `${firstOperation}_0`,
  firstDraft: undefined,
  then,
  thenKey: `${thenOperation}_0`,
  thenDraft: undefined,
  meaning,
});

const none: readonly OrderRequest[] = [];

/**
 * A resource that migrates is not started and stopped where orders say so: what waits for a start must wait for the
 * migration, and a migration begins with what a stop would have waited for. These are the orders that follow.
 */
export function requestsOfMigration(request: OrderRequest): readonly OrderRequest[] {
  const a = request.first;
  const b = request.then;
  if (a === undefined || b === undefined || a === b) return none;
  const canFirst = a.of.allowsMigration;
  const canThen = b.of.allowsMigration;
  if ((!canFirst && !canThen) || isWithin(a, b) || isWithin(b, a)) return none;
  const firstOperation = request.firstDraft?.operation ?? operationOf(request.firstKey);
  const thenOperation = request.thenDraft?.operation ?? operationOf(request.thenKey);
  const unlessMigrating = Means.ordered | (canFirst ? Means.ifFirstUnmigratable : 0);
  const isHalfway = b.migration !== undefined;
  const found: OrderRequest[] = [];
  const add = (first: string, then: string, meaning: number): void => {
    found.push(requestByOperation(a, first, b, then, meaning));
  };
  switch (`${firstOperation} ${thenOperation}`) {
    case 'start start':
      if (canFirst && canThen) add('migrate_from', 'migrate_to', Means.ordered);
      if (canThen) add('start', 'migrate_to', unlessMigrating);
      break;
    case 'stop stop':
      if (!canThen) break;
      add('stop', 'migrate_to', unlessMigrating);
      if (isHalfway) add('stop', 'migrate_from', unlessMigrating);
      break;
    case 'promote start':
      if (canThen) add('promote', 'migrate_to', Means.ordered);
      break;
    case 'demote stop':
      if (!canThen) break;
      add('demote', 'migrate_to', Means.ordered);
      if (isHalfway) add('demote', 'migrate_from', Means.ordered);
      break;
    default:
  }
  return found;
}

/** The operation that a key speaks of, without its interval. */
const operationOf = (key: string): string => key.slice(0, key.lastIndexOf('_'));

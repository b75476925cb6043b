/**
 * Operation history in the status: what ran, what is under way, what failed and how often.
 *
 * An operation that may make something run (start, promote, the two halves of a migration) is entered as pending when
 * the DC's order is delivered, that is, at all members before it can begin anywhere: whoever becomes DC next knows that
 * it may be under way. The entry has an id of its own, so that the last known result stays beside it.
 */
import type { AgentName, Cib, OperationRecord, ResourceHistory } from '@systole/cib';
import { formatScore, INFINITY, parseScore } from '@systole/cib';
import { booleanOption } from '../options.ts';
import { editNodeState, nodeState, transientAttributes, withAttributes } from './node-state.ts';

const makesActive = new Set(['start', 'promote', 'migrate_to', 'migrate_from']);

export const lastFailureId = (resource: string): string => `${resource}_last_failure_0`;
const pendingId = (resource: string): string => `${resource}_pending_0`;

export interface PendingOperation {
  readonly node: string;
  readonly resource: string;
  readonly agent: AgentName;
  readonly operation: string;
  readonly key: string;
  readonly transitionKey: string;
  readonly migrateSource?: string;
  readonly migrateTarget?: string;
}

/** True for operations after which, or during which, the resource may be active. */
export const mayActivate = (operation: string): boolean => makesActive.has(operation);

export function withPending(cib: Cib, pending: PendingOperation): Cib {
  if (!mayActivate(pending.operation)) return cib;
  const { node, resource, agent, operation, key, transitionKey, migrateSource, migrateTarget } = pending;
  const record: OperationRecord = {
    id: pendingId(resource),
    key,
    operation,
    intervalMs: 0,
    callId: -1,
    exitCode: 193,
    status: -1,
    transitionKey,
    transitionMagic: `-1:193;${transitionKey}`,
    onNode: node,
    ...(migrateSource === undefined ? {} : { migrateSource }),
    ...(migrateTarget === undefined ? {} : { migrateTarget }),
  };
  return editHistory(cib, node, { id: resource, agent }, (records) => withRecord(records, record));
}

export interface OperationOutcome {
  readonly node: string;
  readonly resource: string;
  readonly agent: AgentName;
  readonly record: OperationRecord;
  readonly alsoChanged: readonly OperationRecord[];
  readonly removed: readonly string[];
  readonly hasSucceeded: boolean;
  readonly expectedExitCode: number;
}

const unkept = new Set(['notify']);
const cancelledStatus = 1;

/** Enters a result, and where it is a failure, counts it. */
export function withResult(cib: Cib, outcome: OperationOutcome): Cib {
  const { node, resource, agent, record, alsoChanged, removed, hasSucceeded } = outcome;
  const isKept = !unkept.has(record.operation) && record.status !== cancelledStatus;
  const after = editHistory(cib, node, { id: resource, agent }, (records) => {
    const gone = new Set([...removed, pendingId(resource)]);
    const left = records.filter(({ id }) => !gone.has(id));
    return isKept ? [record, ...alsoChanged].reduce(withRecord, left) : alsoChanged.reduce(withRecord, left);
  });
  return hasSucceeded || !isKept ? after : withFailure(after, outcome);
}

/** Removes records of a resource, or (without `records`) all of its history on the node. */
export function withoutRecords(cib: Cib, node: string, resource: string, records?: readonly string[]): Cib {
  const state = nodeState(cib, node);
  if (state === undefined || !state.history.some(({ id }) => id === resource)) return cib;
  return editNodeState(cib, node, (before) => ({
    ...before,
    history:
      records === undefined
        ? before.history.filter(({ id }) => id !== resource)
        : before.history.map((entry) =>
            entry.id === resource
              ? { ...entry, operations: entry.operations.filter(({ id }) => !records.includes(id)) }
              : entry,
          ),
  }));
}

/** An operation that was ordered and never began. */
export const withoutPending = (cib: Cib, node: string, resource: string): Cib =>
  withoutRecords(cib, node, resource, [pendingId(resource)]);

/**
 * Drops the record of a resource's last failure if a stop or start that worked came after it. As long as it is there, the
 * policy engine clears the failures of a resource that is configured otherwise since, at each look.
 */
export function withoutOldFailure(cib: Cib, node: string, resource: string): Cib {
  const records = nodeState(cib, node)?.history.find(({ id }) => id === resource)?.operations ?? [];
  const failure = records.find(({ id }) => id === lastFailureId(resource));
  const last = records.find(({ id }) => id === `${resource}_last_0`);
  const isOld =
    last !== undefined && last.exitCode === 0 && last.callId > (failure?.callId ?? Number.POSITIVE_INFINITY);
  return failure === undefined || !isOld ? cib : withoutRecords(cib, node, resource, [failure.id]);
}

function editHistory(
  cib: Cib,
  node: string,
  resource: Pick<ResourceHistory, 'id' | 'agent'>,
  edit: (records: readonly OperationRecord[]) => readonly OperationRecord[],
): Cib {
  return editNodeState(cib, node, (state) => {
    const index = state.history.findIndex(({ id }) => id === resource.id);
    const before = state.history[index];
    const operations = edit(before?.operations ?? []);
    const entry: ResourceHistory = { ...before, id: resource.id, agent: resource.agent, operations };
    return { ...state, history: index < 0 ? [...state.history, entry] : state.history.with(index, entry) };
  });
}

/** Replaces the record of that id in its place, or adds it at the end. */
function withRecord(records: readonly OperationRecord[], record: OperationRecord): readonly OperationRecord[] {
  const index = records.findIndex(({ id }) => id === record.id);
  return index < 0 ? [...records, record] : records.with(index, record);
}

/**
 * Counts a failure: recurring monitors, promote and demote by one; a failed start fatally unless the configuration says
 * that it is not; a failed stop always fatally. Probes do not count: they only found something out.
 */
function withFailure(cib: Cib, { node, resource, record }: OperationOutcome): Cib {
  const { operation, intervalMs } = record;
  const isFatal = operation === 'stop' || (operation === 'start' && booleanOption(cib, true, 'start-failure-is-fatal'));
  const counts = isFatal || intervalMs > 0 || ['start', 'promote', 'demote'].includes(operation);
  if (!counts) return cib;
  const suffix = `${resource}#${operation}_${intervalMs}`;
  const before = parseScore(transientAttributes(nodeState(cib, node)).get(`fail-count-${suffix}`) ?? '0') ?? 0;
  const count = isFatal ? INFINITY : Math.min(INFINITY, before + 1);
  return withAttributes(cib, node, {
    [`fail-count-${suffix}`]: formatScore(count),
    ...(record.lastChange === undefined ? {} : { [`last-failure-${suffix}`]: String(record.lastChange) }),
  });
}

export interface FailureSelection {
  readonly resource?: string;
  readonly operation?: string;
  readonly intervalMs?: number;
}

/** Names of a node's attributes that record failures of what is selected. */
export function failureAttributes(cib: Cib, node: string, selection: FailureSelection): readonly string[] {
  const { resource, operation, intervalMs } = selection;
  return [...transientAttributes(nodeState(cib, node)).keys()].filter((name) => {
    const match = /^(?:fail-count|last-failure)-(.*?)(?:#(.*)_(\d+))?$/.exec(name);
    if (match === null) return false;
    const [, of = '', kind, interval] = match;
    return (
      (resource === undefined || of === resource || of.replace(/:\d+$/, '') === resource) &&
      (operation === undefined || kind === operation) &&
      (intervalMs === undefined || Number(interval) === intervalMs)
    );
  });
}

/**
 * Fail counts: how often a resource has failed on a node, from the node's `fail-count-RESOURCE#OPERATION_INTERVAL`
 * attributes; whether those failures have expired; and whether one of them blocks the resource.
 *
 * Semantics: Pacemaker's lib/pengine/failcounts.c.
 */
import { addScores, type OperationRecord, parseScore } from '@systole/cib';
import { secondsOf, wholeNumber, withoutNumber } from '../config/values.ts';
import { isBundled, type PrimitiveInstance } from '../expand/instance.ts';
import type { RecordedHistory } from '../situation.ts';
import type { FailureRecord, Node } from './node.ts';

const form = /^(fail-count|last-failure)-(.+)#(.+)_(\d+)$/;

/** A node's failure attributes, by the name of the resource without an instance number. */
export function indexFailures(attributes: ReadonlyMap<string, string>): ReadonlyMap<string, readonly FailureRecord[]> {
  const found = new Map<string, Map<string, FailureRecord>>();
  for (const [name, value] of attributes) {
    if (!name.startsWith('fail-count-') && !name.startsWith('last-failure-')) continue;
    const match = form.exec(name);
    if (match === null) continue;
    const [, what, resource, operation, interval] = match as unknown as readonly [
      string,
      string,
      string,
      string,
      string,
    ];
    const base = withoutNumber(resource);
    const records = found.get(base) ?? new Map<string, FailureRecord>();
    found.set(base, records);
    const suffix = resource.slice(base.length);
    const key = `${suffix}#${operation}_${interval}`;
    const before = records.get(key) ?? { suffix, operation, intervalMs: Number(interval), count: 0, lastFailure: 0 };
    records.set(
      key,
      what === 'fail-count'
        ? { ...before, count: parseScore(value) ?? 0 }
        : { ...before, lastFailure: wholeNumber(value) ?? 0 },
    );
  }
  return new Map([...found].map(([resource, records]) => [resource, [...records.values()]]));
}

export interface FailCount {
  /** INFINITY at most. */
  readonly count: number;
  /** Seconds since 1970; 0 if there is no failure, or its time is not known. */
  readonly lastFailure: number;
}

export interface FailCountOptions {
  /** Failures that have expired do not count. */
  readonly isEffective: boolean;
  /** Failures of what runs inside it count too (but not in bundles). */
  readonly withLaunched?: boolean;
  /** The history entry that is being judged: only its own configured operation can block. */
  readonly record?: OperationRecord;
}

/** What of the situation fail counts depend on. */
interface FailureSource {
  readonly now: number;
  readonly recorded: RecordedHistory;
}

const noFailure: FailCount = { count: 0, lastFailure: 0 };

export function failCount(
  source: FailureSource,
  instance: PrimitiveInstance,
  node: Node,
  options: FailCountOptions,
): FailCount {
  const name = instance.historyId ?? instance.id;
  const base = withoutNumber(name);
  let count = 0;
  let lastFailure = 0;
  for (const record of node.failures.get(base) ?? []) {
    if (instance.isUnique && record.suffix !== name.slice(base.length)) continue;
    count = addScores(count, record.count);
    lastFailure = Math.max(lastFailure, record.lastFailure);
  }
  if (count > 0 && options.isEffective && lastFailure > 0) {
    const timeout = effectiveTimeoutMs(source, instance, node, options.record);
    if (timeout > 0 && source.now > lastFailure + secondsOf(timeout)) count = 0;
  }
  if (options.withLaunched === true && instance.launched.length > 0 && !isBundled(instance)) {
    for (const launched of instance.launched) {
      const inner = failCount(source, launched, node, options);
      count += inner.count;
      lastFailure = Math.max(lastFailure, inner.lastFailure);
    }
  }
  if (count === 0) return noFailure;
  return { count, lastFailure };
}

/** `failure-timeout` in milliseconds, 0 where a failure with `on-fail=block` counts: such failures do not expire. */
export function effectiveTimeoutMs(
  source: FailureSource,
  instance: PrimitiveInstance,
  node: Node,
  record?: OperationRecord,
): number {
  if (instance.failureTimeoutMs === 0 || blocks(source, instance, node, record)) return 0;
  return instance.failureTimeoutMs;
}

function blocks(source: FailureSource, instance: PrimitiveInstance, node: Node, record?: OperationRecord): boolean {
  const name = withoutNumber(instance.id);
  return instance.operations.some((operation) => {
    if (operation.source.onFail?.toLowerCase() !== 'block') return false;
    const candidates = record === undefined ? (source.recorded.get(node.name)?.get(name)?.operations ?? []) : [record];
    return candidates.some(
      (one) =>
        one.intervalMs === operation.intervalMs &&
        one.operation.toLowerCase() === operation.name.toLowerCase() &&
        (one.id === `${name}_last_failure_0` ||
          (one.id === `${name}_${operation.name}_${operation.intervalMs}` && one.exitCode !== expectedExitCode(one))),
    );
  });
}

/** From the transition key, `ACTION:TRANSITION:EXPECTED:ID`; -1 if there is none. */
export function expectedExitCode({ transitionKey }: OperationRecord): number {
  if (transitionKey === undefined) return -1;
  const second = transitionKey.indexOf(':', transitionKey.indexOf(':') + 1);
  if (second <= 0) return 0;
  const end = transitionKey.indexOf(':', second + 1);
  const code = Number(transitionKey.slice(second + 1, end === -1 ? undefined : end));
  return Number.isInteger(code) ? code : 0;
}

/**
 * Results as the status section keeps them: under which id, with which digests.
 *
 * A resource has one record for its latest one-time operation (`_last_0`), one for each recurring operation, one for
 * its latest failure, and migrations under names of their own, because a later look at both nodes needs them. A failed
 * recurring operation changes only the failure: the record of its last success stays, so that the policy engine still
 * sees it as set up.
 *
 * Semantics: Pacemaker's pcmk__create_history_xml and controld_cib.c.
 */
import { digestWithout, type OperationRecord, operationDigest } from '@systole/cib';
import type { Epoch } from '@systole/kernel';
import {
  type AgentDescription,
  agentFeatureSet,
  executionStatus,
  exitCode,
  type OperationResult,
  privateParameters,
  restartParameters,
} from '@systole/ra';
import type { Execute } from './contract.ts';
import { metaOf } from './request.ts';

/** `web_monitor_10000`. */
export const operationKey = (resource: string, operation: string, intervalMs: number): string =>
  `${resource}_${operation}_${intervalMs}`;

export const lastId = (resource: string): string => `${resource}_last_0`;
export const lastFailureId = (resource: string): string => `${resource}_last_failure_0`;

const isMigration = (operation: string): boolean => operation === 'migrate_to' || operation === 'migrate_from';
const isReload = (operation: string): boolean => operation === 'reload' || operation === 'reload-agent';

/** A reload that worked counts as a start with the new parameters; one that failed, as a failed monitor. */
const recordedOperation = (request: Execute, result: OperationResult): string =>
  isReload(request.operation) ? (result.status === executionStatus.done ? 'start' : 'monitor') : request.operation;

/** Whether the result is the wanted one. A degraded service serves: 190 is as good as 0 and 191 as 8. */
export function hasSucceeded(result: OperationResult, expected: number): boolean {
  if (result.status === executionStatus.pending) return true;
  if (result.status !== executionStatus.done) return false;
  const plain =
    result.exitCode === exitCode.degraded
      ? exitCode.ok
      : result.exitCode === exitCode.degradedPromoted
        ? exitCode.promoted
        : result.exitCode;
  return result.exitCode === expected || plain === expected;
}

/** Everything about a run that its record needs. */
export interface Run {
  readonly request: Execute;
  readonly result: OperationResult;
  readonly callId: number;
  readonly node: string;
  /** Wall clock at its begin; absent if it never began. */
  readonly startedAt?: Epoch;
  /** When its exit code last changed, if that was earlier (recurring operations). */
  readonly changedAt?: Epoch;
  readonly execMs?: number;
  readonly queueMs?: number;
  readonly description?: AgentDescription;
}

/** The record of a run, and under which other id the same is kept. Its first id is where the result belongs. */
export function recordsOf(run: Run): readonly [OperationRecord, ...OperationRecord[]] {
  const { request, result } = run;
  const operation = recordedOperation(request, result);
  const key = operationKey(request.resource, operation, request.intervalMs);
  const failed = !hasSucceeded(result, request.expectedExitCode);
  const record = body(run, operation, key, failed);
  if (request.operation === 'notify') return [{ ...record, id: notifyId(request) }];
  if (isMigration(request.operation)) return [{ ...record, id: key }];
  if (failed && request.intervalMs > 0) return [{ ...record, id: lastFailureId(request.resource) }];
  if (failed)
    return [
      { ...record, id: lastId(request.resource) },
      { ...record, id: lastFailureId(request.resource) },
    ];
  return [{ ...record, id: request.intervalMs > 0 ? key : lastId(request.resource) }];
}

/** The record of an operation that has been accepted and has no result yet. */
export function pendingRecord(request: Execute, node: string): OperationRecord {
  const result = { status: executionStatus.pending, exitCode: exitCode.unknown } as const;
  const [record] = recordsOf({ request, result, callId: -1, node });
  return record;
}

/** Whether an operation leaves a trace in the status. */
export const isRecorded = (operation: string): boolean =>
  operation !== 'notify' && operation !== 'meta-data' && operation !== 'validate-all';

const notifyId = (request: Execute): string => {
  const meta = (name: string): string => metaOf(request, name) ?? '';
  return `${request.resource}_${meta('notify_type')}_notify_${meta('notify_operation')}_0`;
};

const seconds = (epochMs: number): number => Math.floor(epochMs / 1000);

function body(run: Run, operation: string, key: string, failed: boolean): Omit<OperationRecord, 'id'> {
  const { request, result } = run;
  const migration = isMigration(request.operation);
  const migrateSource = migration ? metaOf(request, 'migrate_source') : undefined;
  const migrateTarget = migration ? metaOf(request, 'migrate_target') : undefined;
  return {
    key,
    operation,
    intervalMs: request.intervalMs,
    callId: run.callId,
    exitCode: result.exitCode,
    status: result.status,
    ...(failed && result.exitReason !== undefined ? { exitReason: result.exitReason } : {}),
    transitionKey: request.transitionKey,
    transitionMagic: `${result.status}:${result.exitCode};${request.transitionKey}`,
    onNode: run.node,
    ...(run.startedAt === undefined
      ? {}
      : { lastChange: seconds(run.changedAt ?? run.startedAt), lastRun: seconds(run.startedAt) }),
    ...(run.execMs === undefined ? {} : { execMs: run.execMs }),
    ...(run.queueMs === undefined ? {} : { queueMs: run.queueMs }),
    featureSet: request.featureSet ?? agentFeatureSet,
    ...digests(request, run.description),
    ...(migrateSource === undefined ? {} : { migrateSource }),
    ...(migrateTarget === undefined ? {} : { migrateTarget }),
  };
}

type Digests = Pick<OperationRecord, 'digest' | 'restartDigest' | 'forceRestart' | 'secureDigest' | 'secureParameters'>;

const withBlanks = (names: readonly string[]): string => (names.length === 0 ? '' : ` ${names.join(' ')} `);

/** The fingerprints by which the policy engine sees changed parameters. */
function digests(request: Execute, description: AgentDescription | undefined): Digests {
  const { parameters } = request;
  const digest = operationDigest(parameters, request.intervalMs > 0 ? { timeoutMs: request.timeoutMs } : undefined);
  if (description === undefined || request.operation === 'stop') return { digest };

  const needRestart = request.intervalMs > 0 ? undefined : restartParameters(description);
  const keep = new Set(needRestart ?? []);
  const reloadable = new Set(Object.keys(parameters).filter((name) => !keep.has(name)));
  const secret = privateParameters(description);
  const described = description.parameters.map(({ name }) => name).filter((name) => secret.has(name));
  return {
    digest,
    ...(needRestart === undefined
      ? {}
      : { restartDigest: digestWithout(parameters, reloadable), forceRestart: withBlanks(needRestart) }),
    ...(described.length === 0
      ? {}
      : { secureDigest: digestWithout(parameters, new Set(described)), secureParameters: withBlanks(described) }),
  };
}

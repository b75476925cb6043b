/**
 * Operations: as configured for a primitive (references and templates resolved), and what applies to one that is to be
 * run or has run: timeout, failure handling, start delay, from the operation itself, its meta attributes and the
 * defaults.
 *
 * Semantics: Pacemaker's pcmk__unpack_action_meta() and friends (lib/pengine/pe_actions.c).
 */
import { type AgentName, mergeSets, type Operation, parseDateTime, type RuleContext } from '@systole/cib';
import type { InstanceRole, PrimitiveInstance } from '../expand/instance.ts';
import { parametersOn, type ParameterSource } from './parameters.ts';
import type { Node } from '../status/node.ts';
import { booleanOf, durationOf } from './values.ts';

export interface OperationConfig {
  readonly id?: string;
  readonly name: string;
  /** 0: not recurring. */
  readonly intervalMs: number;
  readonly isEnabled: boolean;
  /** As written, with its attribute sets; `operationMeta()` evaluates them. */
  readonly source: Operation;
}

/** What is done about a failed operation; in this order, a later one is the more severe and wins. */
export type OnFail =
  | 'ignore'
  | 'demote'
  | 'restart'
  /** A remote node's connection: fence the node, then connect again. */
  | 'reset-remote'
  | 'restart-container'
  | 'ban'
  | 'block'
  | 'stop'
  | 'standby'
  | 'fence';

const severities: Readonly<Record<OnFail, number>> = {
  ignore: 0,
  demote: 1,
  restart: 2,
  'reset-remote': 3,
  'restart-container': 4,
  ban: 5,
  block: 6,
  stop: 7,
  standby: 8,
  fence: 9,
};

export const severity = (onFail: OnFail): number => severities[onFail];

export const isProbe = (operation: string, intervalMs: number): boolean => operation === 'monitor' && intervalMs === 0;

/** The timeout of an operation for which none is configured. */
export const defaultTimeoutMs = 20_000;
const largestMs = 2 ** 31 - 1;

export const operationConfig = (source: Operation): OperationConfig => ({
  ...(source.id === undefined ? {} : { id: source.id }),
  name: source.name,
  intervalMs: durationOf(source.interval),
  isEnabled: source.enabled ?? true,
  source,
});

const exactly = (
  operations: readonly OperationConfig[],
  name: string,
  intervalMs: number,
  withDisabled: boolean,
): OperationConfig | undefined =>
  operations.find((one) => one.intervalMs === intervalMs && one.name === name && (withDisabled || one.isEnabled));

/** The configured operation of that name and interval; both ends of a migration may be configured as `migrate`. */
export function findOperation(
  operations: readonly OperationConfig[],
  name: string,
  intervalMs: number,
  withDisabled = true,
): OperationConfig | undefined {
  const found = exactly(operations, name, intervalMs, withDisabled);
  const isMigration = name === 'migrate_to' || name === 'migrate_from';
  return found ?? (isMigration ? exactly(operations, 'migrate', 0, withDisabled) : undefined);
}

export const isPromotedMonitor = (one: OperationConfig): boolean =>
  one.name === 'monitor' && one.source.role === 'Promoted' && one.intervalMs > 0 && one.isEnabled;

/** What of a resource its operations depend on. */
export interface OperationOwner {
  readonly agent: Partial<AgentName>;
  readonly operations: readonly OperationConfig[];
}

/**
 * The meta attributes of an operation: those written on it, then its sets, then the defaults. `timeout` is always there,
 * in milliseconds; `interval` and `start-delay`, if there, are in milliseconds too; `on-fail` is one that is allowed.
 */
export function operationMeta(
  source: ParameterSource,
  owner: PrimitiveInstance,
  node: Node | undefined,
  name: string,
  intervalMs: number,
): ReadonlyMap<string, string> {
  const config = findOperation(owner.operations, name, intervalMs);
  return metaOf(source, owner, node, name, intervalMs, config);
}

/** The same with the configured operation already known (a role's monitor has the same key as another's). */
export function metaOf(
  source: ParameterSource,
  owner: PrimitiveInstance,
  node: Node | undefined,
  name: string,
  intervalMs: number,
  config: OperationConfig | undefined,
): ReadonlyMap<string, string> {
  const meta = new Map<string, string>();
  const context: RuleContext = { ...source.ruleContext, agent: owner.agent, operation: { name, intervalMs } };
  if (config !== undefined) {
    mergeSets(config.source.meta, context, meta);
    for (const [key, value] of written(config.source)) meta.set(key, value);
  }
  if (isProbe(name, intervalMs) && !meta.has('timeout')) {
    const timeout = mostFrequentMonitor(owner.operations)?.source.timeout;
    if (timeout !== undefined) meta.set('timeout', timeout);
  }
  mergeSets(source.cib.configuration.operationDefaults, context, meta);
  meta.delete('id');
  if (intervalMs > 0) meta.set('interval', String(intervalMs));
  else meta.delete('interval');
  if (owner.isFenceDevice && (name === 'start' || isProbe(name, intervalMs))) {
    const timeout = parametersOn(source, owner, node).get('pcmk_monitor_timeout');
    if (timeout !== undefined) meta.set('timeout', timeout);
  }
  const timeoutMs = durationOf(meta.get('timeout'));
  meta.set('timeout', String(timeoutMs > 0 ? Math.min(timeoutMs, largestMs) : defaultTimeoutMs));
  checkOnFail(owner, name, config, meta);
  setStartDelay(source, intervalMs, meta);
  return meta;
}

/** The operation's own attributes, by their names in XML. */
function written(operation: Operation): readonly (readonly [string, string])[] {
  const pairs: readonly (readonly [string, string | undefined])[] = [
    ['name', operation.name],
    ['interval', operation.interval],
    ['timeout', operation.timeout],
    ['start-delay', operation.startDelay],
    ['interval-origin', operation.intervalOrigin],
    ['on-fail', operation.onFail],
    ['enabled', operation.enabled === undefined ? undefined : String(operation.enabled)],
    ['record-pending', operation.recordPending === undefined ? undefined : String(operation.recordPending)],
    ['role', operation.role],
    ['requires', operation.requires],
    ['description', operation.description],
  ];
  return pairs.filter((pair): pair is readonly [string, string] => pair[1] !== undefined);
}

function mostFrequentMonitor(operations: readonly OperationConfig[]): OperationConfig | undefined {
  let best: OperationConfig | undefined;
  for (const one of operations) {
    if (one.name !== 'monitor' || one.intervalMs === 0 || !one.isEnabled) continue;
    if (best === undefined || one.intervalMs < best.intervalMs) best = one;
  }
  return best;
}

const notForStop: ReadonlySet<string> = new Set(['standby', 'demote', 'stop']);

/** Takes away what is not allowed for this operation, and gives `demote` what the promoted monitor says. */
function checkOnFail(
  owner: OperationOwner,
  name: string,
  config: OperationConfig | undefined,
  meta: Map<string, string>,
): void {
  const value = meta.get('on-fail')?.toLowerCase();
  if (name === 'stop' && value !== undefined && notForStop.has(value)) {
    meta.delete('on-fail');
  } else if (name === 'demote' && value === undefined) {
    for (const one of owner.operations) {
      const onFail = one.source.onFail;
      if (onFail !== undefined && onFail.toLowerCase() !== 'demote' && isPromotedMonitor(one))
        meta.set('on-fail', onFail);
    }
  } else if (name === 'lrm_delete') {
    meta.set('on-fail', 'ignore');
  } else if (value === 'demote') {
    const isAllowed =
      config?.name === 'promote' ||
      (config?.name === 'monitor' && config.intervalMs > 0 && config.source.role === 'Promoted');
    if (!isAllowed) meta.delete('on-fail');
  }
}

/** A start delay as written, or so long that the operation falls on a multiple of its interval from its origin. */
function setStartDelay(source: ParameterSource, intervalMs: number, meta: Map<string, string>): void {
  const delay = meta.get('start-delay');
  const origin = meta.get('interval-origin');
  if (delay !== undefined) {
    meta.set('start-delay', String(Math.min(durationOf(delay), largestMs)));
  } else if (origin !== undefined && intervalMs > 0) {
    const from = parseDateTime(origin, source.ruleContext.timeZone ?? 'UTC');
    if (from === undefined) return;
    const interval = Math.max(1, Math.round(intervalMs / 1000));
    const since = (source.ruleContext.now - from) % interval;
    meta.set('start-delay', String(((since <= 0 ? 0 : interval) - since) * 1000));
  }
}

/** What to do about a failure of this operation, `value` being its `on-fail`, if any. */
export function onFailOf(
  owner: {
    readonly isManaged: boolean;
    readonly isConnection: boolean;
    readonly launcher?: unknown;
    /** The connection of a remote node (not of a guest). */
    readonly isRemoteConnection: boolean;
  },
  isFencingEnabled: boolean,
  name: string,
  intervalMs: number,
  value: string | undefined,
): OnFail {
  const needsReset = owner.isRemoteConnection && !isProbe(name, intervalMs) && name !== 'start';
  const isExplicitAllowed = !(needsReset && !owner.isManaged);
  const explicit = explicitOnFail(value?.toLowerCase(), owner.launcher !== undefined, isFencingEnabled);
  if (explicit !== undefined && isExplicitAllowed) return explicit;
  if (owner.launcher !== undefined) return 'restart-container';
  if (needsReset) return owner.isManaged ? 'reset-remote' : 'stop';
  if (name === 'stop') return isFencingEnabled ? 'fence' : 'block';
  return 'restart';
}

function explicitOnFail(
  value: string | undefined,
  hasLauncher: boolean,
  isFencingEnabled: boolean,
): OnFail | undefined {
  switch (value) {
    case 'block':
    case 'standby':
    case 'stop':
    case 'restart':
    case 'demote':
      return value;
    case 'fence':
      return isFencingEnabled ? 'fence' : 'stop';
    case 'ignore':
    case 'nothing':
      return 'ignore';
    case 'migrate':
      return 'ban';
    case 'restart-container':
      return hasLauncher ? 'restart-container' : undefined;
    default:
      return undefined;
  }
}

/** The role in which it is to be after such a failure. */
export function roleAfterFailure(name: string, onFail: OnFail, reconnectMs: number): InstanceRole {
  if (onFail === 'stop' || (onFail === 'reset-remote' && reconnectMs > 0)) return 'Stopped';
  return name === 'promote' ? 'Unpromoted' : 'Started';
}

/** `enabled` with its meta attributes and defaults considered. */
export const isEnabled = (meta: ReadonlyMap<string, string>): boolean => booleanOf(meta.get('enabled')) ?? true;

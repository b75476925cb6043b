/** Cluster options with their types, defaults and older names. */
import {
  type AttributeSet,
  type Cib,
  INFINITY,
  mergeSets,
  type Primitive,
  type Resource,
  type RuleContext,
  type Template,
} from '@systole/cib';
import { parseDuration } from '@systole/kernel';
import { booleanOf, durationOf, integerOf, scoreOf, wholeNumber } from './config/values.ts';

export type NoQuorumPolicy = 'stop' | 'freeze' | 'ignore' | 'demote' | 'fence';
export type PlacementStrategy = 'default' | 'utilization' | 'minimal' | 'balanced';
export type HealthStrategy = 'none' | 'migrate-on-red' | 'only-green' | 'progressive' | 'custom';

export interface Options {
  /** All options as configured, by their present names; for what is not typed here. */
  readonly raw: ReadonlyMap<string, string>;
  readonly isFencingEnabled: boolean;
  /** A fence device is configured, or a watchdog is there. Fencing enabled without one makes everything unmanaged. */
  readonly hasFencing: boolean;
  /** Some resource or device asks for unfencing. */
  readonly hasUnfencing: boolean;
  readonly fencingAction: 'reboot' | 'off';
  /** As configured, for the graph: `60s`. */
  readonly fencingTimeout: string;
  readonly fencingTimeoutMs: number;
  readonly hasConcurrentFencing: boolean;
  readonly priorityFencingDelayMs: number;
  readonly isStartupFencing: boolean;
  readonly fencesRemoteWithoutQuorum: boolean;
  /** After so long a node that joined the membership and not the cluster is fenced; 0: never. */
  readonly nodePendingTimeoutMs: number;
  readonly isSymmetric: boolean;
  readonly isMaintenance: boolean;
  readonly stopsAll: boolean;
  readonly stopsRemoved: boolean;
  readonly cancelsRemoved: boolean;
  readonly isStartFailureFatal: boolean;
  readonly probes: boolean;
  readonly noQuorumPolicy: NoQuorumPolicy;
  readonly placementStrategy: PlacementStrategy;
  readonly healthStrategy: HealthStrategy;
  readonly healthBase: number;
  readonly healthScores: { readonly red: number; readonly yellow: number; readonly green: number };
  readonly hasShutdownLock: boolean;
  /** 0: locks do not expire. */
  readonly shutdownLockLimitMs: number;
  /** As configured, for the graph. */
  readonly clusterDelay: string;
  readonly clusterDelayMs: number;
  readonly batchLimit: number;
  /** -1: no limit. */
  readonly migrationLimit: number;
}

const formerNames: readonly (readonly [present: string, former: string])[] = [
  ['fencing-enabled', 'stonith-enabled'],
  ['fencing-action', 'stonith-action'],
  ['fencing-timeout', 'stonith-timeout'],
  ['fencing-reaction', 'fence-reaction'],
  ['fencing-max-attempts', 'stonith-max-attempts'],
  ['fencing-watchdog-timeout', 'stonith-watchdog-timeout'],
  ['stop-removed-resources', 'stop-orphan-resources'],
  ['cancel-removed-actions', 'stop-orphan-actions'],
];

/** Reads the cluster options. The set `cib-bootstrap-options` wins over all others, whatever their scores. */
export function readOptions(cib: Cib, context: RuleContext): Options {
  const raw = new Map<string, string>();
  mergeSets(cib.configuration.options, context, raw, { firstId: 'cib-bootstrap-options' });
  for (const [present, former] of formerNames) {
    const value = raw.get(former);
    if (value !== undefined && !raw.has(present)) raw.set(present, value);
  }
  const yes = (name: string, otherwise: boolean): boolean => booleanOf(raw.get(name)) ?? otherwise;
  const time = (name: string, otherwise: string): string =>
    parseDuration(raw.get(name) ?? '').ok ? (raw.get(name) ?? otherwise) : otherwise;
  const oneOf = <T extends string>(name: string, values: readonly T[], otherwise: T): T => {
    const value = raw.get(name)?.toLowerCase();
    return values.find((known) => known === value) ?? otherwise;
  };
  const isFencingEnabled = yes('fencing-enabled', true);
  const strategy = oneOf<HealthStrategy>(
    'node-health-strategy',
    ['none', 'migrate-on-red', 'only-green', 'progressive', 'custom'],
    'none',
  );
  return {
    raw,
    isFencingEnabled,
    hasFencing: yes('have-watchdog', false) || hasFenceDevice(cib.configuration.resources),
    hasUnfencing: asksForUnfencing(cib),
    fencingAction: oneOf('fencing-action', ['reboot', 'off'], 'reboot'),
    fencingTimeout: time('fencing-timeout', '60s'),
    fencingTimeoutMs: durationOf(time('fencing-timeout', '60s')),
    hasConcurrentFencing: yes('concurrent-fencing', true),
    priorityFencingDelayMs: durationOf(time('priority-fencing-delay', '0')),
    isStartupFencing: yes('startup-fencing', true),
    fencesRemoteWithoutQuorum: yes('fence-remote-without-quorum', false),
    nodePendingTimeoutMs: durationOf(time('node-pending-timeout', '0')),
    isSymmetric: yes('symmetric-cluster', true),
    isMaintenance: yes('maintenance-mode', false),
    stopsAll: yes('stop-all-resources', false),
    stopsRemoved: yes('stop-removed-resources', true),
    cancelsRemoved: yes('cancel-removed-actions', true),
    isStartFailureFatal: yes('start-failure-is-fatal', true),
    probes: yes('enable-startup-probes', true),
    noQuorumPolicy: readNoQuorumPolicy(raw.get('no-quorum-policy'), isFencingEnabled, cib),
    placementStrategy: oneOf('placement-strategy', ['default', 'utilization', 'minimal', 'balanced'], 'default'),
    healthStrategy: strategy,
    healthBase: scoreOf(raw.get('node-health-base'), 0),
    healthScores: healthScores(strategy, raw),
    hasShutdownLock: yes('shutdown-lock', false),
    shutdownLockLimitMs: durationOf(time('shutdown-lock-limit', '0')),
    clusterDelay: time('cluster-delay', '60s'),
    clusterDelayMs: durationOf(time('cluster-delay', '60s')),
    batchLimit: integerOf(raw.get('batch-limit') ?? '0', -(2 ** 31)),
    migrationLimit: wholeNumber(raw.get('migration-limit')) ?? -1,
  };
}

/** `fence` needs fencing, and a partition that once had quorum (else every start would fence all nodes). */
function readNoQuorumPolicy(value: string | undefined, isFencingEnabled: boolean, cib: Cib): NoQuorumPolicy {
  switch (value?.toLowerCase()) {
    case 'ignore':
      return 'ignore';
    case 'freeze':
      return 'freeze';
    case 'demote':
      return 'demote';
    case 'fence':
    case 'suicide': {
      const hadQuorum =
        cib.header.hasQuorum === true || (wholeNumber(cib.header.other?.['no-quorum-panic']) ?? 0) !== 0;
      return isFencingEnabled && hadQuorum ? 'fence' : 'stop';
    }
    default:
      return 'stop';
  }
}

function healthScores(strategy: HealthStrategy, raw: ReadonlyMap<string, string>): Options['healthScores'] {
  switch (strategy) {
    case 'none':
      return { red: 0, yellow: 0, green: 0 };
    case 'migrate-on-red':
      return { red: -INFINITY, yellow: 0, green: 0 };
    case 'only-green':
      return { red: -INFINITY, yellow: -INFINITY, green: 0 };
    case 'progressive':
    case 'custom':
      return {
        red: scoreOf(raw.get('node-health-red'), -INFINITY),
        yellow: scoreOf(raw.get('node-health-yellow'), 0),
        green: scoreOf(raw.get('node-health-green'), 0),
      };
  }
}

const primitivesOf = (resource: Resource): readonly (Primitive | Template)[] => {
  switch (resource.kind) {
    case 'primitive':
    case 'template':
      return [resource];
    case 'group':
      return resource.members;
    case 'clone':
      return primitivesOf(resource.member);
    case 'bundle':
      return resource.primitive === undefined ? [] : [resource.primitive];
  }
};

function hasFenceDevice(resources: readonly Resource[]): boolean {
  const isDevice = (primitive: Primitive | Template): boolean => primitive.agent?.class.toLowerCase() === 'stonith';
  const templates = new Set(resources.filter((one) => one.kind === 'template' && isDevice(one)).map((one) => one.id));
  return resources
    .filter((resource) => resource.kind !== 'template')
    .flatMap(primitivesOf)
    .some((one) => isDevice(one) || (one.kind === 'primitive' && templates.has(one.template ?? '')));
}

/** As Pacemaker has it: a plain look for `provides` or `requires` = `unfencing`, whatever rules say. */
function asksForUnfencing(cib: Cib): boolean {
  const asks = (set: AttributeSet): boolean =>
    set.pairs.some(({ name, value }) => value === 'unfencing' && (name === 'provides' || name === 'requires'));
  const { resources, resourceDefaults } = cib.configuration;
  return (
    resourceDefaults.some(asks) ||
    resources.some((one) => one.meta.some(asks) || primitivesOf(one).some((inner) => inner.meta.some(asks)))
  );
}

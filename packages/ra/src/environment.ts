/**
 * What agents find in their environment. Parameters are `OCF_RESKEY_name`; facts about the operation and the resource
 * are `OCF_RESKEY_CRM_meta_name`. Agents of the field test both the new and the old names of a renamed fact.
 *
 * Semantics: OCF resource agent API 1.1; Pacemaker's executor, from which unmodified agents expect the rest.
 */
import type { AgentName } from './agent-name.ts';
import type { AgentPlaces } from './places.ts';

/** What an operation is about, for the agent. */
export interface OperationContext {
  readonly agent: AgentName;
  /** The resource's name with its instance: `web:0`. */
  readonly resource: string;
  /** `start`, `monitor`, … as asked, before a class translates it. */
  readonly operation: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly parameters: Readonly<Record<string, string>>;
  /** Meta attributes by name, without `CRM_meta_`. */
  readonly meta: Readonly<Record<string, string>>;
  readonly node: string;
  readonly nodeId: string;
  readonly featureSet?: string;
}

/** The version of Pacemaker's contract with agents that we keep: at least 3.10.0 makes them use `crm_attribute -p`. */
export const agentFeatureSet = '3.19.0';

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** For every agent of every class. */
export function baseEnvironment(places: AgentPlaces): Readonly<Record<string, string>> {
  return {
    PATH: `${places.helpers}:${path}`,
    LC_ALL: 'C',
    OCF_OUTPUT_FORMAT: 'text',
    // Agents that call Pacemaker's programs find ours.
    HA_SBIN_DIR: places.helpers,
    ...(places.socket === undefined ? {} : { SYSTOLE_SOCKET: places.socket }),
    ...(places.agentState === undefined ? {} : { HA_RSCTMP: places.agentState }),
    ...(places.node === undefined ? {} : { SYSTOLE_NODE: places.node }),
  };
}

/** Names of meta attributes that were renamed; agents ask for either. */
const olderNames: Readonly<Record<string, string>> = {
  promoted_max: 'master_max',
  promoted_node_max: 'master_node_max',
  notify_promoted_resource: 'notify_master_resource',
  notify_promoted_uname: 'notify_master_uname',
  notify_unpromoted_resource: 'notify_slave_resource',
  notify_unpromoted_uname: 'notify_slave_uname',
};

/** Meta attributes under the names an agent sees, older ones included. */
export function metaForAgent(context: OperationContext): Readonly<Record<string, string>> {
  const meta: Record<string, string> = {};
  for (const [name, value] of Object.entries(context.meta)) meta[name.replaceAll('-', '_')] = value;
  for (const [name, older] of Object.entries(olderNames)) {
    const value = meta[name];
    if (value !== undefined) meta[older] ??= value;
  }
  return {
    ...meta,
    name: context.operation,
    timeout: String(context.timeoutMs),
    interval: String(context.intervalMs),
    on_node: context.node,
    on_node_uuid: context.nodeId,
  };
}

/** For an OCF agent. A parameter `OCF_CHECK_LEVEL` is passed under that very name. */
export function ocfEnvironment(context: OperationContext, places: AgentPlaces): Readonly<Record<string, string>> {
  const environment: Record<string, string> = {
    ...baseEnvironment(places),
    OCF_RA_VERSION_MAJOR: '1',
    OCF_RA_VERSION_MINOR: '1',
    OCF_ROOT: places.ocfRoot,
    OCF_RESOURCE_INSTANCE: context.resource,
    OCF_RESOURCE_TYPE: context.agent.type,
    OCF_RESOURCE_PROVIDER: context.agent.provider ?? '',
    OCF_EXIT_REASON_PREFIX: 'ocf-exit-reason:',
    OCF_RESKEY_crm_feature_set: context.featureSet ?? agentFeatureSet,
    HA_cluster_type: 'corosync',
    HA_quorum_type: 'corosync',
    HA_debug: '0',
    // What agents ask most often is answered without asking anybody (`crm_node -n`).
    SYSTOLE_NODE_NAME: context.node,
  };
  for (const [name, value] of Object.entries(metaForAgent(context))) {
    environment[`OCF_RESKEY_CRM_meta_${name}`] = value;
  }
  for (const [name, value] of Object.entries(context.parameters)) {
    environment[name === 'OCF_CHECK_LEVEL' ? name : `OCF_RESKEY_${name}`] = value;
  }
  return environment;
}

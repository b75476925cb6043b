/** What the fencer must know of the configuration: its devices, levels, options and nodes, read from the CIB. */
import {
  allPrimitives,
  type AttributeSet,
  type Cib,
  INFINITY,
  references,
  type RuleContext,
  valuesOf,
} from '@systole/cib';
import { clusterOption, nodeState, transientAttributes } from '@systole/crm';
import { type Epoch, parseDuration } from '@systole/kernel';
import type { FenceDevice, FencerNode, FencerOptions } from '@systole/stonith';

/** Every primitive of class stonith, wherever it stands, with the values that its sets give at `at`. */
export function fenceDevices(cib: Cib, self: string, at: Epoch): readonly FenceDevice[] {
  const { configuration } = cib;
  const context = { now: Math.floor(at / 1000), references: references(configuration) };
  const templates = new Map(
    configuration.resources.flatMap((one) => (one.kind === 'template' ? [[one.id, one] as const] : [])),
  );
  const values = (sets: readonly AttributeSet[], inherited: readonly AttributeSet[], more: Partial<RuleContext>) =>
    Object.fromEntries(valuesOf([...inherited, ...sets], { ...context, ...more }));

  return allPrimitives(configuration.resources).flatMap((primitive): readonly FenceDevice[] => {
    const template = primitive.template === undefined ? undefined : templates.get(primitive.template);
    const agent = primitive.agent ?? template?.agent;
    if (agent?.class !== 'stonith') return [];
    const meta = values(primitive.meta, template?.meta ?? [], { agent });
    const parameters = values(primitive.parameters, template?.parameters ?? [], { agent });
    const isStopped = meta['target-role']?.toLowerCase() === 'stopped';
    return [
      { id: primitive.id, agent, parameters, meta, isAllowedHere: !isStopped && !isBanned(cib, primitive.id, self) },
    ];
  });
}

/** True if a location constraint keeps the resource off this node for good. Rules decide where it runs, not who may use it. */
const isBanned = ({ configuration }: Cib, resource: string, node: string): boolean =>
  configuration.constraints.some(
    (one) => one.kind === 'location' && one.resource === resource && one.node === node && (one.score ?? 0) <= -INFINITY,
  );

/**
 * Silence proves a reset only where a node that hears nobody has no quorum. With `two_node` each of the two holds it alone
 * and feeds its watchdog: then the watchdog's time-out is no fencing (simulator: both ran the service).
 */
export function fencerOptions(cib: Cib, bothMayHoldQuorum = false): FencerOptions {
  const watchdog = clusterOption(cib, 'fencing-watchdog-timeout', 'stonith-watchdog-timeout');
  const parsed = watchdog === undefined ? undefined : parseDuration(watchdog);
  return {
    watchdogTimeoutMs: parsed?.ok === true && !bothMayHoldQuorum ? parsed.value : 0,
    isConcurrent: clusterOption(cib, 'concurrent-fencing') !== 'false',
  };
}

/** Nodes with their attributes, for topologies that select by attribute. */
export function fencerNodes(cib: Cib, at: Epoch): readonly FencerNode[] {
  const context = { now: Math.floor(at / 1000), references: references(cib.configuration) };
  return cib.configuration.nodes.map(({ id, name, attributes }) => ({
    id,
    name,
    attributes: Object.fromEntries([...valuesOf(attributes, context), ...transientAttributes(nodeState(cib, name))]),
  }));
}

/** Remembered to see whether something of class stonith changed; everything else leaves the fencer alone. */
export const sameFencing = (before: Cib, after: Cib): boolean =>
  before.configuration.resources === after.configuration.resources &&
  before.configuration.constraints === after.configuration.constraints &&
  before.configuration.options === after.configuration.options &&
  before.configuration.fencingLevels === after.configuration.fencingLevels &&
  before.configuration.nodes === after.configuration.nodes;

/** Whether a node can be fenced, and what it means that one must be. Semantics: Pacemaker's pe_fence_node(), pe_can_fence(). */
import type { DraftNode, Reader } from '../expand/draft.ts';
import { isGuest } from '../expand/draft.ts';
import type { Options } from '../options.ts';
import type { Node } from './node.ts';

interface FencingSource {
  readonly options: Options;
  readonly hasQuorum: boolean;
}

/**
 * A guest is fenced by recovering what it runs in, which works wherever that runs on a node that is online or can be
 * fenced. Others need a device, and a partition that may fence: with quorum, or without where nobody cares, or a node
 * that is in our own membership.
 */
export function canFence(source: FencingSource, node: Node): boolean {
  const { options } = source;
  const launcher = node.kind === 'member' ? undefined : node.connection?.launcher;
  if (launcher !== undefined) return launcher.activeNodes.every((host) => host.isOnline || canFence(source, host));
  if (!options.isFencingEnabled || !options.hasFencing) return false;
  if (source.hasQuorum || options.noQuorumPolicy === 'ignore') return true;
  if (!node.isOnline) return false;
  if (node.kind === 'member' || options.fencesRemoteWithoutQuorum) return true;
  // Its connection may have moved to the partition that has quorum, if it could run on a node that we do not see.
  return [...(node.connection?.allowed.keys() ?? [])].every((one) => one.isOnline);
}

/** The node's state is unknown or bad: mark what has to be recovered, and ask for its fencing. */
export function fence(reader: Reader, node: DraftNode, reason: string, hasPriorityDelay = false): void {
  const { connection } = node;
  if (node.kind !== 'member' && isGuest(node)) {
    const launcher = connection?.launcher;
    if (launcher === undefined || launcher.isFailed || !launcher.isManaged) return;
    node.needsReset = true;
    launcher.isFailed = true;
    launcher.mustStopIfFailed = true;
    return;
  }
  if (node.kind !== 'member' && connection?.isRemovedLaunched === true) {
    connection.isFailed = true;
    connection.mustStopIfFailed = true;
    return;
  }
  if (node.kind === 'member') {
    if (node.isUnclean) return;
  } else if (connection === undefined || connection.isManaged) {
    node.needsReset = true;
  }
  node.isUnclean = true;
  const delay = node.kind === 'member' && hasPriorityDelay;
  reader.demands.push({ type: 'fence', node, reason, hasPriorityDelay: delay });
}

/** What can be expected of the connection to a remote node during this transition. */
import type { Plan } from '../graph/plan.ts';
import { Role } from '../graph/subject.ts';
import type { Node } from '../status/node.ts';
import { currentNode } from './primitive.ts';

export type RemoteState =
  /** It may come up; until then nothing is known. */
  | 'unknown'
  /** It works. */
  | 'alive'
  /** It is down for now, and will be up again elsewhere. */
  | 'resting'
  /** It is lost and will not come back: what runs behind it can be stopped only by fencing. */
  | 'failed'
  /** It is, or will be, taken down in order. */
  | 'stopped';

/** A remote or guest node with a connection. */
export function remoteState(plan: Plan, node: Node): RemoteState {
  const connection = plan.connectionOf(node);
  if (connection === undefined) return 'unknown';
  const host = currentNode(plan, connection);
  if (connection.nextRole === Role.stopped || connection.assigned === undefined) {
    if (host !== undefined && plan.isUnclean(host)) return 'failed';
    if (!connection.isFailed) return 'stopped';
    const isWaiting = connection.nextRole === Role.stopped && connection.of.reconnectMs > 0 && node.wasFenced;
    const wantsDown = (node.attributes.get('shutdown') ?? '0') !== '0';
    return isWaiting && !wantsDown ? 'unknown' : 'failed';
  }
  if (host === undefined) return 'unknown';
  if (plan.isUnclean(host) || !plan.isOnline(host)) return 'resting';
  return connection.of.activeNodes.length > 1 && connection.migration !== undefined ? 'resting' : 'alive';
}

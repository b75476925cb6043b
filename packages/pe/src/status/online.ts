/**
 * Which nodes are there: a member by what the cluster recorded of it, a remote or guest node by its connection.
 *
 * Semantics: Pacemaker's lib/pengine/unpack.c, determine_online_status() and what it calls.
 */
import { INFINITY, type NodeState } from '@systole/cib';
import { booleanOf, isTrue, secondsOf, wholeNumber } from '../config/values.ts';
import { type DraftNode, isRemote, noteRecheck, type Reader } from '../expand/draft.ts';
import { fence } from './fencing.ts';
import { addAttributes } from './nodes.ts';

/** First pass: members' attributes and state; of remote nodes only whether they were fenced. */
export function readNodeState(reader: Reader, state: NodeState, node: DraftNode): void {
  if (node.kind !== 'member') {
    node.wasFenced = (wholeNumber(state.wasFenced) ?? 0) > 0 || isTrue(state.wasFenced);
    return;
  }
  addAttributes(reader, node, state.transientAttributes, state.transientUtilization ?? [], true);
  if (isTrue(node.attributes.get('standby'))) node.isStandby = true;
  if (isTrue(node.attributes.get('maintenance'))) node.isMaintenance = true;
  node.isUnclean = false;
  node.isSeen = true;
  readMember(reader, state, node);
  if (!reader.hasQuorum && node.isOnline && reader.options.noQuorumPolicy === 'fence') {
    fence(reader, node, 'cluster does not have quorum');
  }
}

/** When, or since when: in seconds since 1970, 0 for not, -1 where nothing is recorded. */
interface Membership {
  readonly member: number;
  readonly online: number;
}

function membershipOf(reader: Reader, state: NodeState): Membership {
  return { member: memberSince(state.inCluster, reader.now), online: onlineSince(state.controller) };
}

function memberSince(text: string | undefined, now: number): number {
  if (text === undefined) return -1;
  const flag = booleanOf(text);
  if (flag !== undefined) return flag ? now : 0;
  const since = wholeNumber(text);
  return since === undefined || since < 0 ? -1 : since;
}

function onlineSince(text: string | undefined): number {
  const word = text?.toLowerCase() ?? 'offline';
  if (word === 'offline') return 0;
  if (word === 'online') return 1;
  return Math.max(0, wholeNumber(word) ?? 0);
}

const isShutdownRequested = (node: DraftNode): boolean => {
  const value = node.attributes.get('shutdown');
  return value !== undefined && value !== '0';
};

function readMember(reader: Reader, state: NodeState, node: DraftNode): void {
  node.isShutdown = isShutdownRequested(node);
  if (!node.isShutdown && state.expected?.toLowerCase() === 'member') node.isExpectedUp = true;
  const isOnline = reader.options.isFencingEnabled
    ? isOnlineWithFencing(reader, state, node)
    : isOnlineWithoutFencing(reader, state, node);
  if (isOnline) node.isOnline = true;
  if (!isOnline || node.isShutdown) node.score = -INFINITY;
}

function isOnlineWithoutFencing(reader: Reader, state: NodeState, node: DraftNode): boolean {
  const { member, online } = membershipOf(reader, state);
  if (member <= 0) return false;
  if (online > 0) return state.join?.toLowerCase() === 'member';
  if (node.isExpectedUp) fence(reader, node, 'peer is unexpectedly down');
  return false;
}

function isOnlineWithFencing(reader: Reader, state: NodeState, node: DraftNode): boolean {
  const membership = membershipOf(reader, state);
  const { member, online } = membership;
  if (node.isShutdown) return online > 0;
  if (member < 0) {
    fence(reader, node, 'peer has not been seen by the cluster');
    return false;
  }
  const wait = (): void => {
    node.isStandby = true;
    node.isPending = true;
  };
  if (state.join === 'banned') {
    fence(reader, node, 'peer failed Pacemaker membership criteria');
  } else if (mustTerminate(node)) {
    if (member <= 0 && online <= 0 && state.join === 'down') return false; // done
    fence(reader, node, 'fencing was requested');
  } else if ((state.expected ?? 'down') === 'down') {
    if (isPendingTooLong(reader, membership)) {
      fence(reader, node, 'peer pending timed out on joining the process group');
    } else if (member > 0 || online > 0) {
      wait();
    }
  } else if (member <= 0) {
    fence(reader, node, 'peer is no longer part of the cluster', true);
  } else if (online <= 0) {
    fence(reader, node, 'peer process is no longer available');
  } else if (state.join === 'pending' || state.join === 'down') {
    wait();
  } else if (state.join !== 'member') {
    fence(reader, node, 'peer was in an unknown state');
  }
  return member > 0;
}

const mustTerminate = (node: DraftNode): boolean => {
  const value = node.attributes.get('terminate');
  return booleanOf(value) ?? (wholeNumber(value) ?? 0) > 0;
};

function isPendingTooLong(reader: Reader, { member, online }: Membership): boolean {
  const { nodePendingTimeoutMs } = reader.options;
  if (nodePendingTimeoutMs === 0 || member <= 0 || online > 0) return false;
  const limit = member + secondsOf(nodePendingTimeoutMs);
  if (reader.now >= limit) return true;
  noteRecheck(reader, limit, 'a node that is pending will be fenced');
  return false;
}

/** A remote or guest node is where its connection says, unless something under it is failed or gone. */
export function readRemoteOnline(node: DraftNode): void {
  const { connection } = node;
  if (connection === undefined) {
    node.isOnline = false;
    return;
  }
  const { launcher } = connection;
  const host = launcher !== undefined && connection.activeNodes.length === 1 ? connection.activeNodes[0] : undefined;
  if (connection.role === 'Started') {
    node.isOnline = true;
    if (connection.wantedRole === 'Stopped') node.isShutdown = true;
  }
  if (launcher?.isFailed === true) {
    node.isOnline = false;
    node.needsReset = true;
  } else if (connection.isFailed) {
    node.isOnline = false;
  } else if (connection.role === 'Stopped' || launcher?.role === 'Stopped') {
    node.isOnline = false;
    node.needsReset = false;
  } else if (host !== undefined && !host.isOnline && host.isUnclean) {
    node.isOnline = false;
    node.needsReset = true;
  }
}

/** A remote node's recorded state, once its connection is known. */
export function readRemoteState(reader: Reader, state: NodeState, node: DraftNode): void {
  node.wasMaintenance = (wholeNumber(state.inMaintenance) ?? 0) > 0 || isTrue(state.inMaintenance);
  if (!node.needsReset) {
    node.isUnclean = false;
    node.isSeen = true;
  }
  addAttributes(reader, node, state.transientAttributes, state.transientUtilization ?? [], true);
  if (isShutdownRequested(node)) node.isShutdown = true;
  if (isTrue(node.attributes.get('standby'))) node.isStandby = true;
  if (isTrue(node.attributes.get('maintenance')) || node.connection?.isManaged === false) node.isMaintenance = true;
  const discovery = node.attributes.get('resource-discovery-enabled');
  if (discovery !== undefined && !isTrue(discovery) && !(isRemote(node) && !reader.options.isFencingEnabled)) {
    node.allowsProbes = false;
  }
}

/** Writes the status section as Pacemaker's tools expect it. */
import type { NodeState, OperationRecord, ResourceHistory, Status, TicketState } from '../model/status.ts';
import { optionalBoolean, writeSets } from './write-attributes.ts';
import type { Output } from './writer.ts';

export function writeStatus(status: Status): Output {
  const tickets: Output[] =
    status.tickets.length === 0 ? [] : [{ name: 'tickets', attributes: {}, children: status.tickets.map(writeTicket) }];
  return { name: 'status', attributes: {}, children: [...status.nodes.map(writeNodeState), ...tickets] };
}

function writeNodeState(node: NodeState): Output {
  const owner = `status-${node.id === '' ? (node.name ?? '') : node.id}`;
  const sets = [
    ...writeSets(node.transientAttributes, 'instance_attributes', owner),
    ...writeSets(node.transientUtilization ?? [], 'utilization', owner),
  ];
  const id = node.id === '' ? undefined : node.id;
  return {
    name: 'node_state',
    attributes: {
      id,
      uname: node.name,
      in_ccm: node.inCluster,
      crmd: node.controller,
      join: node.join,
      expected: node.expected,
      remote_node: optionalBoolean(node.isRemote),
      node_fenced: node.wasFenced,
      node_in_maintenance: node.inMaintenance,
      ...node.other,
    },
    children: [
      ...(sets.length === 0 ? [] : [{ name: 'transient_attributes', attributes: { id }, children: sets }]),
      {
        name: 'lrm',
        attributes: { id },
        children: [{ name: 'lrm_resources', attributes: {}, children: node.history.map(writeHistory) }],
      },
    ],
  };
}

const writeHistory = (history: ResourceHistory): Output => ({
  name: 'lrm_resource',
  attributes: {
    id: history.id,
    class: history.agent.class,
    provider: history.agent.provider,
    type: history.agent.type,
    container: history.container,
    'shutdown-lock': history.shutdownLock,
  },
  children: history.operations.map(writeOperationRecord),
});

const optionalNumber = (value: number | undefined): string | undefined =>
  value === undefined ? undefined : String(value);

const writeOperationRecord = (record: OperationRecord): Output => ({
  name: 'lrm_rsc_op',
  attributes: {
    id: record.id,
    operation_key: record.key,
    operation: record.operation,
    'crm-debug-origin': record.reportedBy,
    crm_feature_set: record.featureSet,
    'transition-key': record.transitionKey,
    'transition-magic': record.transitionMagic,
    'exit-reason': record.exitReason,
    on_node: record.onNode,
    'call-id': String(record.callId),
    'rc-code': String(record.exitCode),
    'op-status': String(record.status),
    interval: String(record.intervalMs),
    'last-rc-change': optionalNumber(record.lastChange),
    'last-run': optionalNumber(record.lastRun),
    'exec-time': optionalNumber(record.execMs),
    'queue-time': optionalNumber(record.queueMs),
    'op-digest': record.digest,
    'op-force-restart': record.forceRestart,
    'op-restart-digest': record.restartDigest,
    'op-secure-params': record.secureParameters,
    'op-secure-digest': record.secureDigest,
    migrate_source: record.migrateSource,
    migrate_target: record.migrateTarget,
    ...record.other,
  },
});

const writeTicket = (ticket: TicketState): Output => ({
  name: 'ticket_state',
  attributes: {
    id: ticket.id,
    granted: optionalBoolean(ticket.isGranted),
    standby: optionalBoolean(ticket.isStandby),
    'last-granted': ticket.lastGranted,
    ...ticket.other,
  },
});

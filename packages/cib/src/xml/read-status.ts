/** Reads the status section: what Pacemaker's nodes reported. Old spellings of attributes are understood. */
import type { AttributeSet } from '../model/attributes.ts';
import type { NodeState, OperationRecord, ResourceHistory, Status, TicketState } from '../model/status.ts';
import { readSet } from './read-attributes.ts';
import { maybe, otherAttributes, type Reading } from './reading.ts';
import type { Element } from './tree.ts';

export function readStatus(reading: Reading, section: Element): Status {
  const nodes: NodeState[] = [];
  const tickets: TicketState[] = [];
  for (const child of section.children) {
    if (child.name === 'node_state') nodes.push(readNodeState(reading, child));
    else if (child.name === 'tickets') tickets.push(...readTickets(reading, child));
    else reading.unknownChild(section, child);
  }
  return { nodes, tickets };
}

const stateNames = new Set([
  'id',
  'uname',
  'in_ccm',
  'crmd',
  'join',
  'expected',
  'remote_node',
  'node_fenced',
  'node_in_maintenance',
]);

function readNodeState(reading: Reading, element: Element): NodeState {
  const given = element.attributes;
  const transientAttributes: AttributeSet[] = [];
  const transientUtilization: AttributeSet[] = [];
  const history: ResourceHistory[] = [];
  for (const child of element.children) {
    if (child.name === 'transient_attributes') {
      for (const set of child.children) {
        if (set.name === 'instance_attributes') transientAttributes.push(readSet(reading, set));
        else if (set.name === 'utilization') transientUtilization.push(readSet(reading, set));
        else reading.unknownChild(child, set);
      }
    } else if (child.name === 'lrm') history.push(...readHistory(reading, child));
    else reading.unknownChild(element, child);
  }
  if (given['id'] === undefined) reading.note('ignored', element, 'a node state without an id counts for no node');
  return {
    id: given['id'] ?? '',
    ...maybe('name', given['uname']),
    ...maybe('inCluster', given['in_ccm']),
    ...maybe('controller', given['crmd']),
    ...maybe('join', given['join']),
    ...maybe('expected', given['expected']),
    ...maybe('isRemote', reading.boolean(element, 'remote_node')),
    ...maybe('wasFenced', given['node_fenced']),
    ...maybe('inMaintenance', given['node_in_maintenance']),
    ...otherAttributes(element, stateNames),
    transientAttributes,
    ...(transientUtilization.length === 0 ? {} : { transientUtilization }),
    history,
  };
}

function readHistory(reading: Reading, lrm: Element): ResourceHistory[] {
  const history: ResourceHistory[] = [];
  for (const list of lrm.children) {
    if (list.name !== 'lrm_resources') {
      reading.unknownChild(lrm, list);
      continue;
    }
    for (const child of list.children) {
      if (child.name === 'lrm_resource') history.push(readResourceHistory(reading, child));
      else reading.unknownChild(list, child);
    }
  }
  return history;
}

const resourceNames = new Set(['id', 'class', 'provider', 'type', 'container', 'shutdown-lock']);

function readResourceHistory(reading: Reading, element: Element): ResourceHistory {
  reading.known(element, resourceNames);
  const { class: standard, provider, type, container, 'shutdown-lock': shutdownLock } = element.attributes;
  const operations: OperationRecord[] = [];
  for (const child of element.children) {
    if (child.name === 'lrm_rsc_op') operations.push(readOperationRecord(reading, child));
    else reading.unknownChild(element, child);
  }
  return {
    id: reading.required(element, 'id'),
    agent: { ...maybe('class', standard), ...maybe('provider', provider), ...maybe('type', type) },
    ...maybe('container', container),
    ...maybe('shutdownLock', shutdownLock),
    operations,
  };
}

/** Attributes that are text in the model, by their XML name. */
const textNames: ReadonlyMap<string, keyof OperationRecord> = new Map([
  ['id', 'id'],
  ['operation_key', 'key'],
  ['operation', 'operation'],
  ['exit-reason', 'exitReason'],
  ['transition-key', 'transitionKey'],
  ['transition-magic', 'transitionMagic'],
  ['on_node', 'onNode'],
  ['crm_feature_set', 'featureSet'],
  ['op-digest', 'digest'],
  ['op-restart-digest', 'restartDigest'],
  ['op-force-restart', 'forceRestart'],
  ['op-secure-digest', 'secureDigest'],
  ['op-secure-params', 'secureParameters'],
  ['migrate_source', 'migrateSource'],
  ['migrate_target', 'migrateTarget'],
  ['crm-debug-origin', 'reportedBy'],
]);

/** Attributes that are whole numbers in the model, by their present and former XML names. */
const numberNames: ReadonlyMap<string, keyof OperationRecord> = new Map([
  ['interval', 'intervalMs'],
  ['call-id', 'callId'],
  ['call_id', 'callId'],
  ['rc-code', 'exitCode'],
  ['rc_code', 'exitCode'],
  ['op-status', 'status'],
  ['op_status', 'status'],
  ['last-rc-change', 'lastChange'],
  ['last_rc_change', 'lastChange'],
  ['last-run', 'lastRun'],
  ['last_run', 'lastRun'],
  ['exec-time', 'execMs'],
  ['exec_time', 'execMs'],
  ['queue-time', 'queueMs'],
  ['queue_time', 'queueMs'],
]);

function readOperationRecord(reading: Reading, element: Element): OperationRecord {
  const record: Record<string, unknown> = {
    id: reading.required(element, 'id'),
    operation: reading.required(element, 'operation'),
    intervalMs: 0,
    callId: -1,
    exitCode: 193,
    status: -1,
  };
  let other: Record<string, string> | undefined;
  for (const name in element.attributes) {
    const text = element.attributes[name] ?? '';
    const numberKey = numberNames.get(name);
    if (numberKey !== undefined) {
      const value = reading.integer(element, name);
      if (value !== undefined) record[numberKey] = value;
      continue;
    }
    const textKey = textNames.get(name);
    if (textKey === undefined) (other ??= {})[name] = text;
    else record[textKey] = text;
  }
  if (other !== undefined) record['other'] = other;
  for (const child of element.children) reading.unknownChild(element, child);
  return record as unknown as OperationRecord;
}

const ticketNames = new Set(['id', 'granted', 'standby', 'last-granted']);

function readTickets(reading: Reading, section: Element): TicketState[] {
  const tickets: TicketState[] = [];
  for (const element of section.children) {
    if (element.name !== 'ticket_state') {
      reading.unknownChild(section, element);
      continue;
    }
    tickets.push({
      id: reading.required(element, 'id'),
      ...maybe('isGranted', reading.boolean(element, 'granted')),
      ...maybe('isStandby', reading.boolean(element, 'standby')),
      ...maybe('lastGranted', element.attributes['last-granted']),
      ...otherAttributes(element, ticketNames),
    });
  }
  return tickets;
}

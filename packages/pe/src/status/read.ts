/**
 * The CIB → the Situation: options, nodes, resources with their instances, and what the histories say of them.
 *
 * Histories are read node by node. What runs on a remote or guest node means something only when the connection to it
 * is known to be up, and that is in another node's history; so the nodes are gone through again and again until
 * nothing new comes, and the rest is read last.
 */
import {
  type Cib,
  type NodeState,
  references,
  type ResourceHistory,
  type RuleContext,
  type TicketState,
} from '@systole/cib';
import { wholeNumber } from '../config/values.ts';
import { register } from '../expand/build.ts';
import { build } from '../expand/expand.ts';
import {
  type DraftInstance,
  type DraftNode,
  isGuest,
  noteRecheck,
  type Reader,
  withDescendants,
} from '../expand/draft.ts';
import { readOptions } from '../options.ts';
import type { RecordedHistory, Situation, Ticket } from '../situation.ts';
import { demandStop } from './active.ts';
import { healthColour, healthScore } from './health.ts';
import { linkConnection, linkLauncher, linkRemovedLaunched } from './links.ts';
import { compareNodeNames, readConfiguredNodes, readRemoteNodes } from './nodes.ts';
import { readNodeState, readRemoteOnline, readRemoteState } from './online.ts';
import { readResourceHistory } from './state.ts';

export interface ReadOptions {
  /** For dates in rules; UTC unless said otherwise. */
  readonly timeZone?: string;
}

/** A pure function: the same CIB and time give the same Situation. `now` is in milliseconds since 1970. */
export function readSituation(cib: Cib, now: number, options: ReadOptions = {}): Situation {
  const reader = startReader(cib, now, options);
  readConfiguredNodes(reader);
  readResources(reader);
  for (const ticket of cib.status.tickets) reader.tickets.set(ticket.id, readTicket(ticket));
  readStatus(reader);
  return finish(reader, now);
}

function startReader(cib: Cib, nowMs: number, { timeZone }: ReadOptions): Reader {
  const now = Math.floor(nowMs / 1000);
  const changes: number[] = [];
  const ruleContext: RuleContext = {
    now,
    references: references(cib.configuration),
    ...(timeZone === undefined ? {} : { timeZone }),
    noteChange: (at) => changes.push(at),
  };
  const reader: Reader = {
    cib,
    now,
    ruleContext: { ...ruleContext, noteChange: (at) => noteRecheck(reader, at, 'a rule changes its outcome') },
    options: readOptions(cib, ruleContext),
    hasQuorum: cib.header.hasQuorum === true,
    nodes: [],
    nodeByName: new Map(),
    nodeById: new Map(),
    roots: [],
    instanceById: new Map(),
    recorded: indexHistory(cib),
    tickets: new Map(),
    templateUsers: new Map(),
    demands: [],
    stops: new Map(),
    activeRecurring: [],
    failedOperations: [],
    failedKeys: new Map(),
    postponedChecks: [],
    rescheduled: new Set(),
    readScores: [],
    containersToStop: [],
    messages: [],
    withOwnAllowed: new Set(),
    settings: new Map(),
  };
  for (const at of changes) noteRecheck(reader, at, 'a rule changes its outcome');
  return reader;
}

function indexHistory(cib: Cib): RecordedHistory {
  const index = new Map<string, Map<string, ResourceHistory>>();
  for (const state of cib.status.nodes) {
    if (state.name === undefined) continue;
    const histories = index.get(state.name) ?? new Map<string, ResourceHistory>();
    index.set(state.name, histories);
    for (const history of state.history) if (!histories.has(history.id)) histories.set(history.id, history);
  }
  return index;
}

function readResources(reader: Reader): void {
  const implied = readRemoteNodes(reader);
  for (const resource of [...reader.cib.configuration.resources, ...implied]) {
    const draft = build(reader, resource);
    if (draft === undefined) continue;
    reader.roots.push(draft);
    register(reader, draft);
  }
  for (const root of reader.roots) {
    linkLauncher(reader, root);
    linkConnection(reader, root);
  }
  reader.roots.sort((a, b) => b.priority - a.priority);
  if (reader.options.isFencingEnabled && !reader.options.hasFencing) {
    const text = 'fencing is enabled, but no fence device is configured: no resource will be started or stopped';
    reader.messages.push({ level: 'error', text });
  }
}

const readTicket = (state: TicketState): Ticket => {
  const lastGranted = wholeNumber(state.lastGranted);
  return {
    id: state.id,
    isGranted: state.isGranted === true,
    isStandby: state.isStandby === true,
    ...(lastGranted === undefined ? {} : { lastGranted }),
  };
};

function nodeOf(reader: Reader, state: NodeState): DraftNode | undefined {
  return reader.nodeById.get(state.id.toLowerCase()) ?? reader.nodeByName.get((state.name ?? '').toLowerCase());
}

function readStatus(reader: Reader): void {
  const states = reader.cib.status.nodes;
  for (const state of states) {
    const node = nodeOf(reader, state);
    if (node !== undefined) readNodeState(reader, state, node);
  }
  // A node may turn up on the way: a removed connection's.
  const readWhere = (mayRead: (node: DraftNode) => boolean): boolean => {
    let hasRead = false;
    for (const state of states) {
      const node = state.name === undefined ? undefined : nodeOf(reader, state);
      if (node === undefined || node.isRead || !mayRead(node)) continue;
      readNodeHistory(reader, state, node);
      hasRead = true;
    }
    return hasRead;
  };
  const isReadable = (node: DraftNode): boolean => isReady(reader, node);
  while (readWhere(isReadable));
  readWhere((node) => reader.options.isFencingEnabled || isReadable(node));
  for (const container of reader.containersToStop) {
    const place = currentNode(container);
    if (place !== undefined) demandStop(reader, container, place);
  }
  for (const node of reader.nodes) {
    if (node.kind === 'member') continue;
    if (node.isShutdown && node.connection !== undefined) node.connection.wantedRole = 'Stopped';
    if (!node.isRead) readRemoteOnline(node);
  }
}

/** Whether enough is known to read what ran on the node. */
function isReady(reader: Reader, node: DraftNode): boolean {
  const { isFencingEnabled, hasShutdownLock } = reader.options;
  const { connection } = node;
  if (node.kind === 'member') return isFencingEnabled || hasShutdownLock || node.isOnline;
  if (isGuest(node)) return connection?.role === 'Started' && connection.launcher?.role === 'Started';
  return connection !== undefined && (hasShutdownLock || connection.role === 'Started');
}

function readNodeHistory(reader: Reader, state: NodeState, node: DraftNode): void {
  if (node.kind !== 'member') {
    readRemoteOnline(node);
    readRemoteState(reader, state, node);
  }
  node.isRead = true;
  const launched: (readonly [DraftInstance, string])[] = [];
  for (const history of state.history) {
    const instance = readResourceHistory(reader, node, history);
    if (instance?.isRemovedLaunched === true && history.container !== undefined)
      launched.push([instance, history.container]);
  }
  for (const [instance, container] of launched) {
    if (instance.kind === 'primitive') linkRemovedLaunched(reader, instance, container);
  }
}

/** Of several nodes where it is active: the source of a migration, else the first that is sure, else the first. */
export function currentNode<N extends { readonly isOnline: boolean; readonly isUnclean: boolean }>(instance: {
  readonly activeNodes: readonly N[];
  readonly needsFencing: boolean;
  readonly partialMigration?: { readonly source: N } | undefined;
}): N | undefined {
  const [first] = instance.activeNodes;
  const source = instance.partialMigration?.source;
  if (source !== undefined) return instance.activeNodes.find((node) => node === source) ?? first;
  if (instance.needsFencing) return first;
  return instance.activeNodes.find((node) => node.isOnline && !node.isUnclean) ?? first;
}

/** Numbers everything, and hands it out. */
function finish(reader: Reader, nowMs: number): Situation {
  reader.nodes.sort((a, b) => compareNodeNames(a.name, b.name));
  for (const [index, node] of reader.nodes.entries()) {
    node.index = index;
    node.healthScore = healthScore(node.attributes, reader.options);
    const colour = healthColour(node.attributes, reader.options);
    if (colour !== undefined) node.health = colour;
  }
  const instances: DraftInstance[] = [];
  const byConfigId = new Map<string, DraftInstance[]>();
  for (const root of reader.roots) {
    for (const one of withDescendants(root)) {
      one.index = instances.length;
      instances.push(one);
      const same = byConfigId.get(one.configId);
      if (same === undefined) byConfigId.set(one.configId, [one]);
      else same.push(one);
    }
  }
  for (const resource of reader.cib.configuration.resources) noteTemplateUser(reader, resource);
  return {
    cib: reader.cib,
    now: reader.now,
    nowMs,
    ruleContext: {
      now: reader.now,
      references: reader.ruleContext.references,
      ...(reader.ruleContext.timeZone === undefined ? {} : { timeZone: reader.ruleContext.timeZone }),
    },
    options: reader.options,
    hasQuorum: reader.hasQuorum,
    nodes: reader.nodes,
    nodeByName: new Map(reader.nodes.map((node) => [node.name, node])),
    nodeById: new Map(reader.nodes.map((node) => [node.id, node])),
    instances: instances,
    roots: reader.roots,
    instanceById: reader.instanceById,
    instancesByConfigId: byConfigId,
    templateUsers: reader.templateUsers,
    recorded: reader.recorded,
    tickets: reader.tickets,
    demands: reader.demands,
    activeRecurring: reader.activeRecurring,
    failedOperations: reader.failedOperations,
    postponedChecks: reader.postponedChecks,
    rescheduled: reader.rescheduled,
    readScores: reader.readScores,
    ...(reader.recheck === undefined ? {} : { recheck: reader.recheck }),
    messages: reader.messages,
  };
}

function noteTemplateUser(reader: Reader, resource: Cib['configuration']['resources'][number]): void {
  switch (resource.kind) {
    case 'template':
      if (!reader.templateUsers.has(resource.id)) reader.templateUsers.set(resource.id, []);
      return;
    case 'primitive': {
      if (resource.template === undefined) return;
      const users = reader.templateUsers.get(resource.template) ?? [];
      reader.templateUsers.set(resource.template, users);
      users.push(resource.id);
      return;
    }
    case 'group':
      for (const member of resource.members) noteTemplateUser(reader, member);
      return;
    case 'clone':
      noteTemplateUser(reader, resource.member);
      return;
    case 'bundle':
      if (resource.primitive !== undefined) noteTemplateUser(reader, resource.primitive);
      return;
  }
}

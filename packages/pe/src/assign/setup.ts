/** Sets the board up: slots and seats as the situation has them, with nothing decided yet. */
import type { ColocationRule, Constraints, LocationRule } from '../constraints/constraint.ts';
import { rank, type Discovery, type Instance } from '../expand/instance.ts';
import type { Situation } from '../situation.ts';
import { byCodeUnit } from '@systole/kernel';
import type { Node } from '../status/node.ts';
import {
  ABSENT,
  NOWHERE,
  PROBE_ALWAYS,
  PROBE_EXCLUSIVE,
  PROBE_NEVER,
  topSlot,
  updateAvailability,
  type Board,
  type Link,
  type Methods,
  type Seat,
  type Slot,
} from './board.ts';
import { Branches } from './branch.ts';
import { insertLink } from './links.ts';

export function setUp(situation: Situation, constraints: Constraints, methods: Methods, explains: boolean): Board {
  const slots: Slot[] = [];
  const tables = new Map<Instance['allowed'], Table>();
  for (const instance of situation.instances) {
    // Most instances share one table, which is read once.
    const table = tables.get(instance.allowed) ?? tableOf(situation, instance.allowed);
    tables.set(instance.allowed, table);
    slots.push(slotFor(instance, slots, table));
  }
  for (const slot of slots) {
    slot.children = slot.instance.children.map((child) => slotAt(slots, child));
  }
  const seats = situation.nodes.map((node) => seatFor(node, slots));
  const names = seats.toSorted((a, b) => byCodeUnit(a.name, b.name));
  const nameRank = new Int32Array(seats.length);
  for (const [position, seat] of names.entries()) nameRank[seat.index] = position;
  const board: Board = {
    situation,
    constraints,
    seats,
    slots,
    roots: situation.roots.map((root) => slotAt(slots, root)),
    links: [],
    locationsOf: (slot) => locationsOf(constraints, slot),
    shown: [],
    feeds: [],
    tangled: new Set(),
    branches: new Branches(),
    linksVersion: 0,
    visitsLeft: 0,
    explains,
    contributions: [],
    fencing: [],
    recheck: undefined,
    nameRank,
    hasGuests: seats.some((seat) => seat.launcher !== undefined),
    usesUtilization: situation.options.placementStrategy !== 'default',
    methods,
  };
  for (const rule of constraints.colocations) addLink(board, rule);
  return board;
}

const slotAt = (slots: readonly Slot[], instance: Instance): Slot => {
  const slot = slots[instance.index];
  if (slot === undefined) throw new RangeError(`no slot for ${instance.id}`);
  return slot;
};

/** A link between the slots of a colocation's ends, which both get to know it. */
export function addLink(board: Board, rule: ColocationRule): Link {
  const link: Link = {
    rule,
    dependent: slotAt(board.slots, rule.dependent),
    primary: slotAt(board.slots, rule.primary),
    dependentRole: rank(rule.dependentRole),
    primaryRole: rank(rule.primaryRole),
    score: rule.score,
    nodeAttribute: rule.nodeAttribute,
    hasInfluence: rule.hasInfluence,
    isExplicit: rule.isExplicit,
  };
  board.links.push(link);
  insertLink(link.dependent.thisWith, link, 'primary');
  insertLink(link.primary.withThis, link, 'dependent');
  (board.feeds[link.dependent.family] ??= new Set()).add(link.primary.family);
  const isWithin = link.dependent.family === link.primary.family;
  if (isWithin && (link.isExplicit || link.dependent.index <= link.primary.index))
    board.tangled.add(link.primary.family);
  board.branches.clear();
  board.linksVersion += 1;
  return link;
}

const discoveryNumbers: Readonly<Record<Discovery, number>> = {
  always: PROBE_ALWAYS,
  never: PROBE_NEVER,
  exclusive: PROBE_EXCLUSIVE,
};

export const discoveryNumber = (discovery: Discovery): number => discoveryNumbers[discovery];

/** Scores and discovery by node, as a slot has them. */
interface Table {
  readonly scores: Int32Array;
  readonly discovery: Uint8Array | undefined;
}

function tableOf(situation: Situation, allowed: Instance['allowed']): Table {
  const scores = new Int32Array(situation.nodes.length).fill(ABSENT);
  let discovery: Uint8Array | undefined;
  for (const [node, { score, discovery: mode }] of allowed) {
    scores[node.index] = score;
    if (mode === 'always') continue;
    discovery ??= new Uint8Array(scores.length);
    discovery[node.index] = discoveryNumber(mode);
  }
  return { scores, discovery };
}

function slotFor(instance: Instance, slots: readonly Slot[], table: Table): Slot {
  const parent = instance.parent === undefined ? undefined : slotAt(slots, instance.parent);
  return {
    index: instance.index,
    id: instance.id,
    instance,
    kind: instance.kind,
    family: parent?.family ?? instance.index,
    ...(parent === undefined ? {} : { parent }),
    children: [],
    scores: table.scores.slice(),
    discovery: table.discovery?.slice(),
    counts: undefined,
    priority: instance.priority,
    promotionPriority: 0,
    role: rank(instance.role),
    nextRole: rank(instance.wantedRole),
    isManaged: instance.isManaged,
    isBlocked: instance.isBlocked,
    hasExclusiveProbes: instance.hasExclusiveProbes,
    isProvisional: true,
    isAssigning: false,
    isMerging: false,
    hasPromotionScores: false,
    isPromotionSorted: false,
    place: NOWHERE,
    placeScore: 0,
    current: currentNode(instance)?.index ?? NOWHERE,
    activeCount: activeNodesOf(instance).length,
    thisWith: [],
    withThis: [],
    lock: instance.kind === 'primitive' ? instance.lock : undefined,
    knownLinks: undefined,
  };
}

/** Of a bundle, the nodes of its containers. */
function activeNodesOf(instance: Instance): readonly Node[] {
  if (instance.kind !== 'bundle') return instance.activeNodes;
  return [...new Set(instance.replicas.flatMap((replica) => replica.container.activeNodes))];
}

/**
 * The node that a resource counts as being on: the source of an unfinished migration; else the first, or, where it
 * need not be fenced before it is recovered, the first that is online and clean.
 */
export function currentNode(instance: Instance): Node | undefined {
  if (instance.kind === 'bundle') {
    const active = instance.replicas.filter((replica) => replica.container.activeNodes.length > 0);
    const only = active.length === 1 ? active[0] : undefined;
    if (only !== undefined) return currentNode(only.container);
  }
  const nodes = activeNodesOf(instance);
  const source = instance.kind === 'primitive' ? instance.partialMigration?.source : undefined;
  if (source !== undefined && nodes.includes(source)) return source;
  if (source === undefined && !instance.needsFencing) {
    const clean = nodes.find((node) => node.isOnline && !node.isUnclean);
    if (clean !== undefined) return clean;
  }
  return nodes[0];
}

function seatFor(node: Node, slots: readonly Slot[]): Seat {
  const connection = node.connection === undefined ? undefined : slotAt(slots, node.connection);
  const launcher =
    node.connection?.kind === 'primitive' && node.connection.launcher !== undefined
      ? slotAt(slots, node.connection.launcher)
      : undefined;
  const seat: Seat = {
    index: node.index,
    node,
    name: node.name,
    isOnline: node.isOnline,
    isShutdown: node.isShutdown,
    isUnclean: node.isUnclean,
    isAvailable: false,
    placed: 0,
    free: new Map(node.utilization),
    ...(connection === undefined ? {} : { connection }),
    ...(launcher === undefined ? {} : { launcher }),
    isBundleNode: node.isBundleNode,
  };
  updateAvailability(seat);
  return seat;
}

/** A bundle's constraints for the promoted role are those of the clone inside. */
function locationsOf(constraints: Constraints, slot: Slot): readonly LocationRule[] {
  const own = constraints.locationsOf.get(slot.instance) ?? [];
  if (slot.kind !== 'clone' || slot.parent === undefined) return own;
  const bundle = constraints.locationsOf.get(topSlot(slot, true).instance) ?? [];
  return [...own, ...bundle.filter((rule) => rule.role === 'Promoted')];
}

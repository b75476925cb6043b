/**
 * What each resource by itself says about nodes, before any other resource is looked at: tickets, node health, locks,
 * location constraints, stickiness, failures, exclusive discovery, and what remote nodes cannot run.
 *
 * All of these add up, so their order does not matter; only -INFINITY beats what is added to it.
 */
import { INFINITY } from '@systole/cib';
import type { LocationRule, TicketRule } from '../constraints/constraint.ts';
import type { Node } from '../status/node.ts';
import {
  ABSENT,
  addScoreDeep,
  note,
  PROBE_EXCLUSIVE,
  PROBE_NEVER,
  PROMOTED,
  setDiscovery,
  sum,
  topSlot,
  UNKNOWN,
  updateAvailability,
  type Board,
  type Slot,
  slotOf,
} from './board.ts';
import { failedOut, failuresTooMany } from './failures.ts';
import { locationRole } from './located.ts';
import { lockResources } from './locks.ts';
import { discoveryNumber } from './setup.ts';

export function applyCriteria(board: Board): void {
  noteReadScores(board);
  for (const rule of board.constraints.tickets) applyTicket(board, slotOf(board, rule.resource), rule);
  lockResources(board);
  applyHealth(board);
  for (const rule of board.constraints.locations) {
    const slot = slotOf(board, rule.resource);
    if (rule.discovery === 'exclusive') slot.hasExclusiveProbes = true;
    applyLocation(board, slot, rule, true);
  }
  for (const root of board.roots) applyStickiness(board, root);
  applyFailures(board);
  for (const root of board.roots) applyExclusiveDiscovery(board, root);
}

function noteReadScores(board: Board): void {
  if (!board.explains) return;
  for (const { instance, node, score, reason } of board.situation.readScores) {
    note(board, slotOf(board, instance), node?.index, score, { type: 'status', reason });
  }
}

/** What the lack of a ticket means for a resource: it may not run, or only not be promoted, or is left as it is. */
function applyTicket(board: Board, slot: Slot, rule: TicketRule): void {
  if (rule.isGranted && !rule.isStandby) return;
  if (slot.children.length > 0) {
    for (const child of slot.children) applyTicket(board, child, rule);
    return;
  }
  const ban = (): void => {
    addScoreDeep(board, slot, undefined, -INFINITY, { type: 'ticket', ticket: rule.ticket, constraint: rule.id });
  };
  const fitsRole = rule.role === 'Unknown' || rule.role === slot.instance.role;
  if (rule.isGranted || slot.instance.activeNodes.length === 0) {
    if (rule.role !== 'Promoted' || rule.lossPolicy === 'stop') ban();
    return;
  }
  switch (rule.lossPolicy) {
    case 'stop':
      ban();
      break;
    case 'demote':
      if (rule.role !== 'Promoted') ban();
      break;
    case 'fence':
      if (!fitsRole) return;
      ban();
      for (const node of slot.instance.activeNodes) fenceForTicket(board, node);
      break;
    case 'freeze':
      if (!fitsRole) return;
      slot.isManaged = false;
      slot.isBlocked = true;
      break;
  }
}

/** A member that is unclean already will be fenced without this reason. */
function fenceForTicket(board: Board, node: Node): void {
  const seat = board.seats[node.index];
  if (seat === undefined || (node.kind === 'member' && seat.isUnclean)) return;
  board.fencing.push({ node, reason: 'deadman ticket was lost' });
  // A guest is fenced by recovering what it runs in, and may come up again at once.
  if (node.kind === 'guest') return;
  seat.isUnclean = true;
  updateAvailability(seat);
}

/** A clone whose promoted role needs a ticket that is not there has no promoted instance. */
export function lacksPromotionTicket(board: Board, slot: Slot): TicketRule | undefined {
  const rules = board.constraints.ticketsOf.get(slot.instance) ?? [];
  return rules.find((rule) => rule.role === 'Promoted' && (!rule.isGranted || rule.isStandby));
}

function applyHealth(board: Board): void {
  for (const seat of board.seats) {
    const score = seat.node.healthScore;
    if (score === 0) continue;
    for (const root of board.roots) {
      if (score < 0 && isTrue(root.instance.meta.get('allow-unhealthy-nodes'))) continue;
      applyScores(board, root, [{ at: seat.index, score }], true, (slot) =>
        note(board, slot, seat.index, score, { type: 'health' }),
      );
    }
  }
}

function applyLocation(board: Board, slot: Slot, rule: LocationRule, hasScores: boolean): void {
  const scores = rule.scores.map(({ node, score }) => ({ at: node.index, score }));
  const mode = discoveryNumber(rule.discovery);
  applyScores(
    board,
    slot,
    scores,
    hasScores,
    (target) => {
      for (const { at, score } of scores) {
        const source = { type: 'location', constraint: rule.constraintId } as const;
        note(board, target, at, score, rule.id === rule.constraintId ? source : { ...source, rule: rule.id });
      }
    },
    locationRole(rule),
    mode,
  );
}

/**
 * Adds a location's scores to a resource and what is inside. Of a group whose members stay together only the first
 * member gets them: the others follow it, and would count them again. The nodes become allowed for all.
 */
function applyScores(
  board: Board,
  slot: Slot,
  scores: readonly { readonly at: number; readonly score: number }[],
  counts: boolean,
  explain: (slot: Slot) => void,
  role = UNKNOWN,
  mode = 0,
): void {
  if (role === UNKNOWN || role === slot.nextRole) {
    for (const { at, score } of scores) locate(board, slot, at, counts ? score : 0, mode);
    if (counts) explain(slot);
  }
  const { instance } = slot;
  switch (instance.kind) {
    case 'primitive':
      break;
    case 'group':
      for (const [position, member] of slot.children.entries()) {
        applyScores(board, member, scores, counts && (position === 0 || !instance.isColocated), explain, role, mode);
      }
      break;
    case 'clone':
      for (const child of slot.children) applyScores(board, child, scores, counts, explain, role, mode);
      break;
    case 'bundle':
      for (const replica of instance.replicas) {
        applyScores(board, slotOf(board, replica.container), scores, counts, explain, role, mode);
        if (replica.ip !== undefined)
          applyScores(board, slotOf(board, replica.ip), scores, counts, explain, role, mode);
      }
      if (instance.child !== undefined && role === PROMOTED) {
        applyScores(board, slotOf(board, instance.child), scores, counts, explain, role, mode);
      }
      break;
  }
}

function locate(board: Board, slot: Slot, at: number, score: number, mode: number): void {
  const before = slot.scores[at] ?? ABSENT;
  // A rule may hold on every node; what is not a bundle's own is still never looked for inside it.
  if (before === ABSENT && board.seats[at]?.isBundleNode === true) setDiscovery(slot, at, PROBE_NEVER);
  slot.scores[at] = before === ABSENT ? score : sum(before, score);
  if ((slot.discovery?.[at] ?? 0) < mode) {
    if (mode === PROBE_EXCLUSIVE) slot.hasExclusiveProbes = true;
    setDiscovery(slot, at, mode);
  }
}

/** What runs in one place likes to stay; in a cluster that opts in, only where it is still allowed. */
function applyStickiness(board: Board, slot: Slot): void {
  if (slot.children.length > 0) {
    for (const child of slot.children) applyStickiness(board, child);
    return;
  }
  const { stickiness, activeNodes } = slot.instance;
  const node = activeNodes[0];
  if (!slot.isManaged || stickiness < 1 || node === undefined || activeNodes.length > 1) return;
  if (!board.situation.options.isSymmetric && slot.scores[node.index] === ABSENT) return;
  addScoreDeep(board, slot, node.index, stickiness, { type: 'stickiness' });
}

/** Failed as often as `migration-threshold` allows: away from here, unless the count is about to be cleared. */
function applyFailures(board: Board): void {
  const { situation } = board;
  const cleared = new Set<string>();
  for (const demand of situation.demands) {
    if (demand.type === 'clearFailCount') cleared.add(`${demand.instance.index} ${demand.node.index}`);
  }
  for (const { node } of board.seats) {
    if (node.failures.size === 0) continue;
    for (const slot of board.slots) {
      const { instance } = slot;
      if (instance.kind !== 'primitive' || cleared.has(`${instance.index} ${node.index}`)) continue;
      const count = failuresTooMany(situation, instance, node);
      if (count === 0) continue;
      addScoreDeep(board, slotOf(board, failedOut(instance)), node.index, -INFINITY, {
        type: 'failures',
        count,
        threshold: instance.migrationThreshold,
      });
    }
  }
}

/** Where probes are exclusive to some nodes, the resource is too. */
function applyExclusiveDiscovery(board: Board, slot: Slot): void {
  if (!slot.hasExclusiveProbes && !topSlot(slot, false).hasExclusiveProbes) return;
  for (const child of slot.children) applyExclusiveDiscovery(board, child);
  for (let at = 0; at < slot.scores.length; at += 1) {
    if (slot.scores[at] === ABSENT || slot.discovery?.[at] === PROBE_EXCLUSIVE) continue;
    slot.scores[at] = -INFINITY;
    note(board, slot, at, -INFINITY, { type: 'exclusiveDiscovery' });
  }
}

const isTrue = (text: string | undefined): boolean => text !== undefined && /^(?:true|on|yes|y|1)$/i.test(text);

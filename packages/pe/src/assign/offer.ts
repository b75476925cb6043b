/**
 * What one resource offers to the scores of another it is colocated with: for each node a whole number, which depends
 * on its own scores and on how much the colocation weighs, and not on the scores that it is added to.
 */
import { INFINITY } from '@systole/cib';
import { ABSENT, type Board, type Link, type Slot } from './board.ts';
import { locatedScores } from './located.ts';
import { hasInfluence } from './links.ts';
import { placeValue } from './same-place.ts';

/** By node: what visiting `source` by `link` adds there. 0 where it has nothing to say. */
export function offerOf(board: Board, source: Slot, target: Slot, link: Link, factor: number): Int32Array {
  const offered = offeredScores(source, link, board);
  const best = bestByPlace(board, offered, source, target, link.nodeAttribute);
  const offer = new Int32Array(offered.length);
  for (let at = 0; at < offer.length; at += 1) {
    const score = best(at);
    if (factor < 0 && score < 0 && !mayCountAvoidance(link, score)) continue;
    offer[at] = weakened(factor, score);
  }
  return offer;
}

/** `factor` × `score` to the nearest whole number, and not to 0. */
function weakened(factor: number, score: number): number {
  const exact = Math.fround(factor * score);
  const rounded = Math.trunc(exact < 0 ? exact - 0.5 : exact + 0.5);
  if (rounded !== 0 || score === 0) return rounded;
  return factor > 0 ? 1 : factor < 0 ? -1 : 0;
}

/**
 * What a dependent that avoids the primary itself avoids is no reason for the primary to go there: else it would move
 * whenever the dependent fails somewhere. Unless the dependent has only one node left, and moving the primary away
 * from it is worth more than the primary's stickiness.
 */
function mayCountAvoidance(link: Link, score: number): boolean {
  return link.primary.instance.stickiness < -score && hasInfluence(link) && isAllowedOnOne(link.dependent);
}

function isAllowedOnOne(slot: Slot): boolean {
  let allowed = 0;
  for (const score of slot.scores) if (score >= 0) allowed += 1;
  return allowed === 1;
}

/**
 * The source's scores. A later member of a group does not have the group's location scores (its first member has);
 * where just that member is configured to go with something, they are counted now.
 */
function offeredScores(source: Slot, link: Link, board: Board): Int32Array {
  const group = source.parent;
  if (source !== link.dependent || !link.isExplicit || group?.kind !== 'group' || source === group.children[0]) {
    return source.scores;
  }
  return locatedScores(source, board.constraints.locationsOf.get(group.instance) ?? []);
}

/** For a node of the target's: the best score of the source on a node of the same place. */
function bestByPlace(
  board: Board,
  offered: Int32Array,
  source: Slot,
  target: Slot,
  attribute: string,
): (at: number) => number {
  const { seats } = board;
  if (attribute === '#uname' && !board.hasGuests) {
    return (at) => {
      const score = offered[at] ?? ABSENT;
      return score === ABSENT || seats[at]?.isAvailable !== true ? -INFINITY : Math.max(score, -INFINITY);
    };
  }
  const best = new Map<string | undefined, number>();
  for (const seat of seats) {
    const score = offered[seat.index] ?? ABSENT;
    if (score === ABSENT || !seat.isAvailable) continue;
    const value = placeValue(board, seat, attribute, source);
    if (score > (best.get(value) ?? -INFINITY)) best.set(value, score);
  }
  return (at) => {
    const seat = seats[at];
    return seat === undefined ? -INFINITY : (best.get(placeValue(board, seat, attribute, target)) ?? -INFINITY);
  };
}

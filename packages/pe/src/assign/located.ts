/** Location constraints on scores. */
import type { LocationRule } from '../constraints/constraint.ts';
import { ABSENT, PROMOTED, STOPPED, sum, UNKNOWN, type Slot } from './board.ts';

/** The role that a location counts for, as a rank. */
export const locationRole = (rule: LocationRule): number =>
  rule.role === 'Promoted' ? PROMOTED : rule.role === 'Stopped' ? STOPPED : UNKNOWN;

/** The scores of a location as they would fall on one resource alone. */
export function locatedScores(slot: Slot, rules: readonly LocationRule[]): Int32Array {
  const scores = slot.scores.slice();
  for (const rule of rules) {
    const role = locationRole(rule);
    if (role !== UNKNOWN && role !== slot.nextRole) continue;
    for (const { node, score } of rule.scores) {
      const before = scores[node.index] ?? ABSENT;
      scores[node.index] = before === ABSENT ? score : sum(before, score);
    }
  }
  return scores;
}

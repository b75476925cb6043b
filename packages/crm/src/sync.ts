/**
 * Which member's CIB is the cluster's, and who leads: pure decisions that every member takes alike from the same hellos.
 *
 * The newest CIB is that of the highest lineage: the last quorate view in which it was the view's own. Only then the
 * version decides. A partition without quorum keeps counting its status up; its version may be the highest, and still
 * it is a branch that nobody acknowledged.
 */
import { type CibVersion, compareVersions } from '@systole/cib';

export interface Candidate {
  readonly name: string;
  readonly lineage: number;
  readonly version: CibVersion;
  readonly featureSet: number;
}

/** The member whose CIB all take over. `candidates` in order of rank, at least one; ties go to the higher rank. */
export function donorOf(candidates: readonly Candidate[]): Candidate {
  return candidates.reduce((best, candidate) => {
    const order = candidate.lineage - best.lineage || compareVersions(candidate.version, best.version);
    return order > 0 ? candidate : best;
  });
}

/** The DC: of those who have the CIB the highest in rank whose program is the oldest, so that all understand it. */
export function leaderOf(candidates: readonly Pick<Candidate, 'name' | 'featureSet'>[]): string | undefined {
  const oldest = Math.min(...candidates.map(({ featureSet }) => featureSet));
  return candidates.find(({ featureSet }) => featureSet === oldest)?.name;
}

/** The safety laws of a run. */
import { type ClusterSettings, hasArbiter } from '../plan.ts';
import type { Law } from './law.ts';
import { exclusive } from './s1-exclusive.ts';
import { oneDc } from './s10-one-dc.ts';
import { bounds } from './s11-bounds.ts';
import { noException } from './s12-no-exception.ts';
import { oneQuorum, quorumToStart } from './s2-quorum-to-start.ts';
import { chain } from './s4-chain.ts';
import { order } from './s5-order.ts';
import { kept } from './s6-kept.ts';
import { same } from './s6-same.ts';
import { fencedMeansOff, fencingNeedsQuorum } from './s7-fencing.ts';
import { obeysPolicy } from './s9-policy.ts';

/**
 * Whether two quorate views always share a member. Both halves of two may hold quorum, and fencing decides which of them
 * goes on; an arbiter may give its vote to those who were not there when the others died.
 */
const isMajority = (settings: ClusterSettings): boolean => settings.quorum !== 'twoNode' && !hasArbiter(settings);

export const safetyLaws = (settings: ClusterSettings): readonly Law[] => [
  noException(),
  // Without fencing an operator has chosen to live with two copies after a node froze.
  ...(settings.fencing ? [exclusive(settings)] : []),
  quorumToStart(),
  oneQuorum(settings),
  ...(isMajority(settings) ? [chain(), kept()] : []),
  order(),
  same(),
  fencingNeedsQuorum(),
  fencedMeansOff(),
  obeysPolicy(settings),
  oneDc(),
  bounds(),
];

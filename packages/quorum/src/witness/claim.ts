/** What a witness is told and says, whatever it stands on; and which views may ask for its vote at all. */
import { byNumber } from '@systole/kernel';
import type { ViewName } from '../arbiter/messages.ts';
import { type Base, type NodeId, votesOf } from '../base.ts';
import type { DeviceOptions, TieBreaker } from '../options.ts';

/** The present view, as one of its members sees it. */
export interface WitnessView {
  readonly type: 'view';
  readonly view: ViewName;
  /** In the view's order: the first one goes to the witness for all. */
  readonly members: readonly NodeId[];
  readonly active: boolean;
  readonly base: Base;
}

export interface WitnessVerdict {
  readonly type: 'deviceVerdict';
  readonly view: ViewName;
  readonly vote: 'grant' | 'deny' | 'wait';
  /** An instant of this node's clock. */
  readonly leaseUntil: number;
  readonly exclusiveAfterMs: number;
  readonly reason: string;
}

/** Where two halves race for the vote, the one without the tie breaker's node gives the other so long a start. */
export const TIE_START_MS = 1000;
/** A lease may run slower at its holder than the wait for its end does here. */
export const CLOCK_MARGIN = 1.2;

/** Undefined if this view must not have the vote; else how long it lets others go first. */
export function startAfterMs(view: WitnessView, device: DeviceOptions): number | undefined {
  const votes = view.members.reduce((sum, node) => sum + votesOf(view.base, node), 0);
  const of = view.base.voters.reduce((sum, voter) => sum + voter.votes, 0);
  if (votes === 0 || (device.algorithm === 'ffsplit' && 2 * votes < of)) return undefined;
  if (2 * votes > of) return 0;
  const tie = tieNode(device.tieBreaker, view.base.voters.map(({ node }) => node).toSorted(byNumber));
  return tie !== undefined && view.members.includes(tie) ? 0 : TIE_START_MS;
}

function tieNode(setting: TieBreaker, nodes: readonly NodeId[]): NodeId | undefined {
  if (setting === 'lowest') return nodes[0];
  if (setting === 'highest') return nodes.at(-1);
  return setting.find((node) => nodes.includes(node));
}

export const sameView = (a: ViewName, b: ViewName): boolean => a.number === b.number && a.hash === b.hash;

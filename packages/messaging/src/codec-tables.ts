/** What both directions of the codec know: the code of each frame, the order of closed sets, sizes of heads. */
import type { EntryKind, Frame, NodeState, RefusalReason } from './frames.ts';
import type { Service } from './surface.ts';

export const frameCode = {
  heartbeat: 0x01,
  proposal: 0x10,
  promise: 0x11,
  refusal: 0x12,
  recoveryPlan: 0x13,
  recovered: 0x14,
  installation: 0x15,
  installed: 0x16,
  activation: 0x17,
  submission: 0x20,
  ordered: 0x21,
  tail: 0x22,
  receipt: 0x23,
  gap: 0x24,
  submissionGap: 0x25,
  ping: 0x30,
  pong: 0x31,
  sizeProbe: 0x32,
  sizeReply: 0x33,
  staleIncarnation: 0x34,
  unreliable: 0x40,
} as const satisfies Record<Frame['type'], number>;

export const states = [
  'joining',
  'operational',
  'promised',
  'recovering',
  'installed',
] as const satisfies readonly NodeState[];
export const services = ['agreed', 'safe', 'durable'] as const satisfies readonly Service[];
export const kinds = ['application', 'departure', 'baseChange'] as const satisfies readonly EntryKind[];
export const refusals = [
  'stale',
  'cannotHear',
  'wouldDrop',
  'version',
  'configuration',
] as const satisfies readonly RefusalReason[];

/** Bytes of a frame's own head. */
export const frameHead = 4;
/** Bytes an `ordered` frame takes beside its entries, and each entry beside its bytes. */
export const orderedHead = frameHead + 10 + 12 + 2;
export const entryHead = 9;
/** The largest number of two bytes: the length of a frame’s body, and of counts in it. */
export const longest = 65535;

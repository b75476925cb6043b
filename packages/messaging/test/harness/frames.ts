/** One example of every frame, with unlike values in all fields. */
import type { Frame } from '../../src/frames.ts';
import type { QuorumMemory } from '../../src/quorum-port.ts';

const view = { number: 0x0102_0304_0506, hash: 0xfffefdfc };
const attempt = { number: 77, hash: 0x12345678 };
const members = [
  { node: 2, incarnation: 1_700_000_000_123 },
  { node: 65535, incarnation: 1 },
];
export const memory: QuorumMemory = {
  base: {
    generation: 1,
    revision: 4_000_000_000,
    voters: [
      { node: 2, votes: 1 },
      { node: 65535, votes: 3 },
    ],
    deviceVotes: 1,
  },
  pending: {
    base: { generation: 1, revision: 4_000_000_001, voters: [{ node: 2, votes: 1 }], deviceVotes: 0 },
    viewNumber: 76,
  },
  lineage: 75,
  lastQuorateMembers: [2, 65535],
  waiting: true,
  forced: false,
};
const { pending: _, ...settled } = memory;
const bytes = Uint8Array.of(1, 2, 3);

export const oneOfEach: readonly Frame[] = [
  {
    type: 'heartbeat',
    number: 4_294_967_295,
    state: 'recovering',
    active: true,
    quorate: false,
    leaving: true,
    diskFailed: false,
    applicationStalled: true,
    promised: false,
    view,
    members: [2, 65535],
    highestNumber: 2 ** 48 - 1,
    received: 1,
    highest: 2,
    stable: 3,
    durable: 4,
    ownDurable: 5,
    stallMs: 270,
    generation: 6,
    revision: 7,
    lineage: 8,
    deviceLeaseMs: 3000,
    wall: 1_700_000_000_123,
    echoes: [
      {
        node: 3,
        incarnation: 1_700_000_000_000,
        number: 9,
        silenceMs: 51,
        heard: true,
        multicastLinks: 1,
        unicastLinks: 2,
      },
    ],
  },
  { type: 'proposal', attempt, members },
  {
    type: 'promise',
    attempt,
    report: {
      view,
      active: true,
      received: 10,
      ranges: [
        { from: 12, to: 13 },
        { from: 20, to: 4_294_967_295 },
      ],
      stable: 9,
      durable: 8,
      protocolMin: 1,
      protocolMax: 2,
      features: 0x80000001,
      memory,
    },
  },
  { type: 'refusal', attempt, why: 'cannotHear', highestNumber: 99, missing: [4, 5] },
  {
    type: 'recoveryPlan',
    attempt,
    groups: [
      {
        view,
        members: [2, 65535],
        cut: 14,
        holders: [
          { node: 2, received: 10, ranges: [{ from: 12, to: 13 }] },
          { node: 65535, received: 14, ranges: [] },
        ],
      },
    ],
  },
  { type: 'recovered', attempt },
  {
    type: 'installation',
    attempt,
    members,
    groups: [{ view, members: [2, 65535], cut: 14 }],
    protocol: 1,
    features: 0,
    memories: [memory, { ...settled, waiting: false, forced: true, lineage: 60, lastQuorateMembers: [] }],
    left: [{ node: 65534, incarnation: 1_700_000_000_001 }],
  },
  { type: 'installed', view },
  { type: 'activation', view },
  {
    type: 'submission',
    view,
    entries: [{ local: 5, service: 'durable', kind: 'baseChange', first: true, last: false, bytes }],
  },
  {
    type: 'ordered',
    view,
    first: 30,
    stable: 29,
    durable: 28,
    entries: [
      { rank: 1, local: 6, service: 'safe', kind: 'application', first: true, last: true, bytes },
      { rank: 0, local: 7, service: 'agreed', kind: 'departure', first: false, last: true, bytes: new Uint8Array(0) },
    ],
  },
  { type: 'tail', view, highest: 31, stable: 30, durable: 29, receiptWanted: true },
  { type: 'receipt', view, received: 31, durable: 30 },
  { type: 'gap', view, ranges: [{ from: 1, to: 1 }] },
  { type: 'submissionGap', view, next: 8 },
  { type: 'ping', token: 1, sent: 2 },
  { type: 'pong', token: 3, sent: 4 },
  { type: 'sizeProbe', size: 20 },
  { type: 'sizeReply', size: 20 },
  { type: 'staleIncarnation', mustExceed: 2 ** 47 },
  { type: 'unreliable', bytes },
];

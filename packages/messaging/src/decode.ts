/**
 * Bytes to frames, the way back of `encode.ts`.
 *
 * Decoding is a total function: any bytes give frames or `undefined` (malformed), never an exception, never an
 * allocation larger than the input warrants. Unknown frame types are skipped and bytes behind the known fields of a
 * body ignored, so that a newer node may say more than an older one understands.
 */
import { ByteReader } from './bytes.ts';
import { readMemories } from './codec-memory.ts';
import { entryHead, frameCode, kinds, refusals, services, states } from './codec-tables.ts';
import type {
  Echo,
  Entry,
  Frame,
  Group,
  HeartbeatFrame,
  Holder,
  Identity,
  OrderedEntry,
  Range,
  Report,
} from './frames.ts';
import { rangesMax } from './limits.ts';
import type { NodeId, ViewTag } from './surface.ts';

const readTag = (from: ByteReader): ViewTag => ({ number: from.u48(), hash: from.u32() });

const hasDuplicates = (ids: readonly NodeId[]): boolean => ids.length > 1 && new Set(ids).size !== ids.length;

function readIds(from: ByteReader): NodeId[] {
  const ids = from.list(from.u8(), 2, () => from.u16());
  if (hasDuplicates(ids)) from.failed = true;
  return ids;
}

function readRanges(from: ByteReader): Range[] {
  const count = from.u16();
  if (count > rangesMax) from.failed = true;
  let before = -1;
  return from.list(count, 8, () => {
    const range = { from: from.u32(), to: from.u32() };
    if (range.from > range.to || range.from <= before) from.failed = true;
    before = range.to;
    return range;
  });
}

function readIdentities(from: ByteReader): Identity[] {
  const members = from.list(from.u8(), 8, () => ({ node: from.u16(), incarnation: from.u48() }));
  if (hasDuplicates(members.map(({ node }) => node))) from.failed = true;
  return members;
}

function pick<T>(from: ByteReader, table: readonly T[], index: number): T {
  const element = table[index];
  if (element !== undefined) return element;
  from.failed = true;
  return table[0] as T;
}

function readEntry(from: ByteReader): Entry {
  const local = from.u32();
  const what = from.u8();
  const fragment = from.u8();
  const bytes = from.bytes(from.u16());
  return {
    local,
    service: pick(from, services, what & 15),
    kind: pick(from, kinds, what >> 4),
    first: (fragment & 1) !== 0,
    last: (fragment & 2) !== 0,
    bytes,
  };
}

const readOrderedEntry = (from: ByteReader): OrderedEntry => ({ rank: from.u8(), ...readEntry(from) });

const readGroup = (from: ByteReader): Group => ({ view: readTag(from), members: readIds(from), cut: from.u32() });

function readHeartbeat(from: ByteReader): HeartbeatFrame {
  const number = from.u32();
  const state = pick(from, states, from.u8());
  const flags = from.u16();
  return {
    type: 'heartbeat',
    number,
    state,
    active: (flags & 1) !== 0,
    quorate: (flags & 2) !== 0,
    leaving: (flags & 4) !== 0,
    diskFailed: (flags & 8) !== 0,
    applicationStalled: (flags & 16) !== 0,
    promised: (flags & 32) !== 0,
    view: readTag(from),
    members: readIds(from),
    highestNumber: from.u48(),
    received: from.u32(),
    highest: from.u32(),
    stable: from.u32(),
    durable: from.u32(),
    ownDurable: from.u32(),
    stallMs: from.u16(),
    generation: from.u16(),
    revision: from.u32(),
    lineage: from.u48(),
    deviceLeaseMs: from.u16(),
    wall: from.u48(),
    echoes: from.list(from.u8(), 17, (): Echo => ({
      node: from.u16(),
      incarnation: from.u48(),
      number: from.u32(),
      silenceMs: from.u16(),
      heard: from.u8() === 1,
      multicastLinks: from.u8(),
      unicastLinks: from.u8(),
    })),
  };
}

function readReport(from: ByteReader): Report {
  const report = {
    view: readTag(from),
    active: from.u8() === 1,
    received: from.u32(),
    ranges: readRanges(from),
    stable: from.u32(),
    durable: from.u32(),
    protocolMin: from.u8(),
    protocolMax: from.u8(),
    features: from.u32(),
  };
  const [memory, ...more] = readMemories(from);
  if (memory === undefined || more.length > 0) from.failed = true;
  return { ...report, memory: memory as Report['memory'] };
}

const readHolder = (from: ByteReader): Holder => ({
  node: from.u16(),
  received: from.u32(),
  ranges: readRanges(from),
});

function readInstallation(from: ByteReader): Frame {
  const attempt = readTag(from);
  const members = readIdentities(from);
  const groups = from.list(from.u8(), 15, () => readGroup(from));
  const protocol = from.u8();
  const features = from.u32();
  const memories = readMemories(from);
  if (memories.length !== members.length) from.failed = true;
  const left = from.left > 0 ? readIdentities(from) : []; // an older node does not say
  return { type: 'installation', attempt, members, groups, protocol, features, memories, left };
}

/** The frame of this code, or undefined if the code is not known. `from` spans exactly the body. */
function readBody(code: number, from: ByteReader): Frame | undefined {
  switch (code) {
    case frameCode.heartbeat:
      return readHeartbeat(from);
    case frameCode.proposal:
      return { type: 'proposal', attempt: readTag(from), members: readIdentities(from) };
    case frameCode.promise:
      return { type: 'promise', attempt: readTag(from), report: readReport(from) };
    case frameCode.refusal:
      return {
        type: 'refusal',
        attempt: readTag(from),
        why: pick(from, refusals, from.u8()),
        highestNumber: from.u48(),
        missing: readIds(from),
      };
    case frameCode.recoveryPlan:
      return {
        type: 'recoveryPlan',
        attempt: readTag(from),
        groups: from.list(from.u8(), 16, () => ({
          ...readGroup(from),
          holders: from.list(from.u8(), 8, () => readHolder(from)),
        })),
      };
    case frameCode.recovered:
      return { type: 'recovered', attempt: readTag(from) };
    case frameCode.installation:
      return readInstallation(from);
    case frameCode.installed:
      return { type: 'installed', view: readTag(from) };
    case frameCode.activation:
      return { type: 'activation', view: readTag(from) };
    case frameCode.submission:
      return {
        type: 'submission',
        view: readTag(from),
        entries: from.list(from.u16(), 8, () => readEntry(from)),
      };
    case frameCode.ordered:
      return {
        type: 'ordered',
        view: readTag(from),
        first: from.u32(),
        stable: from.u32(),
        durable: from.u32(),
        entries: from.list(from.u16(), entryHead, () => readOrderedEntry(from)),
      };
    case frameCode.tail:
      return {
        type: 'tail',
        view: readTag(from),
        highest: from.u32(),
        stable: from.u32(),
        durable: from.u32(),
        receiptWanted: from.u8() === 1,
      };
    case frameCode.receipt:
      return { type: 'receipt', view: readTag(from), received: from.u32(), durable: from.u32() };
    case frameCode.gap:
      return { type: 'gap', view: readTag(from), ranges: readRanges(from) };
    case frameCode.submissionGap:
      return { type: 'submissionGap', view: readTag(from), next: from.u32() };
    case frameCode.ping:
      return { type: 'ping', token: from.u32(), sent: from.u32() };
    case frameCode.pong:
      return { type: 'pong', token: from.u32(), sent: from.u32() };
    case frameCode.sizeProbe:
      return { type: 'sizeProbe', size: from.u16() };
    case frameCode.sizeReply:
      return { type: 'sizeReply', size: from.u16() };
    case frameCode.staleIncarnation:
      return { type: 'staleIncarnation', mustExceed: from.u48() };
    case frameCode.unreliable:
      return { type: 'unreliable', bytes: from.bytes(from.left) };
    default:
      return undefined;
  }
}

/** All frames from `start` on, or undefined if any of them is malformed: then none of them counts. */
export function decodeFrames(bytes: Uint8Array, start = 0): Frame[] | undefined {
  const frames: Frame[] = [];
  const head = new ByteReader(bytes, start);
  while (head.left > 0) {
    const code = head.u8();
    head.u8(); // flags, none defined
    const length = head.u16();
    const at = head.at;
    head.bytes(length);
    if (head.failed) return undefined;
    const body = new ByteReader(bytes, at, at + length);
    const frame = readBody(code, body);
    if (body.failed) return undefined;
    if (frame !== undefined) frames.push(frame);
  }
  return frames;
}

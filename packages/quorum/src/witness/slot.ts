/**
 * The shared disk of a witness, byte by byte. It begins 1 MiB into the device, so that the same LUN may carry our
 * slots for fencing before it (and sbd's, where sectors have 512 bytes); within a slot there is room for a message to its
 * node as well.
 *
 *     header   4096 bytes   "SYSTOLE-WITNESS", version, cluster, the nodes in the order of their slots
 *     reserved 4096 bytes
 *     slots    4096 bytes each, one a node; only that node writes it
 *
 * A slot: magic u32, version u8, node u16, incarnation u48, promised ballot u48, accepted ballot u48, view number u48,
 * view hash u32, sequence u32, members (count u8, u16 each), base generation u16 and revision u32; the last 4 bytes
 * are a CRC-32 of the rest, so a slot that was torn by a power cut is noticed.
 */
import { crc32 } from 'node:zlib';
import type { ViewName } from '../arbiter/messages.ts';
import type { NodeId } from '../base.ts';

export const SLOT_BYTES = 4096;
/** Where the witness begins on the device. */
export const AREA_OFFSET = 1024 * 1024;
export const SLOTS_MAX = 64;
/** Header, reserved block, slots. */
export const AREA_BYTES = (2 + SLOTS_MAX) * SLOT_BYTES;

const slotMagic = 0x53595357;
const headerMark = 'SYSTOLE-WITNESS';
const version = 1;
const messageAt = 1024; // up to 2048: for a message to the node, as fencing by poison pill leaves one
const membersMax = 64;

export interface Slot {
  readonly node: NodeId;
  readonly incarnation: number;
  /** The highest ballot this node has entered: it helps none below any more. */
  readonly promised: number;
  /** The ballot with which it took the vote for `view`; 0: never. */
  readonly accepted: number;
  readonly view: ViewName;
  readonly members: readonly NodeId[];
  readonly base: { readonly generation: number; readonly revision: number };
  /** Grows with each renewal. */
  readonly sequence: number;
}

export function encodeSlot(slot: Slot): Uint8Array {
  const bytes = new Uint8Array(SLOT_BYTES);
  const view = new DataView(bytes.buffer);
  const u48 = (at: number, value: number): void => {
    view.setUint16(at, Math.floor(value / 2 ** 32));
    view.setUint32(at + 2, value >>> 0);
  };
  view.setUint32(0, slotMagic);
  view.setUint8(4, version);
  view.setUint16(6, slot.node);
  u48(8, slot.incarnation);
  u48(14, slot.promised);
  u48(20, slot.accepted);
  u48(26, slot.view.number);
  view.setUint32(32, slot.view.hash);
  view.setUint32(36, slot.sequence);
  view.setUint16(40, slot.base.generation);
  view.setUint32(42, slot.base.revision);
  const members = slot.members.slice(0, membersMax);
  view.setUint8(46, members.length);
  for (const [index, node] of members.entries()) view.setUint16(48 + 2 * index, node);
  view.setUint32(SLOT_BYTES - 4, crc32(bytes.subarray(0, SLOT_BYTES - 4)));
  return bytes;
}

/** `empty`: never written. `torn`: not what was written; what it said is unknown. */
export function decodeSlot(bytes: Uint8Array): Slot | 'empty' | 'torn' {
  if (bytes.length !== SLOT_BYTES) return 'torn';
  if (bytes.every((byte) => byte === 0)) return 'empty';
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const u48 = (at: number): number => view.getUint16(at) * 2 ** 32 + view.getUint32(at + 2);
  const isWhole = view.getUint32(SLOT_BYTES - 4) === crc32(bytes.subarray(0, SLOT_BYTES - 4));
  const count = view.getUint8(46);
  if (!isWhole || view.getUint32(0) !== slotMagic || view.getUint8(4) !== version || count > membersMax) return 'torn';
  return {
    node: view.getUint16(6),
    incarnation: u48(8),
    promised: u48(14),
    accepted: u48(20),
    view: { number: u48(26), hash: view.getUint32(32) },
    sequence: view.getUint32(36),
    base: { generation: view.getUint16(40), revision: view.getUint32(42) },
    members: Array.from({ length: count }, (_, index) => view.getUint16(48 + 2 * index)),
  };
}

export interface WitnessHeader {
  readonly cluster: string;
  /** Whose slot is where. */
  readonly nodes: readonly NodeId[];
}

export function encodeHeader({ cluster, nodes }: WitnessHeader): Uint8Array {
  const text = new TextEncoder().encode(`${headerMark} ${JSON.stringify({ version, cluster, nodes })}\n`);
  const bytes = new Uint8Array(SLOT_BYTES);
  bytes.set(text);
  new DataView(bytes.buffer).setUint32(SLOT_BYTES - 4, crc32(bytes.subarray(0, SLOT_BYTES - 4)));
  return bytes;
}

/** Undefined if this is no header of a witness, or a damaged one. */
export function decodeHeader(bytes: Uint8Array): WitnessHeader | undefined {
  const end = bytes.indexOf(0x0a);
  if (bytes.length !== SLOT_BYTES || end < 0) return undefined;
  const sum = new DataView(bytes.buffer, bytes.byteOffset).getUint32(SLOT_BYTES - 4);
  const text = new TextDecoder().decode(bytes.subarray(0, end));
  if (!text.startsWith(`${headerMark} `) || sum !== crc32(bytes.subarray(0, SLOT_BYTES - 4))) return undefined;
  const read = JSON.parse(text.slice(headerMark.length + 1)) as Partial<WitnessHeader & { version: number }>;
  if (read.version !== version || typeof read.cluster !== 'string' || !Array.isArray(read.nodes)) return undefined;
  return { cluster: read.cluster, nodes: read.nodes };
}

/** Byte offset on the device of the slot with this index. */
export const slotOffset = (index: number): number => AREA_OFFSET + (2 + index) * SLOT_BYTES;

/** Where in a slot the room for a message is. */
export const MESSAGE_OFFSET = messageAt;

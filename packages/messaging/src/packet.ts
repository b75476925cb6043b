/**
 * The outside of a datagram: a header in clear, authenticated with the rest, and, first thing inside, a prefix.
 *
 *     0 magic u16 · 2 version u8 · 3 zero · 4 clusterTag u32 · 8 keyId u16 · 10 sender u16 · 12 link u8 · 13 zero ×3 ·
 *     16 session u64 · 24 counter u64 · 32 sealed: prefix (16 bytes), frames · 16 bytes of tag
 *
 * The header is all that is looked at before the seal has been opened.
 */
import type { NodeId } from './surface.ts';

export const headerBytes = 32;
export const tagBytes = 16;
export const prefixBytes = 16;
const magic = 0x5359;
const headerVersion = 1;

export interface Header {
  readonly clusterTag: number;
  readonly keyId: number;
  readonly sender: NodeId;
  readonly link: number;
  readonly session: readonly [high: number, low: number];
  readonly counter: number;
}

/** What every datagram says of its sender. */
export interface Prefix {
  readonly incarnation: number;
  /** Sessions of one incarnation are numbered: an older one is refused once a newer one is known. */
  readonly sessionNumber: number;
  readonly protocolMin: number;
  readonly protocolMax: number;
  readonly configurationRevision: number;
  /** Bit 0: answer by unicast on this link. */
  readonly flags: number;
}

export type HeaderProblem = 'short' | 'foreign' | 'version' | 'reserved';

export function readHeader(bytes: Uint8Array): Header | HeaderProblem {
  if (bytes.length < headerBytes + prefixBytes + tagBytes) return 'short';
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint16(0) !== magic) return 'foreign';
  if (bytes[2] !== headerVersion) return 'version';
  if (bytes[3] !== 0 || bytes[13] !== 0 || bytes[14] !== 0 || bytes[15] !== 0) return 'reserved';
  const counterHigh = view.getUint32(24);
  if (counterHigh >= 2 ** 20) return 'reserved';
  return {
    clusterTag: view.getUint32(4),
    keyId: view.getUint16(8),
    sender: view.getUint16(10),
    link: bytes[12] as number,
    session: [view.getUint32(16), view.getUint32(20)],
    counter: counterHigh * 2 ** 32 + view.getUint32(28),
  };
}

export function writeHeader(bytes: Uint8Array, header: Header): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  view.setUint16(0, magic);
  view.setUint8(2, headerVersion);
  view.setUint8(3, 0);
  view.setUint32(4, header.clusterTag);
  view.setUint16(8, header.keyId);
  view.setUint16(10, header.sender);
  view.setUint32(12, 0);
  view.setUint32(16, header.session[0]);
  view.setUint32(20, header.session[1]);
  writeWay(bytes, header.link, header.counter);
}

/** The fields of a header that differ from datagram to datagram of a session. */
export function writeWay(bytes: Uint8Array, link: number, counter: number): void {
  bytes[12] = link;
  const high = Math.floor(counter / 2 ** 32);
  for (let at = 0; at < 4; at += 1) {
    bytes[24 + at] = high >>> (24 - 8 * at);
    bytes[28 + at] = counter >>> (24 - 8 * at);
  }
}

/** The prefix at the start of an opened plaintext of at least 16 bytes. */
export function readPrefix(plain: Uint8Array): Prefix {
  const view = new DataView(plain.buffer, plain.byteOffset, plain.byteLength);
  return {
    incarnation: view.getUint16(0) * 2 ** 32 + view.getUint32(2),
    sessionNumber: view.getUint16(6),
    protocolMin: view.getUint8(8),
    protocolMax: view.getUint8(9),
    configurationRevision: view.getUint32(10),
    flags: view.getUint16(14),
  };
}

export function writePrefix(bytes: Uint8Array, at: number, prefix: Prefix): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  view.setUint16(at, Math.floor(prefix.incarnation / 2 ** 32));
  view.setUint32(at + 2, prefix.incarnation >>> 0);
  view.setUint16(at + 6, prefix.sessionNumber);
  view.setUint8(at + 8, prefix.protocolMin);
  view.setUint8(at + 9, prefix.protocolMax);
  view.setUint32(at + 10, prefix.configurationRevision);
  view.setUint16(at + 14, prefix.flags);
}

/**
 * What stands where on a disk through which nodes are fenced. The format is that of sbd 1.5, version 2.1 of its header, so
 * that its tool reads our disks and its watchers obey our messages, and the other way round.
 *
 * Sector 0 is the header. Slot i has two sectors: 1 + 2i says whose slot it is, 2 + 2i is that node's mailbox: one message
 * and its sender. Every sector is written whole, by one write; numbers are big-endian.
 *
 * One thing is ours, where sbd keeps zeros: behind a node's name its watcher notes whether a watchdog stands behind it, and
 * how long after a message the node is surely dead. Only with that note does a message prove anything (`letter.ts`).
 */
import { fail, ok, type Result } from '@systole/kernel';

/** Before the header is read nobody knows the sector size; so many bytes hold a header in any case. */
export const headerBytesMax = 4096;
/** As sbd makes them, and as many as one byte of the header can say. */
const slotsMax = 255;
/** New slots end here: behind it, a witness may stand on the same disk. With sectors of 512 bytes sbd's do as well. */
export const slotAreaBytes = 1024 * 1024;
/** Of a node in a slot, and of a sender in a mailbox; sbd's fields have 64 bytes with a closing zero. */
export const nameBytesMax = 63;

const magic = 'SBD_SBD_';
const headerVersion = 2;
const headerMinor = 1;
const uuidBytes = 16;

/** In sbd's own words. `test` is answered by clearing it. */
export const diskMessages = ['clear', 'test', 'reset', 'off', 'exit', 'crashdump'] as const;
export type DiskMessage = (typeof diskMessages)[number];

export interface DiskTimes {
  /** Without a majority of its disks for so long, a node without quorum is not fed any more. */
  readonly watchdogS: number;
  /** Two nodes that want the same free slot notice it after so long. */
  readonly allocateS: number;
  /** Between two looks into the mailbox. */
  readonly loopS: number;
  /** A message counts as obeyed after so long. */
  readonly msgwaitS: number;
}

/** As sbd has them. `msgwait` is twice the watchdog's time: a look that was just missed, and then the countdown. */
export const defaultDiskTimes: DiskTimes = { watchdogS: 5, allocateS: 2, loopS: 1, msgwaitS: 10 };

export interface DiskHeader extends DiskTimes {
  readonly slots: number;
  readonly sectorBytes: number;
  /** Told apart by it: 16 bytes, in hexadecimal digits; empty on a disk of an old sbd. */
  readonly uuid: string;
}

/** What a watcher of ours says of itself. */
export interface WatcherNote {
  /** A watchdog resets the node if its watcher, or all of it, stops. */
  readonly isArmed: boolean;
  /** Seconds from a message on a majority of the disks to the node's sure death. */
  readonly deathS: number;
}

export interface Slot {
  readonly node: string;
  readonly watcher?: WatcherNote;
}

export interface Letter {
  readonly message: DiskMessage;
  readonly from: string;
}

export const slotOffset = ({ sectorBytes }: DiskHeader, slot: number): number => (1 + 2 * slot) * sectorBytes;
export const letterOffset = ({ sectorBytes }: DiskHeader, slot: number): number => (2 + 2 * slot) * sectorBytes;

/** Where the last slot ends. */
export const slotsEnd = ({ slots, sectorBytes }: Pick<DiskHeader, 'slots' | 'sectorBytes'>): number =>
  (1 + 2 * slots) * sectorBytes;

/** 255, and 127 where sectors have 4096 bytes; sbd's tool reads the number from the header. */
export const slotsOfNewDisk = (sectorBytes: number): number =>
  Math.min(slotsMax, Math.floor((slotAreaBytes / sectorBytes - 1) / 2));

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function writeText(bytes: Uint8Array, at: number, text: string, max: number): void {
  bytes.set(encoder.encode(text).subarray(0, max), at);
}

function readText(bytes: Uint8Array, at: number, max: number): string {
  const field = bytes.subarray(at, at + max);
  const end = field.indexOf(0);
  return decoder.decode(end < 0 ? field : field.subarray(0, end));
}

const hexOf = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');

// -- header -------------------------------------------------------------------------------------

export function encodeHeader(header: DiskHeader): Uint8Array {
  const bytes = new Uint8Array(header.sectorBytes);
  const fields = view(bytes);
  writeText(bytes, 0, magic, magic.length);
  bytes[8] = headerVersion;
  bytes[9] = header.slots;
  const { sectorBytes, watchdogS, allocateS, loopS, msgwaitS } = header;
  [sectorBytes, watchdogS, allocateS, loopS, msgwaitS].forEach((value, index) =>
    fields.setUint32(12 + 4 * index, value),
  );
  if (header.uuid !== '') {
    bytes[32] = headerMinor;
    for (let index = 0; index < uuidBytes; index++) {
      bytes[33 + index] = Number.parseInt(header.uuid.slice(2 * index, 2 * index + 2), 16);
    }
  }
  return bytes;
}

export function decodeHeader(bytes: Uint8Array): Result<DiskHeader, string> {
  if (readText(bytes, 0, magic.length) !== magic) return fail('it holds no slots: it has not been initialised');
  if (bytes[8] !== headerVersion) return fail(`its format is version ${bytes[8]}, this is ${headerVersion}`);
  const fields = view(bytes);
  const [sectorBytes = 0, watchdogS = 0, allocateS = 0, loopS = 0, msgwaitS = 0] = [0, 1, 2, 3, 4].map((index) =>
    fields.getUint32(12 + 4 * index),
  );
  if (sectorBytes !== 512 && sectorBytes !== headerBytesMax) return fail(`its sectors have ${sectorBytes} bytes`);
  const uuid = (bytes[32] ?? 0) > 0 ? hexOf(bytes.subarray(33, 33 + uuidBytes)) : '';
  return ok({ slots: bytes[9] ?? 0, sectorBytes, watchdogS, allocateS, loopS, msgwaitS, uuid });
}

// -- slots --------------------------------------------------------------------------------------

const noteAt = 256;
const noteMagic = 'SYSTOLE1';
const noteSumAt = noteAt + 16;

/** Of all that stands before it, so that half a note is none. FNV-1a. */
function sumOf(bytes: Uint8Array): number {
  let sum = 0x811c9dc5;
  for (const byte of bytes) sum = Math.imul(sum ^ byte, 0x01000193) >>> 0;
  return sum;
}

export function encodeSlot({ node, watcher }: Slot, sectorBytes: number): Uint8Array {
  const bytes = new Uint8Array(sectorBytes);
  bytes[0] = 1;
  writeText(bytes, 1, node, nameBytesMax);
  if (watcher !== undefined) {
    writeText(bytes, noteAt, noteMagic, noteMagic.length);
    bytes[noteAt + 8] = watcher.isArmed ? 1 : 0;
    view(bytes).setUint32(noteAt + 12, watcher.deathS);
    view(bytes).setUint32(noteSumAt, sumOf(bytes.subarray(0, noteSumAt)));
  }
  return bytes;
}

/** `undefined`: nobody's. */
export function decodeSlot(bytes: Uint8Array): Slot | undefined {
  if (bytes[0] === 0) return undefined;
  const node = readText(bytes, 1, nameBytesMax + 1);
  const isNoted = readText(bytes, noteAt, noteMagic.length) === noteMagic;
  if (!isNoted || view(bytes).getUint32(noteSumAt) !== sumOf(bytes.subarray(0, noteSumAt))) return { node };
  return { node, watcher: { isArmed: bytes[noteAt + 8] === 1, deathS: view(bytes).getUint32(noteAt + 12) } };
}

// -- mailboxes ----------------------------------------------------------------------------------

export function encodeLetter({ message, from }: Letter, sectorBytes: number): Uint8Array {
  const bytes = new Uint8Array(sectorBytes);
  bytes[0] = diskMessages.indexOf(message);
  writeText(bytes, 1, from, nameBytesMax);
  return bytes;
}

/** `undefined`: no message that we know, as after half a write. */
export function decodeLetter(bytes: Uint8Array): Letter | undefined {
  const message = diskMessages[bytes[0] ?? 0];
  return message === undefined ? undefined : { message, from: readText(bytes, 1, nameBytesMax + 1) };
}

/**
 * What is done with a disk, step by step, without touching it: a procedure yields the reads, writes and pauses that it
 * wants, and whoever drives it carries them out. So the same lines work on a real disk and on a simulated one that hangs,
 * tears a write, or has two writers. A driver throws into the procedure what the disk refuses; what the disk says but must
 * not say is thrown by the procedure itself. Both are `DiskError`s: that disk is of no use now.
 */
import {
  decodeHeader,
  decodeLetter,
  decodeSlot,
  type DiskHeader,
  type DiskTimes,
  encodeHeader,
  encodeLetter,
  encodeSlot,
  headerBytesMax,
  type Letter,
  letterOffset,
  nameBytesMax,
  type Slot,
  slotOffset,
  slotsOfNewDisk,
  type WatcherNote,
} from './layout.ts';

export type DiskStep =
  | { readonly type: 'read'; readonly offset: number; readonly length: number }
  | { readonly type: 'write'; readonly offset: number; readonly content: Uint8Array }
  | { readonly type: 'pause'; readonly ms: number };

/** A read is answered with what stands there, anything else with nothing. */
export type DiskProcedure<Value> = Generator<DiskStep, Value, Uint8Array>;

export class DiskError extends Error {
  override readonly name = 'DiskError';
}

const read = (offset: number, length: number): DiskStep => ({ type: 'read', offset, length });
const write = (offset: number, content: Uint8Array): DiskStep => ({ type: 'write', offset, content });

/** A slot that somebody has. */
export interface TakenSlot extends Slot {
  readonly slot: number;
  /** `undefined`: what stands there is no message. */
  readonly letter?: Letter;
}

/** Overwrites the first half megabyte (with sectors of 4096 bytes, the first one) with a header and empty slots. */
export function* createSlots(
  times: DiskTimes,
  { sectorBytes, uuid }: { readonly sectorBytes: number; readonly uuid: string },
): DiskProcedure<DiskHeader> {
  const header: DiskHeader = { ...times, slots: slotsOfNewDisk(sectorBytes), sectorBytes, uuid };
  // The header last: a disk on which this broke off is no disk of ours.
  yield write(0, new Uint8Array(headerBytesMax));
  yield write(headerBytesMax, new Uint8Array((1 + 2 * header.slots) * sectorBytes));
  yield write(0, encodeHeader(header));
  return yield* readHeader();
}

export function* readHeader(): DiskProcedure<DiskHeader> {
  const header = decodeHeader(yield read(0, headerBytesMax));
  if (!header.ok) throw new DiskError(header.error);
  return header.value;
}

export function* listSlots(header: DiskHeader): DiskProcedure<readonly TakenSlot[]> {
  const { slots, sectorBytes } = header;
  const area = yield read(sectorBytes, 2 * slots * sectorBytes);
  const sector = (index: number): Uint8Array => area.subarray(index * sectorBytes, (index + 1) * sectorBytes);
  return Array.from({ length: slots }, (_, slot) => slot).flatMap((slot): readonly TakenSlot[] => {
    const taken = decodeSlot(sector(2 * slot));
    if (taken === undefined) return [];
    const letter = decodeLetter(sector(2 * slot + 1));
    return [{ slot, ...taken, ...(letter === undefined ? {} : { letter }) }];
  });
}

const isNamed =
  (node: string) =>
  (one: TakenSlot): boolean =>
    one.node.toLowerCase() === node.toLowerCase();

/** The node's slot; a free one is taken if it has none. Of two who take the same, who wrote last has it. */
export function* takeSlot(node: string): DiskProcedure<{ readonly header: DiskHeader; readonly taken: TakenSlot }> {
  if (node === '' || new TextEncoder().encode(node).length > nameBytesMax) {
    throw new DiskError(`"${node}" cannot stand in a slot: names have 1 to ${nameBytesMax} bytes`);
  }
  const header = yield* readHeader();
  for (let attempt = 0; attempt <= header.slots; attempt++) {
    const all = yield* listSlots(header);
    const mine = all.find(isNamed(node));
    if (mine !== undefined) return { header, taken: mine };
    const used = new Set(all.map(({ slot }) => slot));
    const free = Array.from({ length: header.slots }, (_, slot) => slot).find((slot) => !used.has(slot));
    if (free === undefined) throw new DiskError(`all ${header.slots} slots are taken`);
    yield write(letterOffset(header, free), encodeLetter({ message: 'clear', from: '' }, header.sectorBytes));
    yield write(slotOffset(header, free), encodeSlot({ node }, header.sectorBytes));
    yield { type: 'pause', ms: header.allocateS * 1000 };
  }
  throw new DiskError(`${node} lost every slot that it took to others`);
}

/**
 * Puts a message into a node's mailbox and sees that it stands there. What the slot's watcher has noted is read afterwards:
 * who takes a note back looks into its mailbox afterwards, so that either it finds the message or we find the note gone.
 */
export function* postLetter(
  node: string,
  letter: Letter,
): DiskProcedure<{ readonly header: DiskHeader; readonly taken: TakenSlot }> {
  const header = yield* readHeader();
  const taken = (yield* listSlots(header)).find(isNamed(node));
  if (taken === undefined) throw new DiskError(`${node} has no slot`);
  yield* writeLetter(header, taken.slot, letter);
  const now = decodeSlot(yield read(slotOffset(header, taken.slot), header.sectorBytes));
  if (now === undefined || !isNamed(node)({ ...now, slot: taken.slot }))
    throw new DiskError(`${node} has lost its slot`);
  const { slot, letter: before } = taken;
  return { header, taken: { slot, ...now, ...(before === undefined ? {} : { letter: before }) } };
}

export function* writeLetter(header: DiskHeader, slot: number, letter: Letter): DiskProcedure<void> {
  const content = encodeLetter(letter, header.sectorBytes);
  yield write(letterOffset(header, slot), content);
  // A watcher may have answered a question already.
  if (letter.message === 'test') return;
  const stands = yield read(letterOffset(header, slot), header.sectorBytes);
  if (!sameBytes(content, stands)) throw new DiskError('it does not keep what is written to it');
}

/** What stands in a node's mailbox now. */
export function* readLetter(header: DiskHeader, slot: number): DiskProcedure<Letter | undefined> {
  return decodeLetter(yield read(letterOffset(header, slot), header.sectorBytes));
}

/** A watcher's note on itself, into its own slot. */
export function* noteWatcher(
  header: DiskHeader,
  { slot, node }: TakenSlot,
  watcher: WatcherNote | undefined,
): DiskProcedure<void> {
  const content = encodeSlot(watcher === undefined ? { node } : { node, watcher }, header.sectorBytes);
  yield write(slotOffset(header, slot), content);
  const stands = yield read(slotOffset(header, slot), header.sectorBytes);
  if (!sameBytes(content, stands)) throw new DiskError('it does not keep what is written to it');
}

/**
 * A watcher's look: its own mailbox, if the disk and the slot still are what they were. A disk that was initialised again,
 * or whose slot is another node's now, brings no messages for us and does not count as seen.
 */
export function* lookIntoMailbox(header: DiskHeader, mine: TakenSlot): DiskProcedure<Letter | undefined> {
  const now = yield* readHeader();
  if (JSON.stringify(now) !== JSON.stringify(header)) throw new DiskError('it has been initialised anew');
  const { sectorBytes } = header;
  const both = yield read(slotOffset(header, mine.slot), 2 * sectorBytes);
  const slot = decodeSlot(both.subarray(0, sectorBytes));
  if (slot === undefined || !isNamed(mine.node)({ ...slot, slot: mine.slot })) {
    throw new DiskError(`our slot ${mine.slot} is ${slot === undefined ? 'empty' : `${slot.node}'s`} now`);
  }
  return decodeLetter(both.subarray(sectorBytes));
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, index) => byte === b[index]);

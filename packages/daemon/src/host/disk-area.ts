/**
 * A witness's area on a shared disk, read and written past the page cache: what another machine wrote must be seen, and
 * what is written must be there when the call returns. Every call may hang for as long as a path to the disk does, so this
 * runs in a thread of its own.
 */
import {
  AREA_BYTES,
  AREA_OFFSET,
  decodeHeader,
  encodeHeader,
  SLOT_BYTES,
  slotOffset,
  SLOTS_MAX,
} from '@systole/quorum';
import type { WitnessHeader } from '@systole/quorum';
import { decodeHeader as decodeMailboxHeader, headerBytesMax, slotsEnd } from '@systole/stonith';
import { DirectFile } from './direct-file.ts';

export class DiskArea {
  readonly #file: DirectFile;

  private constructor(file: DirectFile) {
    this.#file = file;
  }

  /** False: the file system knows no direct access, as on tmpfs. Then only processes of this machine see each other. */
  get isDirect(): boolean {
    return this.#file.isDirect;
  }

  /** @throws where it cannot be opened, or is too small. */
  static open(path: string): DiskArea {
    const file = DirectFile.open(path, AREA_BYTES);
    const bytes = file.fileBytes ?? Number.POSITIVE_INFINITY;
    if (bytes >= AREA_OFFSET + AREA_BYTES) return new DiskArea(file);
    file.close();
    throw new Error(`${path} has ${bytes} bytes; a witness needs ${AREA_OFFSET + AREA_BYTES}`);
  }

  /** The header and all slots, as they are on the disk now. @throws Error if this is no witness. */
  read(): { readonly header: WitnessHeader; readonly slots: readonly Uint8Array[] } {
    const area = this.#file.read(AREA_OFFSET, AREA_BYTES);
    const header = decodeHeader(area.slice(0, SLOT_BYTES));
    if (header === undefined)
      throw new Error('there is no witness on this disk; "systoled --config FILE --make-witness" makes one');
    const slots = header.nodes.map((_, index) => {
      const at = slotOffset(index) - AREA_OFFSET;
      return area.slice(at, at + SLOT_BYTES);
    });
    return { header, slots };
  }

  writeSlot(index: number, bytes: Uint8Array): void {
    this.#file.write(slotOffset(index), bytes);
  }

  /**
   * Makes a witness, or gives the nodes that have none a slot behind the others. The slots that are in use stay.
   * @throws Error where another cluster uses it, unless `isForced`; and in any case where slots for fencing reach into it.
   */
  make(wanted: WitnessHeader, isForced: boolean): WitnessHeader {
    const mailboxes = decodeMailboxHeader(this.#file.read(0, headerBytesMax));
    // As sbd itself makes them on a disk with sectors of 4096 bytes: 2 MiB.
    if (mailboxes.ok && slotsEnd(mailboxes.value) > AREA_OFFSET) {
      const { slots, sectorBytes } = mailboxes.value;
      const what = `${slots} slots of two sectors of ${sectorBytes} bytes, which reach into the witness's place`;
      const cure = 'zero its first sector with all daemons stopped and let "systole sbd device add" make them anew';
      throw new Error(`this disk fences nodes with ${what}; use another disk, or ${cure}`);
    }
    const area = this.#file.read(AREA_OFFSET, AREA_BYTES);
    const before = decodeHeader(area.slice(0, SLOT_BYTES));
    if (before !== undefined && before.cluster !== wanted.cluster && !isForced)
      throw new Error(`this disk is the witness of the cluster ${before.cluster}; --force takes it over`);
    if (before === undefined && area.some((byte) => byte !== 0) && !isForced)
      throw new Error(`there is something on this disk, at ${AREA_OFFSET} bytes; --force overwrites it`);
    const isSame = before?.cluster === wanted.cluster;
    const kept = isSame ? before.nodes : [];
    const header = { ...wanted, nodes: [...kept, ...wanted.nodes.filter((node) => !kept.includes(node))] };
    if (header.nodes.length > SLOTS_MAX) throw new Error(`a witness has ${SLOTS_MAX} slots`);
    const empty = new Uint8Array(SLOT_BYTES);
    for (let index = kept.length; index < SLOTS_MAX; index += 1) this.writeSlot(index, empty);
    this.#file.write(AREA_OFFSET, encodeHeader(header));
    return header;
  }

  close(): void {
    this.#file.close();
  }
}

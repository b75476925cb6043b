/** One thing to be done with one disk, as data, so that a process of its own can do it: a disk that hangs hangs that alone. */
import {
  createSlots,
  DiskError,
  type DiskHeader,
  type DiskTimes,
  type Letter,
  listSlots,
  noteWatcher,
  postLetter,
  readHeader,
  readLetter,
  takeSlot,
  type TakenSlot,
} from '@systole/stonith';
import type { Sectors } from './sectors.ts';

export type Errand =
  | { readonly type: 'create'; readonly times: DiskTimes; readonly uuid: string }
  | { readonly type: 'describe' }
  | { readonly type: 'allocate'; readonly node: string }
  | { readonly type: 'post'; readonly node: string; readonly letter: Letter }
  /** Nothing stands behind this node any more, on the disk that was `uuid`. */
  | { readonly type: 'takeBack'; readonly node: string; readonly uuid: string }
  | { readonly type: 'read'; readonly slot: number };

/** What came of it; which fields there are depends on the errand. */
export interface Findings {
  readonly header: DiskHeader;
  readonly slots?: readonly TakenSlot[];
  readonly taken?: TakenSlot;
  readonly letter?: Letter;
}

/** @throws DiskError */
export function runErrand(sectors: Sectors, errand: Errand): Findings {
  switch (errand.type) {
    case 'create':
      return {
        header: sectors.run(createSlots(errand.times, { sectorBytes: sectors.sectorBytes, uuid: errand.uuid })),
      };
    case 'describe': {
      const header = sectors.run(readHeader());
      return { header, slots: sectors.run(listSlots(header)) };
    }
    case 'allocate':
      return sectors.run(takeSlot(errand.node));
    case 'post':
      return sectors.run(postLetter(errand.node, errand.letter));
    case 'takeBack':
      return takeBack(sectors, errand);
    case 'read': {
      const header = sectors.run(readHeader());
      const letter = sectors.run(readLetter(header, errand.slot));
      return { header, ...(letter === undefined ? {} : { letter }) };
    }
  }
}

function takeBack(sectors: Sectors, { node, uuid }: { readonly node: string; readonly uuid: string }): Findings {
  const header = sectors.run(readHeader());
  if (header.uuid !== uuid) throw new DiskError('another disk stands in its place, or it was made anew');
  const mine = sectors.run(listSlots(header)).find((slot) => slot.node.toLowerCase() === node.toLowerCase());
  if (mine === undefined) return { header }; // nothing there is about us any more
  sectors.run(noteWatcher(header, mine, { isArmed: false, deathS: 0 }));
  // Whoever writes a message looks at the note afterwards, so either it finds this one, or we find the message.
  const letter = sectors.run(readLetter(header, mine.slot));
  return { header, taken: mine, ...(letter === undefined ? {} : { letter }) };
}

/** One thing to be done with one disk, as data, so that a process of its own can do it: a disk that hangs hangs that alone. */
import {
  createSlots,
  type DiskHeader,
  type DiskTimes,
  type Letter,
  listSlots,
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
    case 'read': {
      const header = sectors.run(readHeader());
      const letter = sectors.run(readLetter(header, errand.slot));
      return { header, ...(letter === undefined ? {} : { letter }) };
    }
  }
}

/**
 * Takes back what a former life noted on disks that this one does not watch. Until that is done the node must not join:
 * a message there would count as its death, and nobody reads it.
 */
import { SystoleError } from '@systole/kernel';
import { heedAtStart } from '@systole/stonith';
import type { Logger } from '../log.ts';
import type { Death } from '../death.ts';
import { type Outcome, sendOut } from './errands.ts';
import type { LeftNote, NotesLeft } from './notes-left.ts';

const program = new URL('./errand-process.ts', import.meta.url);

export interface TakeBackOptions {
  readonly notes: NotesLeft;
  readonly node: string;
  /** The disks that this life watches; their notes are its watchers' business. */
  readonly watched: readonly string[];
  readonly hasBooted: boolean;
  readonly start: 'always' | 'clean';
  /** @returns why it did not work. */
  readonly die: (how: Death) => string | undefined;
  readonly log: Pick<Logger, 'info'>;
}

/** What to do where the disk of a note is not to be had. */
export const cureFor = (disk: string): string =>
  `bring ${disk} back; or, if it is gone for good or was made anew, remove the file disk-notes from the state folder`;

/** @throws SystoleError if a note still stands, or may, or if a message there keeps this node from starting. */
export async function takeBack({ notes, node, watched, ...options }: TakeBackOptions): Promise<void> {
  const { log, die, ...life } = options;
  const strangers = notes.notes.filter(({ disk }) => !watched.includes(disk));
  const outcomes = await Promise.all(
    strangers.map(async (note): Promise<Outcome & { readonly note: LeftNote }> => {
      const [outcome] = await sendOut(program, [note.disk], { type: 'takeBack', node, uuid: note.uuid });
      return { ...(outcome as Outcome), note };
    }),
  );
  for (const { note, disk, found, problem } of outcomes) {
    if (found === undefined) {
      const text =
        `a former life of this node noted on ${disk} that a watchdog stands behind it; a message there would count as its ` +
        `death, and nobody would read it. The note cannot be taken back: ${problem}. ${cureFor(disk)}`;
      throw new SystoleError('refused', text);
    }
    // Asked for after the note was taken back: whoever writes later finds that it proves nothing.
    const heeded = found.taken === undefined ? undefined : heedAtStart(found.letter, life);
    if (heeded?.type === 'refuse') throw new SystoleError('refused', heeded.reason);
    if (heeded?.type === 'die') {
      const dying = die(heeded.how);
      throw new SystoleError(
        'refused',
        `${heeded.from} says "${heeded.how}" on ${disk}${dying === undefined ? '' : `; ${dying}`}`,
      );
    }
    await notes.hasNoted(note.disk, note.uuid, undefined);
    log.info({ event: 'disk.note', disk }, `${disk} is not watched any more: its note of a watchdog is taken back`);
  }
}

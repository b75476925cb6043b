/**
 * Watches one disk, in a thread of its own: a disk that hangs stops this thread and nothing else. What is deadly is obeyed
 * here and at once, even where the rest of the daemon stands still.
 */
import { writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import {
  defaultDiskTimes,
  DiskError,
  type DiskHeader,
  heed,
  heedAtStart,
  type Letter,
  lookIntoMailbox,
  noteWatcher,
  readHeader,
  readLetterMark,
  startLetter,
  takeSlot,
  type TakenSlot,
  type WatcherNote,
  writeLetter,
} from '@systole/stonith';
import { die } from '../death.ts';
import { Sectors } from './sectors.ts';
import { type FromWatchThread, monotonicMs, type ToWatchThread, type WatchThreadData } from './watch-protocol.ts';

const { disk, node, hasBooted, start, trigger } = workerData as WatchThreadData;
const port = parentPort;
if (port === null) throw new Error('a disk is watched by a worker of the daemon');
const tell = (message: FromWatchThread): void => port.postMessage(message);

let wanted: Extract<ToWatchThread, { type: 'note' }> | undefined;
let written: WatcherNote | undefined;
port.on('message', (message: ToWatchThread) => {
  wanted = message;
});

interface Place {
  readonly sectors: Sectors;
  readonly header: DiskHeader;
  readonly mine: TakenSlot;
}

/** A disk whose header says 0 would keep a processor busy. */
const loopMinMs = 100;

/** Only the first time: later a deadly message is for this life. */
let hasStarted = false;
/** Told to die: nothing is left to look for. */
let isOver = false;

function open(): Place | undefined {
  const sectors = Sectors.open(disk);
  try {
    const { header, taken } = sectors.run(takeSlot(node));
    const found = heedAtStart(taken.letter, { hasBooted: hasBooted && !hasStarted, start });
    if (found.type === 'refuse') {
      tell({ type: 'refused', reason: found.reason });
      sectors.close();
      return undefined;
    }
    if (found.type === 'die') obey(found.how, found.from);
    // Our name there says that this node was down since the message before. It was only if it has booted: a daemon that
    // merely began again, or a disk that came back, must not let a message count that something harmless had replaced.
    const isNewLife = hasBooted && !hasStarted;
    if (found.type === 'clear' || found.type === 'leave' || !hasStarted) {
      sectors.run(writeLetter(header, taken.slot, isNewLife ? startLetter(node) : readLetterMark));
    }
    hasStarted = true;
    written = undefined;
    tell({ type: 'ready', header, slot: taken.slot });
    return { sectors, header, mine: taken };
  } catch (error) {
    sectors.close();
    throw error;
  }
}

function obey(how: 'reset' | 'off' | 'crashdump', from: string): void {
  writeSync(2, `systoled: ${from} says "${how}" on ${disk}; this machine goes down\n`);
  const problem = die(how, trigger);
  isOver = true;
  tell({ type: 'dying', how, from, ...(problem === undefined ? {} : { problem }) });
}

function look({ sectors, header, mine }: Place): void {
  const begunAtMs = monotonicMs();
  const letter = sectors.run(lookIntoMailbox(header, mine));
  answer({ sectors, header, mine }, letter);
  tell({ type: 'looked', begunAtMs });
  if (wanted === undefined || isOver || wanted.uuid !== header.uuid) return;
  const { note, uuid } = wanted;
  if (JSON.stringify(note) === JSON.stringify(written)) return;
  sectors.run(noteWatcher(header, mine, note));
  written = note;
  // A message that came before the note was put on the strength of the one that stood there before.
  answer({ sectors, header, mine }, sectors.run(lookIntoMailbox(header, mine)));
  tell({ type: 'noted', note, uuid });
}

function answer({ sectors, header, mine }: Place, letter: Letter | undefined): void {
  const found = heed(letter);
  switch (found.type) {
    case 'nothing':
      break;
    case 'die':
      obey(found.how, found.from);
      break;
    case 'leave':
      tell({ type: 'leave', from: found.from });
      break;
    case 'clear':
      sectors.run(writeLetter(header, mine.slot, readLetterMark));
      tell({ type: 'remark', text: found.reason });
      break;
  }
}

/** Through the file that is open, so that it is the same disk; under the same path another one may stand by now. */
function isRemade({ sectors, header }: Place): boolean {
  try {
    return sectors.run(readHeader()).uuid !== header.uuid;
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    return false;
  }
}

let place: Place | undefined;
let complaint = '';
while (!isOver) {
  try {
    place ??= open();
    if (place !== undefined) look(place);
    complaint = '';
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    if (error.message !== complaint) tell({ type: 'problem', text: error.message });
    complaint = error.message;
    if (place !== undefined && isRemade(place)) tell({ type: 'remade', uuid: place.header.uuid });
    place?.sectors.close();
    place = undefined;
  }
  await pause(Math.max(loopMinMs, (place?.header.loopS ?? defaultDiskTimes.loopS) * 1000));
}

/** What this node remembers of what happened: its events and their journal, and when it was last alive. */
import { join } from 'node:path';
import type { EventRow } from '@systole/api';
import { systemClock } from './clock.ts';
import { EventLog } from './event-log.ts';
import { Journal, touchEveryMs } from './journal.ts';
import type { Logger } from './log.ts';

interface MemoryOptions {
  /** The daemon's state folder. */
  readonly state: string;
  readonly node: string;
  /** The machine has booted since this daemon last ran. */
  readonly hasBooted: boolean;
  readonly log: Logger;
}

export class Memory {
  readonly events: EventLog;
  readonly #journal: Journal;
  readonly #touching: NodeJS.Timeout;

  private constructor(journal: Journal, events: EventLog) {
    this.#journal = journal;
    this.events = events;
    this.#touching = setInterval(() => void journal.touch(), touchEveryMs);
  }

  static async open({ state, node, hasBooted, log }: MemoryOptions): Promise<Memory> {
    const journal = new Journal(join(state, 'journal'), (error) => {
      log.error({ event: 'journal.failed', err: error }, 'could not write down what happens here');
    });
    const lastAlive = journal.lastAlive();
    const events = await EventLog.open(journal);
    events.add(startOf(node, hasBooted, lastAlive));
    return new Memory(journal, events);
  }

  async close(): Promise<void> {
    clearInterval(this.#touching);
    await this.#journal.close();
  }
}

/** The first event of a life: what `availability` needs to know of the time before it. */
function startOf(node: string, hasRebooted: boolean, lastAlive: number | undefined): Omit<EventRow, 'number'> {
  const booted = hasRebooted && lastAlive !== undefined ? ', the machine has booted' : '';
  const former = lastAlive === undefined ? '' : `; it was last alive ${new Date(lastAlive).toISOString()}`;
  return {
    at: systemClock.wall(),
    level: 'info',
    subsystem: 'daemon',
    event: 'daemon.started',
    text: `the daemon of ${node} starts${booted}${former}`,
    fields: { node, hasRebooted, ...(lastAlive === undefined ? {} : { lastAlive }) },
  };
}

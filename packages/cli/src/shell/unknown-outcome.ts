/**
 * A change whose answer never came: quorum was lost while it was being stored, or the daemon went. Once the cluster has
 * a quorum again, its history says whether the change was made. Nobody should have to guess, nor to make it twice.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { SystoleError } from '@systole/kernel';
import type { Context } from './context.ts';

/** A lost node is noticed, a new view agreed and a fenced node back within that time, mostly. */
const PATIENCE_MS = 20_000;
const LOOK_MS = 250;

interface Unknown {
  /** As it was told to the daemon. */
  readonly command: string;
  /** The epoch that the change was made from. */
  readonly since: number;
  readonly cause: SystoleError;
}

/** @returns the version that the change made. @throws SystoleError `refused` if it was not made, `timedOut` if that stays unknown. */
export async function findOut(context: Context, { command, since, cause }: Unknown): Promise<string> {
  context.remark(`${cause.message}; waiting to learn whether it was made`);
  const end = performance.now() + PATIENCE_MS;
  while (performance.now() < end) {
    await sleep(LOOK_MS);
    const known = await look(context, command, since);
    if (known === undefined) continue;
    if (known === absent) {
      throw new SystoleError('refused', `the change was not made: ${cause.message.replace(/;.*$/, '')}; try again`, {
        cause,
      });
    }
    context.remark('it was made');
    return known;
  }
  throw new SystoleError(
    'timedOut',
    `${cause.message.replace(/;.*$/, '')}; it is not known whether the change was made. When there is a quorum again, systole history changes says so`,
    { cause },
  );
}

const absent = Symbol('the history does not have it');

/** Undefined while the cluster that answers has no quorum, or none answers. */
async function look(context: Context, command: string, since: number): Promise<string | typeof absent | undefined> {
  try {
    const { quorate, dc } = await context.client.status();
    if (!quorate || dc === undefined) return undefined;
    const rows = await context.client.configurations();
    const row = rows.findLast((each) => each.version.epoch > since && each.command === command);
    if (row === undefined) return absent;
    const { adminEpoch, epoch, updates } = row.version;
    return `${adminEpoch}.${epoch}.${updates}`;
  } catch (error) {
    if (error instanceof SystoleError) return undefined;
    throw error;
  }
}

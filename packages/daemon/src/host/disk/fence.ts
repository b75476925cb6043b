/**
 * Fencing by messages on shared disks, as the agent `fence_disk` is asked for it. What proves that the target is dead is
 * the business of `letter.ts` of the package stonith; here the message is put, waited for, and looked at again.
 */
import { hostname } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { type DiskMessage, isUndisturbed, neededToWrite, type Posted, prospect } from '@systole/stonith';
import { type Outcome, sendOut } from './errands.ts';

const program = new URL('./errand-process.ts', import.meta.url);

/** Exit status and what is to be said on the way. */
export interface FenceAnswer {
  readonly code: number;
  readonly out?: string;
  readonly complaint?: string;
}

export interface FenceOptions {
  readonly disks: readonly string[];
  readonly target: string;
  /** `assumed`: the target's watcher has a watchdog although it does not say so, as sbd's. */
  readonly watcher: 'known' | 'assumed';
  readonly report: (text: string) => void;
}

const messageFor: Readonly<Record<string, DiskMessage>> = { off: 'off', reboot: 'reset', on: 'clear' };

const problemsOf = (outcomes: readonly Outcome[]): string =>
  outcomes.flatMap(({ disk, problem }) => (problem === undefined ? [] : [`${disk} ${problem}`])).join('; ');

export async function fence(action: string, options: FenceOptions): Promise<FenceAnswer> {
  switch (action) {
    case 'off':
    case 'reboot':
      return kill(messageFor[action] ?? 'reset', options);
    case 'on':
      return pardon(options);
    case 'status':
      return status(options);
    case 'list':
      return list(options);
    case 'monitor':
    case 'validate-all':
      return monitor(options);
    default:
      return { code: 1, complaint: `cannot do "${action}"` };
  }
}

async function kill(message: DiskMessage, { disks, target, watcher, report }: FenceOptions): Promise<FenceAnswer> {
  const outcomes = await sendOut(program, disks, { type: 'post', node: target, letter: { message, from: hostname() } });
  const posted = outcomes.flatMap(({ disk, found }): readonly Posted[] =>
    found?.taken === undefined ? [] : [{ disk, taken: found.taken, msgwaitS: found.header.msgwaitS }],
  );
  const problems = problemsOf(outcomes);
  if (problems !== '') report(problems);
  const expected = prospect(posted, disks.length, watcher === 'assumed');
  if (expected.type === 'useless') return { code: 1, complaint: expected.reason };
  report(`"${message}" is written for ${target}; it counts in ${expected.ms / 1000} s`);
  await pause(expected.ms);
  const slots = new Map(posted.map(({ disk, taken }) => [disk, taken]));
  const after = await sendOut(program, [...slots.keys()], (disk) => ({
    type: 'read',
    slot: slots.get(disk)?.slot ?? 0,
  }));
  const undisturbed = after.filter(({ disk, found }) => {
    const taken = slots.get(disk);
    return found !== undefined && taken !== undefined && isUndisturbed(found.letter, taken);
  });
  if (undisturbed.length >= neededToWrite(disks.length)) return { code: 0 };
  const others = after.map(({ disk, found, problem }) => {
    const { message: stands = 'nonsense', from = '?' } = found?.letter ?? {};
    return `${disk}: ${problem ?? `"${stands}" of ${from}`}`;
  });
  return { code: 1, complaint: `${target} may have read something else instead: ${others.join('; ')}` };
}

/** Lets a node start whose watcher waits for it (`start: clean`). */
async function pardon({ disks, target }: FenceOptions): Promise<FenceAnswer> {
  const letter = { message: 'clear', from: hostname() } as const;
  const outcomes = await sendOut(program, disks, { type: 'post', node: target, letter });
  const isDone = outcomes.filter(({ found }) => found !== undefined).length >= neededToWrite(disks.length);
  return isDone ? { code: 0 } : { code: 1, complaint: problemsOf(outcomes) };
}

/** 2, off, as long as a deadly message stands there: the node has not started since. */
async function status({ disks, target }: FenceOptions): Promise<FenceAnswer> {
  const outcomes = await sendOut(program, disks, { type: 'describe' });
  const slots = outcomes
    .flatMap(({ found }) => found?.slots ?? [])
    .filter(({ node }) => node.toLowerCase() === target.toLowerCase());
  if (slots.length < neededToWrite(disks.length)) {
    const problems = problemsOf(outcomes);
    return { code: 1, complaint: problems === '' ? `${target} has no slot on enough disks` : problems };
  }
  const isDead = slots.some(
    ({ letter }) => letter !== undefined && ['reset', 'off', 'crashdump'].includes(letter.message),
  );
  return { code: isDead ? 2 : 0 };
}

async function list({ disks }: FenceOptions): Promise<FenceAnswer> {
  const outcomes = await sendOut(program, disks, { type: 'describe' });
  const problems = problemsOf(outcomes);
  if (outcomes.filter(({ found }) => found !== undefined).length < neededToWrite(disks.length)) {
    return { code: 1, complaint: problems };
  }
  const names = new Set(outcomes.flatMap(({ found }) => found?.slots ?? []).map(({ node }) => node));
  return { code: 0, out: [...names].map((node) => `${node},`).join('\n') };
}

/** Works if enough disks do, and if they agree on how long things take. */
async function monitor({ disks }: FenceOptions): Promise<FenceAnswer> {
  const outcomes = await sendOut(program, disks, { type: 'describe' });
  const headers = outcomes.flatMap(({ found }) => (found === undefined ? [] : [found.header]));
  const problems = problemsOf(outcomes);
  if (headers.length < neededToWrite(disks.length)) return { code: 1, complaint: problems };
  const times = new Set(headers.map(({ watchdogS, msgwaitS }) => `${watchdogS} and ${msgwaitS} s`));
  if (times.size > 1) {
    const complaint = `the disks differ in their times (watchdog and msgwait): ${[...times].join(', ')}`;
    return { code: 1, complaint };
  }
  return problems === '' ? { code: 0 } : { code: 0, complaint: problems };
}

/** `systole history events` and `transitions`: what happened, told by all nodes. */
import type { EventRow } from '@systole/api';
import { table } from '../render/table.ts';
import { formatSpan, formatTime } from '../render/time.ts';
import { mergeTimelines, type TimelineRow, type TransitionTold, transitionsIn } from '../render/timeline.ts';
import type { Context } from '../shell/context.ts';
import { type Lens, through } from '../shell/lens.ts';
import { readSince } from './history.ts';

/** What all members remember since a time; who did not answer is said. */
export async function timeline(context: Context, since = 0, lens: Lens = {}): Promise<readonly TimelineRow[]> {
  const { parts, missing } = await context.client.gather('events', since);
  if (missing.length > 0)
    context.remark(`${missing.join(', ')} did not answer in time; what follows lacks what only they know`);
  return mergeTimelines(through(lens, parts)).filter(({ level }) => level !== 'debug');
}

/** Words are looked for in the text and in the facts; all must be there. */
export async function events(context: Context, args: readonly string[]): Promise<void> {
  const since = args[0] === undefined ? undefined : readSince(args[0], Date.now());
  const words = since === undefined ? args : args.slice(1);
  const rows = (await timeline(context, since, context.lens)).filter((row) =>
    words.every((word) => concerns(row, word)),
  );
  const all = await memberCount(context);
  context.answer(rows, () =>
    rows.length === 0 ? 'nothing that the nodes remember' : table(rows.map((row) => eventCells(row, all))),
  );
}

/** How many could have told a line. */
export const memberCount = async (context: Context): Promise<number> =>
  (await context.client.status()).nodes.filter(({ state, kind }) => state === 'online' && kind === 'member').length;

function concerns(row: EventRow, word: string): boolean {
  const values = Object.values(row.fields).flatMap((value) =>
    Array.isArray(value) ? value.map(String) : [String(value)],
  );
  if (values.some((value) => value === word || value.replace(/:\d+$/, '') === word)) return true;
  return row.event.includes(word) || row.text.split(/[\s,:()]+/).includes(word);
}

/** `all` members: a line that all tell names none of them. */
export const eventCells = (row: TimelineRow, all: number): readonly string[] => [
  formatTime(row.at),
  row.level === 'info' ? '' : row.level === 'warn' ? 'warning' : 'ERROR',
  row.tellers.length >= all && all > 1 ? '' : row.tellers.join(' '),
  row.event,
  row.text,
];

// --- transitions -----------------------------------------------------------------------------------------------

export async function transitions(context: Context): Promise<void> {
  const rows = transitionsIn(await timeline(context, 0, context.lens));
  context.answer(rows, rows.length === 0 ? 'there was no transition yet' : table(rows.map(transitionCells)));
}

const transitionCells = (row: TransitionTold): readonly string[] => [
  row.number,
  formatTime(row.startedAt),
  row.endedAt === undefined ? 'running' : formatSpan(row.endedAt - row.startedAt),
  row.leader,
  `${row.actions} actions`,
  row.outcome ?? '',
  row.cause,
];

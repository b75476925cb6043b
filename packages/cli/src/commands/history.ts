/** `systole history`: the timeline, transitions, earlier configurations and the way back to them. */
import type { ConfigurationRow, EventRow, TransitionRow } from '@systole/api';
import { type Configuration, diff, emptyCib } from '@systole/cib';
import { parseDuration, SystoleError } from '@systole/kernel';
import { fromConfiguration } from '../language/items.ts';
import { printConfiguration } from '../language/session.ts';
import { diffItems } from '../render/diff.ts';
import { table } from '../render/table.ts';
import { formatSpan, formatTime } from '../render/time.ts';
import type { Context } from '../shell/context.ts';
import { UsageError } from '../shell/failure.ts';
import { waitIfAsked } from '../shell/wait.ts';

/** `2h` ago, or a date. @returns milliseconds since 1970, or undefined if it is neither. */
export function readSince(text: string, now: number): number | undefined {
  if (/^\d+\s*[a-z]+$/i.test(text) || text.startsWith('P')) {
    const duration = parseDuration(text);
    return duration.ok ? now - duration.value : undefined;
  }
  if (!/^\d{4}-\d\d/.test(text)) return undefined;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : date;
}

/** Words are looked for in the text and in the facts; all must be there. */
export async function events(context: Context, args: readonly string[]): Promise<void> {
  const now = Date.now();
  const since = args[0] === undefined ? undefined : readSince(args[0], now);
  const words = since === undefined ? args : args.slice(1);
  const rows = (await context.client.events()).filter(
    (row) => row.level !== 'debug' && row.at >= (since ?? 0) && words.every((word) => concerns(row, word)),
  );
  context.answer(rows, () => (rows.length === 0 ? 'nothing that this daemon remembers' : table(rows.map(eventCells))));
}

function concerns(row: EventRow, word: string): boolean {
  const values = Object.values(row.fields).flatMap((value) =>
    Array.isArray(value) ? value.map(String) : [String(value)],
  );
  if (values.some((value) => value === word || value.replace(/:\d+$/, '') === word)) return true;
  return row.event.includes(word) || row.text.split(/[\s,:()]+/).includes(word);
}

const eventCells = (row: EventRow): readonly string[] => [
  formatTime(row.at),
  row.level === 'info' ? '' : row.level === 'warn' ? 'warning' : 'ERROR',
  row.event,
  row.text,
];

// --- transitions -----------------------------------------------------------------------------------------------

export async function transitions(context: Context): Promise<void> {
  const rows = await context.client.transitions();
  context.answer(
    rows,
    rows.length === 0 ? 'this node has led no transition; ask the node that leads' : table(rows.map(transitionCells)),
  );
}

const transitionCells = (row: TransitionRow): readonly string[] => [
  String(row.number),
  formatTime(row.startedAt * 1000),
  row.endedAt === undefined ? 'running' : formatSpan((row.endedAt - row.startedAt) * 1000),
  `${row.actions} actions`,
  row.outcome ?? '',
  row.cause,
];

export const latest = (context: Context): Promise<void> => transition(context, []);

export async function transition(context: Context, args: readonly string[]): Promise<void> {
  const rows = await context.client.transitions();
  const [wanted] = args;
  const row =
    wanted === undefined ? rows.at(-1) : rows.find(({ number, id }) => String(number) === wanted || id === wanted);
  if (row === undefined)
    throw new SystoleError(
      'notFound',
      wanted === undefined
        ? 'this node has led no transition; ask the node that leads'
        : `there is no transition ${wanted}`,
    );
  const end = row.endedAt === undefined ? Number.MAX_SAFE_INTEGER : (row.endedAt + 1) * 1000;
  const during = (await context.client.events()).filter(
    ({ at, level }) => level !== 'debug' && at >= row.startedAt * 1000 && at <= end,
  );
  const facts = [`${row.done ?? 0} done`, `${row.failed ?? 0} failed`, `${row.skipped ?? 0} skipped`].join(', ');
  context.answer(
    { ...row, events: during },
    () =>
      `transition ${row.number} (${row.id}), because of: ${row.cause}\n${formatTime(row.startedAt * 1000)}, ${row.outcome ?? 'running'}${row.reason === undefined ? '' : `: ${row.reason}`}, ${facts}\n` +
      table(during.map(eventCells), '  '),
  );
}

// --- configurations --------------------------------------------------------------------------------------------

export async function configurations(context: Context): Promise<void> {
  const rows = await context.client.configurations();
  context.answer(
    rows,
    table(
      rows.map(({ version, at, user, command }) => [String(version.epoch), formatTime(at * 1000), user, command ?? '']),
    ),
  );
}

/** The configuration of a number; without one, the present. */
async function configurationOf(context: Context, text: string | undefined): Promise<Configuration> {
  if (text === undefined) return (await context.client.cib()).configuration;
  return await context.client.configurationAt(epochOf(text));
}

function epochOf(text: string): number {
  const epoch = Number(text);
  if (Number.isInteger(epoch) && epoch >= 0) return epoch;
  throw new UsageError(`"${text}" is not the number of a configuration; systole history configurations lists them`);
}

export async function showConfiguration(context: Context, args: readonly string[]): Promise<void> {
  const configuration = await configurationOf(context, args[0]);
  context.answer(configuration, () => printConfiguration(configuration));
}

/** What changed from one number to another, or to the present. */
export async function compare(context: Context, args: readonly string[]): Promise<void> {
  const [from, to] = args;
  const [before, after] = await Promise.all([configurationOf(context, from), configurationOf(context, to)]);
  const { edits } = diff({ ...emptyCib, configuration: before }, { ...emptyCib, configuration: after });
  const text = diffItems(fromConfiguration(before), fromConfiguration(after));
  context.answer(edits, text === '' ? 'no difference' : text);
}

/** What this daemon remembers: the period, the nodes, how much happened. */
export async function info(context: Context): Promise<void> {
  const [events, transitions, configurations, status] = await Promise.all([
    context.client.events(),
    context.client.transitions(),
    context.client.configurations(),
    context.client.status(),
  ]);
  const counts = new Map<string, number>();
  for (const { event, level } of events) if (level !== 'debug') counts.set(event, (counts.get(event) ?? 0) + 1);
  const [first, last] = [events[0], events.at(-1)];
  const facts = {
    from: first?.at ?? null,
    to: last?.at ?? null,
    nodes: status.nodes.map(({ name }) => name),
    transitions: transitions.length,
    configurations: configurations.map(({ version }) => version.epoch),
    events: Object.fromEntries(counts),
  };
  context.answer(facts, () => {
    const period =
      first === undefined || last === undefined ? 'nothing yet' : `${formatTime(first.at)} to ${formatTime(last.at)}`;
    const rows = [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([event, count]) => [event, String(count)]);
    return `${period}, nodes ${facts.nodes.join(', ')}\n${transitions.length} transitions led from here, configurations ${facts.configurations[0] ?? '-'} to ${facts.configurations.at(-1) ?? '-'}\n${table(rows, '  ')}`;
  });
}

export async function restore(context: Context, args: readonly string[]): Promise<void> {
  const epoch = epochOf(args[0] ?? '');
  const { text } = await context.client.undo(epoch);
  await waitIfAsked(context);
  context.answer({ version: text, restored: epoch }, `configuration ${epoch} is in force again, as ${text}`);
}

/** Back to the configuration before the last change that is in force; again: before the one before. */
export async function undo(context: Context): Promise<void> {
  const rows = await context.client.configurations();
  const last = inForce(rows, rows.length - 1);
  const row = rows[last];
  const before = rows[last - 1];
  if (before === undefined || row === undefined)
    throw new SystoleError('notFound', 'there is no earlier configuration');
  const what = `${row.command ?? 'a change'} (${formatTime(row.at * 1000)}, ${row.user})`;
  if (context.terminal.isInteractive && !(await context.confirm(`Take back: ${what}?`))) return;
  const { text } = await context.client.undo(before.version.epoch);
  await waitIfAsked(context);
  context.answer({ version: text, undone: row }, `taken back: ${what}`);
}

/** Which change made what is in force: an undo goes back to an earlier one. */
function inForce(rows: readonly ConfigurationRow[], index: number): number {
  const epoch = /^undo to (\d+)$/.exec(rows[index]?.command ?? '')?.[1];
  if (epoch === undefined) return index;
  const target = rows.findIndex(({ version }) => String(version.epoch) === epoch);
  return target === -1 || target >= index ? index : inForce(rows, target);
}

// --- fencing ---------------------------------------------------------------------------------------------------

export async function fencing(context: Context): Promise<void> {
  const rows = await context.client.fencingHistory();
  context.answer(
    rows,
    rows.length === 0
      ? 'nothing was fenced that this cluster remembers'
      : table(
          rows.map((row) => [
            formatTime(row.startedAt),
            row.action,
            row.target,
            row.state,
            row.devices.join(', '),
            row.endedAt === undefined ? '' : formatSpan(row.endedAt - row.startedAt),
            row.reason,
          ]),
        ),
  );
}

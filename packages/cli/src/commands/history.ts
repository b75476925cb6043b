/** `systole history`: the timeline, transitions, earlier configurations and the way back to them. */
import { existsSync } from 'node:fs';
import type { ConfigurationRow } from '@systole/api';
import { type Configuration, diff, emptyCib, withoutFacts } from '@systole/cib';
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

/** The configuration of a number, of a transition's id or of a file; without any, the present. */
async function configurationOf(context: Context, text: string | undefined): Promise<Configuration> {
  if (text === undefined || text === 'live') return (await context.client.cib()).configuration;
  if (text.startsWith('tr_') || (/[./]/.test(text) && existsSync(text))) {
    const { decidedFrom } = await import('./inputs.ts');
    return withoutFacts((await decidedFrom(context, text)).cib.configuration);
  }
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

/** What the nodes remember: the period, the nodes, how much happened. */
export async function info(context: Context): Promise<void> {
  const { timeline } = await import('./timeline.ts');
  const { transitionsIn } = await import('../render/timeline.ts');
  const [events, configurations, status] = await Promise.all([
    timeline(context, 0, context.lens),
    context.client.configurations(),
    context.client.status(),
  ]);
  const counts = new Map<string, number>();
  const transitions = transitionsIn(events);
  for (const { event } of events) counts.set(event, (counts.get(event) ?? 0) + 1);
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
    return `${period}, nodes ${facts.nodes.join(', ')}\n${transitions.length} transitions, configurations ${facts.configurations[0] ?? '-'} to ${facts.configurations.at(-1) ?? '-'}\n${table(rows, '  ')}`;
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

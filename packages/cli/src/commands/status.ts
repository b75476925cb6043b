/** `systole status`, in all its views. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { StatusReport } from '@systole/api';
import { parseDuration, SystoleError } from '@systole/kernel';
import { didYouMean } from '../language/suggest.ts';
import { renderStatus, simpleStatus, type StatusView, troubles } from '../render/status.ts';
import type { Context } from '../shell/context.ts';
import { exitStatus, UsageError } from '../shell/failure.ts';
import { onInterrupt } from '../shell/interrupt.ts';
import { wantsColours } from '../shell/settings.ts';
import { waitUntilIdle } from '../shell/wait.ts';

const views = [
  'full',
  'brief',
  'bynode',
  'inactive',
  'ops',
  'timing',
  'failcounts',
  'verbose',
  'quiet',
  'noheaders',
  'detail',
  'simple',
  'xml',
  'html',
];

/** Between two looks of `--watch`, when nothing happens. */
const WATCH_MS = 2000;

export async function status(context: Context, args: readonly string[]): Promise<number | void> {
  const [first, ...rest] = args;
  if (first === 'wait') return await waitUntilIdle(context, rest[0] === undefined ? 3_600_000 : readDuration(rest[0]));
  if (first === 'query') return await query(context, rest);
  const words = args.filter((arg) => arg !== '--watch');
  for (const word of words) {
    if (!views.includes(word))
      throw new UsageError(`status has no view "${word}"${didYouMean(word, views)}`, `  views: ${views.join(', ')}`);
  }
  if (args.includes('--watch')) return await watch(context, words);
  const report = await context.client.status();
  if (context.isJson) context.out(JSON.stringify(report));
  else await show(context, report, words);
  return words.includes('simple') ? simpleExit(report) : undefined;
}

function readDuration(text: string): number {
  const duration = parseDuration(text);
  if (!duration.ok) throw new UsageError(duration.error);
  return duration.value;
}

/** Exit statuses of monitoring plugins: 0 well, 1 warning, 2 critical. */
function simpleExit(report: StatusReport): number {
  const [worst] = troubles(report);
  return worst === undefined || worst.level === 'note' ? 0 : worst.level === 'warning' ? 1 : 2;
}

async function show(context: Context, report: StatusReport, words: readonly string[]): Promise<void> {
  if (words.includes('simple')) context.out(simpleStatus(report));
  else if (words.includes('xml')) {
    const { statusXml } = await import('../render/status-xml.ts');
    context.out(statusXml(report));
  } else if (words.includes('html')) {
    const { statusHtml } = await import('../render/status-html.ts');
    context.out(statusHtml(report, renderStatus(report, { ...viewOf(context, words), hasColours: false })));
  } else {
    context.out(renderStatus(report, viewOf(context, words)));
    if (words.includes('ops') || words.includes('timing') || words.includes('full')) {
      const { operations } = await import('./resource.ts');
      await operations(context, []);
    }
  }
}

function viewOf(context: Context, words: readonly string[]): StatusView {
  return {
    hasColours: wantsColours(context.terminal.isTerminal),
    showsInactive: words.includes('full') || words.includes('inactive'),
    isByNode: words.includes('bynode'),
    showsFailures: words.includes('failcounts') || words.includes('full'),
    isBrief: words.includes('brief') || words.includes('quiet'),
    now: Date.now(),
  };
}

/** Draws anew whenever something happens, until interrupted. */
async function watch(context: Context, words: readonly string[]): Promise<void> {
  const isScreen = context.terminal.isTerminal && !context.isJson;
  const news = newsOf(context);
  // In the shell, Ctrl-C leads back to the prompt; elsewhere it ends the program.
  let isOver = false;
  const ended = Promise.withResolvers<void>();
  const stop = context.isShell
    ? onInterrupt(() => {
        isOver = true;
        ended.resolve();
      })
    : () => undefined;
  while (!isOver) {
    const text = await oneLook(context, words);
    if (isScreen) context.terminal.out(`\u001b[H\u001b[2J${text}`);
    else context.out(text);
    await Promise.race([sleep(WATCH_MS), news.next(), ended.promise]);
  }
  stop();
}

async function oneLook(context: Context, words: readonly string[]): Promise<string> {
  try {
    const report = await context.client.status();
    return context.isJson ? `${JSON.stringify(report)}\n` : renderStatus(report, viewOf(context, words));
  } catch (error) {
    // The daemon may be starting again: keep watching.
    if (!(error instanceof SystoleError) || error.code !== 'unavailable') throw error;
    return `${error.message}\n`;
  }
}

/** Resolves when something has happened since the last time; never again once the stream has ended. */
function newsOf(context: Context): { next(): Promise<void> } {
  let waiting = Promise.withResolvers<void>();
  const listen = async (): Promise<void> => {
    for await (const row of context.client.eventStream()) {
      if (row.level !== 'debug') waiting.resolve();
    }
  };
  // Without a stream the interval is enough.
  listen().catch(() => undefined);
  return {
    next: async () => {
      await waiting.promise;
      waiting = Promise.withResolvers<void>();
    },
  };
}

/** Questions of scripts, answered by the exit status: 0 yes, 1 no, 3 no such resource. */
async function query(context: Context, args: readonly string[]): Promise<number> {
  const [id, question, wanted] = args;
  const usage =
    '  usage: status query RESOURCE is-state started|stopped|promoted|unpromoted|failed|managed|blocked | is-type KIND | get-nodes';
  if (id === undefined || question === undefined) throw new UsageError('status query lacks a question', usage);
  const { resources } = await context.client.status();
  const rows = resources.filter((row) => row.id === id || row.id.replace(/:\d+$/, '') === id || row.within === id);
  if (rows.length === 0)
    throw new SystoleError(
      'notFound',
      `there is no resource "${id}"${didYouMean(
        id,
        resources.map((row) => row.id),
      )}`,
    );
  if (question === 'get-nodes') {
    const nodes = [...new Set(rows.flatMap((row) => row.nodes))];
    context.answer({ resource: id, nodes }, nodes.join('\n'));
    return exitStatus.done;
  }
  if (question === 'is-type' && wanted !== undefined) {
    const kind = await kindOf(context, id);
    const is = kind === wanted.toLowerCase();
    context.answer({ resource: id, type: kind, is }, is ? 'yes' : 'no');
    return is ? exitStatus.done : exitStatus.failed;
  }
  if (question !== 'is-state' || wanted === undefined)
    throw new UsageError(`status query has no question "${question}"`, usage);
  const isSo = rows.some((row) => hasState(row, wanted.toLowerCase()));
  context.answer({ resource: id, state: wanted, is: isSo }, isSo ? 'yes' : 'no');
  return isSo ? exitStatus.done : exitStatus.failed;
}

async function kindOf(context: Context, id: string): Promise<string> {
  const { fromConfiguration } = await import('../language/items.ts');
  const { configuration } = await context.client.cib();
  return fromConfiguration(configuration).find((item) => item.id === id)?.kind ?? 'instance';
}

function hasState(row: StatusReport['resources'][number], state: string): boolean {
  if (state === 'started') return row.nodes.length > 0 && row.role !== 'Stopped';
  if (state === 'managed') return row.managed;
  if (state === 'failed') return row.failed;
  return row.role.toLowerCase() === state || row.flags.includes(state);
}

/**
 * `systole history transition`: one decision of the cluster. What it was decided from is asked of whoever keeps it, and
 * decided again here: so what is shown are the reasons themselves, not what a log made of them.
 */
import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { type Cib, diff, exportCib, formatPath, formatVersion, withoutFacts } from '@systole/cib';
import { SystoleError } from '@systole/kernel';
import { summarize } from '@systole/pe';
import { fromConfiguration } from '../language/items.ts';
import { diffItems } from '../render/diff.ts';
import { graphAsDot } from '../render/graph.ts';
import { renderDecision } from '../render/simulation.ts';
import { table } from '../render/table.ts';
import { formatTime } from '../render/time.ts';
import { type TimelineRow, type TransitionTold, tagsOf } from '../render/timeline.ts';
import { liveCib } from '../shell/change.ts';
import type { Context } from '../shell/context.ts';
import { type DecidedAgain, type DecidedFrom, decideAgain } from '../shell/decided.ts';
import { exitStatus, UsageError } from '../shell/failure.ts';
import { decidedFrom, findTransition, inputFile, inputOf, keptInputs, namesTransition } from './inputs.ts';
import { createShadow } from './shadow.ts';
import { eventCells, memberCount, timeline } from './timeline.ts';

const actions = ['show', 'log', 'graph', 'save', 'diff', 'tags'] as const;
type Action = (typeof actions)[number];
/** crmsh's word for it. */
const otherNames: Readonly<Record<string, Action>> = { showdot: 'graph' };

const actionOf = (word: string): Action | undefined => actions.find((each) => each === word) ?? otherNames[word];

/** The word may stand before the transition, as in crmsh, or behind it. */
function readWords([first, second, ...rest]: readonly string[]): readonly [Action, readonly string[]] {
  const before = first === undefined ? undefined : actionOf(first);
  if (before !== undefined) return [before, second === undefined ? rest : [second, ...rest]];
  const behind = second === undefined ? undefined : actionOf(second);
  if (behind !== undefined && first !== undefined) return [behind, [first, ...rest]];
  return ['show', [first, second, ...rest].filter((word) => word !== undefined)];
}

/** `[show|log|graph|save|diff|tags] [NUMBER|ID|-N|last|FILE] …`, the first two in any order. */
export async function transition(context: Context, args: readonly string[]): Promise<number | void> {
  const [action, words] = readWords(args);
  switch (action) {
    case 'show':
      return await show(context, words);
    case 'log':
      return await log(context, words);
    case 'tags':
      return await tags(context, words);
    case 'graph':
      return await graph(context, words);
    case 'save':
      return await save(context, words);
    case 'diff':
      return await compare(context, words);
  }
}

export const latest = (context: Context): Promise<void> => show(context, []);

/** At most `count` words. */
function few(action: Action, words: readonly string[], count: number): void {
  const tooMuch = words[count];
  if (tooMuch !== undefined) throw new UsageError(`transition ${action} has no use for "${tooMuch}"`);
}

// --- what was decided ------------------------------------------------------------------------------------------

const details = ['scores', 'utilization'];
/** What crmsh wants to be asked for, and is always there or never here. */
const withoutEffect = /^(?:actions|nograph|v+)$/;

async function show(context: Context, words: readonly string[]): Promise<void> {
  const shown = words.filter((word) => details.includes(word));
  const rest = words.filter((word) => !details.includes(word) && !withoutEffect.test(word));
  few('show', rest, 1);
  const options = { showsScores: shown.includes('scores'), showsUtilization: shown.includes('utilization') };
  const [wanted] = rest;
  if (wanted !== undefined && !namesTransition(wanted)) {
    const input = await inputFile(context, wanted);
    if (input.origin?.failure !== undefined) {
      showFailure(context, input, input.origin.failure);
      return;
    }
    const again = decideAgain(input);
    context.answer(factsOf(input, again), () => `${originOf(input)}\n${renderDecision(again.decision, options)}`);
    warn(context, input, again);
    return;
  }
  const { row, during } = await toldOf(context, wanted);
  const input = await inputOf(context, row);
  if (input?.origin?.failure !== undefined) {
    showFailure(context, input, input.origin.failure);
    return;
  }
  const again = input === undefined ? undefined : decideAgain(input);
  const all = await memberCount(context);
  const facts = { ...row, events: during, ...(input && again ? { decided: factsOf(input, again) } : {}) };
  context.answer(facts, () =>
    [
      heading(row),
      ...(input && again ? [originOf(input), renderDecision(again.decision, options).trimEnd()] : []),
      troubleIn(during, all, row),
    ].join('\n'),
  );
  if (input && again) warn(context, input, again);
}

/** The policy engine could not decide. Whether it can now is what a new release is tried with. */
function showFailure(context: Context, input: DecidedFrom, failure: string): void {
  const [facts, text] = decidedNow(input);
  context.answer({ ...input.origin, ...facts }, () =>
    [originOf(input), `nothing was planned: the policy engine failed: ${failure}`, text].join('\n'),
  );
}

function decidedNow(input: DecidedFrom): readonly [object, string] {
  try {
    const again = decideAgain(input);
    const text = `this program (which may be another) decides:\n${renderDecision(again.decision)}`;
    return [{ decided: factsOf(input, again) }, text];
  } catch (error) {
    if (!(error instanceof SystoleError)) throw error;
    return [{ failsAgain: error.message }, error.message];
  }
}

function heading(row: TransitionTold): string {
  const counts = [`${row.done ?? 0} done`, `${row.failed ?? 0} failed`, `${row.skipped ?? 0} skipped`].join(', ');
  const reason = row.reason === undefined ? '' : `: ${row.reason}`;
  return (
    `transition ${row.number} (${row.id}) led by ${row.leader}, because of: ${row.cause}\n` +
    `${formatTime(row.startedAt)}, ${row.outcome ?? 'running'}${reason}, ${counts}`
  );
}

const originOf = ({ cib, at, origin }: DecidedFrom): string => {
  const version = `decided from CIB ${formatVersion(cib.version)} at ${new Date(at).toISOString()}`;
  return origin === undefined
    ? version
    : `${version} by ${origin.node} (systole ${origin.release}), ${origin.number === 0 ? 'no transition' : `transition ${origin.number}`} (${origin.transition}), because of: ${origin.cause}`;
};

/** What went wrong on the way; the rest is in the log. */
function troubleIn(during: readonly TimelineRow[], all: number, { number }: TransitionTold): string {
  const trouble = during.filter(({ level }) => level !== 'info');
  const lines =
    trouble.length === 0
      ? ''
      : `What went wrong:\n${table(
          trouble.map((row) => eventCells(row, all)),
          '  ',
        )}\n`;
  return `${lines}${during.length} lines of all nodes: systole history transition log ${number}`;
}

const factsOf = ({ cib, at, origin }: DecidedFrom, { decision, isSame }: DecidedAgain) => ({
  ...(origin === undefined ? {} : { origin }),
  version: formatVersion(cib.version),
  at,
  isSame: isSame ?? null,
  changes: summarize(decision),
  transition: decision.transition,
});

function warn(context: Context, { origin, mayBeMasked }: DecidedFrom, { isSame }: DecidedAgain): void {
  if (isSame === false)
    context.remark(
      `this program decides otherwise than the one that decided then (systole ${origin?.release ?? '?'}); shown is what this one would do`,
    );
  if (mayBeMasked && origin !== undefined)
    context.remark('secrets were taken out of this input, so that changes of parameters are not seen');
}

// --- what happened meanwhile -----------------------------------------------------------------------------------

/** Clocks of nodes differ by less; results arrive with the end of a transition, or a moment later. */
const clocksMs = 1000;

async function toldOf(context: Context, wanted: string | undefined) {
  const told = await timeline(context, 0, context.lens);
  const row = await findTransition(context, wanted, told);
  const end = row.endedAt === undefined ? Number.MAX_SAFE_INTEGER : row.endedAt + clocksMs;
  return { row, during: told.filter(({ at }) => at >= row.startedAt && at <= end) };
}

async function log(context: Context, words: readonly string[]): Promise<void> {
  few('log', words, 1);
  const { during } = await toldOf(context, transitionOnly('log', words[0]));
  const all = await memberCount(context);
  context.answer(during, () =>
    during.length === 0 ? 'nothing that the nodes remember' : table(during.map((row) => eventCells(row, all))),
  );
}

async function tags(context: Context, words: readonly string[]): Promise<void> {
  few('tags', words, 1);
  const { during } = await toldOf(context, transitionOnly('tags', words[0]));
  const found = tagsOf(during);
  context.answer(found, found.join(' '));
}

/** A file knows what was decided, and not what happened. */
function transitionOnly(action: Action, wanted: string | undefined): string | undefined {
  if (wanted === undefined || namesTransition(wanted)) return wanted;
  throw new SystoleError(
    'notFound',
    `transition ${action} tells what the nodes remember, and "${wanted}" is no transition`,
  );
}

// --- to go on with ---------------------------------------------------------------------------------------------

/** A picture for Graphviz, to standard output or into a file. */
export async function graph(context: Context, words: readonly string[]): Promise<void> {
  few('graph', words, 2);
  const [wanted, file] = words;
  const input = await decidedFrom(context, wanted);
  const again = decideAgain(input);
  warn(context, input, again);
  const text = graphAsDot(again.decision.transition);
  if (file === undefined || file === '-') context.out(text);
  else write(file, text);
}

/** Into a shadow copy, as in crmsh; into a file if the name is one. */
async function save(context: Context, words: readonly string[]): Promise<void> {
  few('save', words, 2);
  const [wanted, given] = words;
  const input = await decidedFrom(context, wanted);
  const name = given ?? `transition-${input.origin?.number ?? 'saved'}`;
  if (/\/|\.(?:xml|json|gz)$/.test(name)) {
    saveFile(name, input);
    context.answer({ file: name }, `wrote ${name}; it holds the secrets of the configuration`);
    return;
  }
  await saveShadow(context, name, input.cib);
}

/** What it was decided from, to be decided again elsewhere: ours, or for Pacemaker's tools if it ends in `.xml`. */
function saveFile(file: string, { cib, at, origin, mayBeMasked }: DecidedFrom): void {
  if (file.endsWith('.xml')) {
    write(file, exportCib({ ...cib, header: { ...cib.header, executionDate: Math.floor(at / 1000) } }));
    return;
  }
  if (origin === undefined)
    throw new UsageError('what was no transition of this cluster is saved as XML: the name must end in .xml');
  const text = JSON.stringify({ ...origin, ...(mayBeMasked ? { isMasked: true } : {}), cib });
  write(file, file.endsWith('.gz') ? gzipSync(text) : text);
}

function write(file: string, content: string | Uint8Array): void {
  try {
    writeFileSync(file, content, { mode: 0o600 });
  } catch (error) {
    throw new SystoleError('failed', `cannot write ${file}: ${(error as Error).message}`, { cause: error });
  }
}

/** The configuration of that time; committed, it comes into force again. */
export async function saveShadow(context: Context, name: string, cib: Cib): Promise<void> {
  const configuration = withoutFacts(cib.configuration);
  createShadow(name, { ...cib, configuration }, await liveCib(context), context.options.isForced);
  context.answer(
    { shadow: name },
    `saved as the shadow copy ${name}: cib diff ${name} compares it with the live configuration, cib use ${name} works on it`,
  );
}

/** Two decisions' configurations, or one and the live one; by default it and the one before it. */
async function compare(context: Context, words: readonly string[]): Promise<number> {
  const showsStatus = words.at(-1) === 'status';
  const names = showsStatus ? words.slice(0, -1) : words;
  few('diff', names, 2);
  const [before, after] = await pairOf(context, names);
  const { edits } = diff(before, { ...before, configuration: after.configuration, status: after.status });
  const status = edits.filter(({ path }) => path[0] === 'status');
  const configuration = edits.filter(({ path }) => path[0] === 'configuration');
  const facts = {
    from: formatVersion(before.version),
    to: formatVersion(after.version),
    configuration,
    ...(showsStatus ? { status } : { statusDiffers: status.length }),
  };
  context.answer(facts, () => {
    const text = diffItems(fromConfiguration(before.configuration), fromConfiguration(after.configuration));
    return [
      `CIB ${facts.from} → ${facts.to}`,
      text === '' ? 'the configuration is the same' : text.trimEnd(),
      ...(showsStatus
        ? table(status.map(editCells)).split('\n')
        : [
            `the status differs in ${status.length} places${status.length === 0 ? '' : '; add the word status to see them'}`,
          ]),
    ].join('\n');
  });
  return edits.length === 0 ? exitStatus.done : exitStatus.failed;
}

async function pairOf(context: Context, [first, second]: readonly string[]): Promise<readonly [Cib, Cib]> {
  if (second !== undefined) return [await cibOf(context, first), await cibOf(context, second)];
  if (first !== undefined && !namesTransition(first))
    return [await cibOf(context, first), await cibOf(context, 'live')];
  const { id, number } = await findTransition(context, first);
  const kept = await keptInputs(context, context.lens);
  const at = kept.findIndex(({ transition: each }) => each === id);
  const earlier = kept[at - 1];
  if (earlier === undefined) {
    const text =
      at < 0 ? `no member keeps what transition ${number} was decided from` : `none is kept from before ${number}`;
    throw new SystoleError('notFound', `there is nothing to compare: ${text}`);
  }
  return [await cibOf(context, earlier.transition), await cibOf(context, id)];
}

async function cibOf(context: Context, name: string | undefined): Promise<Cib> {
  const cib = name === 'live' ? await context.client.cib() : (await decidedFrom(context, name)).cib;
  return { ...cib, configuration: withoutFacts(cib.configuration) };
}

const textOf = (value: unknown): string => (value === undefined ? '' : JSON.stringify(value));

function editCells(edit: ReturnType<typeof diff>['edits'][number]): readonly string[] {
  const path = formatPath(edit.path);
  if (edit.type === 'set') return ['~', path, `${textOf(edit.before)} → ${textOf(edit.after)}`];
  return [edit.type === 'insert' ? '+' : '-', path, textOf(edit.value)];
}

/** Inputs of decisions: which of them the nodes keep (`systole history peinputs`), and how one is found. */
import { existsSync } from 'node:fs';
import type { GatheredPart, InputRow } from '@systole/api';
import { SystoleError } from '@systole/kernel';
import { table } from '../render/table.ts';
import { formatBytes, formatTime } from '../render/time.ts';
import { chooseTransition, type TimelineRow, type TransitionTold, transitionsIn } from '../render/timeline.ts';
import type { Context } from '../shell/context.ts';
import { type DecidedFrom, readDecidedFrom, readStoredInput } from '../shell/decided.ts';
import { UsageError } from '../shell/failure.ts';
import type { Lens } from '../shell/lens.ts';
import { readPacked } from '../shell/packed.ts';
import { readSince } from './history.ts';
import { timeline } from './timeline.ts';

/** One that a node keeps. */
export interface KeptInput extends InputRow {
  readonly node: string;
}

/** All that the members keep, oldest first. */
export async function keptInputs(context: Context, lens: Lens = {}): Promise<readonly KeptInput[]> {
  const { parts, missing } = await context.client.gather('inputs', lens.from ?? 0);
  if (missing.length > 0) context.remark(`${missing.join(', ')} did not answer; what only they keep is not here`);
  return keptIn(parts, lens);
}

export const keptIn = (parts: readonly GatheredPart[], { from = 0, to, nodes }: Lens = {}): readonly KeptInput[] =>
  parts
    .filter(({ node }) => nodes === undefined || nodes.includes(node))
    .flatMap(({ node, inputs = [] }) => inputs.map((row) => ({ ...row, node })))
    .filter(({ at }) => at >= from && (to === undefined || at <= to))
    .toSorted((a, b) => a.at - b.at || a.serial - b.serial);

/** `[SINCE] [NUMBER|FROM:TO …] [v]` */
export async function peinputs(context: Context, args: readonly string[]): Promise<void> {
  const isVerbose = args.at(-1) === 'v';
  const words = isVerbose ? args.slice(0, -1) : args;
  const first = words[0] ?? '';
  const since = /^\d+(?::\d+)?$/.test(first) ? undefined : readSince(first, Date.now());
  const ranges = (since === undefined ? words : words.slice(1)).map(readRange);
  const lens = since === undefined ? context.lens : { ...context.lens, from: since };
  const isAsked = ({ number }: InputRow): boolean =>
    ranges.length === 0 || ranges.some(([from, to]) => number >= from && number <= to);
  const rows = (await keptInputs(context, lens)).filter(isAsked);
  const told = isVerbose ? transitionsIn(await timeline(context, 0)) : [];
  const facts = rows.map((row) => ({ ...row, ...whyOf(told, row) }));
  context.answer(facts, () =>
    rows.length === 0
      ? 'no node keeps any such input'
      : table(facts.map((row) => [...inputCells(row), ...(isVerbose ? [row.outcome ?? '', row.cause ?? ''] : [])])),
  );
}

function whyOf(
  told: readonly TransitionTold[],
  { transition }: InputRow,
): Pick<Partial<TransitionTold>, 'outcome' | 'cause'> {
  const found = told.find(({ id }) => id === transition);
  if (found === undefined) return {};
  return { cause: found.cause, ...(found.outcome === undefined ? {} : { outcome: found.outcome }) };
}

const inputCells = ({ number, at, node, transition, bytes }: KeptInput): readonly string[] => [
  number === 0 ? 'failed' : String(number),
  formatTime(at),
  node,
  transition,
  formatBytes(bytes),
];

function readRange(text: string): readonly [number, number] {
  const [, from, to = from] = /^(\d+)(?::(\d+))?$/.exec(text) ?? [];
  if (from === undefined)
    throw new UsageError(`"${text}" is neither a number nor a range such as 12:15; peinputs [SINCE] [RANGE …] [v]`);
  return [Number(from), Number(to)];
}

/** `7`, `-1`, `last`, `tr_V1StGXR8`; anything else that is there is a file. */
export const namesTransition = (text: string): boolean => /^(?:-?\d+|last|tr_[\w-]+)$/.test(text);

/** The transition that is meant, as far as the nodes remember it. @throws SystoleError `notFound` */
export async function findTransition(
  context: Context,
  wanted = 'last',
  given?: readonly TimelineRow[],
): Promise<TransitionTold> {
  const word = wanted === 'last' ? '0' : wanted;
  const events = given ?? (await timeline(context, 0, context.lens));
  const told = chooseTransition(transitionsIn(events), word);
  if (told !== undefined) return told;
  // What happened may be forgotten, and what was decided from still be there.
  const kept = chooseTransition((await keptInputs(context, context.lens)).map(toldOf), word);
  if (kept !== undefined) return kept;
  const text = word === '0' ? 'there was no transition yet' : `there is no transition ${wanted}`;
  throw new SystoleError('notFound', text);
}

const toldOf = ({ transition, number, node, at }: KeptInput): TransitionTold => ({
  id: transition,
  number: String(number),
  leader: node,
  startedAt: at,
  actions: 0,
  cause: 'nobody remembers',
});

/** What it was decided from. Undefined, with a remark why, if no member keeps that. */
export async function inputOf(
  context: Context,
  { id, number, leader }: TransitionTold,
): Promise<DecidedFrom | undefined> {
  const { parts, missing } = await context.client.gatherInput(id);
  const found = parts.find(({ input }) => input !== undefined)?.input;
  if (found !== undefined) return await readStoredInput(found, `the input of ${id}`);
  const problems = parts.flatMap(({ node, problem }) => (problem === undefined ? [] : [`${node}: ${problem}`]));
  const why = [...problems, ...missing.map((node) => `${node} did not answer`)];
  const text = `no member keeps what transition ${number} was decided from (${leader} led it)`;
  context.remark(why.length === 0 ? text : `${text}: ${why.join('; ')}`);
  return undefined;
}

/** By transition or by file. @throws SystoleError `notFound` */
export async function decidedFrom(context: Context, wanted: string | undefined): Promise<DecidedFrom> {
  if (wanted !== undefined && !namesTransition(wanted)) return await inputFile(context, wanted);
  const told = await findTransition(context, wanted);
  const input = await inputOf(context, told);
  if (input === undefined)
    throw new SystoleError('notFound', `what transition ${told.number} was decided from cannot be had`);
  return input;
}

/** `-` is standard input. @throws SystoleError `notFound` */
export async function inputFile(context: Context, path: string): Promise<DecidedFrom> {
  if (path !== '-' && !existsSync(path))
    throw new SystoleError('notFound', `there is no transition and no file "${path}"`);
  const text = path === '-' ? context.terminal.readInput() : readPacked(path);
  return await readDecidedFrom(text, path, Date.now());
}

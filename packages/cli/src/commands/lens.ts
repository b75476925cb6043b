/** `systole history limit`, `setnodes`, `exclude`: what later commands of the history look at. */
import { formatTime } from '../render/time.ts';
import type { Context } from '../shell/context.ts';
import { UsageError } from '../shell/failure.ts';
import type { Lens } from '../shell/lens.ts';
import { isCollecting } from './editing.ts';
import { readSince } from './history.ts';

/** From one command to the next nothing is kept, unless they are of one shell or script. */
function needLater(context: Context, word: string): void {
  if (!isCollecting(context))
    throw new UsageError(`${word} is for later commands of a shell or a script, and none follows here`);
}

export function limit(context: Context, args: readonly string[]): void {
  needLater(context, 'limit');
  const now = Date.now();
  const [from, to] = args.map((text) => {
    const time = readSince(text, now);
    if (time === undefined) throw new UsageError(`"${text}" is neither a duration (2h, 30min) nor a date (2026-05-31)`);
    return time;
  });
  if (from !== undefined && to !== undefined && to < from)
    throw new UsageError(`the period ends (${args[1]}) before it begins (${args[0]})`);
  const { from: _from, to: _to, ...rest } = context.lens;
  context.lens = {
    ...rest,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  };
  tell(context);
}

export async function setNodes(context: Context, args: readonly string[]): Promise<void> {
  needLater(context, 'setnodes');
  const known = new Set((await context.client.status()).nodes.map(({ name }) => name));
  const stranger = args.find((name) => !known.has(name));
  if (stranger !== undefined)
    throw new UsageError(`there is no node "${stranger}"; the nodes are ${[...known].join(', ')}`);
  const { nodes: _, ...rest } = context.lens;
  context.lens = args.length === 0 ? rest : { ...rest, nodes: args };
  tell(context);
}

export function exclude(context: Context, [text]: readonly string[]): void {
  const expression = text === undefined || text === 'clear' ? undefined : readExpression(text);
  needLater(context, 'exclude');
  const { exclude: before, ...rest } = context.lens;
  const now = text === undefined ? before : expression;
  context.lens = now === undefined ? rest : { ...rest, exclude: now };
  tell(context);
}

function readExpression(text: string): RegExp {
  try {
    return new RegExp(text, 'i');
  } catch (error) {
    throw new UsageError(`"${text}" is not a regular expression: ${(error as Error).message}`);
  }
}

function tell(context: Context): void {
  const { from, to, nodes, exclude: left } = context.lens;
  const facts = { from: from ?? null, to: to ?? null, nodes: nodes ?? null, exclude: left?.source ?? null };
  context.answer(facts, sentence(context.lens));
}

/** What is looked at, in words. */
const sentence = ({ from, to, nodes, exclude: left }: Lens): string =>
  [
    `looking at ${from === undefined ? 'the whole time' : `${formatTime(from)} to ${to === undefined ? 'now' : formatTime(to)}`}`,
    nodes === undefined ? 'all nodes' : nodes.join(' '),
    ...(left === undefined ? [] : [`without lines that fit ${left.source}`]),
  ].join(', ');

/** `systole explain`: why a resource is where it is, and what a node has to do with it. Live, of a file, or of an earlier decision. */
import { parseArgs } from 'node:util';
import { formatScore } from '@systole/cib';
import { SystoleError } from '@systole/kernel';
import { type Decision, schedule } from '@systole/pe';
import { didYouMean } from '../language/suggest.ts';
import { explainResource, renderExplanation } from '../render/explain.ts';
import { table } from '../render/table.ts';
import { liveCib } from '../shell/change.ts';
import type { Context } from '../shell/context.ts';
import type { DecidedFrom } from '../shell/decided.ts';
import { UsageError } from '../shell/failure.ts';
import { decidedFrom, inputFile } from './inputs.ts';

export async function explain(context: Context, args: readonly string[]): Promise<void> {
  const { values, positionals } = readArguments(args);
  const [name, second, extra] = positionals;
  if (name === undefined) throw new UsageError('explain what? systole explain RESOURCE [--node NODE], or a node');
  if (extra !== undefined) throw new UsageError(`explain has no use for "${extra}"`);
  const only = values.node ?? second;
  const at = values.at === undefined ? undefined : Date.parse(values.at);
  if (Number.isNaN(at))
    throw new UsageError(`"${values.at ?? ''}" is not a time; write for example 2026-07-01T00:00:00Z`);
  const { cib, at: then, mayBeMasked } = await readInput(context, values);
  const decision = schedule(cib, { now: at ?? then, mayBeMasked, explains: true });
  const nodes = decision.situation.nodes.map((each) => each.name);
  if (only !== undefined && !nodes.includes(only))
    throw new SystoleError('notFound', `there is no node "${only}"${didYouMean(only, nodes)}`);
  const answers = explainResource(decision, name);
  if (answers.length > 0) {
    context.answer(answers, () => renderExplanation(answers, only));
    return;
  }
  if (!nodes.includes(name)) {
    const names = [...decision.situation.instances.map((instance) => instance.configId), ...nodes];
    throw new SystoleError('notFound', `there is no resource and no node "${name}"${didYouMean(name, names)}`);
  }
  explainNode(context, decision, name);
}

function readArguments(args: readonly string[]) {
  const options = {
    node: { type: 'string' },
    xml: { type: 'string' },
    transition: { type: 'string' },
    at: { type: 'string' },
  } as const;
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

async function readInput(
  context: Context,
  { xml, transition }: { readonly xml?: string | undefined; readonly transition?: string | undefined },
): Promise<DecidedFrom> {
  if (xml !== undefined && transition !== undefined) throw new UsageError('give --xml or --transition, not both');
  if (xml !== undefined) return await inputFile(context, xml);
  if (transition !== undefined) return await decidedFrom(context, transition);
  return { cib: await liveCib(context), at: Date.now(), mayBeMasked: false };
}

/** What is done to a node and why, what is on it, what would be, and what keeps things off it. */
function explainNode(context: Context, decision: Decision, name: string): void {
  const state = stateOf(decision, name);
  const deeds = deedsTo(decision, name);
  const rows = decision.situation.instances.flatMap((instance) => {
    if (instance.kind !== 'primitive') return [];
    const place = decision.placement.places[instance.index];
    const isHere = instance.activeNodes.some((each) => each.name === name);
    const isWanted = place?.node?.name === name;
    if (isHere || isWanted)
      return [[instance.id, isHere ? 'runs here' : 'would start here', isHere && !isWanted ? 'would leave' : '']];
    const answer = explainResource(decision, instance.id)[0];
    const here = answer?.where.find((each) => each.node === name);
    const score = here?.score === undefined ? 'not allowed here' : `score ${formatScore(here.score)} here`;
    const elsewhere = answer?.nodes.length === 0 ? 'runs nowhere' : `runs on ${answer?.nodes.join(', ') ?? ''}`;
    const reasons = (here?.reasons ?? []).map((reason) => reason.trim().replace(/\s+/g, ' '));
    return [[instance.id, elsewhere, [score, ...reasons].join('; ')]];
  });
  context.answer({ node: name, state, deeds, resources: rows }, () =>
    [`${name} is ${state.join(', ')}`, ...deeds.map((deed) => `  > ${deed}`), table(rows, '  ')].join('\n'),
  );
}

function stateOf({ situation }: Decision, name: string): readonly string[] {
  const node = situation.nodeByName.get(name);
  if (node === undefined) return [];
  return [
    node.isOnline ? 'online' : 'offline',
    ...(node.isPending ? ['still joining'] : []),
    ...(node.isUnclean ? ['unclean: nobody knows what it still runs, so it must be fenced'] : []),
    ...(node.isStandbyByFailure ? ['in standby because an operation failed there: systole resource cleanup'] : []),
    ...(node.isStandby && !node.isStandbyByFailure ? ['in standby: systole node online'] : []),
    ...(node.isMaintenance ? ['in maintenance: systole node ready'] : []),
    ...(node.isShutdown ? ['leaving'] : []),
    ...(node.health === undefined ? [] : [`of ${node.health} health`]),
  ];
}

/** Fencing, unfencing and shutdowns of it, with their reasons. */
function deedsTo({ transition }: Decision, name: string): readonly string[] {
  return transition.actions.flatMap((action) => {
    if (action.node !== name || (action.kind !== 'fence' && action.operation !== 'do_shutdown')) return [];
    const what = action.kind === 'fence' ? `fencing (${action.operation})` : 'shutdown';
    return [action.reason === undefined ? what : `${what}: ${action.reason}`];
  });
}

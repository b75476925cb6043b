/**
 * Moving resources by constraints, and leaving none behind. A move sets a preference, waits until the resource is
 * there, and takes the preference back if the resource would stay without it.
 */
import { type Cib, type Configuration, type Constraint, diff, INFINITY, type Rule } from '@systole/cib';
import { parseDuration, SystoleError } from '@systole/kernel';
import type { Draft } from '../language/draft.ts';
import { fromConfiguration, type Item, toConfiguration } from '../language/items.ts';
import { mapSets } from '../language/walk.ts';
import { didYouMean } from '../language/suggest.ts';
import { changeConfiguration, liveCib } from '../shell/change.ts';
import type { Context } from '../shell/context.ts';
import { UsageError } from '../shell/failure.ts';
import { readValue } from '../shell/values.ts';
import { waitUntilIdle } from '../shell/wait.ts';
import { findResource } from './values.ts';

/** A move that takes longer than this keeps its preference. */
const MOVE_WAIT_MS = 600_000;

/** The same ids as other shells use, so that either clears what the other set. */
const preferId = (resource: string): string => `cli-prefer-${resource}`;
const banId = (resource: string, node: string): string => `cli-ban-${resource}-on-${node}`;

export async function move(context: Context, args: readonly string[]): Promise<void> {
  const [id = '', ...rest] = args;
  const { nodes, resources } = await context.client.status();
  const names = nodes.map((node) => node.name);
  const { node, duration, isKept } = readTarget(rest, names);
  const at = resources
    .filter((row) => row.id.replace(/:\d+$/, '') === id || row.within === id)
    .flatMap((row) => row.nodes);
  if (node !== undefined && at.length > 0 && at.every((each) => each === node) && duration === undefined) {
    context.remark(`${id} is on ${node} already`);
    return;
  }
  if (node === undefined && at.length === 0)
    throw new SystoleError('refused', `${id} runs nowhere; name the node it is to run on`);
  const command = `resource move ${args.join(' ')}`;
  const ids: string[] = [];
  const committed = await changeConfiguration(
    context,
    command,
    (draft) => {
      const item = subjectOf(draft, id);
      for (const old of temporary(draft, item.id)) draft.remove([old]);
      for (const constraint of node === undefined
        ? [...new Set(at)].map((each) => banOf(item, each, duration))
        : [preferenceOf(item, node, duration)]) {
        draft.update({ kind: 'constraint', id: constraint.id, value: constraint });
        ids.push(constraint.id);
      }
    },
    [id],
  );
  if (committed === undefined) return;
  if (context.options.isDryRun || isKept || duration !== undefined) return;
  try {
    await waitUntilIdle(context, context.options.waitMs ?? MOVE_WAIT_MS);
  } catch (error) {
    context.remark(`${ids.join(', ')} stays until: systole resource clear ${id}`);
    throw error;
  }
  await takeBack(context, command, id, ids);
}

/** Removes the preference if nothing would move without it; else says what keeps it. */
async function takeBack(context: Context, command: string, id: string, ids: readonly string[]): Promise<void> {
  const cib = await liveCib(context);
  const after: Cib = {
    ...cib,
    configuration: {
      ...cib.configuration,
      constraints: cib.configuration.constraints.filter((each) => !ids.includes(each.id)),
    },
  };
  const { disturbances } = await import('../render/plan.ts');
  const moved = disturbances(cib, after);
  if (moved.length > 0) {
    context.remark(
      `${ids.join(', ')} stays, because without it: ${moved.join('; ')}. End it with: systole resource clear ${id}`,
    );
    return;
  }
  await changeConfiguration(context, `${command} (done)`, (draft) =>
    draft.remove(ids.filter((each) => draft.find(each) !== undefined)),
  );
}

/** Everything to where it prefers to be: for a while, nothing is sticky. */
export async function relocate(context: Context, args: readonly string[]): Promise<void> {
  const [action = 'show'] = args;
  const cib = await liveCib(context);
  const loose: Cib = { ...cib, configuration: withoutStickiness(cib.configuration) };
  const { disturbances } = await import('../render/plan.ts');
  const moves = disturbances(cib, loose);
  if (action === 'show' || moves.length === 0) {
    context.answer(moves, moves.length === 0 ? 'everything is where it prefers to be' : moves.join('\n'));
    return;
  }
  const { commit } = await import('../shell/change.ts');
  const committed = await commit(context, 'resource relocate', cib, loose);
  if (committed === undefined) return;
  try {
    await waitUntilIdle(context, context.options.waitMs ?? MOVE_WAIT_MS);
  } finally {
    // The opposite change, so that what others changed meanwhile stays.
    const now = await liveCib(context);
    await context.client.change(diff(loose, { ...loose, configuration: cib.configuration }), {
      command: 'resource relocate (done)',
    });
    context.answer(
      moves,
      `moved: ${moves.join('; ')}${now.version.epoch > cib.version.epoch + 1 ? ' (others changed the configuration meanwhile)' : ''}`,
    );
  }
}

/** No stickiness anywhere. The default is 1 for clones, so it is said, not only left out. */
function withoutStickiness(configuration: Configuration): Configuration {
  const items = fromConfiguration(configuration).map((item) =>
    mapSets(item, (set) => ({
      ...set,
      pairs: set.pairs.map((pair) => (pair.name === 'resource-stickiness' ? { ...pair, value: '0' } : pair)),
    })),
  );
  const loose = toConfiguration(items, configuration);
  const id = 'systole-relocate';
  const defaults = {
    id,
    score: INFINITY,
    pairs: [{ id: `${id}-stickiness`, name: 'resource-stickiness', value: '0' }],
  };
  return { ...loose, resourceDefaults: [...loose.resourceDefaults, defaults] };
}

export async function ban(context: Context, args: readonly string[]): Promise<void> {
  const [id = '', ...rest] = args;
  const { nodes, resources } = await context.client.status();
  const { node, duration } = readTarget(
    rest,
    nodes.map((each) => each.name),
  );
  const at = resources
    .filter((row) => row.id.replace(/:\d+$/, '') === id || row.within === id)
    .flatMap((row) => row.nodes);
  const targets = node === undefined ? [...new Set(at)] : [node];
  if (targets.length !== 1)
    throw new UsageError(`name the node: ${id} runs ${at.length === 0 ? 'nowhere' : `on ${at.join(', ')}`}`);
  const [target = ''] = targets;
  await changeConfiguration(context, `resource ban ${args.join(' ')}`, (draft) => {
    const constraint = banOf(subjectOf(draft, id), target, duration);
    draft.update({ kind: 'constraint', id: constraint.id, value: constraint });
  });
  if (duration === undefined) context.remark(`${id} stays off ${target} until: systole resource clear ${id}`);
}

export async function clear(context: Context, args: readonly string[]): Promise<void> {
  const [id = '', node] = args;
  await changeConfiguration(context, `resource clear ${args.join(' ')}`, (draft) => {
    const ids = temporary(draft, subjectOf(draft, id).id).filter(
      (each) =>
        node === undefined || each === banId(id, node) || (each === preferId(id) && nodeOf(draft, each) === node),
    );
    if (ids.length > 0) draft.remove(ids);
  });
}

function nodeOf(draft: Draft, id: string): string | undefined {
  const item = draft.find(id);
  if (item?.kind !== 'constraint' || item.value.kind !== 'location') return undefined;
  const expression = item.value.rules[0]?.expressions.find((each) => each.type === 'attribute');
  return item.value.node ?? (expression?.type === 'attribute' ? expression.value : undefined);
}

/** Constraints that move and ban made. */
const temporary = (draft: Draft, resource: string): readonly string[] =>
  draft.items.flatMap((item) =>
    item.kind === 'constraint' && (item.id === preferId(resource) || item.id.startsWith(`cli-ban-${resource}-on-`))
      ? [item.id]
      : [],
  );

/** What is to be moved: a member of a group or clone moves with the whole. */
function subjectOf(draft: Draft, id: string): Item {
  const item = findResource(draft, id);
  const container = draft.containerOf(id);
  if (container !== undefined && container.kind !== 'bundle') {
    throw new SystoleError('refused', `${id} is in ${container.id}, which moves as a whole: name ${container.id}`);
  }
  return item;
}

function readTarget(
  args: readonly string[],
  nodes: readonly string[],
): { readonly node?: string; readonly duration?: number; readonly isKept: boolean } {
  let node: string | undefined;
  let duration: number | undefined;
  let isKept = false;
  for (const arg of args) {
    const parsed = parseDuration(arg);
    if (arg === 'keep' || arg === 'force') isKept = arg === 'keep';
    else if (nodes.includes(arg)) node = arg;
    else if (parsed.ok) duration = parsed.value;
    else throw new SystoleError('notFound', `there is no node "${arg}"${didYouMean(arg, nodes)}`);
  }
  return { ...(node === undefined ? {} : { node }), ...(duration === undefined ? {} : { duration }), isKept };
}

/** A promotable clone moves its promoted instance. */
const roleOf = (item: Item): { readonly role?: 'Promoted' } =>
  item.kind === 'clone' && /^(?:true|yes|on|y|1)$/i.test(readValue(item, 'meta', 'promotable') ?? '')
    ? { role: 'Promoted' }
    : {};

const preferenceOf = (item: Item, node: string, duration: number | undefined): Constraint =>
  locationOf(preferId(item.id), item, node, INFINITY, duration, roleOf(item));

const banOf = (item: Item, node: string, duration: number | undefined): Constraint =>
  locationOf(banId(item.id, node), item, node, -INFINITY, duration, roleOf(item));

/** With a duration the constraint holds until then, by a rule. */
function locationOf(
  id: string,
  item: Item,
  node: string,
  score: number,
  duration: number | undefined,
  role: { readonly role?: 'Promoted' },
): Constraint {
  if (duration === undefined) return { kind: 'location', id, resource: item.id, ...role, node, score, rules: [] };
  const end = new Date(Date.now() + duration).toISOString().replace(/\.\d+Z$/, 'Z');
  const rule: Rule = {
    id: `${id}-rule`,
    score,
    ...role,
    booleanOp: 'and',
    expressions: [
      {
        type: 'attribute',
        id: `${id}-expression`,
        attribute: '#uname',
        operation: 'eq',
        value: node,
        valueType: 'string',
      },
      { type: 'date', id: `${id}-lifetime`, operation: 'lt', end },
    ],
  };
  return { kind: 'location', id, resource: item.id, rules: [rule] };
}

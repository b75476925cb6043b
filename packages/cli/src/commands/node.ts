/** `systole node`. */
import type { NodeRow } from '@systole/api';
import { SystoleError } from '@systole/kernel';
import type { Draft } from '../language/draft.ts';
import type { ItemOf } from '../language/items.ts';
import { didYouMean } from '../language/suggest.ts';
import { table } from '../render/table.ts';
import { changeConfiguration } from '../shell/change.ts';
import type { Context } from '../shell/context.ts';
import { readValues, withValue } from '../shell/values.ts';

export async function show(context: Context, args: readonly string[]): Promise<void> {
  const [status, cib] = await Promise.all([context.client.status(), context.client.cib()]);
  const { fromConfiguration } = await import('../language/items.ts');
  const items = fromConfiguration(cib.configuration).filter((item) => item.kind === 'node');
  const [wanted] = args;
  const rows = wanted === undefined ? status.nodes : status.nodes.filter((node) => node.name === wanted);
  if (rows.length === 0 && wanted !== undefined)
    throw noNode(
      wanted,
      status.nodes.map((node) => node.name),
    );
  const described = rows.map((node) => {
    const item = items.find((each) => each.id === node.name);
    return { ...node, attributes: item === undefined ? {} : Object.fromEntries(readValues(item, 'attributes')) };
  });
  context.answer(
    described,
    table(
      described.map((node) => [
        node.name,
        stateOf(node),
        node.isDc ? 'leads' : '',
        Object.entries(node.attributes)
          .map(([name, value]) => `${name}=${value}`)
          .join(' '),
      ]),
    ),
  );
}

const stateOf = (node: NodeRow): string =>
  [
    node.unclean === true ? 'UNCLEAN' : node.state,
    node.standby === true ? 'standby' : '',
    node.maintenance === true ? 'maintenance' : '',
  ]
    .filter((word) => word !== '')
    .join(', ');

const noNode = (name: string, names: readonly string[]): SystoleError =>
  new SystoleError('notFound', `there is no node "${name}"${didYouMean(name, names)}`);

/** `reboot` as last word: until the node leaves the cluster, by an attribute that is forgotten then. */
export async function standby(context: Context, args: readonly string[]): Promise<void> {
  const last = args.at(-1);
  const given = last === 'reboot' || last === 'forever' ? args.slice(0, -1) : args;
  if (last !== 'reboot') {
    await setAttribute(context, given, 'standby', 'on');
    return;
  }
  for (const node of await namedNodes(context, given)) {
    await context.client.setAttributes({ node, values: { standby: 'on' } });
    context.remark(`${node} is in standby until it leaves the cluster, or until: systole node online ${node}`);
  }
}

export async function online(context: Context, args: readonly string[]): Promise<void> {
  const nodes = await namedNodes(context, args);
  const { status } = await context.client.cib();
  for (const node of nodes) {
    const state = status.nodes.find((each) => each.name === node || each.id === node);
    const pairs = (state?.transientAttributes ?? []).flatMap((set) => set.pairs);
    if (pairs.some(({ name }) => name === 'standby'))
      await context.client.setAttributes({ node, values: { standby: null } });
  }
  await setAttribute(context, nodes, 'standby', undefined);
}
export const maintenance = (context: Context, args: readonly string[]): Promise<void> =>
  setAttribute(context, args, 'maintenance', 'true');
export const ready = (context: Context, args: readonly string[]): Promise<void> =>
  setAttribute(context, args, 'maintenance', undefined);

/** Without a name: the node that answers. @throws SystoleError `notFound` */
async function namedNodes(context: Context, args: readonly string[]): Promise<readonly string[]> {
  const status = await context.client.status();
  const nodes = args.length > 0 ? args : [status.node];
  const known = status.nodes.map((node) => node.name);
  for (const node of nodes) if (!known.includes(node)) throw noNode(node, known);
  return nodes;
}

async function setAttribute(
  context: Context,
  args: readonly string[],
  name: string,
  value: string | undefined,
): Promise<void> {
  const nodes = await namedNodes(context, args);
  const word = value === undefined ? (name === 'standby' ? 'online' : 'ready') : name;
  const committed = await changeConfiguration(context, `node ${word} ${nodes.join(' ')}`, (draft) => {
    for (const node of nodes) draft.update(withValue(nodeItem(draft, node), 'attributes', name, value));
  });
  if (committed !== undefined) context.answer({ nodes, [name]: value ?? null, version: committed.version }, '');
}

/** The node of the configuration; one that has joined and is not in it yet is added. */
export function nodeItem(draft: Draft, name: string): ItemOf<'node'> {
  const item = draft.items.find((each): each is ItemOf<'node'> => each.kind === 'node' && each.id === name);
  return item ?? { kind: 'node', id: name, value: { id: name, name, attributes: [], utilization: [] }, hasId: false };
}

export async function fence(context: Context, args: readonly string[]): Promise<void> {
  const [target = '', action = 'reboot'] = args;
  const { nodes, resources } = await context.client.status();
  if (!nodes.some((node) => node.name === target))
    throw noNode(
      target,
      nodes.map((node) => node.name),
    );
  const running = resources.filter((resource) => resource.nodes.includes(target)).map((resource) => resource.id);
  const what =
    running.length === 0 ? 'It runs nothing.' : `It runs ${running.join(', ')}, which start elsewhere afterwards.`;
  if (context.terminal.isInteractive && !(await context.confirm(`Fence ${target} (${action})? ${what}`))) return;
  const done = await context.client.fence({ target, action: action as 'reboot' | 'off' | 'on' });
  context.answer(done, `${target} is fenced${done.reason === '' ? '' : `: ${done.reason}`}`);
}

export async function clearState(context: Context, args: readonly string[]): Promise<void> {
  const [target = ''] = args;
  const { nodes } = await context.client.status();
  const node = nodes.find((each) => each.name === target);
  if (node === undefined)
    throw noNode(
      target,
      nodes.map((each) => each.name),
    );
  if (node.state === 'online') throw new SystoleError('refused', `${target} is online: it cannot be declared down`);
  const question = `If ${target} still runs something, that will run twice and may destroy data. Is it certainly off?`;
  if (!(await context.confirm(question))) return;
  await context.client.confirmDown(target);
  context.answer({ node: target, confirmed: true }, `${target} counts as down`);
}

export async function remove(context: Context, args: readonly string[]): Promise<void> {
  const [target = ''] = args;
  const { nodes } = await context.client.status();
  const node = nodes.find((each) => each.name === target);
  if (node?.state === 'online') {
    throw new SystoleError(
      'refused',
      `${target} is a member of the cluster now; stop its daemon first (systole cluster stop, there)`,
    );
  }
  if (node?.unclean === true)
    throw new SystoleError('refused', `${target} is unclean: it must be fenced before it can be taken out`);
  await changeConfiguration(context, `node delete ${target}`, (draft) => {
    if (!draft.nodeNames.includes(target)) throw noNode(target, draft.nodeNames);
    draft.removeNode(target);
  });
}

/** Values of nodes and resources, one at a time: set, show, delete. */
import type { Cib } from '@systole/cib';
import { SystoleError } from '@systole/kernel';
import { Draft } from '../language/draft.ts';
import type { Item } from '../language/items.ts';
import { didYouMean } from '../language/suggest.ts';
import { changeConfiguration, needNode } from '../shell/change.ts';
import type { Context } from '../shell/context.ts';
import { UsageError } from '../shell/failure.ts';
import { hasField, readValue, readValues, type ValueField, withValue } from '../shell/values.ts';
import { nodeItem } from './node.ts';

export const nodeAttribute = (context: Context, args: readonly string[]): Promise<void> =>
  valueOf(context, 'node attribute', 'attributes', args, findNode);
export const nodeUtilization = (context: Context, args: readonly string[]): Promise<void> =>
  valueOf(context, 'node utilization', 'utilization', args, findNode);
export const resourceParameter = (context: Context, args: readonly string[]): Promise<void> =>
  valueOf(context, 'resource param', 'parameters', args, findResource);
export const resourceMeta = (context: Context, args: readonly string[]): Promise<void> =>
  valueOf(context, 'resource meta', 'meta', args, findResource);
export const resourceUtilization = (context: Context, args: readonly string[]): Promise<void> =>
  valueOf(context, 'resource utilization', 'utilization', args, findResource);

type Find = (draft: Draft, name: string) => Item;

const findNode: Find = (draft, name) => {
  if (!draft.nodeNames.includes(name))
    throw new SystoleError(
      'notFound',
      `there is no node "${name}" in the configuration${didYouMean(name, draft.nodeNames)}`,
    );
  return nodeItem(draft, name);
};

export const findResource: Find = (draft, name) => {
  const item = draft.need(name);
  if (!['primitive', 'template', 'group', 'clone', 'bundle'].includes(item.kind))
    throw new SystoleError('notFound', `"${name}" is not a resource`);
  return item;
};

async function valueOf(
  context: Context,
  command: string,
  field: ValueField,
  args: readonly string[],
  find: Find,
): Promise<void> {
  const [subject = '', action = '', name, value] = args;
  if (action === 'show') return await showValues(context, field, subject, name, find);
  if (name === undefined) throw new UsageError(`${command} ${action} lacks a name`);
  if (action === 'set' && value === undefined) throw new UsageError(`${command} set lacks a value for ${name}`);
  await changeConfiguration(context, [command, ...args].join(' '), (draft) => {
    const item = find(draft, subject);
    if (!hasField(item, field)) throw new SystoleError('refused', `${subject} is a ${item.kind}; it has no ${field}`);
    if (action === 'delete' && readValue(item, field, name) === undefined) {
      throw new SystoleError(
        'notFound',
        `${subject} has no ${name}${didYouMean(name, readValues(item, field).keys())}`,
      );
    }
    draft.update(withValue(item, field, name, action === 'set' ? value : undefined));
  });
}

async function showValues(
  context: Context,
  field: ValueField,
  subject: string,
  name: string | undefined,
  find: Find,
): Promise<void> {
  const cib: Cib = await context.client.cib();
  const item = find(new Draft(cib.configuration), subject);
  const values = readValues(item, field);
  if (name === undefined) {
    context.answer(Object.fromEntries(values), [...values].map(([key, value]) => `${key}=${value}`).join('\n'));
    return;
  }
  const value = values.get(name);
  if (value === undefined)
    throw new SystoleError('notFound', `${subject} has no ${name}${didYouMean(name, values.keys())}`);
  context.answer({ [name]: value }, value);
}

/** Attributes that last until the node leaves. */
export async function transientAttribute(context: Context, args: readonly string[]): Promise<void> {
  const [node = '', action = '', name, value] = args;
  await needNode(context, node);
  if (action === 'show') {
    const cib = await context.client.cib();
    const state = cib.status.nodes.find((each) => each.name === node || each.id === node);
    const pairs = (state?.transientAttributes ?? []).flatMap((set) => set.pairs);
    const shown = pairs.filter((pair) => name === undefined || pair.name === name);
    if (name !== undefined && shown.length === 0)
      throw new SystoleError('notFound', `${node} has no attribute ${name}`);
    const facts = Object.fromEntries(shown.map((pair) => [pair.name ?? '', pair.value ?? '']));
    context.answer(
      facts,
      shown.map((pair) => (name === undefined ? `${pair.name}=${pair.value}` : (pair.value ?? ''))).join('\n'),
    );
    return;
  }
  if (name === undefined) throw new UsageError(`status-attr ${action} lacks a name`);
  if (action === 'set' && value === undefined) throw new UsageError(`status-attr set lacks a value for ${name}`);
  await context.client.setAttributes({ node, values: { [name]: action === 'set' ? (value ?? '') : null } });
}

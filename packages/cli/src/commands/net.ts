/** `systole net link add`, `update`, `remove`, and `net get`, `set`: the network of a running cluster, on all nodes at once. */
import { SystoleError } from '@systole/kernel';
import { table } from '../render/table.ts';
import type { Context } from '../shell/context.ts';
import { UsageError } from '../shell/failure.ts';

const linkOptions: ReadonlySet<string> = new Set(['multicast', 'port', 'ttl', 'priority', 'mtu', 'mode', 'loopback']);
const LINKS_MAX = 8;

export async function addLink(context: Context, args: readonly string[]): Promise<void> {
  const { addresses, options } = readPairs(args);
  const { links } = await context.client.network();
  const used = new Set(links.map(({ id }) => id));
  const link = Array.from({ length: LINKS_MAX }, (_, id) => id).find((id) => !used.has(id));
  if (link === undefined) throw new SystoleError('refused', `there are ${LINKS_MAX} links already`);
  await context.client.changeNetwork({ type: 'setLink', link, isNew: true, addresses, options });
  context.answer({ link }, `link ${link} is up to all members, and in the files of all nodes`);
}

export async function updateLink(context: Context, [word = '', ...args]: readonly string[]): Promise<void> {
  const link = readLink(word);
  const { addresses, options } = readPairs(args);
  await context.client.changeNetwork({ type: 'setLink', link, isNew: false, addresses, options });
  context.answer({ link }, `link ${link} is changed, and up to all members`);
}

export async function removeLink(context: Context, [word = '']: readonly string[]): Promise<void> {
  const link = readLink(word);
  const { links } = await context.client.network();
  if (!links.some(({ id }) => id === link)) {
    throw new SystoleError('notFound', `there is no link ${link}; there are ${links.map(({ id }) => id).join(', ')}`);
  }
  await context.client.changeNetwork({ type: 'removeLink', link });
  context.answer({ link }, `link ${link} is removed from all nodes`);
}

export async function getValue(context: Context, [name]: readonly string[]): Promise<void> {
  const { linkMode, timing } = await context.client.network();
  const values: Readonly<Record<string, string | number>> = {
    link_mode: linkMode,
    'timing.heartbeat': timing.heartbeatMs,
    'timing.suspect': timing.suspectMs,
    'timing.suspect_max': timing.suspectMaxMs,
  };
  if (name === undefined)
    return context.answer(values, () => table(Object.entries(values).map(([key, value]) => [key, String(value)])));
  const value = values[name];
  if (value === undefined)
    throw new SystoleError('notFound', `there is no value ${name}; there are ${Object.keys(values).join(', ')}`);
  context.answer({ [name]: value }, String(value));
}

export async function setValue(context: Context, [name = '', value = '']: readonly string[]): Promise<void> {
  await context.client.changeNetwork({ type: 'setValue', name, value: typed(value) });
  context.answer({ [name]: value }, `${name} is ${value} on all nodes`);
}

function readLink(word: string): number {
  const link = Number(word);
  if (!/^\d$/.test(word) || link >= LINKS_MAX) throw new UsageError(`"${word}" is no link; links have numbers from 0`);
  return link;
}

function readPairs(args: readonly string[]): {
  readonly addresses: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string | number | boolean>>;
} {
  const addresses: Record<string, string> = {};
  const options: Record<string, string | number | boolean> = {};
  for (const arg of args) {
    if (arg === 'options') continue; // as crmsh writes it
    const at = arg.indexOf('=');
    if (at <= 0) throw new UsageError(`"${arg}" is neither NODE=ADDRESS nor OPTION=VALUE`);
    const [name, value] = [arg.slice(0, at), arg.slice(at + 1)];
    if (linkOptions.has(name)) options[name] = typed(value);
    else addresses[name] = value;
  }
  return { addresses, options };
}

/** Numbers and truth values are written as such into the files. */
function typed(value: string): string | number {
  return /^\d+$/.test(value) ? Number(value) : value;
}

/**
 * The node's own file, changed while the daemon runs: what it says about the network, and nothing else. Comments and the
 * order of its fields stay. The file as it was is kept in memory until the next change, for taking one back.
 */
import { open, readFile, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fail, ok, type Result } from '@systole/kernel';
import { parseDocument } from 'yaml';
import { type DaemonConfiguration, readConfiguration } from '../configuration.ts';
import type { FileChange } from '../node/index.ts';

/** What may be set outside the links; all of it is taken over by a running engine. */
const settable: ReadonlySet<string> = new Set([
  'link_mode',
  'timing.profile',
  'timing.heartbeat',
  'timing.suspect',
  'timing.suspect_max',
]);

/** Fields of a link that all nodes have in common. */
const linkOptions: ReadonlySet<string> = new Set(['multicast', 'port', 'ttl', 'priority', 'mtu', 'mode', 'loopback']);

/** The file's text with the change in it, and what it then says; fails with a sentence. */
export function changed(
  text: string,
  path: string,
  change: FileChange,
): Result<{ readonly text: string; readonly configuration: DaemonConfiguration }, string> {
  const before = readConfiguration(text, path);
  if (!before.ok) return fail(before.error.join('; '));
  const document = parseDocument(text);
  const problem = edit(document, before.value, change);
  if (problem !== undefined) return fail(problem);
  // JSON stays JSON: other programs may read the file.
  const written = isJson(text) ? `${JSON.stringify(document.toJS(), undefined, 2)}\n` : document.toString();
  const after = readConfiguration(written, path);
  return after.ok ? ok({ text: written, configuration: after.value }) : fail(after.error.join('; '));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function edit(
  document: ReturnType<typeof parseDocument>,
  { node, nodes, links }: DaemonConfiguration,
  change: FileChange,
): string | undefined {
  if (change.type === 'setValue') {
    if (!settable.has(change.name))
      return `${change.name} cannot be changed in a running cluster; ${[...settable].join(', ')} can`;
    document.setIn(change.name.split('.'), change.value);
    return undefined;
  }
  const at = links.findIndex(({ id }) => id === change.link);
  // Numbers must not depend on places any more once there are holes.
  for (const [index, { id }] of links.entries()) document.setIn(['links', index, 'id'], id);
  if (change.type === 'removeLink') {
    if (at >= 0 && links.length === 1) return `link ${change.link} is the only one`;
    if (at >= 0) document.deleteIn(['links', at]);
    return undefined;
  }
  const strange = Object.keys(change.options).find((name) => !linkOptions.has(name));
  if (strange !== undefined) return `a link has no option ${strange}; it has ${[...linkOptions].join(', ')}`;
  const known = links[at];
  if (known === undefined && !change.isNew) return `there is no link ${change.link}`;
  const address = change.addresses[node];
  if (known !== undefined && change.isNew && known.address !== address) return `there is a link ${change.link} already`;
  const before = (known === undefined ? {} : (document.toJS() as { links: Record<string, unknown>[] }).links[at]) ?? {};
  const { interface: device, ...kept } = before;
  const place = address === undefined ? (device === undefined ? {} : { interface: device }) : { address };
  const link = { ...kept, id: change.link, ...place, ...change.options };
  const others = nodes.filter((other) => other !== node);
  const peers = others.map((other, index) => change.addresses[other] ?? known?.peers[index] ?? '');
  const whole = 'multicast' in link ? link : { ...link, peers };
  document.setIn(['links', at < 0 ? links.length : at], document.createNode(whole));
  return undefined;
}

export class NodeFile {
  readonly #path: string;
  #before: string | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  async check(change: FileChange): Promise<Result<DaemonConfiguration, string>> {
    const result = changed(await readFile(this.#path, 'utf8'), this.#path, change);
    return result.ok ? ok(result.value.configuration) : result;
  }

  /** @throws if it cannot be written; then the file is as it was. */
  async apply(change: FileChange): Promise<Result<DaemonConfiguration, string>> {
    const before = await readFile(this.#path, 'utf8');
    const result = changed(before, this.#path, change);
    if (!result.ok) return result;
    await this.#write(result.value.text);
    this.#before = before;
    return ok(result.value.configuration);
  }

  /** The file as it was before the last change. */
  async undo(): Promise<Result<DaemonConfiguration, string>> {
    if (this.#before === undefined) return fail('there is nothing to take back');
    await this.#write(this.#before);
    const read = readConfiguration(this.#before, this.#path);
    this.#before = undefined;
    return read.ok ? read : fail(read.error.join('; '));
  }

  async #write(text: string): Promise<void> {
    const aside = `${this.#path}.new`;
    try {
      const file = await open(aside, 'w', 0o644);
      try {
        await file.writeFile(text);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(aside, this.#path);
    } catch (error) {
      await unlink(aside).catch(() => undefined);
      throw error;
    }
    const folder = await open(dirname(this.#path), 'r');
    await folder.sync().finally(() => folder.close());
  }
}

/**
 * The cluster's nodes: configured members, and remote and guest nodes that follow from resources. Here they are made
 * and given their attributes; `online.ts` finds their state.
 */
import { type AttributeSet, mergeSets, type RuleContext } from '@systole/cib';
import { connection } from '../expand/implied.ts';
import { type DraftNode, findNode, type Reader } from '../expand/draft.ts';
import { forgetCommonAllowed } from '../expand/allowed.ts';
import { isRemoteAgent, numbers } from '../expand/settings.ts';
import type { Primitive, Resource } from '@systole/cib';
import { indexFailures } from './failures.ts';

interface NodeSource {
  readonly id: string;
  readonly name: string;
  readonly type: 'member' | 'remote';
  readonly score: number;
  readonly isConfigured?: boolean;
}

/** Makes a node, or returns the one that has this name already. */
export function createNode(reader: Reader, source: NodeSource): DraftNode {
  const known = findNode(reader, source.name);
  if (known !== undefined) return known;
  const node: DraftNode = {
    index: -1,
    id: source.id,
    name: source.name,
    kind: source.type,
    isConfigured: source.isConfigured ?? false,
    score: source.score,
    discovery: 'always',
    isOnline: false,
    isPending: false,
    isUnclean: false,
    isStandby: false,
    isStandbyByFailure: false,
    isMaintenance: false,
    isShutdown: false,
    isSeen: false,
    isExpectedUp: false,
    allowsProbes: true,
    needsReset: false,
    wasFenced: false,
    wasMaintenance: false,
    isBundleNode: false,
    isDc: false,
    attributes: new Map([['#kind', source.type === 'member' ? 'cluster' : 'remote']]),
    utilization: new Map(),
    healthScore: 0,
    priority: 0,
    running: [],
    failures: new Map(),
    isRead: false,
  };
  reader.nodes.push(node);
  reader.nodeByName.set(source.name.toLowerCase(), node);
  if (!reader.nodeById.has(source.id.toLowerCase())) reader.nodeById.set(source.id.toLowerCase(), node);
  forgetCommonAllowed(reader);
  return node;
}

/** Members and remote nodes of the configuration. */
export function readConfiguredNodes(reader: Reader): void {
  for (const one of reader.cib.configuration.nodes) {
    if (one.type === 'ping') {
      reader.messages.push({ level: 'error', text: `node ${one.name} is ignored: nodes of type ping are not used` });
      continue;
    }
    const type = one.type ?? 'member';
    const node = createNode(reader, { id: one.id, name: one.name, type, score: one.score ?? 0, isConfigured: true });
    if (type === 'member') node.isUnclean = assumedUnclean(reader);
    addAttributes(reader, node, one.attributes, one.utilization, false);
  }
}

/** A node is unclean until it has been seen, unless the operator trusts that absent nodes are off. */
export const assumedUnclean = (reader: Reader): boolean =>
  reader.options.isFencingEnabled && reader.options.isStartupFencing;

/** Adds attributes: permanent ones give way to what is there, transient ones replace it. */
export function addAttributes(
  reader: Reader,
  node: DraftNode,
  sets: readonly AttributeSet[],
  utilization: readonly AttributeSet[],
  replaces: boolean,
): void {
  const { attributes } = node;
  attributes.set('#uname', node.name);
  attributes.set('#id', node.id);
  if (node.id.toLowerCase() === reader.cib.header.dcId?.toLowerCase()) node.isDc = true;
  attributes.set('#is_dc', String(node.isDc));
  const clusterName = reader.options.raw.get('cluster-name');
  if (clusterName !== undefined) attributes.set('#cluster-name', clusterName);
  const context: RuleContext = reader.ruleContext;
  const values = new Map<string, string>();
  mergeSets(sets, context, values);
  for (const [name, value] of values) if (replaces || !attributes.has(name)) attributes.set(name, value);
  const amounts = new Map<string, string>();
  mergeSets(utilization, context, amounts);
  for (const [name, amount] of numbers(amounts)) if (!node.utilization.has(name)) node.utilization.set(name, amount);
  if (!attributes.has('#site-name')) {
    const site = attributes.get('site-name') ?? clusterName;
    if (site !== undefined) attributes.set('#site-name', site);
  }
  node.failures = indexFailures(attributes);
}

/**
 * Remote nodes (each `ocf:pacemaker:remote` primitive is one) and guest nodes (each primitive with the meta attribute
 * `remote-node`). Returns the connections of the guests, which are resources that nobody configured.
 */
export function readRemoteNodes(reader: Reader): readonly Primitive[] {
  const implied: Primitive[] = [];
  const add = (name: string): void => {
    createNode(reader, { id: name, name, type: 'remote', score: 0 });
  };
  for (const resource of reader.cib.configuration.resources) {
    if (isRemote(resource)) {
      add(resource.id);
      continue;
    }
    const members = resource.kind === 'primitive' ? [resource] : resource.kind === 'group' ? resource.members : [];
    for (const member of members) {
      const guest = guestConnection(member, reader.cib.configuration.resources);
      if (guest === undefined) continue;
      implied.push(guest);
      add(guest.id);
    }
  }
  return implied;
}

const isRemote = (resource: Resource): boolean =>
  resource.kind === 'primitive' && resource.agent !== undefined && isRemoteAgent(resource.agent);

function guestConnection(primitive: Primitive, resources: readonly Resource[]): Primitive | undefined {
  if (!primitive.meta.some((set) => set.pairs.some((pair) => pair.name === 'remote-node'))) return undefined;
  const meta = new Map(
    primitive.meta.flatMap((set) => set.pairs.map(({ name, value }) => [name ?? '', value ?? ''] as const)),
  );
  const name = meta.get('remote-node');
  if (name === undefined || resources.some((one) => one.id === name)) return undefined;
  return connection(name, {
    container: primitive.id,
    allowMigrate: meta.get('remote-allow-migrate'),
    isManaged: meta.get('is-managed'),
    startTimeout: meta.get('remote-connect-timeout') ?? '60s',
    server: meta.get('remote-addr'),
    port: meta.get('remote-port'),
  });
}

/** Which of two names comes first in lists: numbers in them compare as numbers, letters without case. */
export function compareNodeNames(a: string, b: string): number {
  const partsOf = (name: string): readonly string[] => name.toLowerCase().match(/\d+|\D/g) ?? [];
  const [left, right] = [partsOf(a), partsOf(b)];
  for (let at = 0; at < Math.min(left.length, right.length); at += 1) {
    const [x, y] = [left[at] ?? '', right[at] ?? ''];
    const areNumbers = /^\d/.test(x) && /^\d/.test(y);
    const order = areNumbers ? Number(x) - Number(y) || x.length - y.length : x < y ? -1 : Number(x > y);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

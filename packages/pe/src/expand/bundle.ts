/**
 * A bundle → the resources that make it up: for every replica a container, an address if there are addresses, and, if
 * a primitive runs inside, the connection to the guest node in the container; and a clone of that primitive whose
 * instances each belong to one replica.
 *
 * The texts of parameters are Pacemaker's to the byte: their digests decide whether a running container is restarted.
 * Semantics: Pacemaker's lib/pengine/bundle.c.
 */
import { type Bundle, type Clone, INFINITY, type Primitive } from '@systole/cib';
import { booleanOf, integerOf } from '../config/values.ts';
import { createNode } from '../status/nodes.ts';
import { connection, implied, monitor, pairs } from './implied.ts';
import { allowOnly, defaultAllowed, disallowNode, ownAllowed } from './allowed.ts';
import { boundedInstances, buildClone, buildPrimitive, common } from './build.ts';
import { type DraftBundle, type DraftClone, type DraftReplica, type Reader } from './draft.ts';
import { readSettings, rememberMetaSets } from './settings.ts';

/** Where a connection listens, and where the key lies, if the bundle does not say. */
const defaultPort = '3121';
const keyPath = '/etc/pacemaker/authkey';
const logRoot = '/var/log/pacemaker/bundles';
const remoteProgram = '/usr/sbin/pacemaker-remoted';

interface Mount {
  readonly source: string;
  readonly target: string;
  readonly options?: string;
  /** Each replica has a folder of its own below `source`. */
  readonly isPerReplica: boolean;
}

interface Layout {
  readonly id: string;
  readonly containerType: 'docker' | 'podman';
  readonly container: Readonly<Record<string, string>>;
  readonly network: Readonly<Record<string, string>>;
  readonly ports: readonly { readonly source: string; readonly target: string }[];
  readonly mounts: readonly Mount[];
  /** `--add-host` or its like for every replica, so that each knows the others by name. */
  readonly hostOptions: string;
  readonly hasChild: boolean;
}

export function buildBundle(reader: Reader, bundle: Bundle): DraftBundle | undefined {
  const containerType = bundle.containerType;
  if (containerType !== 'docker' && containerType !== 'podman') {
    const text = `${bundle.id} is ignored: containers of type "${containerType}" are not supported, use podman or docker`;
    reader.messages.push({ level: 'error', text });
    return undefined;
  }
  const { container } = bundle;
  const network = bundle.network ?? {};
  const promotedMax = integerOf(container['promoted-max'] ?? container['masters'] ?? '0', 0);
  const wanted =
    container['replicas'] === undefined && promotedMax > 0 ? promotedMax : integerOf(container['replicas'] ?? '1', 1);
  const max = boundedInstances(reader, bundle.id, wanted);
  const isReachable = network['ip-range-start'] !== undefined || network['control-port'] !== undefined;
  if (bundle.primitive !== undefined && !isReachable) {
    const text = `${bundle.id} is ignored: to run ${bundle.primitive.id} inside it needs ip-range-start or control-port`;
    reader.messages.push({ level: 'error', text });
    return undefined;
  }
  const writtenPerHost = integerOf(container['replicas-per-host'] ?? '1', 1);
  const needsOwnPort = network['ip-range-start'] === undefined && network['control-port'] !== undefined;
  const perHost = needsOwnPort && bundle.primitive !== undefined ? 1 : writtenPerHost;

  const settings = readSettings(
    reader,
    { meta: bundle.meta, parameters: bundle.parameters, isInClone: false },
    undefined,
  );
  const draft: DraftBundle = {
    ...common(settings, bundle.id, undefined, undefined),
    kind: 'bundle',
    isUnique: writtenPerHost !== 1,
    children: [],
    activeNodes: [],
    probedNodes: new Set(),
    allowed: new Map(),
    max,
    perHost,
    promotedMax,
    replicas: [],
  };
  rememberMetaSets(reader, draft, bundle.meta);
  const inner =
    bundle.primitive === undefined ? undefined : innerClone(bundle, bundle.primitive, max, perHost, promotedMax);
  const child = inner === undefined ? undefined : buildClone(reader, inner, draft);
  if (inner !== undefined && child === undefined) return undefined;
  if (child !== undefined) prepareChild(draft, child);

  const layout = layOut(bundle, containerType, max);
  let address: string | undefined;
  for (let number = 0; number < max; number += 1) {
    address = number === 0 ? network['ip-range-start'] : address === undefined ? undefined : nextAddress(address);
    if (!addReplica(reader, draft, layout, number, address, child)) return undefined;
  }
  if (child !== undefined) {
    draft.child = child;
    draft.children.push(child);
  }
  draft.allowed = defaultAllowed(reader, false);
  spreadAllowed(reader, draft);
  return draft;
}

function innerClone(bundle: Bundle, member: Primitive, max: number, perHost: number, promotedMax: number): Clone {
  const suffix = promotedMax > 0 ? 'master' : 'clone';
  return {
    kind: 'clone',
    id: `${bundle.id}-${suffix}`,
    member,
    parameters: [],
    meta: pairs({
      ordered: 'true',
      'clone-max': String(max),
      'clone-node-max': String(perHost),
      'globally-unique': String(perHost > 1),
      promotable: promotedMax > 0 ? 'true' : undefined,
      'promoted-max': promotedMax > 0 ? String(promotedMax) : undefined,
    }),
  };
}

/** The clone notifies if what it clones does, and keeps promotion scores where that asks for it. */
function prepareChild(bundle: DraftBundle, child: DraftClone): void {
  for (const one of child.children) {
    one.hasExclusiveProbes = true;
    if (one.hasNotify) child.hasNotify = true;
  }
  const target = child.children.at(-1)?.meta.get('container-attribute-target');
  if (target !== undefined) {
    bundle.meta.set('container-attribute-target', target);
    child.meta.set('container-attribute-target', target);
  }
}

/** The default score reaches into the bundle once more, for nodes that came while it was built. */
function spreadAllowed(reader: Reader, bundle: DraftBundle): void {
  if (!reader.options.isSymmetric) return;
  const spread = (one: DraftBundle['children'][number]): void => {
    if (one.hasExclusiveProbes) return;
    one.children.forEach(spread);
    const missing = reader.nodes.filter((node) => node.discovery !== 'never' && !one.allowed.has(node));
    for (const node of missing) ownAllowed(reader, one).set(node, { score: node.score, discovery: node.discovery });
  };
  bundle.children.forEach(spread);
}

function layOut(bundle: Bundle, containerType: Layout['containerType'], max: number): Layout {
  const network = bundle.network ?? {};
  const mounts: Mount[] = [];
  for (const one of bundle.storage) {
    const source = one['source-dir'] ?? one['source-dir-root'];
    const target = one['target-dir'];
    if (source === undefined || target === undefined) continue;
    const options = one['options'];
    mounts.push({
      source,
      target,
      ...(options === undefined ? {} : { options }),
      isPerReplica: one['source-dir'] === undefined,
    });
  }
  const ports = bundle.ports.flatMap((one) => {
    const source = one['port'] ?? one['range'];
    if (source === undefined || source === '') return [];
    return [{ source, target: (one['port'] === undefined ? undefined : one['internal-port']) ?? source }];
  });
  const hasChild = bundle.primitive !== undefined;
  if (hasChild) {
    const hasLog = mounts.some((mount) => mount.target === '/var/log');
    mounts.push({ source: keyPath, target: keyPath, isPerReplica: false });
    if (!hasLog) mounts.push({ source: logRoot, target: '/var/log', isPerReplica: true });
    const port = network['control-port'] ?? defaultPort;
    ports.push({ source: port, target: port });
  }
  return {
    id: bundle.id,
    containerType,
    container: bundle.container,
    network,
    ports,
    mounts,
    hostOptions: hostOptions(bundle, max),
    hasChild,
  };
}

function hostOptions(bundle: Bundle, max: number): string {
  const network = bundle.network ?? {};
  const addsHost = booleanOf(network['add-host']) ?? true;
  let text = '';
  let address = network['ip-range-start'];
  for (let number = 0; number < max && address !== undefined; number += 1) {
    const name = `${bundle.id}-${number}`;
    text += addsHost ? ` --add-host=${name}:${address}` : ` --hosts-entry=${address}=${name}`;
    address = nextAddress(address);
  }
  return text;
}

/** The next IPv4 address; none after the last of a third octet, and none for IPv6. */
function nextAddress(address: string): string | undefined {
  const octets = /^(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address)?.slice(1).map(Number);
  if (octets === undefined) return undefined;
  const [a, b, c, d] = octets as [number, number, number, number];
  if (c > 253) return undefined;
  return d > 253 ? `${a}.${b}.${c + 1}.1` : `${a}.${b}.${c}.${d + 1}`;
}

function runOptions(
  layout: Layout,
  number: number,
  address: string | undefined,
): { readonly run: string; readonly mountPoints: string } {
  const { container, network } = layout;
  const net = container['network'];
  const folders: string[] = [];
  let run = layout.containerType === 'docker' ? ' --restart=no' : '';
  if (network['ip-range-start'] !== undefined) run += ` -h ${layout.id}-${number}`;
  run += ' -e PCMK_stderr=1';
  if (net !== undefined) run += ` --net=${net}`;
  run += ` -e PCMK_remote_port=${network['control-port'] ?? defaultPort}`;
  for (const mount of layout.mounts) {
    const source = mount.isPerReplica ? `${mount.source}/${layout.id}-${number}` : mount.source;
    if (mount.isPerReplica) folders.push(source);
    run += ` -v ${source}:${mount.target}${mount.options === undefined ? '' : `:${mount.options}`}`;
  }
  for (const port of layout.ports) {
    if (address !== undefined) run += ` -p ${address}:${port.source}:${port.target}`;
    else if (net !== 'host') run += ` -p ${port.source}:${port.target}`;
  }
  if (container['options'] !== undefined) run += ` ${container['options']}`;
  run += ` ${layout.hostOptions}`;
  return { run, mountPoints: folders.join(',') };
}

function addReplica(
  reader: Reader,
  bundle: DraftBundle,
  layout: Layout,
  number: number,
  address: string | undefined,
  clone: DraftClone | undefined,
): boolean {
  const { container, network } = layout;
  const child = clone?.children[number];
  const { run, mountPoints } = runOptions(layout, number, address);
  const containerConfig = implied(
    `${layout.id}-${layout.containerType}-${number}`,
    'heartbeat',
    layout.containerType,
    {
      image: container['image'],
      allow_pull: 'true',
      force_kill: 'false',
      reuse: 'false',
      run_opts: run,
      mount_points: mountPoints,
      run_cmd: container['run-command'] ?? (layout.hasChild ? remoteProgram : undefined),
      monitor_cmd: '/bin/true',
    },
    [monitor('60s')],
  );
  const containerDraft = buildPrimitive(reader, containerConfig, bundle, undefined);
  if (containerDraft === undefined) return false;
  containerDraft.isReplicaContainer = true;
  const replica: DraftReplica = {
    number,
    container: containerDraft,
    ...(address === undefined ? {} : { ipAddress: address }),
    ...(child?.kind === 'primitive' ? { child } : {}),
  };
  if (network['ip-range-start'] !== undefined && address !== undefined) {
    const ip = buildPrimitive(
      reader,
      implied(
        `${layout.id}-ip-${address}`,
        'heartbeat',
        'IPaddr2',
        { ip: address, nic: network['host-interface'], cidr_netmask: network['host-netmask'] ?? '32' },
        [monitor('60s')],
      ),
      bundle,
      undefined,
    );
    if (ip === undefined) return false;
    replica.ip = ip;
  }
  bundle.replicas.push(replica);
  // The order in which Pacemaker creates them, by which equal things are told apart later.
  bundle.children.push(containerDraft);
  if (replica.ip !== undefined) bundle.children.push(replica.ip);
  if (replica.child !== undefined) addConnection(reader, bundle, layout, replica);
  if (replica.child !== undefined && address !== undefined) {
    replica.child.meta = new Map([...replica.child.meta, ['external-ip', address]]);
  }
  moveUtilization(replica);
  return true;
}

function addConnection(reader: Reader, bundle: DraftBundle, layout: Layout, replica: DraftReplica): void {
  const { child } = replica;
  if (child?.parent === undefined) return;
  const wanted = `${layout.id}-${replica.number}`;
  const name = reader.instanceById.has(wanted) ? `pcmk-internal-${child.id}-remote-${replica.number}` : wanted;
  const config = connection(name, {
    container: replica.container.id,
    server: replica.ipAddress ?? '#uname',
    port: layout.network['control-port'] ?? defaultPort,
  });
  const node = createNode(reader, { id: config.id, name: config.id, type: 'remote', score: -INFINITY });
  node.score = -INFINITY;
  node.discovery = 'never';
  node.isBundleNode = true;
  delete reader.commonAllowed;
  disallowNode(reader, node);
  replica.node = node;
  allowOnly(reader, child, node, 500);
  ownAllowed(reader, child.parent).set(node, { score: -INFINITY, discovery: 'exclusive' });

  const remote = buildPrimitive(reader, config, bundle, undefined);
  if (remote === undefined) return;
  for (const [at, { discovery }] of ownAllowed(reader, remote)) {
    if (at.kind !== 'member') remote.allowed.set(at, { score: -INFINITY, discovery });
  }
  remote.launcher = replica.container;
  remote.allowsNestedRemote = true;
  node.connection = remote;
  node.kind = 'guest';
  node.attributes.set('#kind', 'container');
  replica.remote = remote;
  bundle.children.push(remote);
}

/** Utilization can be configured only for the primitive inside, and is meant for the container. */
function moveUtilization(replica: DraftReplica): void {
  if (replica.child === undefined) return;
  replica.container.utilization = replica.child.utilization;
  replica.child.utilization = new Map();
}

/** Whether the address of a bundle's connection is that of the node it will be on, known only after placement. */
export const needsHostName = (parameters: ReadonlyMap<string, string>): boolean =>
  parameters.get('addr')?.toLowerCase() === '#uname';

/** `systole cluster init`, `join`, `token` and `key`: what makes a machine a node of a cluster. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { dirname, join as joinPath, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { SystoleError } from '@systole/kernel';
import type { Context } from '../shell/context.ts';
import { UsageError } from '../shell/failure.ts';
import { isKeyLine, tokenKey } from './key.ts';
import { networkPreflight, preflight } from './preflight.ts';

const FOLDER = '/etc/systole';
const PORT = 5405;
/** In the range that organisations use for themselves. */
const GROUP = '239.255.77.1';

// --- the key ---------------------------------------------------------------------------------------------------

const newKey = (): string => randomBytes(32).toString('hex');

/** Never overwrites: a cluster whose nodes have different keys falls apart. */
function writeKey(file: string, key: string): void {
  try {
    writeFileSync(file, `${key}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    const exists = (error as NodeJS.ErrnoException).code === 'EEXIST';
    const message = exists
      ? `${file} exists; a cluster's key is not overwritten`
      : `cannot write ${file}: ${(error as Error).message}`;
    throw new SystoleError(exists ? 'refused' : 'failed', message, { cause: error });
  }
}

export function generateKey(context: Context, args: readonly string[]): void {
  const [file = ''] = args;
  writeKey(file, newKey());
  context.answer({ file }, `wrote ${file}; copy it to every node, readable by its owner only`);
}

// --- making and joining ----------------------------------------------------------------------------------------

const initOptions = {
  name: { type: 'string' },
  node: { type: 'string' },
  address: { type: 'string' },
  interface: { type: 'string' },
  multicast: { type: 'string' },
  peers: { type: 'string' },
  port: { type: 'string' },
  dir: { type: 'string' },
  nodes: { type: 'string' },
  'two-node': { type: 'boolean' },
} as const;

type InitValues = ReturnType<typeof parseArgs<{ options: typeof initOptions }>>['values'];

function readInitOptions(
  args: readonly string[],
  wordsAllowed: number,
): { readonly values: InitValues; readonly words: readonly string[] } {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: initOptions, allowPositionals: true });
    if (positionals.length > wordsAllowed) throw new UsageError(`no use for "${positionals[wordsAllowed] ?? ''}"`);
    return { values, words: positionals };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError((error as Error).message);
  }
}

/** What a machine needs to join; it holds the key, so it is a secret. */
interface Token {
  readonly cluster: string;
  readonly key: string;
  readonly port: number;
  readonly multicast?: string;
  readonly peers?: readonly string[];
  /** Names of all nodes that the cluster is to have: their votes are counted from the start. */
  readonly nodes?: readonly string[];
  /** One vote of two is enough; fencing decides. */
  readonly isTwoNode?: boolean;
}

const TOKEN_MARK = 'systole1.';

const writeToken = (token: Token): string => TOKEN_MARK + Buffer.from(JSON.stringify(token)).toString('base64url');

function readToken(text: string): Token {
  try {
    if (!text.startsWith(TOKEN_MARK)) throw new Error('no mark');
    const token = JSON.parse(
      Buffer.from(text.slice(TOKEN_MARK.length), 'base64url').toString('utf8'),
    ) as Partial<Token>;
    const { cluster, key, port, multicast, peers, nodes, isTwoNode } = token;
    if (typeof cluster !== 'string' || typeof key !== 'string' || !isKeyLine(key) || typeof port !== 'number')
      throw new Error('fields');
    return {
      cluster,
      key,
      port,
      ...(multicast === undefined ? {} : { multicast }),
      ...(peers === undefined ? {} : { peers }),
      ...(nodes === undefined ? {} : { nodes }),
      ...(isTwoNode === true ? { isTwoNode } : {}),
    };
  } catch (error) {
    throw new SystoleError(
      'invalid',
      'this is not a join token; systole cluster token prints one, on a node of the cluster',
      { cause: error },
    );
  }
}

export async function init(context: Context, args: readonly string[]): Promise<void> {
  const { values } = readInitOptions(args, 0);
  if (values.name === undefined)
    throw new UsageError(
      'cluster init lacks --name CLUSTER',
      '  usage: systole cluster init --name CLUSTER --address ADDRESS',
    );
  const token: Token = {
    cluster: values.name,
    key: newKey(),
    port: readPort(values.port),
    ...(values.peers === undefined ? { multicast: values.multicast ?? GROUP } : { peers: values.peers.split(',') }),
    ...(values.nodes === undefined ? {} : { nodes: values.nodes.split(',') }),
    ...(values['two-node'] === true ? { isTwoNode: true } : {}),
  };
  if (token.isTwoNode === true && token.nodes?.length !== 2)
    throw new UsageError('--two-node needs the names of the two: --nodes NAME,NAME');
  const file = await setUp(context, token, values, false);
  const text = writeToken(token);
  context.answer(
    { cluster: token.cluster, configuration: file, token: text },
    `This machine is the first node of the cluster ${token.cluster}. Start it with: systole cluster start\n` +
      `On each further machine (the token is a secret):\n  systole cluster join ${text} --address ITS-ADDRESS`,
  );
}

export async function join(context: Context, args: readonly string[]): Promise<void> {
  const { values, words } = readInitOptions(args, 1);
  const [text] = words;
  if (text === undefined)
    throw new UsageError('cluster join lacks the token', '  usage: systole cluster join TOKEN --address ADDRESS');
  const token = readToken(text);
  const file = await setUp(context, token, values, true);
  context.answer(
    { cluster: token.cluster, configuration: file },
    `This machine is a node of the cluster ${token.cluster}. Start it with: systole cluster start`,
  );
}

function readPort(text: string | undefined): number {
  const port = text === undefined ? PORT : Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new UsageError(`"${text ?? ''}" is not a port`);
  return port;
}

/** Writes the node's file and key after checking what usually is wrong. */
async function setUp(context: Context, token: Token, values: InitValues, isJoining: boolean): Promise<string> {
  const folder = values.dir ?? FOLDER;
  const file = joinPath(folder, 'systole.yaml');
  if (existsSync(file)) throw new SystoleError('refused', `${file} exists: this machine is a node already`);
  const address = values.address;
  if (address === undefined && values.interface === undefined)
    throw new UsageError('name this machine: --address ADDRESS, or --interface NAME');
  const local = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map((each) => each.address));
  if (address !== undefined && !local.includes(address)) {
    throw new SystoleError('invalid', `${address} is no address of this machine; it has ${local.join(', ')}`);
  }
  const node = values.node ?? hostname().split('.')[0] ?? hostname();
  try {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
  } catch (error) {
    throw new SystoleError('permission', `cannot make ${folder}: ${(error as Error).message}`, { cause: error });
  }
  const nodes = token.nodes ?? [];
  if (nodes.length > 0 && !nodes.includes(node)) {
    context.remark(
      `${node} is not one of ${nodes.join(', ')}: enter it on a running node, systole configure node ${node}`,
    );
  }
  writeKey(joinPath(folder, 'key'), token.key);
  const place = address === undefined ? `interface: ${values.interface ?? ''}` : `address: ${address}`;
  const others =
    token.multicast === undefined
      ? `peers: [${(token.peers ?? []).filter((peer) => peer !== address).join(', ')}]`
      : `multicast: ${token.multicast}`;
  const text = `# One node of a Systole cluster. docs/configuration.md explains every field.
cluster: ${token.cluster}
node: ${node}
${nodes.length === 0 ? '' : `nodes: [${nodes.join(', ')}]\n`}key: ${joinPath(folder, 'key')}
links:
  - ${place}
    ${others}
    port: ${token.port}
${token.isTwoNode === true ? 'quorum:\n  two_node: true\n' : ''}`;
  writeFileSync(file, text, { mode: 0o644, flag: 'wx' });
  const { port, multicast } = token;
  const network = await networkPreflight({
    node,
    nodes,
    address: address ?? networkInterfaces()[values.interface ?? '']?.[0]?.address,
    port,
    multicast,
    isJoining,
  });
  for (const remark of [...preflight(), ...network]) context.remark(`note: ${remark}`);
  return file;
}

/** The token of the cluster that this machine is a node of. */
export async function token(context: Context, args: readonly string[]): Promise<void> {
  const { values } = readInitOptions(args, 0);
  const file = context.options.config ?? joinPath(values.dir ?? FOLDER, 'systole.yaml');
  const { parse } = await import('yaml');
  let settings: NodeFile;
  let key: string;
  try {
    settings = (parse(readFileSync(file, 'utf8')) ?? {}) as NodeFile;
    key = readFileSync(resolve(dirname(file), settings.key ?? 'key'), 'utf8');
  } catch (error) {
    throw new SystoleError('notFound', `this machine is no node of a cluster: ${(error as Error).message}`, {
      cause: error,
    });
  }
  const [link = {}] = settings.links ?? [];
  // Addresses of peers stand in the order of the nodes.
  const at = Math.max(0, settings.nodes?.indexOf(settings.node ?? '') ?? 0);
  const own = (link.peers ?? []).toSpliced(at, 0, ...(link.address === undefined ? [] : [link.address]));
  const result = writeToken({
    cluster: settings.cluster ?? '',
    key: tokenKey(key),
    port: link.port ?? PORT,
    ...(link.multicast === undefined ? { peers: own } : { multicast: link.multicast }),
    ...(settings.nodes === undefined ? {} : { nodes: settings.nodes }),
    ...(settings.quorum?.two_node === true ? { isTwoNode: true } : {}),
  });
  context.answer({ token: result }, result);
}

/** What of a node's file a joining machine needs to know; the daemon has checked the file. */
interface NodeFile {
  readonly cluster?: string;
  readonly key?: string;
  readonly node?: string;
  readonly nodes?: readonly string[];
  readonly links?: readonly {
    readonly address?: string;
    readonly multicast?: string;
    readonly peers?: readonly string[];
    readonly port?: number;
  }[];
  readonly quorum?: { readonly two_node?: boolean };
}

/** `systole cluster`, `quorum`, `net` and `key`: making a cluster, joining one, and the daemon here. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { join as joinPath } from 'node:path';
import { parseArgs } from 'node:util';
import { parseDuration, SystoleError } from '@systole/kernel';
import { troubles } from '../render/status.ts';
import { table } from '../render/table.ts';
import type { Context } from '../shell/context.ts';
import { exitStatus, UsageError } from '../shell/failure.ts';

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
    if (
      typeof cluster !== 'string' ||
      typeof key !== 'string' ||
      !/^[0-9a-f]{64}$/.test(key) ||
      typeof port !== 'number'
    )
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

export function init(context: Context, args: readonly string[]): void {
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
  const file = setUp(context, token, values);
  const text = writeToken(token);
  context.answer(
    { cluster: token.cluster, configuration: file, token: text },
    `This machine is the first node of the cluster ${token.cluster}. Start it with: systole cluster start\n` +
      `On each further machine (the token is a secret):\n  systole cluster join ${text} --address ITS-ADDRESS`,
  );
}

export function join(context: Context, args: readonly string[]): void {
  const { values, words } = readInitOptions(args, 1);
  const [text] = words;
  if (text === undefined)
    throw new UsageError('cluster join lacks the token', '  usage: systole cluster join TOKEN --address ADDRESS');
  const token = readToken(text);
  const file = setUp(context, token, values);
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
function setUp(context: Context, token: Token, values: InitValues): string {
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
  for (const remark of preflight()) context.remark(remark);
  return file;
}

/** Sentences about what is missing on this machine. Nothing here stops a cluster from being made. */
function preflight(): readonly string[] {
  const missing: string[] = [];
  const has = (program: string): boolean =>
    spawnSync('/bin/sh', ['-c', `command -v ${program}`], { stdio: 'ignore' }).status === 0;
  if (!has('ip')) missing.push('the program "ip" (iproute2) is missing: addresses cannot be moved');
  if (!has('arping')) missing.push('the program "arping" is missing: neighbours learn late that an address has moved');
  if (!has('systemctl')) missing.push('there is no systemd here: start the daemon yourself, systoled --config FILE');
  if (!existsSync('/dev/watchdog'))
    missing.push('there is no /dev/watchdog: a node that hangs can only be fenced from outside');
  return missing;
}

/** The token of the cluster that this machine is a node of. */
export function token(context: Context, args: readonly string[]): void {
  const { values } = readInitOptions(args, 0);
  const folder = values.dir ?? FOLDER;
  const file = context.options.config ?? joinPath(folder, 'systole.yaml');
  let text: string;
  let key: string;
  try {
    text = readFileSync(file, 'utf8');
    key = readFileSync(/^key:\s*(\S+)/m.exec(text)?.[1] ?? joinPath(folder, 'key'), 'utf8').trim();
  } catch (error) {
    throw new SystoleError('notFound', `this machine is no node of a cluster: ${(error as Error).message}`, {
      cause: error,
    });
  }
  const cluster = /^cluster:\s*(\S+)/m.exec(text)?.[1] ?? '';
  const multicast = /^\s*multicast:\s*(\S+)/m.exec(text)?.[1];
  const listOf = (field: string): readonly string[] | undefined =>
    new RegExp(`^\\s*${field}:\\s*\\[([^\\]]*)\\]`, 'm')
      .exec(text)?.[1]
      ?.split(',')
      .map((one) => one.trim());
  const [peers, nodes] = [listOf('peers'), listOf('nodes')];
  const port = readPort(/^\s*port:\s*(\d+)/m.exec(text)?.[1]);
  const result = writeToken({
    cluster,
    key,
    port,
    ...(multicast === undefined ? {} : { multicast }),
    ...(peers === undefined ? {} : { peers }),
    ...(nodes === undefined ? {} : { nodes }),
    ...(/^\s*two_node:\s*true/m.test(text) ? { isTwoNode: true } : {}),
  });
  context.answer({ token: result }, result);
}

// --- the daemon here -------------------------------------------------------------------------------------------

export function service(context: Context, action: 'start' | 'restart' | 'enable' | 'disable'): void {
  const { status: code, stderr, error } = spawnSync('systemctl', [action, 'systoled.service'], { encoding: 'utf8' });
  if (error !== undefined) {
    const file = context.options.config ?? joinPath(FOLDER, 'systole.yaml');
    throw new SystoleError('failed', `there is no systemd here; run the daemon yourself: systoled --config ${file}`, {
      cause: error,
    });
  }
  if (code !== 0) throw new SystoleError('failed', `systemctl ${action} systoled: ${stderr.trim()}`);
  context.answer({ service: 'systoled', action }, '');
}

export async function stop(context: Context): Promise<void> {
  const report = await context.client.status();
  const here = report.resources.filter((row) => row.nodes.includes(report.node)).map((row) => row.id);
  if (
    context.terminal.isInteractive &&
    here.length > 0 &&
    !(await context.confirm(`${here.join(', ')} will move away or stop. Stop the daemon on ${report.node}?`))
  )
    return;
  await context.client.shutDown();
  context.answer({ node: report.node }, `${report.node} is leaving the cluster`);
}

export async function waitForStartup(context: Context, args: readonly string[]): Promise<void> {
  const [text = '60'] = args;
  const limit = parseDuration(text);
  if (!limit.ok) throw new UsageError(limit.error);
  const end = performance.now() + limit.value;
  const { setTimeout: sleep } = await import('node:timers/promises');
  for (;;) {
    try {
      const report = await context.client.status();
      if (report.dc !== undefined && report.quorate) return;
    } catch (error) {
      if (!(error instanceof SystoleError) || error.code !== 'unavailable') throw error;
    }
    if (performance.now() > end)
      throw new SystoleError('timedOut', `the daemon here has no quorate cluster within ${text}`);
    await sleep(200);
  }
}

export async function status(context: Context): Promise<void> {
  const [report, messaging] = await Promise.all([context.client.status(), context.client.messaging()]);
  const members = report.nodes.filter((node) => node.state === 'online').map((node) => node.name);
  context.answer(
    { ...report, messaging },
    `daemon on ${report.node}: ${report.transition.controller}\ncluster ${report.cluster}, ${report.quorate ? 'with' : 'WITHOUT'} quorum (${report.quorum.reason})\n` +
      `led by ${report.dc ?? 'nobody'}\nmembers: ${members.join(', ')}\nconfiguration ${report.cibVersion}`,
  );
}

/** What usually goes wrong, checked; what cannot be known from here is left out. */
export async function health(context: Context): Promise<number> {
  const report = await context.client.status();
  const found = troubles(report);
  const { verifyFindings } = await import('./answers.ts');
  const findings = verifyFindings((await context.client.cib()).configuration);
  const machine = preflight();
  const lines = [
    ...found.map(({ level, text, advice }) => `${level}: ${text}${advice === undefined ? '' : `\n  → ${advice}`}`),
    ...findings.map(({ level, text, advice }) => `${level}: ${text}\n  → ${advice}`),
    ...machine.map((text) => `this machine: ${text}`),
  ];
  context.answer({ troubles: found, findings, machine }, lines.length === 0 ? 'nothing is wrong' : lines.join('\n'));
  return [...found, ...findings].some(({ level }) => level === 'error') ? exitStatus.failed : exitStatus.done;
}

// --- quorum and network ----------------------------------------------------------------------------------------

export async function quorumStatus(context: Context): Promise<void> {
  const [report, facts] = await Promise.all([context.client.status(), context.client.quorum()]);
  const rows = Object.entries(facts)
    .filter(([name, value]) => name !== 'names' && name !== 'memory' && typeof value !== 'object')
    .map(([name, value]) => [name, String(value)]);
  const missing = report.nodes.filter((node) => node.state !== 'online').map((node) => node.name);
  const lines = [
    `${report.quorate ? 'quorum is held' : 'NO QUORUM'}: ${report.quorum.reason}`,
    table(rows, '  '),
    missing.length === 0 ? 'all nodes are here' : `missing: ${missing.join(', ')}`,
  ];
  context.answer(facts, lines.filter((line) => line !== '').join('\n'));
}

export async function quorumProceed(context: Context): Promise<void> {
  await context.client.quorumProceed();
  context.answer({ done: true }, 'the cluster no longer waits for all nodes');
}

export async function quorumForce(context: Context): Promise<void> {
  const { nodes } = await context.client.status();
  const absent = nodes.filter((node) => node.state !== 'online').map((node) => node.name);
  const question = `${absent.length === 0 ? 'No known node' : absent.join(', ')} is absent. If one of them still runs services, they will run twice. Are they off, and will they stay off?`;
  if (!(await context.confirm(question))) return;
  await context.client.quorumForce();
  context.answer({ absent }, 'this partition acts now, without the absent nodes');
}

export async function network(context: Context): Promise<void> {
  const facts = await context.client.messaging();
  const { renderNetwork } = await import('../render/network.ts');
  context.answer(facts, () => renderNetwork(facts));
}

export async function links(context: Context, args: readonly string[]): Promise<void> {
  const facts = await context.client.messaging();
  const { linksOf, renderLinks } = await import('../render/network.ts');
  const all = linksOf(facts);
  const [wanted] = args;
  const shown = wanted === undefined ? all : all.filter(({ link }) => String(link) === wanted);
  if (wanted !== undefined && shown.length === 0)
    throw new SystoleError(
      'notFound',
      `there is no link ${wanted}; there are ${all.map(({ link }) => link).join(', ')}`,
    );
  context.answer(shown, () => renderLinks(shown));
}

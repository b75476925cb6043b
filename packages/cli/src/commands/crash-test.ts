/**
 * `systole cluster crash_test`: failures on purpose, and how the cluster took them. A cluster whose fencing was never
 * tried has none. Refused where fencing is not known to work, since then the test would do what it should rule out.
 */
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StatusReport } from '@systole/api';
import { parseDuration, SystoleError } from '@systole/kernel';
import { formatSpan } from '../render/time.ts';
import { type Context, findSocket } from '../shell/context.ts';
import { exitStatus, UsageError } from '../shell/failure.ts';

/** A machine that is reset needs minutes to boot. */
const BACK_MS = 900_000;
const LOOK_MS = 500;
/** Longer than any cluster needs to notice. */
const CUT_MS = 20_000;
/** The network must not stay cut. */
const CUT_MAX_MS = 300_000;

export async function crashTest(context: Context, args: readonly string[]): Promise<number> {
  const [what = '', word] = args;
  switch (what) {
    case 'kill-daemon':
      return await killDaemon(context);
    case 'fence-node':
      if (word === undefined) throw new UsageError('crash_test fence-node lacks NODE');
      return await fenceNode(context, word);
    case 'split-brain':
      return await cutOff(context, word);
    default:
      throw new UsageError(`crash_test knows kill-daemon, fence-node NODE and split-brain [SECONDS], not "${what}"`);
  }
}

/** What must be so before anything is broken on purpose. */
async function needSound(context: Context, victim: string): Promise<StatusReport> {
  const report = await context.client.status();
  if (!report.quorate)
    throw new SystoleError('noQuorum', 'there is no quorum: nothing is tried on a cluster that cannot act');
  if (report.transition.state !== 'idle')
    throw new SystoleError('refused', 'the cluster is at work; try again when it is idle (systole status wait)');
  const away = report.nodes
    .filter(({ state, kind }) => kind === 'member' && state !== 'online')
    .map(({ name }) => name);
  if (away.length > 0 && !context.options.isForced)
    throw new SystoleError('refused', `${away.join(', ')} is not here already; one more may cost the quorum`);
  const { devices } = await context.client.devices(victim);
  if (devices.length === 0)
    throw new SystoleError(
      'refused',
      `no device can fence ${victim}: the test would end in an unclean node (systole stonith verify)`,
    );
  return report;
}

async function fenceNode(context: Context, target: string): Promise<number> {
  const report = await needSound(context, target);
  if (!report.nodes.some(({ name }) => name === target))
    throw new SystoleError('notFound', `there is no node "${target}"`);
  if (!(await context.confirm(`Fence ${target}? ${whatRuns(report, target)}`))) return exitStatus.failed;
  const begin = performance.now();
  const took = (): string => formatSpan(performance.now() - begin);
  await context.client.fence({ target, action: 'reboot' });
  context.remark(`${took()}: ${target} is fenced`);
  const isBack = await until(context, 'services', async () => {
    const now = await context.client.status();
    return now.transition.state === 'idle' && running(now) >= running(report) - running(report, target);
  });
  context.remark(isBack ? `${took()}: what can run elsewhere runs` : `${took()}: the cluster is still at work`);
  const hasJoined = await until(context, target, async () =>
    (await context.client.status()).nodes.some(({ name, state }) => name === target && state === 'online'),
  );
  return tell(
    context,
    'fence-node',
    isBack && hasJoined,
    hasJoined ? `${took()}: ${target} is back` : `${target} has not come back`,
  );
}

/** This machine is the victim, so what its peers do can only be seen afterwards. */
async function killDaemon(context: Context): Promise<number> {
  const { node } = await context.client.status();
  const report = await needSound(context, node);
  const socket = await findSocket(context.options);
  const pid = holderOf(socket);
  if (pid === undefined) throw new SystoleError('notFound', `no process holds ${socket}; are you root?`);
  const question = `Kill the daemon here (SIGKILL)? The others will fence ${node}. ${whatRuns(report, node)}`;
  if (!(await context.confirm(question))) return exitStatus.failed;
  process.kill(pid, 'SIGKILL');
  context.remark(
    `killed ${pid}; if this machine is reset now, fencing works: afterwards systole history tells the rest`,
  );
  const isBack = await until(context, 'the daemon', async () => (await context.client.status()).quorate);
  return tell(
    context,
    'kill-daemon',
    isBack,
    isBack ? 'the daemon is back, with quorum' : 'the daemon has not come back',
  );
}

/** Drops the cluster's datagrams here, for a time; a process of its own takes that back, whatever happens to this one. */
async function cutOff(context: Context, word: string | undefined): Promise<number> {
  const duration = word === undefined ? undefined : parseDuration(word);
  if (duration?.ok === false) throw new UsageError(duration.error);
  const cutMs = Math.min(CUT_MAX_MS, duration?.value ?? CUT_MS);
  const { node } = await context.client.status();
  const report = await needSound(context, node);
  const question = `Cut ${node} off from the cluster for ${formatSpan(cutMs)}? The others will fence it. ${whatRuns(report, node)}`;
  if (!(await context.confirm(question))) return exitStatus.failed;
  const { port } = await linkPort(context);
  const table = 'inet systole_crash_test';
  const rules = `add table ${table}; add chain ${table} in { type filter hook input priority -300; }; add rule ${table} in udp dport ${port} drop`;
  const { status, stderr, error } = spawnSync('nft', [rules], { encoding: 'utf8' });
  if (error !== undefined || status !== 0)
    throw new SystoleError('failed', `cannot cut the network with nft: ${error?.message ?? stderr.trim()}`);
  spawn('/bin/sh', ['-c', `sleep ${Math.ceil(cutMs / 1000)}; nft delete table ${table}`], {
    detached: true,
    stdio: 'ignore',
  }).unref();
  context.remark(`cut off; it ends by itself in ${formatSpan(cutMs)}, sooner with: nft delete table ${table}`);
  const hasNoticed = await until(context, 'the loss of quorum', async () => !(await context.client.status()).quorate);
  context.remark(
    hasNoticed ? 'this node has noticed: it has no quorum, and stops its services' : 'this node has not noticed',
  );
  const isBack = await until(context, 'the cluster', async () => (await context.client.status()).quorate);
  return tell(context, 'split-brain', hasNoticed && isBack, isBack ? 'it is a member again' : 'it is not a member yet');
}

async function linkPort(context: Context): Promise<{ readonly port: number }> {
  const { DEFAULT_CONFIG } = await import('../shell/context.ts');
  const { parse } = await import('yaml');
  const file = context.options.config ?? process.env['SYSTOLE_CONFIG'] ?? DEFAULT_CONFIG;
  const settings = parse(readFileSync(file, 'utf8')) as { readonly links?: readonly { readonly port?: number }[] };
  return { port: settings.links?.[0]?.port ?? 5405 };
}

/** Looks until it is so. A daemon that does not answer is part of the test. */
async function until(context: Context, what: string, isSo: () => Promise<boolean>): Promise<boolean> {
  const end = performance.now() + (context.options.waitMs ?? BACK_MS);
  try {
    while (performance.now() < end) {
      await sleep(LOOK_MS);
      if (context.terminal.isTerminal) context.terminal.error(`\r\u001b[Kwaiting for ${what}`);
      try {
        if (await isSo()) return true;
      } catch (error) {
        if (!(error instanceof SystoleError)) throw error;
      }
    }
    return false;
  } finally {
    if (context.terminal.isTerminal) context.terminal.error('\r\u001b[K');
  }
}

function tell(context: Context, test: string, hasPassed: boolean, text: string): number {
  context.answer({ test, hasPassed }, `${text}\n${hasPassed ? 'passed' : 'FAILED'}: ${test}`);
  return hasPassed ? exitStatus.done : exitStatus.failed;
}

const running = ({ resources }: StatusReport, node?: string): number =>
  resources.filter(({ nodes }) => nodes.length > 0 && (node === undefined || nodes.includes(node))).length;

function whatRuns(report: StatusReport, node: string): string {
  const ids = report.resources.filter(({ nodes }) => nodes.includes(node)).map(({ id }) => id);
  return ids.length === 0 ? 'It runs nothing.' : `It runs ${ids.join(', ')}, with an outage.`;
}

/** The process that listens on a Unix socket, as the kernel tells root. */
function holderOf(path: string): number | undefined {
  const line = readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .find((each) => each.endsWith(` ${path}`));
  const inode = line?.trim().split(/\s+/)[6];
  if (inode === undefined) return undefined;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .find((pid) => holds(pid, `socket:[${inode}]`));
}

function holds(pid: number, link: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`) === link;
      } catch {
        return false; // closed meanwhile
      }
    });
  } catch {
    return false; // ended, or somebody else's
  }
}

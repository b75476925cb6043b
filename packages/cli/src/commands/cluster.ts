/** `systole cluster`, `quorum` and `net`: the daemon here, its members, votes and links. */
import { spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { SystoleError, parseDuration } from '@systole/kernel';
import { troubles } from '../render/status.ts';
import { table } from '../render/table.ts';
import { type Context, DEFAULT_CONFIG } from '../shell/context.ts';
import { UsageError, exitStatus } from '../shell/failure.ts';
import { preflight } from './preflight.ts';

export async function service(context: Context, action: 'start' | 'restart' | 'enable' | 'disable'): Promise<void> {
  const { status: code, stderr, error } = spawnSync('systemctl', [action, 'systoled.service'], { encoding: 'utf8' });
  if (error !== undefined) {
    const file = context.options.config ?? DEFAULT_CONFIG;
    throw new SystoleError('failed', `there is no systemd here; run the daemon yourself: systoled --config ${file}`, {
      cause: error,
    });
  }
  if (code !== 0) throw new SystoleError('failed', `systemctl ${action} systoled: ${stderr.trim()}`);
  const { waitMs } = context.options;
  if (waitMs !== undefined && (action === 'start' || action === 'restart'))
    await waitForStartup(context, [`${Math.ceil(waitMs / 1000)}s`]);
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

/** What messaging did lately, as a file here; the daemon wrote it on this machine. */
export async function record(context: Context, args: readonly string[]): Promise<void> {
  const written = await context.client.recordMessaging();
  const [file = written] = args;
  try {
    if (file !== written) copyFileSync(written, file);
  } catch (error) {
    throw new SystoleError('failed', `${written} cannot be copied: ${(error as Error).message}`, { cause: error });
  }
  context.answer({ file }, `recorded in ${file}; systoled --replay ${file} tells what happened`);
}

/**
 * `systole report`: one archive with all that is needed to understand what happened. Secrets are removed: values whose
 * names look like passwords, keys or tokens, in the configuration, in events and in what is quoted from logs.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { exportCib } from '@systole/cib';
import { SystoleError } from '@systole/kernel';
import { printConfiguration } from '../language/session.ts';
import { renderStatus } from '../render/status.ts';
import { liveCib } from '../shell/change.ts';
import type { Context } from '../shell/context.ts';
import { describeFailure } from '../shell/failure.ts';
import { formatTime } from '../render/time.ts';
import { secretsIn, withoutSecrets } from '../shell/redaction.ts';
import { verifyFindings } from './answers.ts';
import { collectInputs } from './report-inputs.ts';
import { timeline } from './timeline.ts';

export async function report(context: Context, args: readonly string[]): Promise<void> {
  const name = `systole-report-${new Date().toISOString().replace(/[:T]/g, '-').slice(0, 19)}`;
  const archive = resolve(args[0] ?? `${name}.tar.gz`);
  const folder = mkdtempSync(join(tmpdir(), 'systole-report-'));
  const own = join(folder, name);
  mkdirSync(own);
  const known = await knownSecrets(context);
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(own, file)), { recursive: true });
    writeFileSync(join(own, file), withoutSecrets(text, known), { mode: 0o600 });
  };
  try {
    await collect(context, known, write);
    const { status, stderr, error } = spawnSync('tar', ['-czf', archive, '-C', folder, name], { encoding: 'utf8' });
    if (error !== undefined || status !== 0)
      throw new SystoleError('failed', `cannot write ${archive}: ${error?.message ?? stderr.trim()}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  context.answer(
    { file: archive },
    `wrote ${archive}; values that look like secrets are replaced, but read it before you give it away`,
  );
}

async function collect(
  context: Context,
  known: readonly string[],
  write: (file: string, text: string) => void,
): Promise<void> {
  const parts: readonly (readonly [string, () => Promise<string> | string])[] = [
    [
      'status.txt',
      async () =>
        renderStatus(await context.client.status(), {
          hasColours: false,
          showsInactive: true,
          showsFailures: true,
          now: Date.now(),
        }),
    ],
    ['status.json', async () => JSON.stringify(await context.client.status(), null, 1)],
    ['cib.xml', async () => exportCib(await liveCib(context))],
    ['configuration.crm', async () => printConfiguration((await context.client.cib()).configuration)],
    ['configurations.json', async () => JSON.stringify(await context.client.configurations(), null, 1)],
    [
      'verify.txt',
      async () =>
        verifyFindings((await context.client.cib()).configuration)
          .map(({ level, text, advice }) => `${level}: ${text}\n  → ${advice}`)
          .join('\n'),
    ],
    [
      'timeline.txt',
      async () =>
        (await timeline(context))
          .map(({ at, level, tellers, event, text }) =>
            [formatTime(at), level, tellers.join(','), event, text].join('  '),
          )
          .join('\n'),
    ],
    ['fencing.json', async () => JSON.stringify(await context.client.fencingHistory(), null, 1)],
    ['quorum.json', async () => JSON.stringify(await context.client.quorum(), null, 1)],
  ];
  const missing: string[] = [];
  for (const [index, [file, read]] of parts.entries()) {
    if (context.terminal.isTerminal) context.terminal.error(`\r\u001b[K${index + 1} of ${parts.length}: ${file}`);
    try {
      write(file, await read());
    } catch (error) {
      const failure = describeFailure(error);
      if (failure === undefined) throw error;
      missing.push(`${file}: ${failure.message}`);
    }
  }
  missing.push(...(await collectNodes(context, write)));
  missing.push(...(await collectInputs(context, known, write)));
  if (context.terminal.isTerminal) context.terminal.error('\r\u001b[K');
  write('missing.txt', missing.join('\n'));
  for (const line of missing) context.remark(`not in the report: ${line}`);
}

/** Values that the configuration names as secrets: they are taken out wherever they stand, in whatever form. */
async function knownSecrets(context: Context): Promise<readonly string[]> {
  try {
    return secretsIn((await context.client.cib()).configuration);
  } catch (error) {
    // Without a daemon the patterns alone must do.
    if (describeFailure(error) === undefined) throw error;
    return [];
  }
}

/** A folder for each member, with its own log, events, figures and network. @returns what could not be had. */
async function collectNodes(context: Context, write: (file: string, text: string) => void): Promise<readonly string[]> {
  if (context.terminal.isTerminal) context.terminal.error('\r\u001b[Kasking all nodes');
  const [{ parts, missing }, { nodes }] = await Promise.all([context.client.gather('files'), context.client.status()]);
  for (const { node, files = {} } of parts)
    for (const [name, text] of Object.entries(files)) write(join(basename(node), basename(name)), text);
  const told = new Set(parts.map(({ node }) => node));
  const away = nodes.filter(({ name, kind }) => kind === 'member' && !told.has(name) && !missing.includes(name));
  return [
    ...missing.map((node) => `${node}: did not answer in time`),
    ...away.map(({ name }) => `${name}: is not a member now; run systole report there`),
  ];
}

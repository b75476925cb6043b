/**
 * `systole report`: one archive with all that is needed to understand what happened. Secrets are removed: values whose
 * names look like passwords, keys or tokens, in the configuration, in events and in what is quoted from logs.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, release, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { exportCib } from '@systole/cib';
import { SystoleError } from '@systole/kernel';
import { printConfiguration } from '../language/session.ts';
import { renderStatus } from '../render/status.ts';
import { liveCib } from '../shell/change.ts';
import type { Context } from '../shell/context.ts';
import { describeFailure } from '../shell/failure.ts';
import { verifyFindings } from './answers.ts';

/** Lines of the system's log that go in. */
const LOG_LINES = 20_000;

const secretName = String.raw`[\w-]*(?:passw|secret|token|community|private_?key|api_?key|credential)[\w-]*`;

/** Replaces values of secrets in text, XML and JSON. */
export function withoutSecrets(text: string): string {
  return text
    .replace(new RegExp(`(name="${secretName}"[^>]*?\\svalue=")[^"]*`, 'gi'), '$1******')
    .replace(new RegExp(`(value=")[^"]*("[^>]*?\\sname="${secretName}")`, 'gi'), '$1******$2')
    .replace(new RegExp(`("name":\\s*"${secretName}",\\s*"value":\\s*")(?:[^"\\\\]|\\\\.)*`, 'gi'), '$1******')
    .replace(new RegExp(`("${secretName}":\\s*")(?:[^"\\\\]|\\\\.)*`, 'gi'), '$1******')
    .replace(new RegExp(`(\\b${secretName}=)("(?:[^"\\\\]|\\\\.)*"|[^\\s"\\\\]+)`, 'gi'), '$1******');
}

export async function report(context: Context, args: readonly string[]): Promise<void> {
  const name = `systole-report-${new Date().toISOString().replace(/[:T]/g, '-').slice(0, 19)}`;
  const archive = resolve(args[0] ?? `${name}.tar.gz`);
  const folder = mkdtempSync(join(tmpdir(), 'systole-report-'));
  const own = join(folder, name);
  mkdirSync(own);
  const write = (file: string, text: string): void =>
    writeFileSync(join(own, file), withoutSecrets(text), { mode: 0o600 });
  try {
    await collect(context, write);
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

async function collect(context: Context, write: (file: string, text: string) => void): Promise<void> {
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
    ['events.jsonl', async () => (await context.client.events()).map((row) => JSON.stringify(row)).join('\n')],
    ['transitions.json', async () => JSON.stringify(await context.client.transitions(), null, 1)],
    ['fencing.json', async () => JSON.stringify(await context.client.fencingHistory(), null, 1)],
    ['messaging.json', async () => JSON.stringify(await context.client.messaging(), null, 1)],
    ['quorum.json', async () => JSON.stringify(await context.client.quorum(), null, 1)],
    ['metrics.txt', () => context.client.metrics()],
    ['system.txt', systemFacts],
    ['log.jsonl', () => output('journalctl', '-u', 'systoled', '-o', 'cat', '-n', String(LOG_LINES))],
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
  if (context.terminal.isTerminal) context.terminal.error('\r\u001b[K');
  write('missing.txt', missing.join('\n'));
  for (const line of missing) context.remark(`not in the report: ${line}`);
}

const output = (program: string, ...args: readonly string[]): string => {
  const { stdout, error } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 });
  return error === undefined ? stdout : `${program}: ${error.message}`;
};

const systemFacts = (): string =>
  [
    `host ${hostname()}`,
    `kernel ${release()}`,
    `node ${process.version}`,
    `time ${new Date().toISOString()}`,
    output('ip', 'address'),
    output('ip', 'route'),
    output('uptime'),
  ].join('\n');

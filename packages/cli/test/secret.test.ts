import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applyChange, type Change, type Cib, emptyCib } from '@systole/cib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { secret } from '../src/commands/secret.ts';
import { SecretFiles } from '../src/secrets.ts';
import { Context } from '../src/shell/context.ts';
import { readOptions } from '../src/shell/options.ts';
import { configured } from './support.ts';

let folder: string;
let files: SecretFiles;
let cib: Cib;
let commands: (string | undefined)[];
let said: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'systole-'));
  files = new SecretFiles(folder);
  commands = [];
  said = [];
  const configuration = configured('primitive db ocf:heartbeat:Dummy params passwd=open state=/tmp/x');
  cib = { ...emptyCib, configuration };
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The command on node n1 of a cluster with these nodes. */
async function run(line: string, { nodes = ['n1'], input = '' } = {}): Promise<number> {
  const { options, words } = readOptions(line.split(' '));
  const terminal = {
    out: (text: string) => said.push(text),
    error: (text: string) => said.push(text),
    isInteractive: false,
    isTerminal: false,
    ask: () => Promise.resolve('no'),
    lend: <Value>(given: () => Value): Value => given(),
    readInput: () => input,
  };
  const context = new Context(options, terminal, '/nowhere');
  const client = {
    cib: () => Promise.resolve(cib),
    status: () => Promise.resolve({ node: 'n1', nodes: nodes.map((name) => ({ name, kind: 'member' })) }),
    change: (change: Change, { command }: { command?: string }) => {
      const applied = applyChange(cib, change);
      if (!applied.ok) throw new Error('conflict');
      cib = applied.value;
      commands.push(command);
      return Promise.resolve({ version: cib.version, text: '' });
    },
  };
  Object.defineProperty(context, 'client', { value: client });
  return await secret(context, words, files);
}

const passwd = (): string | undefined => {
  const [db] = cib.configuration.resources;
  return db?.parameters.flatMap(({ pairs }) => pairs).find(({ name }) => name === 'passwd')?.value;
};

describe('a secret', () => {
  test('that is set is in a file that only root reads, and the configuration says where it is', async () => {
    await run('db set passwd s3cret');
    expect(readFileSync(join(folder, 'db', 'passwd'), 'utf8')).toBe('s3cret');
    expect(statSync(join(folder, 'db', 'passwd')).mode & 0o777).toBe(0o600);
    expect(passwd()).toBe('lrm://');
    expect(await run('db check passwd')).toBe(0);
  });

  test('never stands in the history of commands', async () => {
    await run('db set passwd s3cret');
    expect(commands).toEqual(['resource secret db set passwd']);
  });

  test('is read from standard input where it is not on the command line', async () => {
    await run('db set passwd', { input: 'typed\n' });
    await run('db show passwd');
    expect(said).toContain('typed\n');
  });

  test('is not relied on while other nodes may lack it', async () => {
    await run('db set passwd s3cret', { nodes: ['n1', 'n2'] });
    expect(passwd()).toBe('open');
    expect(said.join('')).toContain('n2 must have this secret too');
    await run('db set passwd s3cret --force', { nodes: ['n1', 'n2'] });
    expect(passwd()).toBe('lrm://');
  });

  test('that is stashed comes out of the configuration, and goes back by unstash', async () => {
    await run('db stash passwd');
    expect(passwd()).toBe('lrm://');
    await run('db unstash passwd');
    expect(passwd()).toBe('open');
    expect(existsSync(join(folder, 'db', 'passwd'))).toBe(false);
  });

  test('that is deleted is gone from both', async () => {
    await run('db set passwd s3cret');
    await run('db delete passwd');
    expect(passwd()).toBeUndefined();
    await expect(run('db show passwd')).rejects.toMatchObject({ code: 'notFound' });
  });

  test('whose file was changed by other means is noticed', async () => {
    await run('db set passwd s3cret');
    writeFileSync(join(folder, 'db', 'passwd'), 'other');
    expect(await run('db check passwd')).toBe(1);
  });

  test('has a name that leads nowhere else', async () => {
    await expect(run('db set ../passwd x')).rejects.toMatchObject({ code: 'invalid' });
  });

  test('changes nothing in a dry run', async () => {
    await run('db set passwd s3cret --dry-run');
    expect(existsSync(join(folder, 'db', 'passwd'))).toBe(false);
    expect(passwd()).toBe('open');
  });
});

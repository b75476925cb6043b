/** The shell programs themselves, against a socket. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readCall, runAgentCommand, writeSaid } from '../../src/agent-commands/run.ts';
import { VirtualDesk } from './virtual-desk.ts';

const helpers = join(import.meta.dirname, '../../../ra/helpers');
const desk = new VirtualDesk();
let folder = '';
let server: Server;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'systole-helpers-'));
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const call = readCall(Buffer.concat(chunks));
      if (!call.ok) {
        response.writeHead(400).end(call.error);
        return;
      }
      void runAgentCommand(call.value, desk).then((said) => response.end(writeSaid(said)));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(join(folder, 'socket'), resolve);
  });
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const call = (
  program: string,
  argv: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> =>
  new Promise((resolve) => {
    const env = {
      PATH: `${helpers}:/usr/sbin:/usr/bin:/sbin:/bin`,
      SYSTOLE_SOCKET: join(folder, 'socket'),
      SYSTOLE_NODE: process.execPath,
      OCF_RESOURCE_INSTANCE: 'db:0',
      ...environment,
    };
    execFile(join(helpers, program), [...argv], { env }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, stdout, stderr });
    });
  });

describe('a helper program', () => {
  test('hands its arguments over as they are, blanks, quotes and letters beyond ASCII included', async () => {
    const value = `two  words, "quoted" $HOME \\ ünï:5,`;
    expect(await call('crm_attribute', ['-l', 'reboot', '-n', 'odd', '-v', value])).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    expect(await call('crm_attribute', ['-l', 'reboot', '-n', 'odd', '-G', '-q'])).toMatchObject({
      code: 0,
      stdout: `${value}\n`,
    });
  });

  test('speaks for the resource that called it', async () => {
    await call('crm_master', ['-v', '42']);
    expect((await call('crm_attribute', ['--promotion', '-G', '-Q'])).stdout).toBe('42\n');
  });

  test('ends with the code of the answer, and complains on standard error', async () => {
    expect(await call('crm_attribute', ['-l', 'reboot', '-n', 'none', '-G'])).toEqual({
      code: 105,
      stdout: '',
      stderr: 'there is no attribute none of alpha\n',
    });
  });

  test('prints answers of many lines', async () => {
    const { stdout } = await call('crm_mon', ['-1', '--output-as=xml']);
    expect(stdout.split('\n').length).toBeGreaterThan(10);
    expect(stdout).toContain('<node name="beta"');
  });

  test('says so when no daemon answers', async () => {
    const lost = await call('crm_node', ['-l'], { SYSTOLE_SOCKET: join(folder, 'nobody') });
    expect(lost.code).toBe(102);
    expect(lost.stderr).toContain('no answer from the cluster');
  });

  test('knows the node’s name without asking', async () => {
    const alone = { SYSTOLE_SOCKET: join(folder, 'nobody'), SYSTOLE_NODE_NAME: 'gamma' };
    expect(await call('crm_node', ['-n'], alone)).toMatchObject({ code: 0, stdout: 'gamma\n' });
    expect((await call('pacemakerd', ['-$'])).stdout).toMatch(/^Pacemaker 2\.1/);
  });

  test('crm_mon keeps a page up to date in the background, as the agents named ClusterMon want it', async () => {
    const [page, number] = [join(folder, 'page.html'), join(folder, 'page.pid')];
    const argv = ['-p', number, '-d', '-i', '1', '-r', '--output-as=html', `--output-to=${page}`];
    expect(await call('crm_mon', argv)).toMatchObject({ code: 0, stderr: '' });
    const pid = Number(readFileSync(number, 'utf8'));
    try {
      const said = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      expect(said).toMatch(new RegExp(`crm_mon.*${number}`, 'u'));
      await expect.poll(() => existsSync(page) && readFileSync(page, 'utf8')).toContain('<pre>  * Online: [');
      const first = statSync(page).ino;
      await expect.poll(() => statSync(page).ino, { timeout: 8000 }).not.toBe(first);
    } finally {
      process.kill(-pid, 'SIGKILL');
    }
  });
});

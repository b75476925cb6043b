/**
 * `npm run dev`: three nodes on this machine, over the loopback interface, to try things by hand.
 *
 * Each node is a real `systoled` with folders of its own under a temporary folder; their "services" are the shipped
 * agent `dummy`, with a state folder for each node. There is no power switch: killing a daemon and telling the others
 * that it is down stands for it, so fencing is off here. Ctrl-C stops the nodes in order and leaves nothing behind.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../packages/daemon/src/main.ts', import.meta.url));
const nodes = ['alpha', 'beta', 'gamma'] as const;
const folder = mkdtempSync(join(tmpdir(), 'systole-dev-'));
const key = join(folder, 'key');
writeFileSync(key, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });

interface Line {
  readonly level: string;
  readonly time: string;
  readonly event?: string;
  readonly msg: string;
}

function start(node: string): ChildProcess {
  const own = join(folder, node);
  mkdirSync(own, { recursive: true });
  const configuration = {
    cluster: 'dev',
    node,
    nodes,
    state: join(own, 'state'),
    run: join(own, 'run'),
    key,
    links: [{ address: '127.0.0.1', multicast: '239.255.77.2', port: 5407 }],
  };
  const file = join(own, 'systole.yaml');
  writeFileSync(file, JSON.stringify(configuration, undefined, 2));
  const child = spawn(process.execPath, [program, '--config', file], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, HA_RSCTMP: join(own, 'agents') },
  });
  createInterface({ input: child.stdout }).on('line', (text) => print(node, text));
  return child;
}

function print(node: string, text: string): void {
  let line: Line;
  try {
    line = JSON.parse(text) as Line;
  } catch {
    process.stdout.write(`${node.padEnd(6)} ${text}\n`);
    return;
  }
  const mark = line.level === 'info' ? ' ' : line.level === 'warn' ? '!' : '✗';
  process.stdout.write(`${line.time.slice(11, 23)} ${node.padEnd(6)} ${mark} ${line.msg}\n`);
}

const running = new Map(nodes.map((node) => [node, start(node)]));
process.stdout.write(`three nodes in ${folder}; a shell on one of them:
  npx systole --socket ${join(folder, 'alpha', 'run', 'systole.sock')} status
Ctrl-C ends it.\n`);

let isEnding = false;
const end = (): void => {
  for (const child of running.values()) child.kill(isEnding ? 'SIGKILL' : 'SIGTERM');
  isEnding = true;
};
process.on('SIGINT', end);
process.on('SIGTERM', end);
await Promise.all(
  [...running.values()].map(
    (child) =>
      new Promise<void>((resolve) => {
        child.once('exit', () => resolve());
      }),
  ),
);
rmSync(folder, { recursive: true, force: true });

/**
 * A node with a real watchdog, and a real disk to be told to die through. Run inside a guest by `self-fencing.test.ts`,
 * which sees the guest live or die: `self-fencing SCENE`. Prints a line of JSON for each thing found out.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, sleep, tryRun, until } from '../../lab/command.ts';
import { root } from '../../support/repository.ts';

/** `/dev/watchdog` is one of user-mode Linux's own, which does nothing; softdog comes second. */
const watchdog = '/dev/watchdog1';
const countdownS = 2;
const folder = '/run/lab';
const systole = join(root, 'packages', 'cli', 'bin', 'systole.js');

const found = (what: string, value: unknown = true): void =>
  void process.stdout.write(`${JSON.stringify({ found: what, value })}\n`);

interface Daemon {
  readonly process: ChildProcess;
  readonly socket: string;
  readonly ended: Promise<number | null>;
}

function startDaemon(node: string, nodes: readonly string[], more: object = {}): Daemon {
  const own = join(folder, node);
  mkdirSync(own, { recursive: true });
  const file = join(own, 'systole.yaml');
  const configuration = {
    cluster: 'guest',
    node,
    nodes,
    state: join(own, 'state'),
    run: join(own, 'run'),
    key: join(folder, 'key'),
    links: [{ address: '127.0.0.1', multicast: '239.255.77.9', port: 5409 }],
    ...more,
  };
  writeFileSync(file, JSON.stringify(configuration));
  const child = spawn(process.execPath, [join(root, 'packages/daemon/src/main.ts'), '--config', file], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, HA_RSCTMP: join(own, 'agents') },
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  return { process: child, socket: join(own, 'run', 'systole.sock'), ended };
}

const shell = (daemon: Daemon, ...words: readonly string[]) =>
  tryRun([process.execPath, systole, '--socket', daemon.socket, ...words]);

async function quorate(daemon: Daemon): Promise<void> {
  await until(
    'the node has quorum',
    async () => {
      const { code, stdout } = await shell(daemon, '--json', 'status');
      return code === 0 && stdout.includes('"quorate":true') ? true : undefined;
    },
    60_000,
    500,
  );
}

const scenes: Readonly<Record<string, () => Promise<void>>> = {
  /** Fed for longer than the countdown, let go at the end; and not fed by a daemon that stands still. */
  stopped: async () => {
    const settings = { watchdog, watchdog_timeout: `${countdownS}s` };
    const daemon = startDaemon('n1', ['n1'], settings);
    await quorate(daemon);
    await sleep(3 * countdownS * 1000);
    found('alive for three countdowns');
    daemon.process.kill('SIGTERM');
    found('exit status', await daemon.ended);
    await sleep(2 * countdownS * 1000);
    found('alive for two countdowns after it has left');
    const next = startDaemon('n1', ['n1'], settings);
    await quorate(next);
    found('stops');
    next.process.kill('SIGSTOP');
    await sleep(60_000);
  },

  /** Quorum is lost, and what runs cannot be stopped. */
  unquorate: async () => {
    const nodes = ['n1', 'n2', 'n3'];
    const daemon = startDaemon('n1', nodes, { watchdog, watchdog_timeout: `${countdownS}s` });
    const other = startDaemon('n2', nodes);
    await quorate(daemon);
    const file = join(folder, 'cluster.crm');
    writeFileSync(
      file,
      'primitive stubborn ocf:systole:dummy params fail_on=stop op stop timeout=5s\n' +
        'location here stubborn inf: n1\nproperty fencing-enabled=false\n',
    );
    const loaded = await shell(daemon, 'configure', 'load', 'update', file);
    if (loaded.code !== 0) throw new Error(loaded.stderr);
    await until('it runs', async () => (await shell(daemon, 'status')).stdout.includes('Started'), 60_000, 500);
    await sleep(2 * countdownS * 1000);
    found('alive with quorum');
    other.process.kill('SIGKILL');
    found('alone');
    await sleep(60_000);
  },

  /** Watches a disk, with its watchdog noted there; somebody outside writes to it. */
  watches: async () => {
    const daemon = startDaemon('n1', ['n1'], { watchdog, disks: { devices: ['/dev/ubda'] } });
    await quorate(daemon);
    found('watches');
    await sleep(120_000);
  },

  /** The program sbd watches the disk. */
  sbd: async () => {
    spawn('sbd', ['-d', '/dev/ubda', '-w', watchdog, '-n', 'n1', '-P', '-P', '-c', '-D', 'watch'], {
      stdio: 'inherit',
      env: { ...process.env, SBD_SYNC_RESOURCE_STARTUP: 'no', SBD_PACEMAKER: 'no' },
    });
    await sleep(4000); // it says nothing when it is ready
    if (!(await run(['ps', 'ax'])).includes('sbd: inquisitor')) throw new Error('sbd does not run');
    found('watches');
    await sleep(120_000);
  },
};

mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'key'), `${'ab'.repeat(32)}\n`, { mode: 0o600 });
// Debian builds drivers so that nothing stops them once they run; an operator who wants to stop the daemon sets this.
await run(['modprobe', 'softdog', 'nowayout=0']);
await run(['ip', 'link', 'set', 'lo', 'multicast', 'on']);
await scenes[process.argv[2] ?? '']?.();

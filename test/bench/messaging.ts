/**
 * What agreed messages and membership cost: `npm run bench -- messaging [--runs N]`, root.
 *
 * Three members in namespaces on one bridge, real sockets, encryption on; ours, and an installed corosync with its process
 * groups (CPG) in the same place right after, both asked in the same way. All members share this machine's cores, so
 * the ratios say more than the figures.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type ChildProcess, spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { run as runProgram, sleep, until } from '../lab/command.ts';
import { Machine } from '../lab/namespaces.ts';
import { Network } from '../lab/network.ts';

interface Answer {
  readonly view?: readonly number[];
  readonly at?: number;
  readonly done?: boolean;
  readonly ms?: number;
  readonly latencies?: readonly number[];
  readonly problem?: string;
}

interface Order {
  readonly count: number;
  readonly bytes: number;
  readonly window: number;
}

/** A member's program and what it said. */
class Member {
  readonly answers: Answer[] = [];
  readonly #child: ChildProcess;

  constructor(machine: Machine, command: readonly string[]) {
    const [program = '', ...rest] = machine.argv(...command);
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...rest], { stdio: ['pipe', 'pipe', 'ignore'] });
    const { stdin, stdout } = this.#child;
    stdin?.on('error', () => undefined); // its machine may have lost its power
    if (stdout !== null)
      createInterface({ input: stdout }).on('line', (line) => this.answers.push(JSON.parse(line) as Answer));
  }

  get members(): number {
    return this.answers.findLast(({ view }) => view !== undefined)?.view?.length ?? 0;
  }

  async carryOut(order: Order): Promise<{ readonly ms: number; readonly latencies: readonly number[] }> {
    const since = this.answers.length;
    this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
    const { ms = 0, latencies = [] } = await until(
      `${order.count} messages of ${order.bytes} bytes`,
      () => this.answers.slice(since).find(({ done }) => done === true),
      120_000,
      5,
    );
    return { ms, latencies };
  }
}

interface System {
  readonly name: string;
  /** Shell text for a machine before it is up. */
  readonly prepare: string;
  /** Starts what a member needs; answers with the command of its client. */
  start(machine: Machine, index: number): Promise<readonly string[]>;
}

const figures = ['detect ms', 'latency p50 ms', 'latency p99 ms', '64 B /s', '1 KiB /s', '64 KiB MB/s'] as const;
type Figures = Record<(typeof figures)[number], number>;

const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? Number.NaN;

const ours: System = {
  name: 'systole',
  prepare: '',
  start: (_machine, index) =>
    Promise.resolve([
      process.execPath,
      join(import.meta.dirname, 'messaging-node.ts'),
      String(index),
      addressOf(index),
    ]),
};

const addressOf = (index: number): string => `10.77.0.${index}`;

async function corosync(folder: string): Promise<System> {
  const key = join(folder, 'authkey');
  await runProgram(['corosync-keygen', '-l', '-k', key]);
  const nodes = [1, 2, 3].map(
    (index) => `  node {\n    nodeid: ${index}\n    name: n${index}\n    ring0_addr: ${addressOf(index)}\n  }\n`,
  );
  const configuration = join(folder, 'corosync.conf');
  await writeFile(
    configuration,
    `totem {\n  version: 2\n  cluster_name: bench\n  transport: knet\n  crypto_cipher: aes256\n  crypto_hash: sha256\n  keyfile: ${key}\n}\n` +
      `nodelist {\n${nodes.join('')}}\nquorum {\n  provider: corosync_votequorum\n}\nlogging {\n  to_stderr: no\n  to_syslog: no\n}\n`,
  );
  return {
    name: 'corosync',
    prepare: 'mount -t tmpfs tmpfs /dev/shm && mount -t tmpfs tmpfs /var/lib/corosync &&',
    start: async (machine) => {
      machine.start(['corosync', '-f', '-c', configuration], () => undefined);
      await until(
        'corosync is up',
        async () => (await machine.tryRun(['corosync-cfgtool', '-s'])).code === 0,
        30_000,
        100,
      );
      return ['/usr/bin/python3', join(import.meta.dirname, 'cpg-client.py')];
    },
  };
}

async function measure(system: System, runs: number): Promise<Figures> {
  const network = new Network();
  await network.open();
  const machines = [1, 2, 3].map((index) => new Machine(`n${index}`, system.prepare));
  const boot = async (machine: Machine, index: number): Promise<Member> => {
    await machine.boot();
    await network.connect(machine, `${addressOf(index)}/24`);
    return new Member(machine, await system.start(machine, index));
  };
  try {
    const members = await Promise.all(machines.map((machine, index) => boot(machine, index + 1)));
    const [first, , third] = members;
    if (first === undefined || third === undefined) throw new Error('there are three members');
    const isWhole = (): boolean => members.every((member) => member.members === 3);
    await until('all three are members', isWhole, 60_000, 20);
    await sleep(1000);
    // The third is neither coordinator nor sequencer.
    await third.carryOut({ count: 200, bytes: 64, window: 1 });
    const alone = await third.carryOut({ count: 2000, bytes: 64, window: 1 });
    const small = await third.carryOut({ count: 20_000, bytes: 64, window: 64 });
    const middle = await third.carryOut({ count: 5000, bytes: 1024, window: 64 });
    const large = await third.carryOut({ count: 200, bytes: 65_536, window: 16 });

    const detections: number[] = [];
    for (let count = 0; count < runs; count++) {
      const machine = machines[1];
      if (machine === undefined) break;
      const pulled = Date.now();
      await machine.powerOff();
      const after = (member: Member): number | undefined =>
        member.answers.find(({ view, at = 0 }) => view?.length === 2 && at >= pulled)?.at;
      await until('the loss is agreed', () => after(first) !== undefined && after(third) !== undefined, 60_000, 5);
      detections.push(Math.max(after(first) ?? 0, after(third) ?? 0) - pulled);
      members[1] = await boot(machine, 2);
      await until('it is back', isWhole, 60_000, 20);
      await sleep(500);
    }
    return {
      'detect ms': quantile(detections, 0.5),
      'latency p50 ms': quantile(alone.latencies, 0.5),
      'latency p99 ms': quantile(alone.latencies, 0.99),
      '64 B /s': 20_000 / (small.ms / 1000),
      '1 KiB /s': 5000 / (middle.ms / 1000),
      '64 KiB MB/s': (200 * 65_536) / 1e6 / (large.ms / 1000),
    };
  } finally {
    for (const machine of machines) await machine.powerOff();
    await network.close();
  }
}

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: { runs: { type: 'string', default: '5' } } });
  const folder = await mkdtemp(join(tmpdir(), 'systole-bench-'));
  try {
    const mine = await measure(ours, Number(values.runs));
    const hasPeer = ['/usr/sbin/corosync', '/usr/bin/python3'].every((path) => existsSync(path));
    const theirs = hasPeer ? await measure(await corosync(folder), Number(values.runs)) : undefined;
    console.log(`three members on this machine, encrypted; medians of ${values.runs} crashes\n`);
    console.log('figure           systole    corosync   systole / corosync');
    for (const name of figures) {
      const [a, b] = [mine[name], theirs?.[name]];
      const digits = a < 10 ? 2 : 0;
      const peer = b === undefined ? 'not here' : b.toFixed(digits);
      console.log(
        `${name.padEnd(15)} ${a.toFixed(digits).padStart(9)} ${peer.padStart(11)}   ${b === undefined ? '' : (a / b).toFixed(2)}`,
      );
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * A machine with a kernel of its own (user-mode Linux), for what this machine's kernel lacks, such as IPVS. It stands in a
 * laboratory beside machines made of namespaces, and its power is cut in the same way. It sees this machine's files; what
 * it writes stays in its memory, except in its own folder, which outlives its power.
 *
 * Commands reach it over a cable that is no part of the laboratory's networks: a shell behind a port, one command each.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../support/repository.ts';
import { type Background, type Finished, run, start, tryRun, type RunOptions, until } from './command.ts';
import { Machine } from './namespaces.ts';
import type { Network } from './network.ts';

export interface KernelMachineOptions {
  /** Networks that it has interfaces on, in the order of their names. */
  readonly networks: readonly Network[];
  /** Kept over its boots, and the only place where it can leave files for others. */
  readonly folder: string;
  /** Tells apart the machines of one laboratory, from 1. */
  readonly number: number;
  /** Unix sockets of this machine that are to be there too, by their paths. */
  readonly sockets?: readonly string[];
  readonly memory?: string;
}

/**
 * A machine does not share its processor: whatever else runs here has to wait. Otherwise a kernel stands still for seconds
 * where every core is busy, and its peers rightly take it for dead. Where the scheduler shares processors among sessions, a
 * session's rank counts, and not that of a program within it.
 */
export const ahead: readonly string[] = [
  'setsid',
  'sh',
  '-c',
  '[ ! -w /proc/self/autogroup ] || echo -15 >/proc/self/autogroup; exec nice -n -15 "$@"',
  'ahead',
];

const shellPort = 2;
/** From here on upwards, one for each Unix socket that is carried over. */
const firstSocketPort = 100;

export class KernelMachine extends Machine {
  readonly #options: KernelMachineOptions;
  #power: Background | undefined;
  #relays: readonly Background[] = [];
  readonly #started = new Set<Background>();

  constructor(name: string, options: KernelMachineOptions) {
    super(name);
    this.#options = options;
  }

  override get isOn(): boolean {
    return this.#power !== undefined;
  }

  override get pid(): number {
    throw new Error(`${this.name} has a kernel of its own: none of its processes can be seen from here`);
  }

  /** Addresses of the cable for commands: ours, and the machine's. */
  get #ends(): readonly [string, string] {
    return [`10.78.${this.#options.number}.1`, `10.78.${this.#options.number}.2`];
  }

  #atSwitch(...command: readonly string[]): readonly string[] {
    return ['nsenter', '-t', String(this.#options.networks[0]?.switch.pid), '-n', '--', ...command];
  }

  override async boot(): Promise<void> {
    const { folder, networks, memory = '384M', sockets = [], number } = this.#options;
    const [ours] = this.#ends;
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'command'), this.#firstProgram());
    const cable = `c-${this.name}`;
    if ((await tryRun(this.#atSwitch('ip', 'link', 'show', cable))).code !== 0) {
      await run(this.#atSwitch('ip', 'tuntap', 'add', cable, 'mode', 'tap'));
      await run(this.#atSwitch('ip', 'address', 'add', `${ours}/30`, 'dev', cable));
      await run(this.#atSwitch('ip', 'link', 'set', cable, 'up'));
    }
    const cards = [`vec0:transport=tap,ifname=${cable},depth=64`];
    for (const [index, network] of networks.entries()) {
      const port = await network.socket(this.name);
      cards.push(`vec${index + 1}:transport=tap,ifname=${port},mac=${network.mac(this.name)},depth=64`);
    }
    this.#relays = sockets.map((path, index) =>
      start(
        this.#atSwitch('socat', `TCP-LISTEN:${firstSocketPort + index},bind=${ours},reuseaddr,fork`, `UNIX:${path}`),
        () => undefined,
      ),
    );
    const lab = join(root, 'test', 'lab', 'guest');
    const isolated = [...ahead, 'unshare', '--pid', '--fork', '--kill-child=KILL', '--mount-proc'];
    const kernel = ['linux.uml', 'noreboot', `mem=${memory}`, `umid=${this.name}-${number}`, `uml_dir=${folder}/uml`];
    const files = ['root=/dev/root', 'rootfstype=hostfs', 'rootflags=/', 'ro', `init=${lab}/init`];
    const console = ['con=null', 'con0=null,fd:1', 'quiet', 'loglevel=3', `GUEST_SHARED=${folder}`];
    const said: string[] = [];
    const power = start(
      this.#atSwitch(...isolated, ...kernel, ...files, ...console, ...cards),
      (line) => void said.push(line),
      { ...process.env, TMPDIR: '/dev/shm' },
    );
    this.#power = power;
    void power.ended.then(() => {
      if (this.#power === power) this.#power = undefined;
    });
    await until(
      `${this.name} boots`,
      async () => {
        if (!this.isOn) throw new Error(`${this.name} did not boot: ${said.join('\n')}`);
        return (await this.tryRun(['true'], { timeoutMs: 2000 })).code === 0;
      },
      60_000,
      100,
    );
  }

  /** What the machine runs once it is up: names its interfaces and listens for commands. */
  #firstProgram(): string {
    const { networks, sockets = [] } = this.#options;
    const [ours, own] = this.#ends;
    return [
      `hostname ${this.name}`,
      'modprobe ipv6',
      'mkdir -p /run/resource-agents /run/lock',
      `ip address add ${own}/30 dev vec0`,
      'ip link set vec0 up',
      ...networks.map((network, index) => `ip link set vec${index + 1} name ${network.nic}`),
      ...sockets.map(
        (path, index) =>
          `mkdir -p $(dirname ${path}); rm -f ${path}; socat UNIX-LISTEN:${path},fork TCP:${ours}:${firstSocketPort + index} &`,
      ),
      `printf '%s\\n' 'IFS= read -r c; eval "$(echo "$c" | base64 -d)"' >/run/shell`,
      `exec socat -t 1000000 TCP-LISTEN:${shellPort},bind=${own},reuseaddr,fork EXEC:"sh /run/shell"`,
      '',
    ].join('\n');
  }

  override async powerOff(): Promise<void> {
    const power = this.#power;
    if (power === undefined) return;
    this.#power = undefined;
    const parent = power.process.pid ?? 0;
    // The first process of the guest's own process table: all of the guest ends with it.
    await tryRun(['pkill', '-KILL', '-P', String(parent)]);
    await power.ended;
    for (const { process: one } of [...this.#relays, ...this.#started]) one.kill('SIGKILL');
    await rm(join(this.#options.folder, 'uml'), { recursive: true, force: true });
  }

  override async plugIn(): Promise<void> {
    // Its cards are in since it was built.
  }

  override argv(): readonly string[] {
    throw new Error(`${this.name} has a kernel of its own: commands are sent to it`);
  }

  override async run(...command: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.tryRun(command);
    if (code !== 0) throw new Error(`${command.join(' ')} on ${this.name} ended with ${code}: ${stderr}${stdout}`);
    return stdout;
  }

  /** Standard error comes with standard output, and the last line says how it ended. */
  override async tryRun(command: readonly string[], options: RunOptions = {}): Promise<Finished> {
    const input = options.input === undefined ? '</dev/null' : `<<'END-OF-INPUT'\n${options.input}\nEND-OF-INPUT`;
    const exported = Object.entries(options.environment ?? {}).map(
      ([name, value]) => `export ${name}=${quoted(value ?? '')}`,
    );
    const script = `${exported.join('\n')}\n( ${command.map(quoted).join(' ')} ) 2>&1 ${input}\nstatus=$?; echo; echo "ended with $status"\n`;
    const { stdout } = await tryRun(this.#shell(), {
      input: `${Buffer.from(script).toString('base64')}\n`,
      timeoutMs: options.timeoutMs ?? 60_000,
    });
    const end = /\n?\nended with (\d+)\n$/u.exec(stdout);
    return end === null
      ? { code: 255, stdout, stderr: `${this.name} was lost` }
      : { code: Number(end[1]), stdout: stdout.slice(0, end.index), stderr: '' };
  }

  override start(
    command: readonly string[],
    onLine: (line: string, stream: 'stdout' | 'stderr') => void,
    environment: NodeJS.ProcessEnv = {},
  ): Background {
    const wanted = ['PATH', 'NODE_OPTIONS'].flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [`export ${name}=${quoted(value)}`];
    });
    const script = [...wanted, `exec ${command.map(quoted).join(' ')} </dev/null 2>&1`].join('\n');
    const line = Buffer.from(script).toString('base64');
    const background = start(['sh', '-c', `exec ${this.#shell().map(quoted).join(' ')} <<END\n${line}\nEND\n`], onLine);
    this.#started.add(background);
    void background.ended.finally(() => this.#started.delete(background));
    return background;
  }

  #shell(): readonly string[] {
    return this.#atSwitch('socat', '-t', '100000', '-', `TCP:${this.#ends[1]}:${shellPort},connect-timeout=2`);
  }
}

const quoted = (word: string): string => `'${word.replaceAll("'", String.raw`'\''`)}'`;

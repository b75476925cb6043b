/**
 * A cluster in a laboratory: machines with a daemon each, a power switch, and a client. Everything lives in one
 * temporary folder and in namespaces that end with this process.
 */
import { constants } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../support/repository.ts';
import { type Background, type Finished, run, until } from './command.ts';
import { Machine } from './namespaces.ts';
import { Network } from './network.ts';
import { PowerSwitch } from './power-switch.ts';

const binaries = join(root, 'node_modules', '.bin');

/** One line of a daemon's log. */
export interface LogLine {
  readonly node: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly event: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface LabOptions {
  readonly nodes: readonly string[];
  /** Where agents are looked for; the daemon's own places unless given. */
  readonly agents?: readonly string[];
  /** The folder that `systole` and `systoled` are run from; those of the checkout unless given. */
  readonly programs?: string;
  /** Shell text that every machine runs when it boots, ending in `&&`. */
  readonly prepare?: string;
  /** Machines of another kind than namespaces; undefined for those that are of the usual one. */
  readonly build?: (node: string, lab: Lab) => Machine | undefined;
  /** More of a machine's hardware: done each time it is switched on, after its first cable is in. */
  readonly wire?: (machine: Machine) => Promise<void>;
  /** The quorum section of every node's file. */
  readonly quorum?: object;
  /** How soon silence counts as death, as in every node's file. */
  readonly timing?: object;
  readonly onLog?: (line: LogLine) => void;
  /** What a daemon prints that is no log line: on standard error, or when it fails. */
  readonly onText?: (node: string, text: string) => void;
}

export interface NodeStatus {
  readonly node: string;
  readonly dc?: string;
  readonly quorate: boolean;
  readonly nodes: readonly { readonly name: string; readonly state: string }[];
  readonly resources: readonly {
    readonly id?: string;
    readonly rsc?: string;
    readonly role: string;
    readonly nodes: readonly string[];
  }[];
  readonly transition: { readonly state: string };
}

export class Lab {
  readonly machines = new Map<string, Machine>();
  readonly client = new Machine('client');
  readonly network = new Network();
  readonly log: LogLine[] = [];
  readonly folder: string;
  readonly power: PowerSwitch;
  readonly #daemons = new Map<string, Background>();
  readonly #options: LabOptions;

  private constructor(folder: string, options: LabOptions) {
    this.folder = folder;
    this.#options = options;
    this.power = new PowerSwitch(join(folder, 'power.sock'), {
      off: (node) => this.powerOff(node),
      on: (node) => this.boot(node),
      isOn: (node) => this.machine(node).isOn,
      has: (node) => this.machines.has(node),
    });
    for (const node of options.nodes) this.#add(node);
  }

  #add(node: string): void {
    const { build, prepare } = this.#options;
    this.machines.set(node, build?.(node, this) ?? new Machine(node, prepare));
  }

  /** Opens a laboratory with all machines on, and no daemon running. */
  static async open(options: LabOptions): Promise<Lab> {
    const lab = new Lab(await mkdtemp(join(tmpdir(), 'systole-lab-')), options);
    try {
      await run([join(binaries, 'systole'), 'key', 'generate', join(lab.folder, 'key')]);
      await lab.power.open();
      await lab.network.open();
      await lab.client.boot();
      await lab.network.connect(lab.client, '10.77.0.250/24', 'fd77::250/64');
      await Promise.all(options.nodes.map((node) => lab.#bootBare(node)));
    } catch (error) {
      await lab.close();
      throw error;
    }
    return lab;
  }

  async close(): Promise<void> {
    await this.client.powerOff();
    await Promise.all([...this.machines.values()].map((machine) => machine.powerOff()));
    await this.network.close();
    await this.power.close().catch(() => undefined); // it was never opened if opening the laboratory failed
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Writes a file of the laboratory's, visible in every machine; answers with its path. */
  async file(name: string, content: string): Promise<string> {
    const path = join(this.folder, name);
    await writeFile(path, content);
    return path;
  }

  machine(node: string): Machine {
    const machine = this.machines.get(node);
    if (machine === undefined) throw new Error(`no machine ${node}`);
    return machine;
  }

  /** 10.77.0.1, 10.77.0.2, … in the order of the nodes. */
  address(node: string): string {
    return `10.77.0.${[...this.machines.keys()].indexOf(node) + 1}`;
  }

  /** Switches the machine on and starts its daemon, as init would. */
  async boot(node: string): Promise<void> {
    if (!this.machine(node).isOn) await this.#bootBare(node);
    await this.startDaemon(node);
  }

  async #bootBare(node: string): Promise<void> {
    const machine = this.machine(node);
    await machine.boot();
    const index = [...this.machines.keys()].indexOf(node) + 1;
    await this.network.connect(machine, `10.77.0.${index}/24`, `fd77::${index}/64`);
    await this.#options.wire?.(machine);
  }

  /** Pulls the machine's plug: every process and the network interface are gone at once. */
  async powerOff(node: string): Promise<void> {
    await this.machine(node).powerOff();
    this.#daemons.delete(node);
  }

  /** A new machine that the running nodes do not know yet. */
  async addMachine(node: string): Promise<void> {
    this.#add(node);
    await this.#bootBare(node);
  }

  async startDaemon(node: string): Promise<void> {
    await mkdir(join(this.folder, node), { recursive: true });
    const file = join(this.folder, node, 'systole.yaml');
    await writeFile(file, JSON.stringify(this.#configuration(node), undefined, 2));
    // The same key for all at first; afterwards each node keeps its own file.
    await copyFile(join(this.folder, 'key'), join(this.folder, node, 'key'), constants.COPYFILE_EXCL).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
      },
    );
    this.restartDaemon(node);
  }

  /** Starts the daemon with its files as they are now. */
  restartDaemon(node: string): void {
    const machine = this.machine(node);
    const file = join(this.folder, node, 'systole.yaml');
    const daemon = machine.start(
      [this.#program('systoled'), '--config', file],
      (line) => this.#read(node, line),
      this.#environment(),
    );
    this.#daemons.set(node, daemon);
  }

  /** The daemon's process as seen from here: what it was started through replaces itself with it. */
  async daemonPid(node: string): Promise<number> {
    const found = await this.machine(node).tryRun(['pgrep', '-o', '-f', 'daemon/src/main.ts|systoled']);
    const inside = found.stdout.trim();
    const { stdout } = await this.machine(node).tryRun(['cat', `/proc/${inside}/cmdline`]);
    if (!stdout.includes('systoled') && !stdout.includes('main.ts')) throw new Error(`no daemon on ${node}`);
    return Number(inside);
  }

  /** Sends a signal to the daemon, and to nothing else on the machine. */
  async signalDaemon(node: string, signal: string): Promise<void> {
    await this.machine(node).run('kill', `-${signal}`, String(await this.daemonPid(node)));
  }

  daemon(node: string): Background {
    const daemon = this.#daemons.get(node);
    if (daemon === undefined) throw new Error(`no daemon was started on ${node}`);
    return daemon;
  }

  /** Runs the shell on a node; @throws Error if it fails. */
  async systole(node: string, ...words: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.trySystole(node, words);
    if (code !== 0) throw new Error(`systole ${words.join(' ')} on ${node} ended with ${code}: ${stderr}${stdout}`);
    return stdout;
  }

  trySystole(node: string, words: readonly string[], input?: string): Promise<Finished> {
    const command = [this.#program('systole'), '--config', join(this.folder, node, 'systole.yaml'), ...words];
    return this.machine(node).tryRun(command, {
      environment: this.#environment(),
      ...(input === undefined ? {} : { input }),
    });
  }

  /**
   * What the daemon says, or undefined where none answers. Asked through the machine's file system as seen from here: a
   * shell for each look would cost more than everything that is looked at.
   */
  async status(node: string): Promise<NodeStatus | undefined> {
    const machine = this.machine(node);
    if (!machine.isOn) return undefined;
    const socketPath = `/proc/${machine.pid}/root/run/systole/systole.sock`;
    return new Promise((resolve) => {
      const request = get({ socketPath, path: '/v1/status', timeout: 5000 }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => (text += part));
        response.on('end', () => resolve(response.statusCode === 200 ? (JSON.parse(text) as NodeStatus) : undefined));
      });
      request.on('timeout', () => request.destroy());
      request.on('error', () => resolve(undefined)); // not up yet, or not any more
    });
  }

  /** Asks the daemon's interface; @throws Error where it refuses or no daemon answers. */
  ask<T = unknown>(node: string, method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
    const socketPath = `/proc/${this.machine(node).pid}/root/run/systole/systole.sock`;
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json' };
      const asked = request({ socketPath, path, method, headers, timeout: 10_000 }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => (text += part));
        response.on('end', () => {
          if (response.statusCode === 200) resolve(JSON.parse(text) as T);
          else reject(new Error(`${path} on ${node}: ${text}`));
        });
      });
      asked.on('timeout', () => asked.destroy(new Error(`${path} on ${node}: no answer`)));
      asked.on('error', reject);
      asked.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** Waits until the nodes that are on see each other online and have nothing left to do. */
  async settled(nodes: readonly string[], timeoutMs = 60_000): Promise<NodeStatus> {
    const [first = ''] = nodes;
    return this.until(
      `${nodes.join(', ')} are online and idle`,
      async () => {
        const status = await this.status(first);
        const isOnline = (name: string): boolean =>
          status?.nodes.some((node) => node.name === name && node.state === 'online') ?? false;
        return status !== undefined && status.transition.state === 'idle' && nodes.every(isOnline) ? status : undefined;
      },
      timeoutMs,
      200,
    );
  }

  /** As the function of that name; an error tells how the cluster is then, and what the daemons said last. */
  async until<T>(...wait: Parameters<typeof until<T>>): Promise<T> {
    try {
      return await until<T>(...wait);
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${await this.#lastWords()}`, { cause: error });
    }
  }

  async #lastWords(): Promise<string> {
    const machines = [...this.machines].map(async ([node, machine]) => {
      // A machine with a kernel of its own is not seen from here; those that look at it tell of it.
      const status = await this.status(node).catch(() => undefined);
      const members = status?.nodes.map(({ name, state }) => `${name} ${state}`).join(', ') ?? 'no answer';
      return `${node} (${machine.isOn ? 'on' : 'off'}): ${members}; ${JSON.stringify(status?.transition ?? {})}`;
    });
    const said = this.log.slice(-60).map(({ time, node, msg }) => `${new Date(time).toISOString()} ${node} ${msg}`);
    return [...(await Promise.all(machines)), ...said].join('\n');
  }

  #program(name: string): string {
    return join(this.#options.programs ?? binaries, name);
  }

  #configuration(node: string): object {
    const own = join(this.folder, node);
    return {
      cluster: 'lab',
      node,
      nodes: [...this.machines.keys()],
      state: join(own, 'state'),
      run: '/run/systole', // private to the machine, gone with its power
      key: join(own, 'key'),
      links: [{ address: this.address(node), multicast: '239.255.77.1', port: 5405 }],
      api: { socket: '/run/systole/systole.sock' },
      quorum: this.#options.quorum ?? {},
      timing: this.#options.timing ?? { profile: 'lan' },
      ...(this.#options.agents === undefined ? {} : { agents: this.#options.agents }),
    };
  }

  #environment(): NodeJS.ProcessEnv {
    return { ...process.env, PATH: `${binaries}:${process.env['PATH'] ?? ''}` };
  }

  #read(node: string, text: string): void {
    let line: LogLine | undefined;
    try {
      const read = JSON.parse(text) as Omit<LogLine, 'time'> & { readonly time: string };
      line = { ...read, node, time: Date.parse(read.time) } as LogLine;
    } catch {
      this.#options.onText?.(node, text);
    }
    if (line === undefined) return;
    this.log.push(line);
    this.#options.onLog?.(line);
  }
}

/**
 * A load balancer in a laboratory: two directors, three real servers, a client. What keeps the directors alive is one of
 * several managers, so that they can be compared: everything else is the same. Needs a kernel with IPVS.
 */
import { join } from 'node:path';
import { root } from '../support/repository.ts';
import type { Echo } from './balanced-client.ts';
import type { Lab } from './cluster.ts';
import { type Background, until } from './command.ts';
import { ahead, KernelMachine } from './kernel-machine.ts';
import type { Machine } from './namespaces.ts';
import { Network } from './network.ts';
import type { Answer } from './probe.ts';

export const methods = ['dr', 'nat', 'tun'] as const;
export type Method = (typeof methods)[number];

export const virtualAddress = '10.77.0.100';
export const directors = ['lb1', 'lb2'] as const;
export const servers = ['web1', 'web2', 'web3'] as const;

/** The real servers of each example. */
export const farmOf = (method: Method): readonly string[] => (method === 'dr' ? servers : servers.slice(0, 2));

/** What makes one of two directors the active one. */
export interface Manager extends AsyncDisposable {
  readonly lab: Lab;
  /** The director that has the address, once things have settled. */
  active(): Promise<string>;
  standby(node: string): Promise<void>;
  online(node: string): Promise<void>;
  /** The director is switched on again, if it isn't, and takes part. */
  boot(node: string): Promise<void>;
}

/** The port that real servers listen on. */
export const portOf = (method: Method): number => (method === 'nat' ? 8080 : 80);

/** The networks of the examples: all have 10.77.0.0/24; with NAT the servers and the directors share 10.8.0.0/24 too. */
export class Wiring {
  readonly #method: Method;
  #inner: Network | undefined;

  constructor(method: Method) {
    this.#method = method;
  }

  /** Directors have a kernel of their own, with IPVS; so have real servers that need tunnels. */
  build(node: string, lab: Lab): Machine | undefined {
    const special: readonly string[] = this.#method === 'tun' ? [...directors, ...servers] : directors;
    const number = special.indexOf(node) + 1;
    if (number === 0) return undefined;
    return new KernelMachine(node, {
      networks: [lab.network, ...(this.#method === 'nat' ? [this.inner(lab)] : [])],
      folder: join(lab.folder, node),
      number,
      sockets: [lab.power.socketPath],
    });
  }

  /** The network between directors and real servers. */
  inner(lab: Lab): Network {
    return (this.#inner ??= new Network('eth1', lab.network));
  }

  /** Done at each boot of a machine. */
  async wire(machine: Machine): Promise<void> {
    const isDirector = machine.name.startsWith('lb');
    if (!isDirector && !machine.name.startsWith('web')) return;
    const number = Number(machine.name.slice(-1));
    if (this.#method === 'nat') {
      await this.#inner?.connect(machine, isDirector ? `10.8.0.${number}/24` : `10.8.0.${20 + number}/24`);
      if (!isDirector) await machine.run('ip', 'route', 'add', 'default', 'via', '10.8.0.254');
    } else if (!isDirector) {
      await machine.run('ip', 'address', 'add', `10.77.0.${20 + number}/24`, 'dev', 'eth0');
    }
    if (isDirector) {
      await machine.run('modprobe', '-a', 'ip_vs', 'ip_vs_rr', 'ip_vs_wrr', 'ip_vs_wlc', 'ipip');
      const settings = ['net.ipv4.ip_forward=1', 'net.ipv4.vs.conntrack=1', 'net.ipv4.conf.all.send_redirects=0'];
      await machine.run('sysctl', '-qw', ...settings);
    }
  }
}

/** The real servers' programs. */
export class Farm {
  readonly #method: Method;
  readonly #machine: (name: string) => Machine;
  readonly #running = new Map<string, Background>();

  constructor(method: Method, machine: (name: string) => Machine) {
    this.#method = method;
    this.#machine = machine;
  }

  async start(name: string): Promise<void> {
    let isReady = false;
    const program = join(root, 'test', 'lab', 'real-server.ts');
    const argv = [...ahead, process.execPath, program, String(portOf(this.#method))];
    this.#running.set(
      name,
      this.#machine(name).start(argv, (line) => (isReady ||= line === 'ready')),
    );
    await until(`${name} serves`, () => isReady, 30_000);
  }

  async kill(name: string): Promise<void> {
    const program = this.#running.get(name);
    if (program === undefined) throw new Error(`${name} does not serve`);
    this.#running.delete(name);
    // Within the machine, whose processes are its own: what was started from here is the way into it.
    await this.#machine(name).run('pkill', '-KILL', '-f', 'real-server.ts');
    await program.ended;
  }
}

/** A client under way, and what it has seen so far. */
export class Traffic {
  readonly answers: Answer[] = [];
  readonly echoes: Echo[] = [];
  readonly connections: number;

  constructor(client: Machine, options: { readonly connections: number }) {
    this.connections = options.connections;
    // Who asks and who answers is not what is measured: neither waits for other programs here.
    const program = join(root, 'test', 'lab', 'balanced-client.ts');
    const argv = [
      ...ahead,
      process.execPath,
      program,
      `http://${virtualAddress}/`,
      '50',
      '500',
      String(options.connections),
    ];
    client.start(argv, (line, stream) => {
      if (stream !== 'stdout') return;
      const said = JSON.parse(line) as Answer | Echo;
      if ('asked' in said) this.answers.push(said);
      else this.echoes.push(said);
    });
  }

  /** Names that answered since. */
  from(since: number): ReadonlySet<string> {
    return new Set(this.answers.flatMap(({ asked, from }) => (asked >= since && from !== undefined ? [from] : [])));
  }

  /** Questions of that time which nobody answered. */
  lost(since: number): number {
    return this.answers.filter(({ asked, from }) => asked >= since && from === undefined).length;
  }

  /** Questions of that time which were sent to a machine whose server does not run. */
  refused(since: number): number {
    return this.answers.filter(({ asked, isRefused }) => asked >= since && isRefused === true).length;
  }

  /** Connections on which a byte came back after the given time, and none that was closed. */
  alive(since: number): number {
    const closed = new Set(this.echoes.filter(({ what }) => what === 'closed').map(({ connection }) => connection));
    const heard = this.echoes.filter(({ what, at }) => what === 'echo' && at >= since);
    return new Set(heard.map(({ connection }) => connection).filter((connection) => !closed.has(connection))).size;
  }

  /** Waits until questions asked after `since` are answered `count` times in a row. */
  async flows(since: number, count = 10): Promise<void> {
    await until(
      'the client is answered',
      () => {
        const late = this.answers.filter(({ asked }) => asked >= since).slice(-count);
        return late.length === count && late.every(({ from }) => from !== undefined);
      },
      60_000,
    );
  }
}

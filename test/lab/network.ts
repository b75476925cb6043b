/**
 * The network between machines: a bridge in a machine of its own, one cable to each. Cables can be cut, and single
 * directions between two machines blocked, without either of them being told.
 */
import { createHash } from 'node:crypto';
import { run, tryRun } from './command.ts';
import { Machine } from './namespaces.ts';

export class Network {
  /** What each machine calls its end of the cable. */
  readonly nic: string;
  /** The machine that has the bridge. */
  readonly switch: Machine;
  readonly #isBeside: boolean;
  #begun: Promise<void> | undefined;
  #blocks = 0;

  /** `beside` another network, whose switch it shares, for machines with several interfaces. */
  constructor(nic = 'eth0', beside?: Network) {
    this.nic = nic;
    this.#isBeside = beside !== undefined;
    this.switch = beside?.switch ?? new Machine('switch');
  }

  get #bridge(): string {
    return `br-${this.nic}`;
  }

  async open(): Promise<void> {
    if (this.#isBeside) return;
    await this.switch.boot();
    await this.#addBridge();
  }

  /** A network beside another begins with its first cable. */
  async #begin(): Promise<void> {
    if (this.#isBeside) await (this.#begun ??= this.#addBridge());
  }

  async #addBridge(): Promise<void> {
    // Without snooping, multicast is flooded as on a plain switch.
    await this.#run('ip', 'link', 'add', this.#bridge, 'type', 'bridge', 'forward_delay', '0', 'mcast_snooping', '0');
    await this.#run('ip', 'link', 'set', this.#bridge, 'up');
  }

  async close(): Promise<void> {
    if (!this.#isBeside) await this.switch.powerOff();
  }

  /** Gives `machine` an interface with `addresses` (with prefix length); needed again after each boot. */
  async connect(machine: Machine, ...addresses: readonly string[]): Promise<void> {
    await machine.plugIn(this);
    for (const address of addresses) {
      const isVersion6 = address.includes(':');
      await machine.run('ip', 'address', 'add', address, 'dev', this.nic, ...(isVersion6 ? ['nodad'] : []));
    }
    await machine.run('ip', 'link', 'set', this.nic, 'up');
  }

  /** A cable whose other end becomes the machine's interface; the namespace is that of its first process. */
  async cable(name: string, pid: number): Promise<void> {
    await this.#begin();
    const port = this.port(name);
    await tryRun(this.#argv('ip', 'link', 'del', port)); // left from before its plug was pulled, unless it is gone
    const peer = ['peer', 'name', this.nic, 'address', this.mac(name), 'netns', String(pid)];
    await this.#run('ip', 'link', 'add', port, 'type', 'veth', ...peer);
    await this.#run('ip', 'link', 'set', port, 'master', this.#bridge, 'up');
  }

  /** A socket for a machine with a kernel of its own, which opens it when it boots; answers with its name. */
  async socket(name: string): Promise<string> {
    await this.#begin();
    const port = this.port(name);
    const isThere = (await tryRun(this.#argv('ip', 'link', 'show', port))).code === 0;
    if (!isThere) await this.#run('ip', 'tuntap', 'add', port, 'mode', 'tap');
    await this.#run('ip', 'link', 'set', port, 'master', this.#bridge, 'up');
    return port;
  }

  /** Pulls the machine's network cable. */
  async cut(name: string): Promise<void> {
    await this.#run('ip', 'link', 'set', this.port(name), 'down');
  }

  async mend(name: string): Promise<void> {
    await this.#run('ip', 'link', 'set', this.port(name), 'up');
  }

  /** Drops what `from` sends to `to`, and nothing else, until `unblock`. */
  async block(from: string, to: string): Promise<void> {
    await this.#filter(`iifname "${this.port(from)}" oifname "${this.port(to)}" drop`);
  }

  /** Drops a share (0 to 1) of all UDP datagrams on every path, drawn for each path on its own, until `unblock`. */
  async lose(share: number): Promise<void> {
    await this.#filter(`ether type ip meta l4proto udp numgen random mod 1000 < ${Math.round(share * 1000)} drop`);
  }

  async #filter(rule: string): Promise<void> {
    if (this.#blocks === 0) {
      await this.#run('nft', 'add table bridge lab');
      await this.#run('nft', 'add chain bridge lab forward { type filter hook forward priority 0; }');
    }
    this.#blocks += 1;
    await this.#run('nft', `add rule bridge lab forward ${rule}`);
  }

  /** Takes back all that was blocked or lost. */
  async unblock(): Promise<void> {
    if (this.#blocks > 0) await this.#run('nft', 'delete table bridge lab');
    this.#blocks = 0;
  }

  async #run(...command: readonly string[]): Promise<void> {
    await run(this.#argv(...command));
  }

  // Only the network namespace is entered: process ids keep the meaning that they have here.
  #argv(...command: readonly string[]): readonly string[] {
    return ['nsenter', '-t', String(this.switch.pid), '-n', '--', ...command];
  }

  /** A machine keeps its hardware address over a boot, as a real one does; else its neighbours would look for the old one. */
  mac(name: string): string {
    const digest = createHash('sha256').update(`${name} ${this.nic}`).digest('hex');
    return `02:${(digest.match(/../gu) ?? []).slice(0, 5).join(':')}`;
  }

  /** The bridge's end of a machine's cable; the kernel allows 15 characters. */
  port(name: string): string {
    return `${this.nic.replace('eth', 'p')}-${name}`.slice(0, 15);
  }
}

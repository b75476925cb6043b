/**
 * The network between machines: a bridge in a machine of its own, one cable to each. Cables can be cut, and single
 * directions between two machines blocked, without either of them being told.
 */
import { createHash } from 'node:crypto';
import { run, tryRun } from './command.ts';
import { Machine } from './namespaces.ts';

export class Network {
  readonly #bridge = new Machine('switch');
  #blocks = 0;

  async open(): Promise<void> {
    await this.#bridge.boot();
    // Without snooping, multicast is flooded as on a plain switch.
    await this.#run('ip', 'link', 'add', 'br0', 'type', 'bridge', 'forward_delay', '0', 'mcast_snooping', '0');
    await this.#run('ip', 'link', 'set', 'br0', 'up');
  }

  async close(): Promise<void> {
    await this.#bridge.powerOff();
  }

  /** Gives `machine` an interface `eth0` with `addresses` (with prefix length); needed again after each boot. */
  async connect(machine: Machine, ...addresses: readonly string[]): Promise<void> {
    const port = portOf(machine.name);
    await tryRun(this.#argv('ip', 'link', 'del', port)); // left from before its plug was pulled, unless it is gone
    const peer = ['peer', 'name', 'eth0', 'address', macOf(machine.name), 'netns', String(machine.pid)];
    await this.#run('ip', 'link', 'add', port, 'type', 'veth', ...peer);
    await this.#run('ip', 'link', 'set', port, 'master', 'br0', 'up');
    for (const address of addresses) {
      const isVersion6 = address.includes(':');
      await machine.run('ip', 'address', 'add', address, 'dev', 'eth0', ...(isVersion6 ? ['nodad'] : []));
    }
    await machine.run('ip', 'link', 'set', 'eth0', 'up');
  }

  /** Pulls the machine's network cable. */
  async cut(name: string): Promise<void> {
    await this.#run('ip', 'link', 'set', portOf(name), 'down');
  }

  async mend(name: string): Promise<void> {
    await this.#run('ip', 'link', 'set', portOf(name), 'up');
  }

  /** Drops what `from` sends to `to`, and nothing else, until `unblock`. */
  async block(from: string, to: string): Promise<void> {
    await this.#filter(`iifname "${portOf(from)}" oifname "${portOf(to)}" drop`);
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
    return ['nsenter', '-t', String(this.#bridge.pid), '-n', '--', ...command];
  }
}

/** A machine keeps its hardware address over a boot, as a real one does; else its neighbours would look for the old one. */
const macOf = (name: string): string =>
  `02:${(createHash('sha256').update(name).digest('hex').match(/../gu) ?? []).slice(0, 5).join(':')}`;

/** The bridge's end of a machine's cable; the kernel allows 15 characters. */
const portOf = (name: string): string => `p-${name}`.slice(0, 15);

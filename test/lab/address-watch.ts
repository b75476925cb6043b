/**
 * Who holds an address when: told by the kernels of all machines, so that no overlap can hide between two looks, with the
 * time of each machine's own `ip`: when this process gets round to reading it says nothing about the order of things.
 */
import type { Machine } from './namespaces.ts';

export interface Hold {
  readonly node: string;
  readonly from: number;
  /** Absent: still held. */
  readonly to?: number;
}

export class AddressWatch {
  readonly #address: string;
  readonly #holds: { node: string; from: number; to?: number }[] = [];

  constructor(address: string) {
    this.#address = address;
  }

  /** Listens on a machine that has just been booted; when its power goes, so does its hold. */
  watch(machine: Machine): void {
    const monitor = machine.start(['ip', '-ts', 'monitor', 'address'], (line) => {
      if (!line.includes(` ${this.#address}/`)) return;
      const at = Date.parse(/^\[(.{23})/u.exec(line)?.[1] ?? '');
      if (Number.isNaN(at)) throw new Error(`ip monitor tells no time: ${line}`);
      if (line.includes('] Deleted ')) this.#end(machine.name, at);
      else if (this.#open(machine.name) === undefined) this.#holds.push({ node: machine.name, from: at });
    });
    void monitor.ended.then(() => this.#end(machine.name, Date.now()));
  }

  get holds(): readonly Hold[] {
    return this.#holds;
  }

  /** Nodes that hold the address now. */
  holders(): readonly string[] {
    return this.#holds.filter((hold) => hold.to === undefined).map((hold) => hold.node);
  }

  /** Pairs of holds that overlap. There must be none. */
  overlaps(): readonly (readonly [Hold, Hold])[] {
    const now = Date.now();
    return this.#holds.flatMap((a, index) =>
      this.#holds
        .slice(index + 1)
        .filter((b) => b.node !== a.node && b.from < (a.to ?? now) && a.from < (b.to ?? now))
        .map((b) => [a, b] as const),
    );
  }

  #open(node: string): { to?: number } | undefined {
    return this.#holds.find((hold) => hold.node === node && hold.to === undefined);
  }

  #end(node: string, at: number): void {
    const hold = this.#open(node);
    if (hold !== undefined) hold.to = at;
  }
}

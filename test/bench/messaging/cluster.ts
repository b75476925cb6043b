/** Three members of one system in namespaces on a bridge of their own. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import process from 'node:process';
import { sleep, until } from '../../lab/command.ts';
import { Machine } from '../../lab/namespaces.ts';
import { Network } from '../../lab/network.ts';
import { Member } from './member.ts';
import { addressOf, type System } from './systems.ts';

const WHOLE_MAX_MS = 90_000;
/** Clock ticks of /proc a second; the same on every Linux that Node runs on. */
const TICKS = 100;

interface ProcessFacts {
  readonly pid: number;
  readonly name: string;
  readonly cpuMs: number;
  /** Names of the scheduling classes of its threads. */
  readonly classes: readonly string[];
}

export class Cluster implements AsyncDisposable {
  readonly system: System;
  readonly network = new Network();
  readonly #machines: readonly Machine[];
  readonly members: Member[] = [];

  private constructor(system: System) {
    this.system = system;
    this.#machines = [1, 2, 3].map((index) => new Machine(`n${index}`, system.prepare));
  }

  static async open(system: System): Promise<Cluster> {
    const cluster = new Cluster(system);
    try {
      await cluster.network.open();
      await Promise.all([1, 2, 3].map((index) => cluster.boot(index)));
      await cluster.whole();
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
    return cluster;
  }

  machine(index: number): Machine {
    const machine = this.#machines[index - 1];
    if (machine === undefined) throw new RangeError(`no machine ${index}`);
    return machine;
  }

  member(index: number): Member {
    const member = this.members[index - 1];
    if (member === undefined) throw new RangeError(`no member ${index}`);
    return member;
  }

  /** Machine and program; answers with when the program was started. */
  async boot(index: number): Promise<number> {
    const machine = this.machine(index);
    await machine.boot();
    await this.network.connect(machine, `${addressOf(index)}/24`);
    const startedAt = Date.now();
    this.members[index - 1] = new Member(machine, await this.system.start(machine, index));
    return startedAt;
  }

  /** Waits until all are members, whatever happened before; machines that are off are booted. */
  async whole(): Promise<void> {
    for (const index of [1, 2, 3]) if (!this.machine(index).isOn) await this.boot(index);
    const isWhole = (): boolean => this.members.every((member) => member.members === 3);
    await until(`all three of ${this.system.name} are members`, isWhole, WHOLE_MAX_MS, 5);
    await sleep(500);
  }

  /** Memberships told to all clients since then, and how long after it the last one was. */
  changes(since: number): { readonly count: number; readonly lastMs: number } {
    const all = this.members.flatMap((member) => member.changes(since));
    return { count: all.length, lastMs: all.length === 0 ? 0 : Math.max(...all) - since };
  }

  /** What runs in a machine beside its first process. */
  processes(index: number): readonly ProcessFacts[] {
    const { pid: first } = this.machine(index);
    const space = readlinkSync(`/proc/${first}/ns/pid`);
    return readdirSync('/proc').flatMap((name) => {
      const pid = Number(name);
      if (!Number.isInteger(pid) || pid === first) return [];
      try {
        if (readlinkSync(`/proc/${name}/ns/pid`) !== space) return [];
        const [user = 0, system = 0] = statOf(`/proc/${name}/stat`, 13, 2);
        const policies = readdirSync(`/proc/${name}/task`).map(
          (task) => statOf(`/proc/${name}/task/${task}/stat`, 40, 1)[0],
        );
        const classes = [...new Set(policies.map((policy) => (policy === 2 ? 'RR' : policy === 0 ? 'OTHER' : '?')))];
        const comm = readFileSync(`/proc/${name}/comm`, 'utf8').trim();
        return comm === 'sh' || comm === 'sleep'
          ? []
          : [{ pid, name: comm, cpuMs: ((user + system) * 1000) / TICKS, classes }];
      } catch {
        return []; // it has just ended
      }
    });
  }

  /** A member that is lost again and again is let in later and later; here nothing is wrong with it. */
  readmit(index: number): void {
    if (this.system.leaver !== undefined) return; // the peer has no such damping
    for (const member of this.members) member.tell({ readmit: index });
  }

  /** Tells a member to leave in order; answers with when. */
  leave(index: number): number {
    const { leaver } = this.system;
    const process_ = this.processes(index).find(({ name }) => name === leaver);
    const at = Date.now();
    if (leaver === undefined) this.member(index).tell({ leave: true });
    else process.kill(process_?.pid ?? 0, 'SIGTERM');
    return at;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const machine of this.#machines) await machine.powerOff();
    await this.network.close();
  }
}

/** Numbers of a stat file of /proc, counted after the name in parentheses, which may hold anything. */
function statOf(path: string, from: number, count: number): readonly number[] {
  const text = readFileSync(path, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields.slice(from - 2, from - 2 + count).map(Number); // fields are numbered from 0, two of them are before
}

/** A member's client, driven by lines of JSON, and what it said. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { until } from '../../lab/command.ts';
import type { Machine } from '../../lab/namespaces.ts';

export interface Answer {
  /** The members of a view or configuration that this client was told, and when. */
  readonly view?: readonly number[];
  readonly at?: number;
  readonly done?: boolean;
  readonly ms?: number;
  readonly latencies?: readonly number[];
  readonly problem?: string;
  readonly scheduling?: string;
}

export interface Order {
  readonly count: number;
  readonly bytes: number;
  /** Messages under way at once. */
  readonly window: number;
  readonly service?: 'safe';
}

/** Longest time for one run of messages; the machine may be busy with other things. */
const RUN_MAX_MS = 60_000;

export class Member {
  readonly answers: Answer[] = [];
  readonly startedAt = Date.now();
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

  /** When it was first told a view of so many members, from `since` on. */
  saw(members: number, since: number): number | undefined {
    return this.answers.find(({ view, at = 0 }) => view?.length === members && at >= since)?.at;
  }

  /** The times at which it was told a view, from `since` on. */
  changes(since: number): readonly number[] {
    return this.answers.flatMap(({ view, at = 0 }) => (view !== undefined && at >= since ? [at] : []));
  }

  tell(order: Order | { readonly leave: true } | { readonly readmit: number }): void {
    this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
  }

  async carryOut(order: Order): Promise<{ readonly ms: number; readonly latencies: readonly number[] }> {
    const since = this.answers.length;
    this.tell(order);
    const { ms = 0, latencies = [] } = await until(
      `${order.count} messages of ${order.bytes} bytes`,
      () => this.answers.slice(since).find(({ done }) => done === true),
      RUN_MAX_MS,
      5,
    );
    return { ms, latencies };
  }
}

/**
 * Machines made of namespaces: each has a network, process table, mounts and name of its own, so several of them on one
 * kernel behave like hosts. Killing a machine's first process is pulling its plug: everything in it is gone at once.
 */
import { readFile } from 'node:fs/promises';
import { type Background, run, start, tryRun, type Finished, type RunOptions, until } from './command.ts';

/** First process of a machine: makes its private places, says that it is ready, then only buries orphans. */
const init = (prepare: string): string =>
  // Its own interfaces are in a /sys of its own.
  `mount -t sysfs sysfs /sys && mount -t tmpfs -o mode=755 tmpfs /run && mkdir -p /run/lock /run/resource-agents && ${prepare} echo ready; ` +
  'exec 0</dev/null; while :; do sleep 100000 & wait; done';

/** A network as a machine sees it. */
export interface Cabling {
  cable(name: string, pid: number): Promise<void>;
}

export class Machine {
  readonly name: string;
  readonly #prepare: string;
  #init: Background | undefined;
  #pid = 0;

  /** `prepare` is shell text that runs in the machine before it counts as up, ending in `&&` or `;`. */
  constructor(name: string, prepare = '') {
    this.name = name;
    this.#prepare = prepare;
  }

  get isOn(): boolean {
    return this.#init !== undefined;
  }

  /** What was started in here from outside. */
  readonly #entered = new Set<Background>();

  /** Its first process, as seen from here. */
  get pid(): number {
    if (this.#init === undefined) throw new Error(`${this.name} is off`);
    return this.#pid;
  }

  async boot(): Promise<void> {
    const said: string[] = [];
    const flags = ['--net', '--mount', '--pid', '--uts', '--ipc', '--fork', '--kill-child', '--mount-proc'];
    const machine = start(
      ['unshare', ...flags, 'sh', '-c', `hostname ${this.name} && ${init(this.#prepare)}`],
      (line) => void said.push(line),
    );
    let hasEnded = false;
    void machine.ended.then(() => (hasEnded = true));
    await until(
      `${this.name} boots (it said: ${said.join(' / ')})`,
      () => said.includes('ready') || hasEnded,
      15_000,
      5,
    );
    if (!said.includes('ready')) throw new Error(`${this.name} did not boot: ${said.join('\n')}`);
    const parent = machine.process.pid ?? 0;
    this.#pid = Number((await readFile(`/proc/${parent}/task/${parent}/children`, 'utf8')).trim().split(' ')[0]);
    this.#init = machine;
    void machine.ended.then(() => {
      if (this.#init === machine) this.#init = undefined;
    });
    await this.run('ip', 'link', 'set', 'lo', 'up');
  }

  /** Pulls the plug. */
  async powerOff(): Promise<void> {
    const machine = this.#init;
    if (machine === undefined) return;
    this.#init = undefined;
    try {
      process.kill(this.#pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
    // nsenter stops itself when what it runs is stopped, and would never take note of its end; the namespace waits for that.
    for (const { process: entered } of this.#entered) entered.kill('SIGCONT');
    await machine.ended;
  }

  /** Gets an interface on a network; needed again after each boot. */
  plugIn(network: Cabling): Promise<void> {
    return network.cable(this.name, this.pid);
  }

  argv(...command: readonly string[]): readonly string[] {
    return ['nsenter', '-t', String(this.pid), '-n', '-m', '-u', '-i', '-p', '--wd=/', '--', ...command];
  }

  /** @throws Error if the command fails. */
  run(...command: readonly string[]): Promise<string> {
    return run(this.argv(...command));
  }

  tryRun(command: readonly string[], options: RunOptions = {}): Promise<Finished> {
    return tryRun(this.argv(...command), options);
  }

  start(
    command: readonly string[],
    onLine: (line: string, stream: 'stdout' | 'stderr') => void,
    environment?: NodeJS.ProcessEnv,
  ): Background {
    const background = start(this.argv(...command), onLine, environment);
    this.#entered.add(background);
    void background.ended.finally(() => this.#entered.delete(background));
    return background;
  }
}

/** A cluster of one node on the loopback interface, for tests that are about the shell. */
import { randomBytes, randomInt } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Background, start, tryRun, until } from '../lab/command.ts';
import { root } from '../support/repository.ts';

const binaries = join(root, 'node_modules', '.bin');

export class LoneNode implements AsyncDisposable {
  readonly folder: string;
  readonly #daemon: Background;
  readonly #words: string[] = [];

  private constructor(folder: string) {
    this.folder = folder;
    this.#daemon = start(
      [join(binaries, 'systoled'), '--config', join(folder, 'systole.yaml')],
      (line) => this.#words.push(line),
      { ...process.env, HA_RSCTMP: join(folder, 'agents') },
    );
  }

  static async open(): Promise<LoneNode> {
    const folder = mkdtempSync(join(tmpdir(), 'systole-terminal-'));
    writeFileSync(join(folder, 'key'), `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
    const file = {
      cluster: 'zürich',
      node: 'n1',
      nodes: ['n1'],
      state: join(folder, 'state'),
      run: join(folder, 'run'),
      key: join(folder, 'key'),
      links: [{ address: '127.0.0.1', multicast: '239.255.77.3', port: randomInt(20_000, 30_000) }],
    };
    writeFileSync(join(folder, 'systole.yaml'), JSON.stringify(file));
    const node = new LoneNode(folder);
    try {
      await until(
        'the node leads',
        async () => {
          const { code, stdout } = await node.run('--json', 'status');
          return code === 0 && (JSON.parse(stdout) as { dc?: string }).dc === 'n1';
        },
        60_000,
        300,
      );
      await node.set('property', 'fencing-enabled=false');
    } catch (error) {
      await node[Symbol.asyncDispose]();
      throw new Error(`the node did not come up: ${node.#words.join('\n')}`, { cause: error });
    }
    return node;
  }

  /** What a shell needs to know of this node, and a home of its own. */
  get environment(): Readonly<Record<string, string>> {
    return {
      SYSTOLE_CONFIG: join(this.folder, 'systole.yaml'),
      HOME: join(this.folder, 'home'),
      XDG_CONFIG_HOME: join(this.folder, 'home', 'config'),
      XDG_STATE_HOME: join(this.folder, 'home', 'state'),
      XDG_CACHE_HOME: join(this.folder, 'home', 'cache'),
      LANG: 'C.UTF-8',
      PATH: `${binaries}:${process.env['PATH'] ?? ''}`,
    };
  }

  run(...words: readonly string[]): ReturnType<typeof tryRun> {
    return tryRun([join(binaries, 'systole'), ...words], { environment: { ...process.env, ...this.environment } });
  }

  /** A statement of the configuration; @throws Error if it is refused. */
  async set(...words: readonly string[]): Promise<void> {
    const { code, stdout, stderr } = await this.run('configure', ...words);
    if (code !== 0) throw new Error(`configure ${words.join(' ')}: ${stdout}${stderr}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#daemon.process.kill('SIGKILL');
    await this.#daemon.ended;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

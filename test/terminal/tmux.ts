/** A real terminal, driven as a person would: tmux with a server of its own. */
import { execFileSync } from 'node:child_process';
import { tryRun, until } from '../lab/command.ts';

/** Why these tests cannot run here, or undefined if they can. */
export const notHere: string | undefined = hasTmux() ? undefined : 'these tests need tmux';

function hasTmux(): boolean {
  try {
    execFileSync('tmux', ['-V'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export interface TerminalOptions {
  readonly command: string;
  readonly columns?: number;
  readonly rows?: number;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Long enough for a shell to start where everything else runs as well. */
const SEES_MS = 60_000;

let count = 0;

export class Terminal implements AsyncDisposable {
  readonly #server: string;

  private constructor(server: string) {
    this.#server = server;
  }

  static async open({ command, columns = 100, rows = 30, environment = {} }: TerminalOptions): Promise<Terminal> {
    count += 1;
    const terminal = new Terminal(`systole-test-${process.pid}-${count}`);
    const assignments = Object.entries(environment).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
    // The shell that tmux starts gives way to the program; when that has ended the screen stays, to be read.
    const options = ['-f', '/dev/null', 'new-session', '-d', '-x', String(columns), '-y', String(rows), ...assignments];
    await terminal.#tmux(...options, command, ';', 'set-option', '-w', 'remain-on-exit', 'on');
    return terminal;
  }

  /** Keys by tmux's names (`Enter`, `Tab`, `C-c`), or text. */
  async keys(...keys: readonly string[]): Promise<void> {
    await this.#tmux('send-keys', ...keys);
  }

  /** A line, as it stands. */
  async line(text: string): Promise<void> {
    await this.#tmux('send-keys', '-l', text);
    await this.#tmux('send-keys', 'Enter');
  }

  /** Pastes as a terminal does: with marks around it if the program has asked for them. */
  async paste(text: string): Promise<void> {
    await this.#tmux('set-buffer', text);
    await this.#tmux('paste-buffer', '-p', '-d');
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux('resize-window', '-x', String(columns), '-y', String(rows));
  }

  /** What is on the screen, and what has left it. */
  async text(...options: readonly string[]): Promise<string> {
    return (await this.#tmux('capture-pane', '-p', '-J', '-S', '-', ...options)).replace(/\n+$/, '');
  }

  /** Waits until it can be read. @returns all that can. */
  async sees(expected: RegExp): Promise<string> {
    let text = '';
    try {
      return await until(
        `the terminal shows ${expected}`,
        async () => {
          text = await this.text();
          return expected.test(text) ? text : undefined;
        },
        SEES_MS,
        100,
      );
    } catch (error) {
      throw new Error(`${String(error)}; it shows:\n${text}`, { cause: error });
    }
  }

  /** An empty screen, with nothing but the prompt. */
  async clear(): Promise<void> {
    await this.keys('C-l');
    await until('the screen is empty', async () => {
      const text = (await this.#tmux('capture-pane', '-p')).trimEnd();
      return !text.includes('\n') && text !== '';
    });
    await this.#tmux('clear-history');
  }

  /** Waits until the program has ended. @returns its exit status. */
  async ended(): Promise<number> {
    const status = await until('the program ends', async () => {
      const text = await this.#tmux('display-message', '-p', '#{pane_dead} #{pane_dead_status}');
      return text.startsWith('1 ') ? text.slice(2).trim() : undefined;
    });
    return Number(status);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await tryRun(['tmux', '-L', this.#server, 'kill-server']);
  }

  async #tmux(...words: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await tryRun(['tmux', '-L', this.#server, ...words]);
    if (code !== 0) throw new Error(`tmux ${words.join(' ')} ended with ${code}: ${stderr}`);
    return stdout;
  }
}

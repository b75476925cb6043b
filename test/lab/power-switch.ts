/**
 * A power switch that the nodes of a laboratory can reach without the network, as a management board would be: a Unix
 * socket that takes one command (`off NODE`, `on NODE`, `reboot NODE`, `status NODE`, `monitor`), whether or not a newline ends it,
 * and answers `ok …` or `error …`.
 */
import { chmod, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

export interface Outlets {
  off(node: string): Promise<void>;
  on(node: string): Promise<void>;
  isOn(node: string): boolean;
  has(node: string): boolean;
}

export class PowerSwitch {
  readonly socketPath: string;
  readonly #server: Server;
  /** Every command with its time, for who wants to know when a node was fenced. */
  readonly log: { readonly at: number; readonly command: string; readonly node: string }[] = [];

  constructor(socketPath: string, outlets: Outlets) {
    this.socketPath = socketPath;
    this.#server = createServer((socket) => this.#serve(socket, outlets));
  }

  async open(): Promise<void> {
    await rm(this.socketPath, { force: true });
    this.#server.listen(this.socketPath);
    await once(this.#server, 'listening');
    await chmod(this.socketPath, 0o666);
  }

  async close(): Promise<void> {
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(socket: Socket, outlets: Outlets): void {
    socket.setEncoding('utf8');
    socket.on('error', () => socket.destroy()); // the node that asked may just have been switched off
    socket.once('data', (line: string) => {
      const [command = '', node = ''] = line.trim().split(/\s+/u);
      this.#carryOut(command, node, outlets).then(
        (answer) => socket.end(`${answer}\n`),
        (error: unknown) => socket.end(`error ${String(error)}\n`),
      );
    });
  }

  async #carryOut(command: string, node: string, outlets: Outlets): Promise<string> {
    if (command === 'monitor') return 'ok';
    if (!outlets.has(node)) return `error no outlet for ${node}`;
    this.log.push({ at: Date.now(), command, node });
    switch (command) {
      case 'status':
        return `ok ${outlets.isOn(node) ? 'on' : 'off'}`;
      case 'off':
        await outlets.off(node);
        return 'ok off';
      case 'on':
        await outlets.on(node);
        return 'ok on';
      case 'reboot':
        await outlets.off(node);
        // Booting takes long; that the node is off is what was wanted.
        outlets.on(node).catch((error: unknown) => process.stderr.write(`power switch: ${node}: ${String(error)}\n`));
        return 'ok rebooted';
      default:
        return `error no command ${command}`;
    }
  }
}

/**
 * Serves the interface on a Unix socket. Its permissions are the outer door: who cannot open it can do nothing. What the
 * others may is the matter of `http/door.ts`.
 */
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { createAdaptorServer, type ServerType } from '@hono/node-server';
import { SystoleError } from '@systole/kernel';
import type { App } from '../http/app.ts';

export interface SocketOptions {
  readonly path: string;
  /** Name of the group whose members may use it. */
  readonly group?: string;
}

/** @throws SystoleError where another daemon has the socket, or the group is unknown. */
export async function serve(app: App, { path, group }: SocketOptions): Promise<ServerType> {
  mkdirSync(dirname(path), { recursive: true });
  if (existsSync(path)) {
    if (await answers(path)) throw new SystoleError('refused', `another systoled serves ${path} already`);
    unlinkSync(path); // left behind by a daemon that was killed
  }
  const server = createAdaptorServer({
    fetch: (request, environment) => app.fetch(request, environment),
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  chmodSync(path, group === undefined ? 0o600 : 0o660);
  if (group !== undefined) chownSync(path, process.getuid?.() ?? 0, groupId(group));
  return server;
}

const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

function groupId(name: string): number {
  const entry = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .map((one) => one.split(':'))
    .find(([group]) => group === name);
  if (entry === undefined) throw new SystoleError('notFound', `there is no group ${name} (api.group)`);
  return Number(entry[2]);
}

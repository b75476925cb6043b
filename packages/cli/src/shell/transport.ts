/** Requests to the daemon over its Unix socket. */
import type { request } from 'node:http';
import { userInfo } from 'node:os';
import process from 'node:process';
import type { Transport, TransportRequest } from '@systole/api';
import { SystoleError } from '@systole/kernel';

const TIMEOUT_MS = 40_000;

/** Not imported: a statement would fetch all that the module exports, fetch and WebSocket with it, in half of a short command's time. */
const httpRequest = (): typeof request => process.getBuiltinModule('node:http').request;

export function socketTransport(socketPath: string): Transport {
  return {
    request: ({ method, path, body, timeoutMs = TIMEOUT_MS }: TransportRequest) =>
      new Promise((resolve, reject) => {
        let hasConnected = false;
        const outgoing = httpRequest()({ socketPath, method, path, headers: headers(body) }, (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.on('end', () => {
            clearTimeout(timer);
            resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') });
          });
          incoming.on('error', fail);
        });
        const timer = setTimeout(() => {
          outgoing.destroy(
            new SystoleError(
              'timedOut',
              `no answer from the daemon within ${Math.round(timeoutMs / 1000)} s; the outcome is unknown`,
            ),
          );
        }, timeoutMs);
        const fail = (error: Error): void => {
          clearTimeout(timer);
          reject(hasConnected && method === 'POST' ? lostBeforeAnswer(error, socketPath) : explain(error, socketPath));
        };
        outgoing.on('error', fail);
        outgoing.on('socket', (socket) => socket.once('connect', () => (hasConnected = true)));
        outgoing.end(body);
      }),
    lines: (path) => streamLines(socketPath, path),
  };
}

function headers(body: string | undefined): Record<string, string> {
  const own = { 'x-systole-user': userName(), connection: 'close' };
  return body === undefined
    ? own
    : { ...own, 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) };
}

/** For the history; the daemon trusts the socket's permissions, not this. */
function userName(): string {
  const real = process.env['SUDO_USER'];
  if (real !== undefined && real !== '') return real;
  try {
    return userInfo().username;
  } catch {
    // A user id without a name, as in some containers.
    return String(process.getuid?.() ?? 'unknown');
  }
}

/** What was asked for may have been done before the daemon went: that is not the same as having no daemon. */
function lostBeforeAnswer(error: Error, socketPath: string): Error {
  if (error instanceof SystoleError) return error;
  return new SystoleError('timedOut', `the daemon at ${socketPath} went before it answered; the outcome is unknown`, {
    cause: error,
  });
}

function explain(error: Error, socketPath: string): Error {
  if (error instanceof SystoleError) return error;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EACCES' || code === 'EPERM') {
    return new SystoleError('permission', `you may not use the daemon's socket ${socketPath}`, { cause: error });
  }
  if (code === 'ENOENT' || code === 'ECONNREFUSED') {
    return new SystoleError('unavailable', `no daemon answers at ${socketPath}`, { cause: error });
  }
  return new SystoleError('unavailable', `lost the daemon at ${socketPath}: ${error.message}`, { cause: error });
}

async function* streamLines(socketPath: string, path: string): AsyncGenerator<string> {
  const incoming = await new Promise<AsyncIterable<Buffer>>((resolve, reject) => {
    const outgoing = httpRequest()({ socketPath, method: 'GET', path, headers: headers(undefined) }, resolve);
    outgoing.on('error', (error) => reject(explain(error, socketPath)));
    outgoing.end();
  });
  let rest = '';
  try {
    for await (const chunk of incoming) {
      const lines = (rest + chunk.toString('utf8')).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } catch (error) {
    throw explain(error as Error, socketPath);
  }
}

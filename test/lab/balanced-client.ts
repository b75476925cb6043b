/**
 * A client of a load balancer during a failover: asks for a page again and again, each time by a new connection, and keeps
 * some connections open on which it sends a byte ten times a second. Every answer is a line of JSON on standard output.
 *
 *   node balanced-client.ts URL EVERY_MS PATIENCE_MS CONNECTIONS
 */
import { request } from 'node:http';
import { ask } from './probe.ts';

/** What happened on a connection that stays open. */
export interface Echo {
  readonly connection: number;
  readonly at: number;
  readonly what: 'echo' | 'closed';
}

const byteEveryMs = 100;

const tell = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

function keepOpen(url: URL, connection: number): void {
  const say = (what: Echo['what']): void => tell({ connection, at: Date.now(), what } satisfies Echo);
  let isOpen = true;
  const end = (): void => {
    if (isOpen) say('closed');
    isOpen = false;
  };
  const open = request(new URL('/echo', url), { method: 'POST', agent: false }, (response) => {
    response.on('data', () => say('echo'));
    response.on('close', end);
    response.on('error', end);
  });
  open.on('error', end);
  setInterval(() => {
    if (isOpen) open.write('.');
  }, byteEveryMs);
}

const [page = '', every = '50', patience = '1000', connections = '0'] = process.argv.slice(2);
const url = new URL(page);
for (let index = 0; index < Number(connections); index += 1) keepOpen(url, index);
setInterval(() => ask(page, Number(patience), tell), Number(every));

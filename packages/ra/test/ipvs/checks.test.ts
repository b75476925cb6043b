import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { perform } from '../../agents/ipvs/checker/checks.ts';
import type { Check } from '../../agents/ipvs/checker/check-line.ts';
import { parseRules } from '../../agents/ipvs/checker/rules.ts';

const open: Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

async function listen(server: Server): Promise<string> {
  open.push(server);
  server.on('connection', (socket: Socket) => socket.on('error', () => undefined)); // a check may hang up first
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function check(text: string): Check {
  const parsed = parseRules(`-A -t 1.2.3.4:80\ncheck ${text} timeout=300ms`).services[0]?.checks[0];
  if (parsed === undefined) throw new Error('the ruleset has a check');
  return parsed;
}

describe('a check', () => {
  test('by HTTP wants the status and the content', async () => {
    const address = await listen(
      createHttpServer((request, response) => {
        response.statusCode = request.url === '/health' ? 200 : 404;
        response.end('all well\n');
      }),
    );
    expect(await perform(check('http path=/health contains=well'), address)).toEqual({ ok: true, reason: 'answers' });
    expect(await perform(check('http path=/other'), address)).toEqual({ ok: false, reason: 'status 404' });
    expect(await perform(check('http path=/other status=200-299,404'), address)).toMatchObject({ ok: true });
    expect(await perform(check('http path=/health lacks=all'), address)).toMatchObject({ ok: false });
  });

  test('by TCP fails where nobody listens, and where the answer is not the expected one', async () => {
    const address = await listen(createServer((socket) => socket.end('PONG\r\n')));
    expect(await perform(check('tcp'), address)).toMatchObject({ ok: true });
    expect(await perform(check('tcp send=PING\\r\\n expect=PONG'), address)).toMatchObject({ ok: true });
    expect(await perform(check('tcp expect=READY'), address)).toMatchObject({ ok: false });
    expect(await perform(check('tcp port=1'), address)).toMatchObject({ ok: false });
  });

  test('gives up when its time is over', async () => {
    const address = await listen(createServer(() => undefined));
    expect(await perform(check('smtp'), address)).toEqual({ ok: false, reason: 'no answer in 300 ms' });
    expect(await perform(check('http'), address)).toEqual({ ok: false, reason: 'no answer in 300 ms' });
  });

  test('by SMTP greets and takes its leave', async () => {
    const heard: string[] = [];
    const address = await listen(
      createServer((socket) => {
        socket.write('220 mail ready\r\n');
        socket.on('data', (data) => {
          heard.push(data.toString());
          socket.write(data.toString().startsWith('HELO') ? '250 pleased\r\n' : '221 bye\r\n');
        });
        socket.on('error', () => undefined);
      }),
    );
    expect(await perform(check('smtp'), address)).toMatchObject({ ok: true });
    expect(heard[0]).toBe('HELO localhost\r\n');
  });

  test('by a script takes its exit status: 0 well, 1 not, more a weight', async () => {
    expect(await perform(check('script run=/bin/true'), '1.2.3.4:80')).toMatchObject({ ok: true });
    expect(await perform(check('script run=/bin/false'), '1.2.3.4:80')).toEqual({ ok: false, reason: 'exit 1' });
    expect(await perform(check('script run=/nowhere'), '1.2.3.4:80')).toMatchObject({ ok: false });
  });
});

/** Checks by protocol, each against a server that speaks just as much of it. */
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Check } from '../../agents/ipvs/checker/check-line.ts';
import { perform } from '../../agents/ipvs/checker/checks.ts';
import { parseRules } from '../../agents/ipvs/checker/rules.ts';

const open: { close(): void }[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

const hasOpenssl = existsSync('/usr/bin/openssl');

let work = '';
let certificate = { key: '', cert: '' };
beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'systole-checks-'));
  if (!hasOpenssl) return;
  const files = ['-keyout', join(work, 'key'), '-out', join(work, 'cert')];
  const request = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-subj',
    '/CN=lab',
  ];
  execFileSync('openssl', [...request, ...files], { stdio: 'ignore' });
  certificate = { key: readFileSync(join(work, 'key'), 'utf8'), cert: readFileSync(join(work, 'cert'), 'utf8') };
});
afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

function check(text: string): Check {
  const parsed = parseRules(`-A -t 1.2.3.4:80\ncheck ${text} timeout=400ms`).services[0]?.checks[0];
  if (parsed === undefined) throw new Error('the ruleset has a check');
  return parsed;
}

async function listen(server: Server, host = '127.0.0.1'): Promise<string> {
  open.push(server);
  server.on('connection', (socket: Socket) => socket.on('error', () => undefined)); // a check may hang up first
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Greets, then answers each question by the first rule that matches it. */
function speak(socket: Socket, greeting: string, answers: readonly (readonly [RegExp, string])[] = []): void {
  socket.setEncoding('latin1');
  socket.on('error', () => undefined);
  socket.on('data', (text: string) => {
    const [, answer] = answers.find(([question]) => question.test(text)) ?? [];
    if (answer !== undefined) socket.write(answer, 'latin1');
  });
  if (greeting !== '') socket.write(greeting, 'latin1');
}

type Line = readonly [check: string, greeting: string, answers?: readonly (readonly [RegExp, string])[]];
const ldapBound = '0\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00';
const ldapRefused = '0\x0c\x02\x01\x01\x61\x07\x0a\x01\x31\x04\x00\x04\x00';

describe('a check by protocol', () => {
  test.for<Line>([
    ['smtp', '220 mail ready\r\n', [[/^HELO/u, '250 pleased\r\n']]],
    ['submission', '220-mail\r\n220 ready\r\n', [[/^EHLO/u, '250-SIZE\r\n250 HELP\r\n']]],
    ['ftp', '220 files\r\n'],
    [
      'ftp user=me password=x',
      '220 files\r\n',
      [
        [/^USER me/u, '331 who\r\n'],
        [/^PASS x/u, '230 in\r\n'],
      ],
    ],
    ['imap', '* OK ready\r\n'],
    ['imap user=me password=x', '* OK ready\r\n', [[/^a1 LOGIN "me" "x"/u, 'a1 OK in\r\n']]],
    ['pop', '+OK ready\r\n'],
    [
      'pop user=me password=x',
      '+OK ready\r\n',
      [
        [/^USER me/u, '+OK\r\n'],
        [/^PASS x/u, '+OK\r\n'],
      ],
    ],
    ['nntp', '200 news\r\n'],
    ['ldap', '', [[/^0/u, ldapBound]]],
    ['mysql', '\x4a\x00\x00\x00\x0a8.0.36\x00'],
    ['pgsql', '', [[/\/$/u, 'N']]],
    ['redis', '', [[/^PING/u, '+PONG\r\n']]],
    [
      'redis password=x',
      '',
      [
        [/^AUTH x/u, '+OK\r\n'],
        [/^PING/u, '+PONG\r\n'],
      ],
    ],
    ['tcp expect=^hello', 'hello there'],
    [String.raw`tcp send=\x01go\r\n expect=gone`, '', [[/^.go\r\n$/u, 'gone']]],
  ])('%s is content with a server that answers as it should', async ([text, greeting, answers]) => {
    const address = await listen(createServer((socket) => speak(socket, greeting, answers)));
    expect(await perform(check(text), address)).toEqual({ ok: true, reason: 'answers' });
  });

  test.for<Line>([
    ['smtp', '554 not today\r\n'],
    ['ftp', '421 too many\r\n'],
    ['imap', '* BYE\r\n'],
    ['imap user=me password=y', '* OK ready\r\n', [[/^a1/u, 'a1 NO\r\n']]],
    ['pop', '-ERR\r\n'],
    ['nntp', '400 closed\r\n'],
    ['ldap', '', [[/^0/u, ldapRefused]]],
    ['mysql', '\x10\x00\x00\x00\xff\x10\x04Too many connections'],
    ['pgsql', '', [[/./u, 'E']]],
    ['redis', '', [[/^PING/u, '-LOADING\r\n']]],
    ['redis password=y', '', [[/^AUTH/u, '-WRONGPASS\r\n']]],
    ['tcp expect=^hello', 'go away'],
  ])('%s is not content with a server that answers otherwise', async ([text, greeting, answers]) => {
    const address = await listen(createServer((socket) => speak(socket, greeting, answers)));
    expect(await perform(check(text), address)).toMatchObject({ ok: false });
  });

  test.skipIf(!hasOpenssl).for(['imaps', 'pops', 'ldaps', 'tcp tls=yes expect=OK', 'smtp tls=yes'])(
    '%s speaks TLS',
    async (text) => {
      const greeting = text.startsWith('pops') ? '+OK\r\n' : text.startsWith('smtp') ? '220 ready\r\n' : '* OK\r\n';
      const server = createTlsServer(certificate, (socket) =>
        speak(socket, text === 'ldaps' ? '' : greeting, [
          [/^HELO/u, '250 ok\r\n'],
          [/^0/u, ldapBound],
        ]),
      );
      const address = await listen(server);
      expect(await perform(check(text), address)).toMatchObject({ ok: true });
      expect(await perform(check(`${text} verify=yes`), address)).toEqual({
        ok: false,
        reason: expect.stringContaining('self-signed certificate') as string,
      });
    },
  );

  test.skipIf(!hasOpenssl)('https asks for the host by name, and looks at the certificate only when told', async () => {
    const names: unknown[] = [];
    const server = createHttpsServer(
      { ...certificate, SNICallback: (name, done) => (names.push(name), done(null)) },
      (request, response) => {
        response.statusCode = request.headers.authorization === undefined ? 401 : 200;
        response.end(request.headers.host);
      },
    );
    const address = await listen(server);
    expect(await perform(check('https host=shop.example user=me password=x contains=^shop'), address)).toMatchObject({
      ok: true,
    });
    expect(names).toEqual(['shop.example']);
    expect(await perform(check('https'), address)).toEqual({ ok: false, reason: 'status 401' });
    expect(await perform(check('https verify=yes'), address)).toMatchObject({
      reason: expect.stringContaining('self-signed') as string,
    });
  });

  test('works over IPv6, and from the address that it is told', async () => {
    const from: unknown[] = [];
    const six = await listen(
      createServer((socket) => from.push(socket.remoteAddress)),
      '::1',
    );
    expect(await perform(check('tcp'), six)).toMatchObject({ ok: true });
    const four = await listen(createServer((socket) => from.push(socket.remoteAddress)));
    expect(await perform(check('tcp from=127.0.0.7'), four)).toMatchObject({ ok: true });
    expect(from).toEqual(['::1', '127.0.0.7']);
  });
});

describe('a check by datagrams', () => {
  async function answer(reply: (question: Buffer) => Buffer | string | undefined): Promise<string> {
    const socket = createSocket('udp4');
    open.push({ close: () => socket.close() });
    socket.on('message', (question, peer) => {
      const said = reply(question);
      if (said !== undefined) socket.send(said, peer.port, peer.address);
    });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return `127.0.0.1:${socket.address().port}`;
  }

  test('udp is content with silence unless it expects an answer, and never with a refusal', async () => {
    const mute = await answer(() => undefined);
    expect(await perform(check('udp'), mute)).toMatchObject({ ok: true });
    expect(await perform(check('udp expect=x'), mute)).toEqual({ ok: false, reason: 'no answer in 400 ms' });
    expect(await perform(check('udp send=x'), '127.0.0.1:9')).toMatchObject({ ok: false });
    const echo = await answer((question) => question);
    expect(await perform(check(String.raw`udp send=\x01\xffgo expect=go$`), echo)).toMatchObject({ ok: true });
  });

  test('sip asks for options', async () => {
    const said: string[] = [];
    const address = await answer((question) => (said.push(question.toString()), 'SIP/2.0 200 OK\r\n\r\n'));
    expect(await perform(check('sip'), address)).toMatchObject({ ok: true });
    expect(said[0]).toMatch(/^OPTIONS sip:systole@127\.0\.0\.1:\d+ SIP\/2\.0\r\n/u);
    const busy = await answer(() => 'SIP/2.0 503 Busy\r\n\r\n');
    expect(await perform(check('sip'), busy)).toMatchObject({ ok: false });
  });

  test('dns wants an answer without error, and in it what is expected', async () => {
    /** The question again, with one answer of type A, or with an error code. */
    const dns = (error: number) => (question: Buffer) => {
      const head = Buffer.from(question.subarray(0, 12));
      head[2] = 0x81;
      head[3] = 0x80 + error;
      head[7] = error === 0 ? 1 : 0;
      head[11] = 0; // no additional records
      const end = question.indexOf(0, 12) + 5;
      const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7]);
      return Buffer.concat([head, question.subarray(12, end), error === 0 ? record : Buffer.alloc(0)]);
    };
    const well = await answer(dns(0));
    expect(await perform(check('dns name=example.org type=A'), well)).toMatchObject({ ok: true });
    expect(await perform(check(String.raw`dns name=example.org type=A expect=192\.0\.2\.7`), well)).toMatchObject({
      ok: true,
    });
    expect(await perform(check('dns name=example.org type=A expect=192.0.2.8'), well)).toMatchObject({ ok: false });
    const failing = await answer(dns(2));
    expect(await perform(check('dns name=example.org type=A'), failing)).toMatchObject({ ok: false });
    expect(await perform(check('dns'), await answer(() => undefined))).toMatchObject({ ok: false });
  });

  test.skipIf(!existsSync('/usr/bin/ping') && !existsSync('/bin/ping'))(
    'ping reaches this machine, by both versions',
    async () => {
      expect(await perform(check('ping'), '127.0.0.1:80')).toMatchObject({ ok: true });
      expect(await perform(check('ping'), '[::1]:80')).toMatchObject({ ok: true });
      expect(await perform(check('ping address=nowhere.invalid'), '127.0.0.1:80')).toMatchObject({ ok: false });
    },
  );
});

describe('a check by what is on the director itself', () => {
  test('file: no file is well, a number is the weight, "down" is down, anything else is a mistake', async () => {
    const path = join(work, 'weight');
    const look = (): Promise<unknown> => perform(check(`file path=${path}`), '10.0.0.11:80');
    expect(await look()).toEqual({ ok: true, reason: 'answers' });
    writeFileSync(path, '7\n');
    expect(await look()).toEqual({ ok: true, reason: 'answers', weight: 7 });
    writeFileSync(path, 'down\n');
    expect(await look()).toEqual({ ok: false, reason: 'its file says so' });
    writeFileSync(path, 'perhaps\n');
    expect(await look()).toMatchObject({ ok: false });
  });

  test('script: gets words of its own, the server, and the service; ends with all that it started when its time is over', async () => {
    const script = join(work, 'probe');
    const seen = join(work, 'seen');
    writeFileSync(script, `#!/bin/sh\necho "$*|$SYSTOLE_SERVER|$SYSTOLE_SERVICE" >${seen}\nexit 9\n`, { mode: 0o755 });
    expect(await perform(check(`script run="${script} deep"`), '10.0.0.11:80', '-t 10.0.0.100:80')).toMatchObject({
      weight: 7,
    });
    expect(readFileSync(seen, 'utf8')).toBe('deep 10.0.0.11 80|10.0.0.11:80|-t 10.0.0.100:80\n');

    writeFileSync(script, `#!/bin/sh\nsleep 60 & echo $! >${seen}\nwait\n`, { mode: 0o755 });
    expect(await perform(check(`script run=${script}`), '10.0.0.11:80')).toEqual({
      ok: false,
      reason: 'no answer in 400 ms',
    });
    const child = readFileSync(seen, 'utf8').trim();
    await expect
      .poll(() => !existsSync(`/proc/${child}/cmdline`) || readFileSync(`/proc/${child}/cmdline`, 'utf8') === '')
      .toBe(true);
  });
});

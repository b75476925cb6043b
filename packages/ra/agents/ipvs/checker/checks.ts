/** The checks themselves: each asks a real server once and says whether it is well, and if not, why. Never throws. */
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect, isIPv6, type Socket } from 'node:net';
import { createHash } from 'node:crypto';
import type { CheckResult } from './pool.ts';
import type { Check } from './rules.ts';

interface Target {
  readonly host: string;
  readonly port: number;
}

const good: CheckResult = { ok: true, reason: 'answers' };
const bad = (reason: string): CheckResult => ({ ok: false, reason });

/** `address` is the real server's, as ipvsadm writes it; the check's `address` and `port` options stand before it. */
export async function perform(check: Check, address: string): Promise<CheckResult> {
  const target = targetOf(check, address);
  try {
    switch (check.kind) {
      case 'tcp':
        return await tcp(check, target);
      case 'http':
      case 'https':
        return await http(check, target);
      case 'smtp':
        return await smtp(check, target);
      case 'dns':
        return await dns(check, target);
      case 'udp':
        return await udp(check, target);
      case 'ping':
        return await run(['ping', '-n', '-q', '-c', '1', '-W', String(check.timeoutMs / 1000), target.host], check);
      case 'script':
        return await run([check.options['run'] ?? '', target.host, String(target.port)], check);
    }
  } catch (error) {
    return bad(error instanceof Error ? error.message : String(error));
  }
}

function targetOf(check: Check, address: string): Target {
  const match = /^\[(.+)\](?::(\d+))?$|^([^:]+)(?::(\d+))?$/u.exec(address);
  const host = match?.[1] ?? match?.[3] ?? address;
  const port = Number(check.options['port'] ?? match?.[2] ?? match?.[4] ?? 0);
  return { host: check.options['address'] ?? host, port: port === 0 ? standardPort(check) : port };
}

const standardPort = (check: Check): number =>
  ({ tcp: 80, http: 80, https: 443, smtp: 25, dns: 53, udp: 53, ping: 0, script: 0 })[check.kind];

/** Settles `work` with a connected socket, or fails when the time is over. */
function conversation(
  check: Check,
  target: Target,
  work: (socket: Socket, done: (result: CheckResult) => void) => void,
) {
  return new Promise<CheckResult>((resolve) => {
    const socket = connect({ host: target.host, port: target.port });
    const done = (result: CheckResult): void => {
      socket.destroy();
      clearTimeout(timer);
      resolve(result);
    };
    const timer = setTimeout(() => done(bad(`no answer in ${check.timeoutMs} ms`)), check.timeoutMs);
    socket.once('error', (error) => done(bad(error.message)));
    socket.once('connect', () => work(socket, done));
  });
}

const tcp = (check: Check, target: Target): Promise<CheckResult> => {
  const { send, expect } = check.options;
  return conversation(check, target, (socket, done) => {
    if (send !== undefined) socket.write(unescape(send));
    if (expect === undefined) return done(good);
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (part: string) => {
      text = (text + part).slice(-65_536);
      if (new RegExp(expect, 'u').test(text)) done(good);
    });
    socket.once('end', () => done(bad('closed before the expected answer')));
  });
};

/** Greets, says HELO and takes its leave; the server must agree each time. */
const smtp = (check: Check, target: Target): Promise<CheckResult> =>
  conversation(check, target, (socket, done) => {
    const steps: readonly (readonly [RegExp, string])[] = [
      [/^220[ -]/mu, `HELO ${check.options['helo'] ?? 'localhost'}\r\n`],
      [/^250[ -]/mu, 'QUIT\r\n'],
    ];
    let step = 0;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      const [expected, answer] = steps[step] ?? [];
      if (expected === undefined || answer === undefined) return;
      if (!expected.test(text)) return done(bad(`unexpected answer: ${text.split('\n')[0]?.trim() ?? ''}`));
      socket.write(answer);
      step += 1;
      if (step === steps.length) done(good);
    });
    socket.once('end', () => done(bad('closed the conversation')));
  });

/** The largest page that is looked at. */
const pageBytesMax = 1024 * 1024;

function http(check: Check, target: Target): Promise<CheckResult> {
  const { path = '/', method = 'GET', host, status = '200-299', contains, lacks, md5 } = check.options;
  const send = check.kind === 'https' ? httpsRequest : httpRequest;
  return new Promise((resolve) => {
    const request = send(
      {
        host: target.host,
        port: target.port,
        path,
        method,
        agent: false,
        timeout: check.timeoutMs,
        headers: {
          host: host ?? (isIPv6(target.host) ? `[${target.host}]` : target.host),
          'user-agent': 'systole-ipvs',
        },
        // What is asked is whether the server serves; whose certificate it shows is for its clients to judge.
        ...(check.kind === 'https'
          ? { rejectUnauthorized: false, ...(host === undefined ? {} : { servername: host }) }
          : {}),
      },
      (response) => {
        const parts: Buffer[] = [];
        let size = 0;
        response.on('data', (part: Buffer) => {
          size += part.length;
          if (size <= pageBytesMax) parts.push(part);
        });
        response.on('end', () => {
          const page = Buffer.concat(parts);
          const code = response.statusCode ?? 0;
          if (!isInRanges(code, status)) return resolve(bad(`status ${code}`));
          const text = page.toString('utf8');
          if (contains !== undefined && !new RegExp(contains, 'u').test(text))
            return resolve(bad(`no match for ${contains}`));
          if (lacks !== undefined && new RegExp(lacks, 'u').test(text)) return resolve(bad(`a match for ${lacks}`));
          if (md5 !== undefined && createHash('md5').update(page).digest('hex') !== md5.toLowerCase()) {
            return resolve(bad('the page has another digest'));
          }
          resolve(good);
        });
      },
    );
    const overall = setTimeout(() => request.destroy(new Error(`no answer in ${check.timeoutMs} ms`)), check.timeoutMs);
    request.on('error', (error) => resolve(bad(error.message)));
    request.on('close', () => clearTimeout(overall));
    request.end();
  });
}

/** Whether `code` is in `200-299,304`. */
export const isInRanges = (code: number, ranges: string): boolean =>
  ranges.split(',').some((range) => {
    const [low = '', high = low] = range.split('-');
    return code >= Number(low) && code <= Number(high);
  });

async function dns(check: Check, target: Target): Promise<CheckResult> {
  const resolver = new Resolver({ timeout: check.timeoutMs, tries: 1 });
  resolver.setServers([isIPv6(target.host) ? `[${target.host}]:${target.port}` : `${target.host}:${target.port}`]);
  const { name = '.', type = 'SOA', expect } = check.options;
  const answer = await resolver.resolve(name, type);
  if (expect === undefined || JSON.stringify(answer).includes(expect)) return good;
  return bad(`the answer lacks ${expect}`);
}

/** Without `expect`, silence is well: only a refusal (ICMP) tells that nobody listens. */
function udp(check: Check, target: Target): Promise<CheckResult> {
  const { send = '', expect } = check.options;
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(target.host) ? 'udp6' : 'udp4');
    const done = (result: CheckResult): void => {
      clearTimeout(timer);
      socket.close();
      resolve(result);
    };
    const timer = setTimeout(
      () => done(expect === undefined ? good : bad(`no answer in ${check.timeoutMs} ms`)),
      check.timeoutMs,
    );
    socket.once('error', (error) => done(bad(error.message)));
    socket.on('message', (message) => {
      if (expect === undefined || new RegExp(expect, 'u').test(message.toString('utf8'))) done(good);
    });
    socket.connect(target.port, target.host, () => socket.send(unescape(send)));
  });
}

/** 0: well; 1: not; 2 to 255: well, with a weight of the code less 2 (as keepalived's MISC_CHECK has it). */
function run(argv: readonly string[], check: Check): Promise<CheckResult> {
  const [program = '', ...rest] = argv;
  return new Promise((resolve) => {
    execFile(program, rest, { timeout: check.timeoutMs, killSignal: 'SIGKILL' }, (error, _stdout, stderr) => {
      if (error === null) return resolve(good);
      const code = typeof error.code === 'number' ? error.code : undefined;
      if (check.kind === 'script' && code !== undefined && code >= 2) {
        return resolve({ ok: true, reason: 'answers', weight: code - 2 });
      }
      const why =
        error.killed === true ? `no answer in ${check.timeoutMs} ms` : `exit ${error.code ?? error.signal ?? '?'}`;
      resolve(bad(`${why}${stderr === '' ? '' : `: ${stderr.trim()}`}`));
    });
  });
}

/** `\r`, `\n`, `\t` and `\xNN` as people write them in a configuration. */
const unescape = (text: string): string =>
  text.replaceAll(
    /\\(?:x([0-9a-fA-F]{2})|([rnt\\]))/gu,
    (_whole, hex: string | undefined, letter: string | undefined) =>
      hex === undefined
        ? ({ r: '\r', n: '\n', t: '\t' }[letter ?? ''] ?? '\\')
        : String.fromCharCode(Number.parseInt(hex, 16)),
  );

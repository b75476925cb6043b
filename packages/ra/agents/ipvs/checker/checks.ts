/** The checks themselves: each asks a real server once and says whether it is well, and if not, why. Never throws. */
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import type { Check, CheckKind } from './check-line.ts';
import { converse, unescape } from './conversation.ts';
import { askForPage } from './page.ts';
import { bad, good, type CheckResult, type Target } from './result.ts';

/** `address` is the real server's, as ipvsadm writes it; the check's `address` and `port` options stand before it. */
export async function perform(check: Check, address: string, service = ''): Promise<CheckResult> {
  const target = targetOf(check, address);
  try {
    switch (check.kind) {
      case 'http':
      case 'https':
        return await askForPage(check, target);
      case 'dns':
        return await dns(check, target);
      case 'udp':
        return await udp(check, target);
      case 'sip':
        return await udp(sip(check, target), target);
      case 'ping':
        return await ping(check, target);
      case 'script':
        return await script(check, target, address, service);
      case 'file':
        return await file(check);
      default:
        return await converse(check, target);
    }
  } catch (error) {
    return bad(error instanceof Error ? error.message : String(error));
  }
}

function targetOf(check: Check, address: string): Target {
  const match = /^\[(.+)\](?::(\d+))?$|^([^:]+)(?::(\d+))?$/u.exec(address);
  const host = match?.[1] ?? match?.[3] ?? address;
  const written = Number(match?.[2] ?? match?.[4] ?? 0);
  const port = check.options['port'] === undefined ? written : Number(check.options['port']);
  return { host: check.options['address'] ?? host, port: port === 0 ? (standardPorts[check.kind] ?? 0) : port };
}

const standardPorts: Partial<Record<CheckKind, number>> = {
  http: 80,
  https: 443,
  smtp: 25,
  submission: 587,
  ftp: 21,
  imap: 143,
  imaps: 993,
  pop: 110,
  pops: 995,
  nntp: 119,
  ldap: 389,
  ldaps: 636,
  mysql: 3306,
  pgsql: 5432,
  redis: 6379,
  sip: 5060,
  dns: 53,
};

async function dns(check: Check, target: Target): Promise<CheckResult> {
  const resolver = new Resolver({ timeout: check.timeoutMs, tries: 1 });
  const { name = '.', type = 'SOA', expect, from } = check.options;
  if (from !== undefined)
    resolver.setLocalAddress(...(isIPv6(from) ? (['0.0.0.0', from] as const) : ([from] as const)));
  resolver.setServers([isIPv6(target.host) ? `[${target.host}]:${target.port}` : `${target.host}:${target.port}`]);
  const answer = await resolver.resolve(name, type);
  if (expect === undefined || new RegExp(expect, 'u').test(JSON.stringify(answer))) return good;
  return bad(`the answer lacks ${expect}`);
}

/** Without `expect`, silence is well: only a refusal (ICMP) tells that nobody listens. */
function udp(check: Check, target: Target): Promise<CheckResult> {
  const { send = '', expect, from } = check.options;
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
      if (expect === undefined || new RegExp(expect, 'u').test(message.toString('latin1'))) done(good);
    });
    const ask = (): void => {
      socket.connect(target.port, target.host, () => socket.send(Buffer.from(unescape(send), 'latin1')));
    };
    if (from === undefined) ask();
    else socket.bind(0, from, ask);
  });
}

/** The question that a SIP server answers without knowing who asks. */
function sip(check: Check, { host, port }: Target): Check {
  const { user = 'systole' } = check.options;
  const where = isIPv6(host) ? `[${host}]` : host;
  const send = [
    `OPTIONS sip:${user}@${where}:${port} SIP/2.0`,
    'Via: SIP/2.0/UDP localhost;branch=z9hG4bKsystole',
    `From: <sip:${user}@localhost>;tag=systole`,
    `To: <sip:${user}@${where}>`,
    `Call-ID: ${process.pid}-${Date.now()}@localhost`,
    'CSeq: 1 OPTIONS',
    'Max-Forwards: 70',
    'Content-Length: 0',
    '',
    '',
  ].join(String.raw`\r\n`);
  return { ...check, options: { ...check.options, send, expect: '^SIP/2\\.0 2' } };
}

async function ping(check: Check, target: Target): Promise<CheckResult> {
  const { from } = check.options;
  const patience = String(check.timeoutMs / 1000);
  const argv = [
    'ping',
    '-n',
    '-q',
    '-c',
    '1',
    '-W',
    patience,
    ...(from === undefined ? [] : ['-I', from]),
    target.host,
  ];
  const ended = await run(argv, check, {});
  return ended.code === 0 ? good : bad(ended.why);
}

/** 0: well; 1: not; 2 to 255: well, with a weight of the code less 2 (as keepalived's MISC_CHECK has it). */
async function script(check: Check, target: Target, server: string, service: string): Promise<CheckResult> {
  const { run: program = '', user } = check.options;
  const words = program.split(' ').filter((word) => word !== '');
  const as = user === undefined ? [] : ['runuser', '-u', user, '--'];
  const { code, why } = await run([...as, ...words, target.host, String(target.port)], check, {
    SYSTOLE_SERVER: server,
    SYSTOLE_SERVICE: service,
  });
  if (code === 0) return good;
  return code !== undefined && code >= 2 ? { ok: true, reason: 'answers', weight: code - 2 } : bad(why);
}

interface Ended {
  readonly code: number | undefined;
  readonly why: string;
}

/** The most that is kept of what a program complains about. */
const complaintMax = 500;

/** Programs under way, each the leader of a process group. */
const running = new Set<number>();

/** Ends all programs that checks have started, with all that those started. */
export function endPrograms(): void {
  for (const pid of running) endGroup(pid);
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it has just ended by itself
  }
}

/** Runs a program as the leader of a process group, so that everything it started ends with it when its time is over. */
function run(argv: readonly string[], check: Check, environment: NodeJS.ProcessEnv): Promise<Ended> {
  const [program = '', ...rest] = argv;
  return new Promise((resolve) => {
    const child = spawn(program, rest, {
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...environment },
    });
    const { pid } = child;
    if (pid !== undefined) running.add(pid);
    let isLate = false;
    let complaint = '';
    child.stderr
      .setEncoding('utf8')
      .on('data', (part: string) => (complaint = (complaint + part).slice(0, complaintMax)));
    const timer = setTimeout(() => {
      isLate = true;
      if (pid !== undefined) endGroup(pid);
    }, check.timeoutMs);
    child.once('error', (error) => {
      clearTimeout(timer);
      resolve({ code: undefined, why: error.message });
    });
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      if (pid !== undefined) running.delete(pid);
      const why = isLate ? `no answer in ${check.timeoutMs} ms` : `exit ${code ?? signal ?? '?'}`;
      resolve({
        code: isLate || code === null ? undefined : code,
        why: `${why}${complaint === '' ? '' : `: ${complaint.trim()}`}`,
      });
    });
  });
}

/** A file says how much the server can take: a number is its weight, `down` that it is not well; no file is well. */
async function file(check: Check): Promise<CheckResult> {
  let text: string;
  try {
    text = (await readFile(check.options['path'] ?? '', 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return good;
    throw error;
  }
  if (text === 'down') return bad('its file says so');
  if (/^\d{1,5}$/u.test(text)) return { ok: true, reason: 'answers', weight: Number(text) };
  return bad(`its file says neither a weight nor "down": ${text.slice(0, 40)}`);
}

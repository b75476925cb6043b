/**
 * The ruleset of a director: the format of `ipvsadm -S`, so that an existing file works as it is, with lines of our own
 * that say how real servers are checked. A line of ours belongs to the service (`-A`) or real server (`-a`) above it.
 *
 *   -A -t 10.0.0.100:80 -s wlc
 *   check http path=/health status=200-299 every=5s timeout=3s down=3 up=2
 *   sorry 127.0.0.1:8080
 *   -a -t 10.0.0.100:80 -r 10.0.0.11:80 -g -w 3
 *   -a -t 10.0.0.100:80 -r 10.0.0.12:80 -g -w 1
 *   check tcp port=8443
 */

export interface Rules {
  readonly services: readonly VirtualService[];
}

export interface VirtualService {
  /** `-t 10.0.0.100:80`, `-u …`, `--sctp-service …` or `-f 7`: what names the service to ipvsadm. */
  readonly name: string;
  /** The whole line, for ipvsadm. */
  readonly line: string;
  readonly servers: readonly RealServer[];
  /** For servers that have none of their own. All must pass. */
  readonly checks: readonly Check[];
  /** Alone in the service while too few real servers are up: an address, with the servers' way of forwarding. */
  readonly sorry?: string;
  /** The sum of weights of servers that are up which counts as enough; and by how much more or less it must change. */
  readonly quorum: number;
  readonly hysteresis: number;
  /** A server that is down: `quiesce` sets its weight to 0 (connections go on), `remove` takes it out. */
  readonly onDown: 'quiesce' | 'remove';
  /** A server that comes back gets its weight in steps over so many milliseconds; 0: at once. */
  readonly slowStartMs: number;
  /** Whether servers are taken to be down until their first check has passed. */
  readonly isDownAtFirst: boolean;
  /** Run with `up` or `down`, the service and (for servers) the server as arguments. */
  readonly notify?: string;
}

export interface RealServer {
  /** `10.0.0.11:80`. */
  readonly address: string;
  readonly line: string;
  readonly weight: number;
  readonly checks: readonly Check[];
}

export interface Check {
  readonly kind: 'tcp' | 'http' | 'https' | 'smtp' | 'dns' | 'udp' | 'ping' | 'script';
  readonly everyMs: number;
  readonly timeoutMs: number;
  /** So many failures in a row make a server down, so many successes up. */
  readonly down: number;
  readonly up: number;
  /** The rest as written: `path`, `status`, `contains`, `host`, `port`, `address`, `name`, `type`, `send`, `expect`, `run`. */
  readonly options: Readonly<Record<string, string>>;
}

/** What is wrong with a ruleset, by line (from 1). */
export class RulesError extends Error {
  override readonly name = 'RulesError';
  constructor(line: number, message: string) {
    super(`line ${line}: ${message}`);
  }
}

const kinds = ['tcp', 'http', 'https', 'smtp', 'dns', 'udp', 'ping', 'script'] as const;
const serviceFlags = new Set([
  '-t',
  '-u',
  '-f',
  '--tcp-service',
  '--udp-service',
  '--sctp-service',
  '--fwmark-service',
]);

type Building<T> = { -readonly [Key in keyof T]: T[Key] extends readonly (infer E)[] ? E[] : T[Key] };
type ServiceBuilding = Omit<Building<VirtualService>, 'servers'> & { servers: Building<RealServer>[] };

/** @throws RulesError with the line that cannot be understood. */
export function parseRules(text: string): Rules {
  const services: ServiceBuilding[] = [];
  const byName = new Map<string, ServiceBuilding>();
  let latest: { checks: Check[] } | undefined;
  let current: ServiceBuilding | undefined;

  for (const [index, raw] of text.split(/[\n;]/u).entries()) {
    const number = index + 1;
    const line = raw.replace(/^\s*#.*/u, '').trim();
    const [word = '', ...rest] = splitWords(line);
    if (word === '') continue;
    if (word === '-A' || word === '--add-service') {
      const name = serviceName(rest, number);
      if (byName.has(name)) throw new RulesError(number, `the service ${name} is there already`);
      current = newService(name, line);
      services.push(current);
      byName.set(name, current);
      latest = current;
    } else if (word === '-a' || word === '--add-server') {
      const name = serviceName(rest, number);
      const service = byName.get(name);
      if (service === undefined) throw new RulesError(number, `a server of ${name}, but no -A line for that service`);
      const server = newServer(rest, line, number);
      service.servers.push(server);
      current = service;
      latest = server;
    } else if (current === undefined || latest === undefined) {
      throw new RulesError(number, `"${word}" must stand below a service (-A …)`);
    } else if (word === 'check') {
      latest.checks.push(parseCheck(rest, number));
    } else {
      applyDirective(current, word, rest, number);
    }
  }
  return { services };
}

function newService(name: string, line: string): ServiceBuilding {
  return {
    name,
    line,
    servers: [],
    checks: [],
    quorum: 1,
    hysteresis: 0,
    onDown: 'remove',
    slowStartMs: 0,
    isDownAtFirst: false,
  };
}

function newServer(words: readonly string[], line: string, number: number): Building<RealServer> {
  const address = after(words, '-r', '--real-server');
  if (address === undefined) throw new RulesError(number, 'a real server needs -r ADDRESS');
  return { address, line, weight: wholeNumber(after(words, '-w', '--weight') ?? '1', number), checks: [] };
}

function applyDirective(service: ServiceBuilding, word: string, rest: readonly string[], number: number): void {
  const [value = ''] = rest;
  switch (word) {
    case 'sorry':
      if (value === '') throw new RulesError(number, 'sorry needs an address');
      service.sorry = value;
      break;
    case 'quorum':
      service.quorum = wholeNumber(value, number);
      service.hysteresis = wholeNumber(rest[1]?.replace(/^hysteresis=/u, '') ?? '0', number);
      break;
    case 'on-down':
      if (value !== 'quiesce' && value !== 'remove') throw new RulesError(number, 'on-down is quiesce or remove');
      service.onDown = value;
      break;
    case 'slow-start':
      service.slowStartMs = milliseconds(value, number);
      break;
    case 'down-at-first':
      service.isDownAtFirst = true;
      break;
    case 'notify':
      service.notify = rest.join(' ');
      break;
    default:
      throw new RulesError(
        number,
        `"${word}" is not known; a line begins with -A, -a, check, sorry, quorum, on-down, slow-start, down-at-first or notify`,
      );
  }
}

function parseCheck(words: readonly string[], number: number): Check {
  const [kindWord = '', ...rest] = words;
  const kind = kinds.find((known) => known === kindWord);
  if (kind === undefined)
    throw new RulesError(number, `no check is called "${kindWord}"; there are ${kinds.join(', ')}`);
  const options: Record<string, string> = {};
  for (const word of rest) {
    const equals = word.indexOf('=');
    if (equals < 1) throw new RulesError(number, `"${word}" is not of the form name=value`);
    options[word.slice(0, equals)] = word.slice(equals + 1);
  }
  if (kind === 'script' && options['run'] === undefined) throw new RulesError(number, 'a script check needs run=PATH');
  if (kind === 'dns' && options['name'] === undefined) options['name'] = '.';
  const { every = '5s', timeout = '3s', down = '3', up = '1', ...own } = options;
  return {
    kind,
    everyMs: milliseconds(every, number),
    timeoutMs: milliseconds(timeout, number),
    down: Math.max(1, wholeNumber(down, number)),
    up: Math.max(1, wholeNumber(up, number)),
    options: own,
  };
}

function serviceName(words: readonly string[], number: number): string {
  const index = words.findIndex((word) => serviceFlags.has(word));
  const value = words[index + 1];
  if (index < 0 || value === undefined) throw new RulesError(number, 'names no service: -t, -u, --sctp-service or -f');
  const isVersion6Mark = words.includes('-6') && ['-f', '--fwmark-service'].includes(words[index] ?? '');
  return `${words[index]} ${value}${isVersion6Mark ? ' -6' : ''}`;
}

function after(words: readonly string[], ...flags: readonly string[]): string | undefined {
  const index = words.findIndex((word) => flags.includes(word));
  return index < 0 ? undefined : words[index + 1];
}

function wholeNumber(text: string, number: number): number {
  if (!/^\d{1,9}$/u.test(text)) throw new RulesError(number, `"${text}" is not a whole number`);
  return Number(text);
}

function milliseconds(text: string, number: number): number {
  const match = /^(\d{1,9})(ms|s|min)?$/u.exec(text);
  if (match === null) throw new RulesError(number, `"${text}" is not a time; write 500ms, 5s or 1min`);
  const factor = match[2] === 'ms' ? 1 : match[2] === 'min' ? 60_000 : 1000;
  return Number(match[1]) * factor;
}

/** Words between blanks; double quotes hold words together. */
const splitWords = (line: string): readonly string[] =>
  [...line.matchAll(/(?:[^\s"]|"[^"]*")+/gu)].map((match) => match[0].replaceAll('"', ''));

/**
 * The ruleset of a director: the format of `ipvsadm -S -n`, so that an existing file works as it is, with lines of our own
 * that say how real servers are checked. A line of ours belongs to the service (`-A`) or real server (`-a`) above it.
 *
 *   -A -t 10.0.0.100:80 -s wlc
 *   check http path=/health status=200-299 every=5s timeout=3s down=3 up=2
 *   sorry 127.0.0.1:8080
 *   -a -t 10.0.0.100:80 -r 10.0.0.11:80 -g -w 3
 *   -a -t 10.0.0.100:80 -r 10.0.0.12:80 -g -w 1
 *   check tcp port=8443
 */
import { type Check, parseCheck } from './check-line.ts';
import { milliseconds, RulesError, splitWords, wholeNumber } from './words.ts';

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
  /** Alone in the service while too few real servers are up. */
  readonly sorry?: SorryServer;
  /** The sum of weights of servers that are up which counts as enough; and by how much more or less it must change. */
  readonly quorum: number;
  readonly hysteresis: number;
  /** A server that is down: `quiesce` sets its weight to 0 (connections go on), `remove` takes it out. */
  readonly onDown: 'quiesce' | 'remove';
  /** A server that comes back gets its weight in steps over so many milliseconds; 0: at once. */
  readonly slowStartMs: number;
  /** Whether servers are taken to be down until their first check has passed. */
  readonly isDownAtFirst: boolean;
  /** A folder: a server gets no new connections while a file there has its name, with its port or without. */
  readonly maintenance?: string;
  /** Run with `up` or `down`, the service and (for servers) the server as arguments. */
  readonly notify?: string;
}

export interface SorryServer {
  readonly address: string;
  /** What stands behind the address: the way of forwarding, where it is not that of the servers. */
  readonly options: string;
}

export interface RealServer {
  /** `10.0.0.11:80`. */
  readonly address: string;
  readonly line: string;
  readonly weight: number;
  readonly checks: readonly Check[];
}

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
      if (service.servers.some(({ address }) => address === server.address)) {
        throw new RulesError(number, `${name} has the server ${server.address} already`);
      }
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
  for (const service of services) demandPorts(service);
  return { services };
}

/** A server's own checks, or else its service's. */
export const checksOf = (service: VirtualService, server: RealServer): readonly Check[] =>
  server.checks.length > 0 ? server.checks : service.checks;

/** Servers of a firewall mark have no port of their own, and a connection needs one. */
function demandPorts(service: ServiceBuilding): void {
  for (const server of service.servers) {
    const hasPort = /^(?:\[.+\]|[^:]+):[1-9]\d*$/u.test(server.address);
    const check = checksOf(service, server).find(
      ({ kind, options }) => (kind === 'tcp' || kind === 'udp') && options['port'] === undefined,
    );
    if (!hasPort && check !== undefined) {
      throw new RulesError(check.line, `${server.address} has no port: say which to check, by port=NUMBER`);
    }
  }
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
      service.sorry = { address: value, options: rest.slice(1).join(' ') };
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
    case 'maintenance':
      if (!value.startsWith('/')) throw new RulesError(number, 'maintenance needs the path of a folder');
      service.maintenance = value;
      break;
    case 'notify':
      if (value === '') throw new RulesError(number, 'notify needs a program');
      service.notify = rest.join(' ');
      break;
    default:
      throw new RulesError(
        number,
        `"${word}" is not known; a line begins with -A, -a, check, sorry, quorum, on-down, slow-start, down-at-first, maintenance or notify`,
      );
  }
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

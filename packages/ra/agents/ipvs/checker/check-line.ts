/** The line of a ruleset that says how a server is checked: `check http path=/health every=5s down=3`. */
import { milliseconds, RulesError, wholeNumber } from './words.ts';

export interface Check {
  readonly kind: CheckKind;
  readonly everyMs: number;
  /** The pause before the next look while the results do not yet suffice to call the server up or down. */
  readonly retryMs: number;
  readonly timeoutMs: number;
  /** The first look comes at a random time within this. */
  readonly warmUpMs: number;
  /** So many failures in a row make a server down, so many successes up. */
  readonly down: number;
  readonly up: number;
  /** The rest as written, among those that the kind knows. */
  readonly options: Readonly<Record<string, string>>;
  /** Where it is written, for messages. */
  readonly line: number;
}

/** `verify=yes`: the server's certificate must be good, by `ca` if given. `cert` and `key`: ours, as files. */
const tlsOptions = ['sni', 'verify', 'ca', 'cert', 'key'] as const;

/** Every kind with the options that it knows besides those of all. */
const kinds = {
  tcp: ['send', 'expect', 'tls', ...tlsOptions],
  http: ['path', 'method', 'host', 'status', 'contains', 'lacks', 'md5', 'user', 'password'],
  https: ['path', 'method', 'host', 'status', 'contains', 'lacks', 'md5', 'user', 'password', ...tlsOptions],
  smtp: ['helo', 'tls', ...tlsOptions],
  submission: ['helo', 'tls', ...tlsOptions],
  ftp: ['user', 'password'],
  imap: ['user', 'password'],
  imaps: ['user', 'password', ...tlsOptions],
  pop: ['user', 'password'],
  pops: ['user', 'password', ...tlsOptions],
  nntp: [],
  ldap: [],
  ldaps: [...tlsOptions],
  mysql: [],
  pgsql: [],
  redis: ['password'],
  sip: ['user'],
  dns: ['name', 'type', 'expect'],
  udp: ['send', 'expect'],
  ping: [],
  script: ['run', 'user'],
  file: ['path'],
} as const;

export type CheckKind = keyof typeof kinds;

const ofAll: readonly string[] = ['every', 'retry', 'timeout', 'warmup', 'down', 'up', 'address', 'port', 'from'];

const isKind = (word: string): word is CheckKind => Object.hasOwn(kinds, word);

/** `words` are those after `check`. @throws RulesError if one cannot be understood. */
export function parseCheck(words: readonly string[], line: number): Check {
  const [kind = '', ...rest] = words;
  if (!isKind(kind)) {
    throw new RulesError(line, `no check is called "${kind}"; there are ${Object.keys(kinds).join(', ')}`);
  }
  const options: Record<string, string> = {};
  const known: readonly string[] = kinds[kind];
  for (const word of rest) {
    const equals = word.indexOf('=');
    if (equals < 1) throw new RulesError(line, `"${word}" is not of the form name=value`);
    const name = word.slice(0, equals);
    if (!ofAll.includes(name) && !known.includes(name)) {
      throw new RulesError(line, `a check ${kind} knows no ${name}; it knows ${[...known, ...ofAll].join(', ')}`);
    }
    options[name] = word.slice(equals + 1);
  }
  if (kind === 'script' && options['run'] === undefined) throw new RulesError(line, 'a script check needs run=PATH');
  if (kind === 'file' && options['path'] === undefined) throw new RulesError(line, 'a file check needs path=FILE');
  const { every = '5s', retry = every, timeout = '3s', warmup = '200ms', down = '3', up = '1', ...own } = options;
  demandSense(own, line);
  return {
    kind,
    everyMs: positive(milliseconds(every, line), 'every', line),
    retryMs: positive(milliseconds(retry, line), 'retry', line),
    timeoutMs: positive(milliseconds(timeout, line), 'timeout', line),
    warmUpMs: milliseconds(warmup, line),
    down: positive(wholeNumber(down, line), 'down', line),
    up: positive(wholeNumber(up, line), 'up', line),
    options: own,
    line,
  };
}

function positive(number: number, name: string, line: number): number {
  if (number === 0) throw new RulesError(line, `${name} must be more than 0`);
  return number;
}

/** What would otherwise only be noticed at the first look, where it would count as the server's failure. */
function demandSense(options: Readonly<Record<string, string>>, line: number): void {
  const { port, status, expect, contains, lacks, tls, verify } = options;
  if (port !== undefined && !(wholeNumber(port, line) <= 65_535))
    throw new RulesError(line, `port ${port} is too high`);
  if (status !== undefined && !/^\d{3}(?:-\d{3})?(?:,\d{3}(?:-\d{3})?)*$/u.test(status)) {
    throw new RulesError(line, `"${status}" names no status; write 200-299,304`);
  }
  for (const pattern of [expect, contains, lacks]) {
    try {
      compile(pattern);
    } catch (error) {
      throw new RulesError(line, `"${pattern}" is no regular expression: ${(error as Error).message}`);
    }
  }
  for (const word of [tls, verify]) {
    if (word !== undefined && word !== 'yes' && word !== 'no') throw new RulesError(line, `"${word}" is not yes or no`);
  }
}

const compile = (pattern: string | undefined): RegExp | undefined =>
  pattern === undefined ? undefined : new RegExp(pattern, 'u');

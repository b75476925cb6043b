/** Checks that talk with a server over one connection: TCP, TLS, and the protocols that begin with a greeting. */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Check } from './check-line.ts';
import { bad, good, tlsOptions, type CheckResult, type Target } from './result.ts';

/** Perhaps something said, then what must be heard. */
interface Step {
  readonly say?: string;
  readonly hear: RegExp;
}

/** The most that is kept of what a server says between two steps. */
const heardMax = 65_536;

/** Bytes as characters of the same number: protocols are no text. */
const bytes = (...numbers: readonly number[]): string => String.fromCharCode(...numbers);

/** `[say,] hear` of each protocol; the login is left out where no user is given. */
function dialogue({ kind, options }: Check): readonly Step[] {
  const { user, password = '', helo = 'localhost' } = options;
  switch (kind) {
    case 'smtp':
      return [
        { hear: /^220[ -]/mu },
        { say: `HELO ${helo}\r\n`, hear: /^250[ -]/mu },
        { say: 'QUIT\r\n', hear: /(?:)/u },
      ];
    case 'submission':
      return [{ hear: /^220[ -]/mu }, { say: `EHLO ${helo}\r\n`, hear: /^250 /mu }, { say: 'QUIT\r\n', hear: /(?:)/u }];
    case 'ftp': {
      const login = [
        { say: `USER ${user}\r\n`, hear: /^(?:331|230)[ -]/mu },
        { say: `PASS ${password}\r\n`, hear: /^230[ -]/mu },
      ];
      return [{ hear: /^220[ -]/mu }, ...(user === undefined ? [] : login), { say: 'QUIT\r\n', hear: /(?:)/u }];
    }
    case 'imap':
    case 'imaps': {
      const login = [{ say: `a1 LOGIN "${user}" "${password}"\r\n`, hear: /^a1 OK/mu }];
      return [
        { hear: /^\* (?:OK|PREAUTH)/mu },
        ...(user === undefined ? [] : login),
        { say: 'a2 LOGOUT\r\n', hear: /(?:)/u },
      ];
    }
    case 'pop':
    case 'pops': {
      const login = [
        { say: `USER ${user}\r\n`, hear: /^\+OK/mu },
        { say: `PASS ${password}\r\n`, hear: /^\+OK/mu },
      ];
      return [{ hear: /^\+OK/mu }, ...(user === undefined ? [] : login), { say: 'QUIT\r\n', hear: /(?:)/u }];
    }
    case 'nntp':
      return [{ hear: /^20[01] /mu }, { say: 'QUIT\r\n', hear: /(?:)/u }];
    case 'ldap':
    case 'ldaps':
      // An anonymous bind of version 3; the answer is a bind response (0x61) with the result "success".
      return [
        {
          say: bytes(0x30, 0x0c, 0x02, 0x01, 0x01, 0x60, 0x07, 0x02, 0x01, 0x03, 0x04, 0x00, 0x80, 0x00),
          hear: new RegExp(String.raw`^\x30[^]*\x61[^]+\x0a\x01\x00`, 'u'),
        },
      ];
    case 'mysql':
      // A packet whose number is 0 and which begins with the protocol's version, 10; an error would begin with 255.
      return [{ hear: new RegExp(String.raw`^[^]{3}\x00\x0a`, 'u') }];
    case 'pgsql':
      // Whether it speaks TLS: any server that takes connections says yes or no.
      return [{ say: bytes(0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f), hear: /^[SN]/u }];
    case 'redis': {
      const login = [{ say: `AUTH ${password}\r\n`, hear: /^\+OK/mu }];
      return [
        ...(password === '' ? [] : login),
        { say: 'PING\r\n', hear: password === '' ? /^\+PONG|^-NOAUTH/mu : /^\+PONG/mu },
      ];
    }
    default: {
      const { send, expect } = options;
      if (send === undefined && expect === undefined) return [];
      return [
        {
          ...(send === undefined ? {} : { say: unescape(send) }),
          hear: expect === undefined ? /(?:)/u : new RegExp(expect, 'u'),
        },
      ];
    }
  }
}

const alwaysTls = new Set(['imaps', 'pops', 'ldaps']);

function open(check: Check, target: Target, isConnected: () => void): Socket {
  const { from, tls } = check.options;
  const where = { host: target.host, port: target.port, ...(from === undefined ? {} : { localAddress: from }) };
  if (tls !== 'yes' && !alwaysTls.has(check.kind)) return connectTcp(where, isConnected);
  return connectTls({ ...where, ...tlsOptions(check) }, isConnected);
}

/** Goes through the protocol's dialogue; with nothing to hear, a connection is enough. */
export function converse(check: Check, target: Target): Promise<CheckResult> {
  const steps = dialogue(check);
  return new Promise((resolve) => {
    let step = 0;
    let heard = '';
    const done = (result: CheckResult): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    /** Says what is next, as long as nothing needs to be heard for it. */
    const goOn = (): void => {
      for (;;) {
        const next = steps[step];
        if (next === undefined) return done(good);
        if (next.say !== undefined) socket.write(next.say, 'latin1');
        if (next.hear.source !== '(?:)') return;
        step += 1;
      }
    };
    const timer = setTimeout(() => done(bad(`no answer in ${check.timeoutMs} ms`)), check.timeoutMs);
    const socket = open(check, target, goOn);
    socket.setEncoding('latin1');
    socket.on('error', (error) => done(bad(error.message)));
    socket.on('end', () => done(bad('closed before the expected answer')));
    socket.on('data', (part: string) => {
      const wanted = steps[step];
      if (wanted === undefined) return;
      heard = (heard + part).slice(-heardMax);
      if (wanted.hear.test(heard)) {
        heard = '';
        step += 1;
        goOn();
      } else if (check.kind !== 'tcp' && heard.includes('\n')) {
        done(bad(`unexpected answer: ${heard.split('\n')[0]?.trim() ?? ''}`));
      }
    });
  });
}

/** `\r`, `\n`, `\t` and `\xNN` as people write them in a configuration. */
export const unescape = (text: string): string =>
  text.replaceAll(
    /\\(?:x([0-9a-fA-F]{2})|([rnt\\]))/gu,
    (_whole, hex: string | undefined, letter: string | undefined) =>
      hex === undefined
        ? ({ r: '\r', n: '\n', t: '\t' }[letter ?? ''] ?? '\\')
        : String.fromCharCode(Number.parseInt(hex, 16)),
  );

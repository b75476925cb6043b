/** Checks by HTTP and HTTPS: the status, and what the page says. */
import { createHash } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIPv6 } from 'node:net';
import type { Check } from './check-line.ts';
import { bad, good, tlsOptions, type CheckResult, type Target } from './result.ts';

/** The largest page that is looked at. */
const pageBytesMax = 1024 * 1024;

export function askForPage(check: Check, target: Target): Promise<CheckResult> {
  const { path = '/', method = 'GET', host, user, password = '', from } = check.options;
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
        ...(from === undefined ? {} : { localAddress: from }),
        ...(user === undefined ? {} : { auth: `${user}:${password}` }),
        ...(check.kind === 'https' ? tlsOptions(named(check)) : {}),
      },
      (response) => {
        const parts: Buffer[] = [];
        let size = 0;
        response.on('data', (part: Buffer) => {
          size += part.length;
          if (size <= pageBytesMax) parts.push(part);
        });
        response.on('end', () => resolve(judge(check, response.statusCode ?? 0, Buffer.concat(parts))));
        response.on('error', (error) => resolve(bad(error.message)));
      },
    );
    const overall = setTimeout(() => request.destroy(new Error(`no answer in ${check.timeoutMs} ms`)), check.timeoutMs);
    request.on('error', (error) => resolve(bad(error.message)));
    request.on('close', () => clearTimeout(overall));
    request.end();
  });
}

/** The host that is asked for is also the one whose certificate is wanted. */
const named = (check: Check): Check =>
  check.options['host'] === undefined ? check : { ...check, options: { sni: check.options['host'], ...check.options } };

function judge(check: Check, code: number, page: Buffer): CheckResult {
  const { status = '200-299', contains, lacks, md5 } = check.options;
  if (!isInRanges(code, status)) return bad(`status ${code}`);
  const text = page.toString('utf8');
  if (contains !== undefined && !new RegExp(contains, 'u').test(text)) return bad(`no match for ${contains}`);
  if (lacks !== undefined && new RegExp(lacks, 'u').test(text)) return bad(`a match for ${lacks}`);
  if (md5 !== undefined && createHash('md5').update(page).digest('hex') !== md5.toLowerCase()) {
    return bad('the page has another digest');
  }
  return good;
}

/** Whether `code` is in `200-299,304`. */
const isInRanges = (code: number, ranges: string): boolean =>
  ranges.split(',').some((range) => {
    const [low = '', high = low] = range.split('-');
    return code >= Number(low) && code <= Number(high);
  });

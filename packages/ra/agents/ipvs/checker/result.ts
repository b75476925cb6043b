/** What a check finds out, and where and how it looks. */
import { readFileSync } from 'node:fs';
import type { Check } from './check-line.ts';

export interface CheckResult {
  readonly ok: boolean;
  readonly reason: string;
  /** A server may say itself how much it can take. */
  readonly weight?: number;
}

export interface Target {
  readonly host: string;
  readonly port: number;
}

export const good: CheckResult = { ok: true, reason: 'answers' };
export const bad = (reason: string): CheckResult => ({ ok: false, reason });

/**
 * How TLS is spoken. What is asked is whether the server serves; whose certificate it shows is for its clients to judge,
 * unless told otherwise. Files are read anew each time: certificates are renewed.
 */
export function tlsOptions({ options }: Check): object {
  const { sni, verify, ca, cert, key } = options;
  const read = (path: string | undefined): Buffer | undefined => (path === undefined ? undefined : readFileSync(path));
  return {
    rejectUnauthorized: verify === 'yes',
    ...(sni === undefined ? {} : { servername: sni }),
    ca: read(ca),
    cert: read(cert),
    key: read(key),
  };
}

/** Fingerprints: of a CIB, to see whether two members hold the same; of parameters, to see whether they changed. */
import { createHash, hash } from 'node:crypto';
import { byCodeUnit } from '@systole/kernel';
import type { Json } from './change.ts';
import type { Cib } from './model/cib.ts';

/** SHA-256 of version, configuration and status, 16 hexadecimal digits of it. The order of fields does not count. */
export function cibDigest(cib: Cib): string {
  const content = { version: cib.version, configuration: cib.configuration, status: cib.status };
  return createHash('sha256')
    .update(canonical(content as unknown as Json))
    .digest('hex')
    .slice(0, 16);
}

/** MD5 as 32 hexadecimal digits: Pacemaker's digests of parameters use it, and nothing secret depends on it. */
export const md5 = (text: string): string => hash('md5', text);

/** JSON with the fields of every object sorted. By hand: a replacer that copies every object takes three times as long. */
export function canonical(value: Json): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (isList(value)) return `[${value.map((element) => canonical(element)).join(',')}]`;
  const fields = Object.keys(value).toSorted(byCodeUnit);
  const parts = fields.flatMap((field) => {
    const inner = value[field];
    return inner === undefined ? [] : [`${JSON.stringify(field)}:${canonical(inner)}`];
  });
  return `{${parts.join(',')}}`;
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

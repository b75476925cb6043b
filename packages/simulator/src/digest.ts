/**
 * A digest of a value that never changes, such as a CIB: equal for values that JSON writes alike.
 *
 * The digest of every object in it is kept with the object. A new version of a CIB shares all but the changed path with
 * the one before, so its digest costs as much as the change is large, not as the CIB is. To write each version out took
 * longer than the rest of a run.
 */

const known = new WeakMap<object, number>();
const TWO_32 = 2 ** 32;

/** 52 bits. */
export function digestOf(value: unknown): number {
  if (typeof value === 'string') return ofText(value);
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return mixed(3, value);
  if (typeof value !== 'object' || value === null) return ofText(`${typeof value} ${String(value)}`);
  const before = known.get(value);
  if (before !== undefined) return before;
  const digest = Array.isArray(value) ? ofArray(value) : ofObject(value as Readonly<Record<string, unknown>>);
  known.set(value, digest);
  return digest;
}

function ofArray(values: readonly unknown[]): number {
  let digest = 1;
  for (const value of values) digest = mixed(digest, digestOf(value));
  return digest;
}

function ofObject(value: Readonly<Record<string, unknown>>): number {
  let digest = 2;
  for (const name of Object.keys(value)) {
    const each = value[name];
    if (each !== undefined) digest = mixed(mixed(digest, ofText(name)), digestOf(each)); // JSON writes nothing for undefined
  }
  return digest;
}

/** Names of nodes, of operations, of attributes come again and again. */
const texts = new Map<string, number>();
const TEXTS_MAX = 20_000;

function ofText(text: string): number {
  const before = texts.get(text);
  if (before !== undefined) return before;
  let low = 0x811c9dc5;
  let high = 0x9747b28c;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code ^ (low >>> 15), 0x85ebca6b);
  }
  const digest = joined(low, high);
  if (texts.size < TEXTS_MAX) texts.set(text, digest);
  return digest;
}

/** Order matters. */
function mixed(digest: number, next: number): number {
  let low = Math.imul((digest ^ next) + 0x7f4a7c15, 0x85ebca6b);
  low ^= low >>> 13;
  const high = Math.imul(((digest / TWO_32) ^ (next / TWO_32)) + (low >>> 7), 0xc2b2ae35);
  return joined(low, high ^ (high >>> 16));
}

const joined = (low: number, high: number): number => (high & 0xfffff) * TWO_32 + (low >>> 0);

/**
 * Chance as a function, not as a stream: `draw(seed, what, which, …)`.
 *
 * Every random choice inside a run is named by what it is for, and how many of its kind came before. So a fault that is
 * taken out of the plan shifts no other choice, and a failing run can be shrunk by deletion.
 */

const textHashes = new Map<string, number>();

/** Mixes one word into a hash (the finalizer of murmur3 on a running state). */
function mix(hash: number, word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  const sum = (hash ^ mixed ^ (mixed >>> 16)) >>> 0;
  return (Math.imul((sum << 13) | (sum >>> 19), 5) + 0xe6546b64) >>> 0;
}

function hashText(text: string): number {
  const known = textHashes.get(text);
  if (known !== undefined) return known;
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash >>>= 0;
  if (textHashes.size < 10_000) textHashes.set(text, hash);
  return hash;
}

/** A whole number from 0 up to 2^32 − 1, the same for the same arguments. */
export function draw(seed: number, ...names: readonly (number | string)[]): number {
  let hash = mix(0x9747b28c, seed);
  for (const name of names) hash = mix(hash, typeof name === 'string' ? hashText(name) : name);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** From 0 up to, but not including, 1. */
export const share = (seed: number, ...names: readonly (number | string)[]): number => draw(seed, ...names) / 2 ** 32;

/** From `low` to `high`, both included. */
export const between = (low: number, high: number, seed: number, ...names: readonly (number | string)[]): number =>
  low + Math.floor(share(seed, ...names) * (high - low + 1));

export function pick<T>(from: readonly T[], seed: number, ...names: readonly (number | string)[]): T {
  const chosen = from[draw(seed, ...names) % from.length];
  if (chosen === undefined) throw new RangeError('nothing to pick from');
  return chosen;
}

/** A running hash of everything that a run wrote: two runs are alike when it is. FNV-1a, 52 bits in two words. */
export class Fingerprint {
  #low = 0x811c9dc5;
  #high = 0x01000193;

  add(text: string): void {
    for (let index = 0; index < text.length; index += 1) {
      const code = text.charCodeAt(index);
      this.#low = Math.imul(this.#low ^ code, 0x01000193) >>> 0;
      this.#high = Math.imul(this.#high ^ code ^ (this.#low >>> 16), 0x01000193) >>> 0;
    }
  }

  toString(): string {
    return this.#high.toString(16).padStart(8, '0') + this.#low.toString(16).padStart(8, '0');
  }
}

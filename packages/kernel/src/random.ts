/** A seeded generator (xoshiro128**), so that a run can be repeated to the byte; and ids made from any generator. */
import { customRandom, urlAlphabet } from 'nanoid';
import type { Random } from './ports.ts';

const rotateLeft = (value: number, bits: number): number => ((value << bits) | (value >>> (32 - bits))) >>> 0;

/** Spreads a seed over the generator's state, so that neighbouring seeds give unlike streams (splitmix32). */
function* spread(seed: number): Generator<number, never> {
  let state = seed >>> 0;
  for (;;) {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    yield (mixed ^ (mixed >>> 15)) >>> 0;
  }
}

/** The same seed gives the same stream, on every machine. `seed` is taken modulo 2^32. */
export function seededRandom(seed: number): Random {
  const source = spread(seed);
  let [a, b, c, d] = [source.next().value, source.next().value, source.next().value, source.next().value];

  const next = (): number => {
    const result = Math.imul(rotateLeft(Math.imul(b, 5) >>> 0, 7), 9) >>> 0;
    const shifted = (b << 9) >>> 0;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c = (c ^ shifted) >>> 0;
    d = rotateLeft(d >>> 0, 11);
    return result;
  };

  return {
    integer: (below) => Math.floor((next() / 2 ** 32) * below),
    bytes: (length) => Uint8Array.from({ length }, () => next() >>> 24),
  };
}

/** Makes ids such as `tr_V1StGXR8`: a prefix that says the kind, then eight characters. */
export function idMaker(random: Random): (prefix: string) => string {
  const characters = customRandom(urlAlphabet, 8, (size) => random.bytes(size));
  return (prefix) => `${prefix}_${characters()}`;
}

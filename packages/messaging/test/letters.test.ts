import { seededRandom } from '@systole/kernel';
import { describe, expect, test } from 'vitest';
import { arbiterId, cryptoSeal, LetterBox, letterBytesMax } from '../src/index.ts';

const key = (fill: number, id = 0) => ({ id, key: new Uint8Array(32).fill(fill), primary: true });
const box = (self: number, more: Partial<ConstructorParameters<typeof LetterBox>[0]> = {}) =>
  new LetterBox({
    clusterName: 'demo',
    self,
    keys: [key(7)],
    incarnation: 100,
    seal: cryptoSeal,
    random: seededRandom(self + 1),
    ...more,
  });
const body = new TextEncoder().encode('report');

describe('a sealed letter', () => {
  test('arrives with its sender and body', () => {
    expect(box(arbiterId).open(box(3).close(body))).toEqual({ ok: true, from: 3, body });
  });

  test('counts once', () => {
    const arbiter = box(arbiterId);
    const letter = box(3).close(body);
    arbiter.open(letter.slice());
    expect(arbiter.open(letter.slice())).toEqual({ ok: false, why: 'replayed' });
  });

  test('of an earlier life of its sender does not count', () => {
    const arbiter = box(arbiterId);
    const recorded = box(3, { incarnation: 99 }).close(body);
    arbiter.open(box(3, { random: seededRandom(50) }).close(body));
    expect(arbiter.open(recorded)).toEqual({ ok: false, why: 'replayed' });
  });

  test.for<[string, () => Uint8Array, string]>([
    ['another cluster', () => box(3, { clusterName: 'other' }).close(body), 'foreign'],
    ['another key', () => box(3, { keys: [key(8)] }).close(body), 'unauthenticated'],
    ['a key that is not known', () => box(3, { keys: [key(7, 5)] }).close(body), 'unknownKey'],
    ['a flipped bit', () => box(3).close(body).with(60, 0), 'unauthenticated'],
    ['too few bytes', () => new Uint8Array(10), 'short'],
    ['something else', () => new Uint8Array(200), 'foreign'],
  ])('is refused if it has %s', ([, letter, why]) => {
    expect(box(arbiterId).open(letter())).toEqual({ ok: false, why });
  });

  test('is accepted under an older key while two are valid', () => {
    const keys = [key(9, 1), { ...key(7), primary: false }];
    expect(box(arbiterId, { keys }).open(box(3).close(body))).toMatchObject({ ok: true });
  });

  test('is never larger than a datagram may be', () => {
    expect(() => box(3).close(new Uint8Array(letterBytesMax + 1))).toThrow('at most');
  });
});

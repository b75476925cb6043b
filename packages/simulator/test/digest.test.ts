/** Digests of values that share parts. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { digestOf } from '../src/digest.ts';

const copied = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown;
const changed = (value: object, change: object): object => ({ ...value, ...change });

test('are equal exactly where the values are written alike', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue({ maxDepth: 3 }), { minLength: 2 }), (values) => {
      const texts = new Set(values.map((value) => JSON.stringify(value)));
      expect(new Set(values.map((value) => digestOf(copied(value)))).size).toBe(texts.size);
    }),
  );
});

test('differ where a value, a name, an order or a type does', () => {
  const value = { a: [1, 2, { b: 'x' }], c: 0 };
  const others = [
    changed(value, { a: [1, 2, { b: 'y' }] }),
    changed(value, { a: [2, 1, { b: 'x' }] }),
    changed(value, { a: [1, 2, { d: 'x' }] }),
    changed(value, { c: '0' }),
    changed(value, { c: null }),
    { c: 0, a: [1, 2, { b: 'x' }] },
    { a: [1, 2, { b: 'x' }] },
  ];
  expect(new Set([value, ...others].map(digestOf)).size).toBe(others.length + 1);
});

test('a value that JSON does not write makes no difference', () => {
  expect(digestOf({ a: 1, b: undefined })).toBe(digestOf({ a: 1 }));
});

test('a version that shares most of the one before has the digest of its copy', () => {
  const before = { nodes: [{ name: 'n1', history: [1, 2] }, { name: 'n2' }], version: 1 };
  digestOf(before);
  const after = { ...before, nodes: [{ name: 'n1', history: [1, 2, 3] }, before.nodes[1]] };
  expect(digestOf(after)).toBe(digestOf(copied(after)));
  expect(digestOf(after)).not.toBe(digestOf(before));
});

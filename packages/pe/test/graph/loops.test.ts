import { describe, expect, test } from 'vitest';
import { circles, isAcyclic } from '../../src/graph/loops.ts';

const after =
  (pairs: readonly (readonly [number, number])[]) =>
  (index: number): readonly number[] =>
    pairs.filter(([first]) => first === index).map(([, then]) => then);

describe('actions that wait for each other', () => {
  test('a chain, however long, is no circle', () => {
    const pairs = Array.from({ length: 50_000 }, (_, at): [number, number] => [at, at + 1]);
    expect(isAcyclic(50_001, pairs)).toBe(true);
  });

  test('two that wait for each other are a circle, and what only waits for them is not in it', () => {
    const pairs = [
      [0, 1],
      [1, 2],
      [2, 1],
      [2, 3],
    ] as const;
    expect(isAcyclic(4, pairs)).toBe(false);
    expect(circles(4, after(pairs))).toEqual([[1, 2]]);
  });

  test('circles that touch are one, circles apart are several', () => {
    const touching = [
      [0, 1],
      [1, 0],
      [1, 2],
      [2, 1],
    ] as const;
    const apart = [
      [0, 1],
      [1, 0],
      [2, 3],
      [3, 2],
    ] as const;
    expect(circles(3, after(touching))).toEqual([[0, 1, 2]]);
    expect(circles(4, after(apart))).toEqual([
      [0, 1],
      [2, 3],
    ]);
  });

  test('a long circle is found without exhausting the stack', () => {
    const count = 50_000;
    const next = (index: number): readonly number[] => [(index + 1) % count];
    expect(circles(count, next)[0]?.length).toBe(count);
  });
});

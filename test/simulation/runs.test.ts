/** Runs repeat themselves to the byte, and what once broke a law does not break it again. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Plan, planFor, run, shipped } from '@systole/simulator';
import { describe, expect, test } from 'vitest';

const folder = join(import.meta.dirname, 'scenarios');

describe('a seed', () => {
  test.for([3, 8, 11])('%i tells the same story twice', (seed) => {
    const [first, second] = [run(planFor(seed), shipped), run(planFor(seed), shipped)];

    expect(second.fingerprint).toBe(first.fingerprint);
    expect(second.events).toBe(first.events);
  });

  test('other than another tells another story', () => {
    expect(run(planFor(3), shipped).fingerprint).not.toBe(run(planFor(4), shipped).fingerprint);
  });

  test('makes the same plan every time, and another makes another', () => {
    expect(planFor(42)).toEqual(planFor(42));
    expect(planFor(43)).not.toEqual(planFor(42));
  });
});

describe('a plan that once broke a law', () => {
  test.for(readdirSync(folder))('%s', (file) => {
    const plan = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Plan;

    expect(run(plan, shipped).violation).toBeUndefined();
  });
});

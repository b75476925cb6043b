/** Plans are data made from the seed; shrinking keeps what matters and drops the rest. */
import { describe, expect, test } from 'vitest';
import { type Plan, planFor, shrink, soakLimits } from '../src/index.ts';

describe('a plan', () => {
  test('names only nodes and resources that are there', () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const { settings, entries, faultsMs } = planFor(seed, seed % 3 === 0 ? soakLimits : undefined);
      for (const { at, fault } of entries) {
        expect(at).toBeLessThan(faultsMs);
        if ('node' in fault) expect(fault.node).toBeLessThanOrEqual(settings.nodes);
        if ('side' in fault) expect(fault.side.length).toBeLessThan(settings.nodes);
      }
      expect(settings.quorum === 'twoNode' ? settings.nodes : 2).toBe(2);
    }
  });

  test('survives being written down', () => {
    expect(JSON.parse(JSON.stringify(planFor(5)))).toEqual(planFor(5));
  });

  test('swarms differ: no kind of fault is in all of them', () => {
    const plans = Array.from({ length: 60 }, (_, seed) => planFor(seed + 1));
    const kinds = new Set(plans.flatMap(({ entries }) => entries.map(({ fault }) => fault.kind)));
    for (const kind of kinds)
      expect(plans.every(({ entries }) => entries.some(({ fault }) => fault.kind === kind))).toBe(false);
    expect(kinds.size).toBeGreaterThan(15);
  });
});

describe('shrinking', () => {
  const noisy: Plan = {
    ...planFor(1),
    entries: Array.from({ length: 40 }, (_, index) => ({
      at: 1000 * index + 137,
      fault:
        index === 12
          ? { kind: 'crash' as const, node: 1, forMs: 8000 }
          : index === 30
            ? { kind: 'power' as const, node: 2, forMs: 8000 }
            : { kind: 'replay' as const },
    })),
  };
  const needsBoth = ({ entries }: Plan): boolean =>
    entries.some(({ fault }) => fault.kind === 'crash') &&
    entries.some(({ fault }) => fault.kind === 'power' && fault.forMs >= 1000);

  test('finds the two faults of forty that matter, shortened and at round times', () => {
    const small = shrink(noisy, needsBoth, { runsMax: 500 });

    expect(small.entries.map(({ fault }) => fault.kind)).toEqual(['crash', 'power']);
    expect(small.entries.every(({ at }) => at % 1000 === 0)).toBe(true);
    expect(small.entries.map(({ fault }) => ('forMs' in fault ? fault.forMs : 0))).toEqual([500, 1000]);
    expect(small.settings.nodes).toBe(2);
  });

  test('never runs more often than it may', () => {
    let runs = 0;
    shrink(noisy, (plan) => (runs += 1) > 0 && needsBoth(plan), { runsMax: 25 });

    expect(runs).toBe(25);
  });

  test('keeps a plan that cannot be smaller', () => {
    expect(shrink(noisy, () => false, { runsMax: 100 })).toEqual(noisy);
  });
});

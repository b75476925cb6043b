import fc from 'fast-check';
import { expect, test } from 'vitest';
import { applyChange, diff, emptyCib, invertChange, type Cib } from '../src/index.ts';

const pairs = fc.uniqueArray(
  fc.record({ id: fc.constantFrom('a', 'b', 'c', 'd', 'e'), value: fc.string({ maxLength: 3 }) }),
  {
    selector: (pair) => pair.id,
  },
);
const cibs: fc.Arbitrary<Cib> = fc
  .uniqueArray(
    fc.record({ id: fc.constantFrom('k', 'l', 'm', 'n', 'o'), pairs, members: fc.array(fc.string({ maxLength: 2 })) }),
    {
      selector: (tag) => tag.id,
    },
  )
  .map((tags) => ({ ...emptyCib, configuration: { ...emptyCib.configuration, tags } }));

test('a diff applied gives the target, and its inverse the origin, for any two CIBs', () => {
  fc.assert(
    fc.property(cibs, cibs, (before, after) => {
      const change = diff(before, after);
      const there = applyChange(before, change);
      expect(there.ok && there.value.configuration).toEqual(after.configuration);
      if (!there.ok) return;
      const back = applyChange(there.value, invertChange(change, there.value.version));
      expect(back.ok && back.value.configuration).toEqual(before.configuration);
    }),
    { numRuns: 500 },
  );
});

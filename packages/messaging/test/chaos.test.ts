/** A few seeds of random faults in every test run; thousands: `node packages/messaging/test/harness/soak.ts 1 3000`. */
import { describe, expect, test } from 'vitest';
import { chaos } from './harness/chaos.ts';

describe('under random faults all guarantees hold, and afterwards there is one view', () => {
  test.for([1, 3, 5, 9, 13, 31, 488, 40_477])('seed %i', (seed) => {
    expect(chaos(seed, seed > 1000 ? 12_000 : 5000).settledMs).toBeLessThanOrEqual(2000);
  });

  test('the same seed gives the same run', () => {
    expect(chaos(8, 4000)).toEqual(chaos(8, 4000));
  });
});

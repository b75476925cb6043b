import { describe, expect, test } from 'vitest';
import { donorOf, leaderOf } from '../src/sync.ts';

const member = (name: string, lineage: number, epoch: number, updates = 0, featureSet = 1) => ({
  name,
  lineage,
  version: { adminEpoch: 0, epoch, updates },
  featureSet,
});

describe('the newest CIB', () => {
  test('is of the latest quorate view, whatever the versions say', () => {
    expect(donorOf([member('a', 4, 9, 99), member('b', 5, 3)]).name).toBe('b');
  });

  test('is of the highest version where the lineage is the same', () => {
    expect(donorOf([member('a', 4, 9), member('b', 4, 9, 1), member('c', 4, 8, 70)]).name).toBe('b');
  });

  test('is of the higher rank where nothing else decides', () => {
    expect(donorOf([member('a', 4, 9), member('b', 4, 9)]).name).toBe('a');
  });
});

describe('the leader', () => {
  test('is the highest in rank of those with the oldest program', () => {
    expect(leaderOf([member('a', 1, 1, 0, 2), member('b', 1, 1), member('c', 1, 1)])).toBe('b');
  });
});

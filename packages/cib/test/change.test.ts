import { describe, expect, test } from 'vitest';
import { applyChange, diff, emptyCib, invertChange, isEqual, type Cib, type Configuration } from '../src/index.ts';

const withConfiguration = (part: Partial<Configuration>): Cib => ({
  ...emptyCib,
  configuration: { ...emptyCib.configuration, ...part },
});
const tag = (id: string, ...members: string[]) => ({ id, members });
const content = (cib: Cib) => ({ configuration: cib.configuration, status: cib.status });

describe('a change of the CIB', () => {
  const before = withConfiguration({ tags: [tag('a', 'x'), tag('b', 'y'), tag('c')] });
  const after = withConfiguration({ tags: [tag('new'), tag('b', 'y', 'z'), tag('c'), tag('last')] });

  test('leads from one CIB to the other, and its inverse back', () => {
    const change = diff(before, after);
    const there = applyChange(before, change);
    expect(there.ok && content(there.value)).toEqual(content(after));
    if (!there.ok) return;
    const back = applyChange(there.value, invertChange(change, there.value.version));
    expect(back.ok && content(back.value)).toEqual(content(before));
  });

  test('of the configuration raises the epoch, of the status only the update count', () => {
    const configured = applyChange(before, diff(before, after));
    expect(configured.ok && configured.value.version).toEqual({ adminEpoch: 0, epoch: 1, updates: 0 });
    const granted = { ...before, status: { nodes: [], tickets: [{ id: 't', isGranted: true }] } };
    const reported = applyChange(before, diff(before, granted));
    expect(reported.ok && reported.value.version).toEqual({ adminEpoch: 0, epoch: 0, updates: 1 });
  });

  test('merges with a change of something else that came first', () => {
    const theirs = applyChange(before, diff(before, withConfiguration({ tags: [tag('b', 'y'), tag('c')] })));
    const ours = diff(before, withConfiguration({ tags: [tag('a', 'x'), tag('b', 'y'), tag('c', 'q')] }));
    const merged = theirs.ok ? applyChange(theirs.value, ours) : theirs;
    expect(merged.ok && merged.value.configuration.tags).toEqual([tag('b', 'y'), tag('c', 'q')]);
  });

  test('conflicts with a change of the same thing, says where, and changes nothing', () => {
    const theirs = applyChange(
      before,
      diff(before, withConfiguration({ tags: [tag('a', 'other'), tag('b', 'y'), tag('c')] })),
    );
    const ours = diff(before, withConfiguration({ tags: [tag('a', 'mine'), tag('b', 'y'), tag('c')] }));
    const merged = theirs.ok ? applyChange(theirs.value, ours) : theirs;
    expect(merged).toEqual({
      ok: false,
      error: [{ path: 'configuration.tags[a].members', expected: ['x'], found: ['other'] }],
    });
  });

  test('that reorders a list replaces it', () => {
    const turned = withConfiguration({ tags: before.configuration.tags.toReversed() });
    const applied = applyChange(before, diff(before, turned));
    expect(applied.ok && content(applied.value)).toEqual(content(turned));
  });

  test('is empty between equal CIBs whatever the order of fields', () => {
    const same = withConfiguration({ tags: [{ members: ['x'], id: 'a' }, tag('b', 'y'), tag('c')] });
    expect(diff(before, same).edits).toEqual([]);
    expect(isEqual({ a: 1, b: [1, 2] }, { b: [1, 2], a: 1 })).toBe(true);
    expect(isEqual([1, 2], [2, 1])).toBe(false);
  });
});

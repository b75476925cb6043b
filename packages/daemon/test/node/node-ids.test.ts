import { describe, expect, test } from 'vitest';
import { nodeIdOf, NodeIds } from '../../src/node/node-ids.ts';

describe('numbers of nodes', () => {
  test('depend on the name alone', () => {
    expect(nodeIdOf('n1')).toBe(nodeIdOf('n1'));
    const [few, many] = [NodeIds.of(['n1', 'n2']), NodeIds.of(['a', 'n2', 'n1', 'z'])];
    expect(few.ok && many.ok && few.value.id('n2') === many.value.id('n2')).toBe(true);
  });

  test('are from 1 to 65535', () => {
    for (let index = 0; index < 5000; index++) {
      const id = nodeIdOf(`node-${index}`);
      expect(id >= 1 && id <= 65_535).toBe(true);
    }
  });

  test('that two names share are refused, with both names', () => {
    const seen = new Map<number, string>();
    let pair: readonly string[] = [];
    for (let index = 0; pair.length === 0; index++) {
      const name = `host${index}`;
      const other = seen.get(nodeIdOf(name));
      if (other !== undefined) pair = [other, name];
      seen.set(nodeIdOf(name), name);
    }
    const ids = NodeIds.of(pair);
    expect(ids.ok ? '' : ids.error).toBe(
      `the names ${pair[0]} and ${pair[1]} have the same number on the wire; rename one of them`,
    );
  });

  test('cannot tell two nodes of one name apart, and say so', () => {
    const ids = NodeIds.of(['n1', 'n2', 'n1']);
    expect(ids.ok ? '' : ids.error).toMatch(/two nodes have the name n1/);
  });
});

/** Orders that are the same on every node and in every replay: by code unit, never by locale. */

export type Compare<T> = (a: T, b: T) => number;

export const byCodeUnit: Compare<string> = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
export const byNumber: Compare<number> = (a, b) => a - b;

/** Orders by what `key` says of an element. */
export const by =
  <T, K>(key: (element: T) => K, compare: Compare<K>): Compare<T> =>
  (a, b) =>
    compare(key(a), key(b));

/** Orders by the first comparison that does not tie. */
export const inTurn =
  <T>(...comparisons: readonly Compare<T>[]): Compare<T> =>
  (a, b) => {
    for (const compare of comparisons) {
      const order = compare(a, b);
      if (order !== 0) return order;
    }
    return 0;
  };

/** A map's entries in the order of their keys, for wherever order can reach an output. */
export const sortedEntries = <V>(map: ReadonlyMap<string, V>): readonly (readonly [string, V])[] =>
  [...map].toSorted(([a], [b]) => byCodeUnit(a, b));
